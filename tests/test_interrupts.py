"""Ctrl-C and kill, also at the moments at which others would drop them."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from wsolkit.interrupts import Terminated, interrupts_later, terminations, the_interrupt


@pytest.fixture(autouse=True)
def _interruptible():
    """Take interrupts as a program in the foreground does; a shell lets its background jobs ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_waits_for_the_end_of_the_block():
    done = []
    before = signal.getsignal(signal.SIGINT)

    def write(error=None):
        with interrupts_later():
            interrupt()
            done.append("written")
            if error is not None:
                raise error

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == ["written"]
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt) as caught:
        write(OSError("full"))
    assert isinstance(caught.value.__context__, OSError)


def test_kill_interrupts_the_block_once():
    done = []

    def written():
        with terminations(), interrupts_later():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("written")

    with pytest.raises(Terminated):
        written()
    assert done == ["written"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_kill_that_somebody_else_handles_is_left_alone():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append(True))
    try:
        with terminations():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [True]


def test_an_interrupt_is_found_behind_what_was_made_of_it():
    stop = Terminated()
    error = RuntimeError("the group is gone")
    error.__context__ = stop
    assert the_interrupt(error) is stop
    assert the_interrupt(RuntimeError()) is None


def test_other_threads_write_as_they_are():
    done = []

    def write():
        with interrupts_later():
            done.append(True)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert done == [True]


LOST = """
import atexit, os, sys, time
import torch
from torch.utils.data import DataLoader
from wsolkit.interrupts import mind_no_lost_children

batches = iter(DataLoader(torch.zeros(8), num_workers=1, persistent_workers=True))
next(batches)

@atexit.register
def lose():  # as timeout does, and torch looks at children while others end the process
    os.system(f"kill {batches._workers[0].pid}")
    time.sleep(0.3)

if sys.argv[1:]:
    mind_no_lost_children()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="Windows tells nobody of children")
@pytest.mark.parametrize(("arguments", "said"), [([], True), (["quiet"], False)])
def test_nothing_is_said_of_children_that_the_same_signal_ended(arguments, said):
    ended = subprocess.run([sys.executable, "-c", LOST, *arguments], capture_output=True, text=True, check=True)
    assert ("is killed by signal" in ended.stderr) is said
    assert said or not ended.stderr


STOPPED = """
import gc, os, signal, sys, time
import torch
from torch.utils.data import DataLoader
from wsolkit.interrupts import Terminated, terminations

batches = iter(DataLoader(torch.zeros(8), num_workers=1, persistent_workers=True))
next(batches)
try:
    with terminations():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:  # as a benchmark does behind each step
            os.kill(batches._workers[0].pid, signal.SIGKILL)
            time.sleep(0.3)
            gc.collect()
except Terminated:
    print("stopped")
    os._exit(3)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="Windows tells nobody of children")
def test_a_stop_stays_one_where_the_signal_ended_readers_of_images_too():
    ended = subprocess.run([sys.executable, "-u", "-c", STOPPED], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.returncode) == ("stopped\n", 3), ended.stderr
