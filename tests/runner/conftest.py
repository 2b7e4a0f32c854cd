import multiprocessing
import os
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

import micro  # noqa: E402

collect_ignore = ["micro.py", "micro_config.py", "run_train.py"]
torch.set_num_threads(1)


@pytest.fixture
def micro_config():
    """Load the micro configuration with options."""
    return lambda **options: micro.load_config(
        micro.CONFIG, {key.replace("__", "."): value for key, value in options.items()}
    )


@pytest.fixture(scope="session")
def processes():
    """Processes that are forked from one that has imported everything: cheap enough to be killed by the dozen."""
    paths = [str(HERE), str(HERE.parent.parent), str(HERE.parent.parent / "plugins")]
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["micro"])
    return context
