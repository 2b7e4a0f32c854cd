"""A bar on a terminal, a line now and then elsewhere, nothing in the other processes of a run."""

import pytest

from wsolkit import progress
from wsolkit.progress import hidden, progress_bar, progress_bars, watched


def on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch, capsys):
    on_a_terminal(monkeypatch)
    with progress_bar("boxes", 3) as advance:
        advance(3)
    seen = capsys.readouterr()
    assert "boxes" in seen.err
    assert "3/3" in seen.err
    assert "images/s" in seen.err
    assert seen.out == ""


def test_a_pipe_gets_a_line_now_and_then(monkeypatch, capsys):
    now = iter([0.0, 1.0, 31.0, 40.0, 62.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with progress_bar("boxes", 400) as advance:
        for _ in range(4):
            advance(31)
    assert capsys.readouterr().err == "boxes: 62 of 400 images, 2.0 images/s\nboxes: 124 of 400 images, 2.0 images/s\n"


def test_what_takes_longer_than_a_second_is_told_in_seconds(monkeypatch, capsys):
    monkeypatch.setattr(progress.time, "monotonic", iter([0.0, 1.0, 80.0]).__next__)
    with progress_bar("test split", 22, "batches") as advance:
        advance(1)
        advance(6)
    assert capsys.readouterr().err == "test split: 7 of 22 batches, 11.4 s each\n"


@pytest.mark.parametrize("rank", ["0", "1"])
def test_other_processes_show_nothing(rank, monkeypatch, capsys):
    on_a_terminal(monkeypatch)
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr(progress, "SECONDS", 0)
    assert watched() == (rank == "0")
    with progress_bar("boxes", 3) as advance:
        advance(3)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    with progress_bar("boxes", 3) as advance:
        advance(3)
    assert bool(capsys.readouterr().err) == (rank == "0")


def test_hidden_takes_the_place_of_a_bar(capsys):
    with hidden("boxes", 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def test_bars_follow_one_another(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS", 0)
    monkeypatch.setattr(progress.time, "monotonic", iter(range(1, 99)).__next__)
    with progress_bars() as advance:
        advance("val", 1, 2)
        advance("val", 2, 2)
        advance("test", 3, 5)
    assert [line.partition(" batches")[0] for line in capsys.readouterr().err.splitlines()] == [
        "val: 1 of 2",
        "val: 2 of 2",
        "test: 3 of 5",
    ]
