"""``wsolkit pipeline``: tables, exit codes, and what is said."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wsolkit.cli.main import main

PLUGIN = '''
from wsolkit import Stage, STAGES
from wsolkit.files import write_text

@STAGES.register_module(force=True)
class CountTo(Stage):
    """Counts."""

    def __init__(self, number: int = 3, source: str = "", stop: str = "") -> None:
        self.number, self.source, self.stop = number, source, stop

    def run(self, folder, resume):
        if self.stop == "interrupt":
            raise KeyboardInterrupt
        if self.stop:
            raise ValueError(self.stop)
        write_text(folder / "count.txt", str(self.number))
        return {"count [n]": self.number, "share": 0.123456789}
'''
CONFIG = """
custom_imports = dict(imports=["counting_stages"])
number = 3
stages = [
    dict(name="first", type="CountTo", number=number),
    dict(name="second", type="CountTo", number=number + 1, source="{first}/count.txt"),
]
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    (tmp_path / "counting_stages.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "counts.py").write_text(CONFIG)
    yield "counts.py"
    sys.modules.pop("counting_stages", None)


def rows(text):
    """The cells of a table's lines."""
    return [line.split() for line in text.splitlines() if line.startswith("  ") and line.strip()]


def test_the_table_at_the_end(config, capsys, tmp_path):
    assert main(["pipeline", config]) == 0
    said = capsys.readouterr().out
    assert "[1/2] first (CountTo) ..." in said
    table = rows(said)
    assert table[0] == ["stage", "state", "time", "numbers", "folder"]
    assert table[1][:2] == ["first", "done"]
    assert table[1][-4:] == ["count", "[n]", "3", "first"]
    assert table[2] == ["share", "0.123457"]
    assert f"Results in {tmp_path / 'work_dirs' / 'counts'}" in said
    assert (tmp_path / "work_dirs" / "counts" / "second" / "count.txt").read_text() == "4"


def test_the_list_changes_nothing(config, capsys, tmp_path):
    assert main(["pipeline", config, "--list"]) == 0
    assert rows(capsys.readouterr().out) == [
        ["stage", "type", "state", "why"], ["first", "CountTo", "to", "do"], ["second", "CountTo", "to", "do"]
    ]  # fmt: skip
    assert not (tmp_path / "work_dirs").exists()
    main(["pipeline", config, "--until", "first"])
    capsys.readouterr()
    main(["pipeline", config, "--list", "--cfg-options", "stages.second.number=9"])
    assert [row[2] for row in rows(capsys.readouterr().out)[1:]] == ["done", "to"]
    main(["pipeline", config, "--list", "--until", "first", "--cfg-options", "number=9"])
    assert rows(capsys.readouterr().out)[1:] == [["first", "CountTo", "stale", "number", "was", "3", "and", "is", "9"]]


def test_options_reach_the_stages(config, tmp_path):
    assert main(["pipeline", config, "--work-dir", "w", "--cfg-options", "number=7", "stages.1.number=1"]) == 0
    assert [(tmp_path / "w" / name / "count.txt").read_text() for name in ("first", "second")] == ["7", "1"]


def test_stale_results_are_kept_and_overwrite_does_them_again(config, capsys, tmp_path):
    main(["pipeline", config, "--work-dir", "w"])
    capsys.readouterr()
    assert main(["pipeline", config, "--work-dir", "w", "--cfg-options", "stages.first.number=5"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: stage 'first': ")
    assert "number was 3 and is 5. Stale as well: 'second'." in said
    assert main(["pipeline", config, "--work-dir", "w", "--overwrite", "--cfg-options", "stages.first.number=5"]) == 0
    assert (tmp_path / "w" / "first" / "count.txt").read_text() == "5"


def test_an_interrupt_says_how_to_go_on(config, capsys):
    assert main(["pipeline", config, "--cfg-options", "stages.second.stop=interrupt"]) == 130
    said = capsys.readouterr().err
    assert "What is done is kept; the same command goes on from there." in said
    main(["pipeline", config, "--list", "--cfg-options", "stages.second.stop=interrupt"])
    assert [row[2] for row in rows(capsys.readouterr().out)[1:]] == ["done", "begun"]


def test_mistakes_are_one_line(config, capsys):
    assert main(["pipeline", "counst"]) == 2
    assert "There is no configuration named 'counst'" in capsys.readouterr().err
    assert main(["pipeline", config, "--until", "secnd"]) == 2
    assert "has no stage 'secnd'. Did you mean 'second'?" in capsys.readouterr().err
    assert main(["pipeline", "cam_synthetic"]) == 2
    assert "It is a training: run it with `wsolkit train`" in capsys.readouterr().err
    assert main(["train", config]) == 2
    assert "'counts' is a pipeline, not a training. Run it with `wsolkit pipeline`." in capsys.readouterr().err


def test_an_unexpected_error_names_the_stage(config, tmp_path):
    paths = [str(tmp_path), str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "plugins")]
    done = subprocess.run(
        [sys.executable, "-m", "wsolkit", "pipeline", config, "--cfg-options", "stages.second.stop=broken"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ValueError: broken\n(stage 'second' of the pipeline)")
    assert "Please report it with the lines below." in done.stderr
    record = json.loads((tmp_path / "work_dirs" / "counts" / "first" / "stage.json").read_text())
    assert record["numbers"]["count [n]"] == 3


def test_stages_are_listed(capsys):
    assert main(["list", "stages"]) == 0
    said = capsys.readouterr().out
    for name in ("Train", "Test", "Predict", "Maps"):
        assert re.search(rf"^. {name} +. core +. wsolkit", said, re.MULTILINE), name
    assert main(["show", "Maps"]) == 0
    assert "= 'labels'," in capsys.readouterr().out


def test_a_full_disk_is_told_in_words_and_the_same_command_goes_on(config, capsys, monkeypatch):
    first, fsync = Path("work_dirs/counts/first/stage.json"), os.fsync

    def full(file):
        if first.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert main(["pipeline", config]) == 2
    said = capsys.readouterr().err
    assert re.search(r"error: .*second.*: No space left on device", said)
    assert "Traceback" not in said
    assert main(["pipeline", config]) == 0
    assert "first (CountTo): done before" in capsys.readouterr().out
