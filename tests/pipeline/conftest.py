import multiprocessing
import os
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
FOLDERS = [str(HERE), str(HERE.parent / "runner")]
sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]

import tiny_stages  # noqa: E402

collect_ignore = ["tiny_stages.py"]
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


@pytest.fixture(scope="session")
def processes():
    """Processes that are forked from one that has imported everything: cheap enough to be killed by the dozen."""
    root = HERE.parent.parent
    paths = [*FOLDERS, str(root), str(root / "plugins")]
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["micro", "tiny_stages"])
    return context
