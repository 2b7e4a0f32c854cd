"""Fixtures around the micro training."""

import multiprocessing
import os
from pathlib import Path

import pytest

from tests.support import micro

ROOT = Path(__file__).parents[2]


@pytest.fixture
def micro_config():
    """Load the micro configuration with options."""
    return lambda **options: micro.load_config(
        micro.CONFIG, {key.replace("__", "."): value for key, value in options.items()}
    )


@pytest.fixture(scope="session")
def processes():
    """Processes that are forked from one that has imported everything: cheap enough to be killed by the dozen."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")])
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.micro", "tests.support.tiny_stages", "tests.support.tiny_benchmark"])
    return context
