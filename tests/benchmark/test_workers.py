"""Several processes of one machine do the same command, and each says what it does in a file."""

import sys

import pytest

from wsolkit import __version__
from wsolkit.benchmark import workers


def test_each_process_runs_the_command(tmp_path):
    said = []
    workers.run_workers(["--version"], 2, tmp_path, said.append)
    logs = sorted((tmp_path / "logs").iterdir())
    assert [path.name for path in logs] == ["process_1.log", "process_2.log"]
    assert [path.read_text().split() for path in logs] == [["wsolkit", __version__]] * 2
    assert said == [
        f"2 processes work on it; {tmp_path / 'logs'} holds what each says.",
        "All processes have come to their end.",
    ]


def test_a_process_that_ends_badly_is_told_with_its_log(tmp_path):
    said = []
    workers.run_workers(["no-such-command"], 1, tmp_path, said.append)
    log = tmp_path / "logs" / "process_1.log"
    assert said[1] == f"Process 1 ended with exit status 2; {log} says why. What is left undone is done here."
    assert "no-such-command" in log.read_text()


@pytest.mark.parametrize(("device", "seen"), [("cuda:1", [None, None]), ("cuda", ["0", "1"])])
def test_gpus_are_shared_out_unless_one_is_named(device, seen, tmp_path, monkeypatch):
    found = []

    class Process:
        """One that is done at once."""

        def __init__(self, *_, env, **__):
            found.append(env.get("CUDA_VISIBLE_DEVICES"))

        def poll(self):
            return 0

        wait = poll

    monkeypatch.setattr(workers, "gpus", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(workers.subprocess, "Popen", Process)
    workers.run_workers(["benchmark", f"--device={device}"], 2, tmp_path, lambda _: None)
    assert found == seen


def test_those_that_run_are_ended_where_this_one_is(tmp_path, monkeypatch):
    started = []

    class Process:
        """One that never ends by itself; the second cannot even be started."""

        def __init__(self, command, **_):
            if started:
                raise KeyboardInterrupt
            assert command[:3] == [sys.executable, "-m", "wsolkit"]
            started.append(self)
            self.ended = False

        def poll(self):
            return 0 if self.ended else None

        def terminate(self):
            self.ended = True

        def wait(self):
            assert self.ended

    monkeypatch.setattr(workers.subprocess, "Popen", Process)
    try:
        workers.run_workers(["benchmark"], 2, tmp_path, lambda _: None)
    except KeyboardInterrupt:
        assert started[0].ended
    else:
        raise AssertionError("the interrupt was lost")
