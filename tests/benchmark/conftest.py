import gc

import pytest
import torch

from tests.support.micro_fixtures import processes  # noqa: F401 - a fixture
from tests.support.tiny_benchmark import write_config

torch.set_num_threads(1)


@pytest.fixture
def config(tmp_path):
    """The configuration of the tiny methods."""
    return write_config(tmp_path)


@pytest.fixture(scope="package", autouse=True)
def _end_of_the_freeze():
    """Let garbage be collected again that ``tiny_benchmark.run`` has put aside."""
    yield
    gc.unfreeze()
