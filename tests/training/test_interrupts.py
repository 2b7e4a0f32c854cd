"""Ctrl-C at the moments at which others would drop it."""

import copy
import os
import signal
import threading

import pytest
from mmengine.logging import MessageHub

from wsolkit.training.interrupts import interrupts_later
from wsolkit.training.train import train


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


def test_other_threads_write_as_they_are():
    done = []

    def write():
        with interrupts_later():
            done.append(True)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.slow
def test_an_interrupt_while_a_checkpoint_is_made_ends_the_training(micro_config, tmp_path, monkeypatch):
    """mmengine catches everything while it copies its message hub."""
    state_dict, calls = MessageHub.state_dict, []

    def interrupted(self):
        calls.append(self)
        with monkeypatch.context() as patch:
            patch.setattr(copy, "deepcopy", lambda value: interrupt() if value is self._runtime_info["seed"] else value)
            return state_dict(self)

    monkeypatch.setattr(MessageHub, "state_dict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(micro_config(train_cfg__max_epochs=2), tmp_path)
    assert len(calls) == 1
    assert (tmp_path / "last.pth").exists()
