"""Processes that read data, when somebody presses Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, get_worker_info

from wsolkit.datasets.workers import ignore_interrupts


class Interrupted:
    """Sends an interrupt to whoever reads it."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        os.kill(os.getpid(), signal.SIGINT)
        return index, os.getpid(), torch.initial_seed()


def seeded(worker_id):
    torch.manual_seed(40 + worker_id)


@pytest.mark.parametrize("given", [None, seeded])
def test_workers_read_on_and_start_as_they_were_told(given):
    loader = DataLoader(Interrupted(), num_workers=2, worker_init_fn=given)
    ignore_interrupts(loader)
    batches = list(loader)
    assert [int(index) for index, _, _ in batches] == [0, 1, 2, 3]
    assert all(int(process) != os.getpid() for _, process, _ in batches)
    if given is not None:
        assert [int(seed) for _, _, seed in batches] == [40, 41, 40, 41]


def test_the_process_that_reads_is_interrupted():
    """Without workers nothing is started, and nothing ignored."""
    loader = DataLoader(Interrupted(), num_workers=0)
    ignore_interrupts(loader)
    with pytest.raises(KeyboardInterrupt):
        list(loader)
    assert get_worker_info() is None


def test_workers_end_with_the_process_they_read_for():
    code = (
        "import os, signal, sys, time\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import test_workers\n"
        "from torch.utils.data import DataLoader\n"
        "loader = DataLoader(test_workers.Interrupted(), num_workers=2)\n"
        "test_workers.ignore_interrupts(loader)\n"
        "iterator = iter(loader)\n"
        "print(*[int(next(iterator)[1]) for _ in range(2)], flush=True)\n"
        "os.killpg(os.getpid(), signal.SIGINT)\n"
        "time.sleep(60)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )
    assert "KeyboardInterrupt" in run.stderr
    for process in map(int, run.stdout.split()):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
