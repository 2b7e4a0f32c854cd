"""``wsolkit boxes``: what is written and printed, and the words of mistakes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from wsolkit.cli.main import main


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scores = np.zeros((5, 10), np.float32)
    scores[1:3, 4:8] = 1
    np.savez(tmp_path / "cams.npz", **{"a.jpg/0": scores, "a.jpg/1": scores[:, ::-1].copy(), "b.jpg/1": 0 * scores})
    (tmp_path / "sizes.txt").write_text("a.jpg,20,10\nb.jpg,20,10")
    return ["boxes", "--maps", "cams.npz", "--sizes", "sizes.txt", "--out", "found", "--classes", "cat", "dog"]


def test_every_format(command, tmp_path, capsys):
    assert main([*command, "--format", "coco,voc", "yolo", "--format", "csv", "--threshold", ".5"]) == 0
    printed = capsys.readouterr().out
    assert "2 boxes in 2 images, threshold 0.5." in printed
    assert "1 images have no box; they are in without_box.csv." in printed
    for name in ("boxes.json", "dataset.json", "voc", "yolo", "boxes.csv"):
        assert f"found/{name}" in printed
    assert [box["bbox"] for box in json.loads((tmp_path / "found" / "boxes.json").read_text())] == [
        [8, 2, 8, 4], [4, 2, 8, 4],
    ]  # fmt: skip
    with (tmp_path / "found" / "boxes.csv").open() as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["cat", "dog"]
    assert (tmp_path / "found" / "yolo" / "classes.txt").read_text() == "cat\ndog\n"


def test_a_broken_map_is_a_warning(command, tmp_path, capsys):
    (tmp_path / "scoremaps").mkdir()
    np.save(tmp_path / "scoremaps" / "a.npy", np.eye(4))
    (tmp_path / "scoremaps" / "b.npy").write_bytes(b"x")
    argv = ["boxes", "--maps", "scoremaps", "--sizes", "sizes.txt", "--out", "found"]
    assert main(argv) == 0
    printed = capsys.readouterr()
    assert "1 boxes in 1 images" in printed.out
    assert "warning: 1 maps could not be made boxes of; failed.csv says why." in printed.err
    assert "b.npy" in (tmp_path / "found" / "failed.csv").read_text()
    (tmp_path / "scoremaps" / "a.npy").write_bytes(b"x")
    assert main([*argv[:-1], "new"]) == 2
    assert "None of the 2 maps could be made boxes of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--format", "cocoa"], "There is no format 'cocoa'. Did you mean 'coco'"),
        (["--threshold", "2"], "threshold of LargestComponent should be a number in [0, 1), but got 2.0."),
        (["--extractor", "LargestComponents"], "Did you mean 'LargestComponent'"),
        (["--classes", "cat"], "--classes names 1 classes, but there are 2"),
        (["--size", "0"], "--size should be"),
        (["--sizes", "none.txt"], "There is no file of sizes none.txt"),
        (["--maps", "none"], "There is no file or folder none"),
        (["--metadata", "none"], "There is no metadata none"),
    ],
)
def test_mistakes_are_explained(command, tmp_path, capsys, change, words):
    assert main([*command, *change]) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "found").exists()


def test_a_stack_has_numbered_classes_where_nobody_names_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stack = np.zeros((3, 10, 20), np.float32)
    stack[0, 1:3, 1:3] = stack[1, 4:6, 4:8] = stack[2, 7:9, 10:15] = 1
    Path("cams").mkdir()
    for name in ("a", "b"):
        np.save(tmp_path / "cams" / f"{name}.jpg.npy", stack)
    Path("sizes.txt").write_text("a.jpg,20,10\nb.jpg,20,10\nc.jpg,20,10")
    argv = ["boxes", "--maps", "cams", "--sizes", "sizes.txt", "--format", "csv"]
    assert main([*argv, "--out", "found"]) == 0
    assert "6 boxes in 2 images" in capsys.readouterr().out
    with Path("found/boxes.csv").open(newline="") as file:
        found = {(row["image_id"], row["class"], float(row["x0"])) for row in csv.DictReader(file)}
    assert found == {(name, k, x0) for name in ("a.jpg", "b.jpg") for k, x0 in (("0", 1), ("1", 4), ("2", 10))}
    np.save(tmp_path / "cams" / "c.jpg.npy", stack[0])  # of which class?
    assert main([*argv, "--out", "more"]) == 0
    assert "nothing says of which of the 3 classes" in Path("more/failed.csv").read_text()
    assert main([*argv, "--out", "named", "--classes", "cat"]) == 2
    assert "--classes names 1 classes, but there are 3" in capsys.readouterr().err


@pytest.mark.parametrize("change", [["--resize", "nearest"], ["--normalize", "nearest"]])
def test_options_are_checked_before_maps(tmp_path, capsys, change):
    argv = ["boxes", "--maps", "none", "--sizes", "none", "--out", str(tmp_path / "found"), *change]
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith(f"error: {change[0]} should be one of ")
    assert not (tmp_path / "found").exists()
