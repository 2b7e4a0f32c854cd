import pytest
import torch

from tests.support import tiny_stages
from tests.support.micro_fixtures import processes  # noqa: F401 - a fixture

torch.set_num_threads(1)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """What the tiny stages did, line by line."""
    path = tmp_path / "log.txt"
    monkeypatch.setenv(tiny_stages.LOG, str(path))
    return lambda: path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def pipeline(tmp_path):
    """Plan a pipeline of the given stages in ``tmp_path/work``."""
    return lambda *stages, work="work": tiny_stages.plan_pipeline("toy", list(stages), tmp_path / work)
