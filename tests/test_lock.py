"""One writer at a time in a folder, processes and threads, and what a killed one leaves is cleared away."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wsolkit.errors import ConfigError
from wsolkit.files import LOCK
from wsolkit.folders import is_untouched
from wsolkit.lock import locked


def entries(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_lock_leaves_nothing_behind(tmp_path):
    with locked(tmp_path / "a" / "b", "training"):
        assert entries(tmp_path / "a" / "b") == [LOCK]
        assert is_untouched(tmp_path / "a" / "b")
        words = (tmp_path / "a" / "b" / LOCK).read_text()
        assert words.startswith(f"training\nprocess {os.getpid()} on ")
    assert entries(tmp_path) == []
    with pytest.raises(KeyError), locked(tmp_path / "a"):
        raise KeyError
    assert entries(tmp_path) == []
    with locked(tmp_path / "a"):
        (tmp_path / "a" / "result").write_text("1")
    assert entries(tmp_path / "a") == ["result"]


def test_a_second_writer_is_refused(tmp_path):
    with locked(tmp_path, "prediction", "--out"), locked(tmp_path / "stage"), locked(tmp_path):  # nested in a thread
        with ThreadPoolExecutor() as threads:
            other = threads.submit(locked(tmp_path / "." / "stage" / "..", "test").__enter__)
            with pytest.raises(ConfigError, match="Another prediction of this very process works in .*another --work-"):
                other.result()
        assert entries(tmp_path) == [LOCK, "stage"]
    with locked(tmp_path):
        pass


def test_a_lock_of_a_killed_process_holds_nobody_up(tmp_path):
    (tmp_path / LOCK).write_text("training\nprocess 4 on mars")
    with locked(tmp_path):
        pass
    assert entries(tmp_path) == []


def test_a_folder_that_was_made_anew_is_left_alone(tmp_path):
    with locked(tmp_path / "a"):
        (tmp_path / "a" / LOCK).unlink()
        (tmp_path / "a" / LOCK).write_text("another one's")
    assert (tmp_path / "a" / LOCK).read_text() == "another one's"


def test_a_file_and_a_folder_that_cannot_be_made_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"file is a file, but results are written to a folder. Choose another --out"):
        locked(tmp_path / "file", option="--out").__enter__()
    with pytest.raises(ConfigError, match=r"cannot be written to: Not a directory. Choose another --out"):
        locked(tmp_path / "file" / "below", option="--out").__enter__()
    assert entries(tmp_path) == ["file"]


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def none(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "lockf", none)
    with locked(tmp_path):
        assert entries(tmp_path) == [LOCK]


def test_leftovers_of_dead_processes_are_removed(tmp_path):
    alive, dead = os.getppid(), 2**22 + 1  # more than any system counts to
    for name in (f".a.json.{dead}-0.part", f".a.json.{dead}.part", f".b.{os.getpid()}-99999.part"):
        (tmp_path / name).write_text("half")
    kept = [".my.part", f".c.{alive}-0.part"]
    for name in kept:
        (tmp_path / name).write_text("half")
    with locked(tmp_path):
        assert entries(tmp_path) == sorted([*kept, LOCK])


def test_many_threads_take_turns(tmp_path):
    barrier, done = threading.Barrier(4), []

    def work(number):
        barrier.wait()
        while True:
            try:
                with locked(tmp_path / "new"):
                    done.append(number)
                    return
            except ConfigError:
                continue

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert sorted(done) == [0, 1, 2, 3]
    assert entries(tmp_path) == []
