"""Every method beside the others: a sheet of them, and checked photographs that choose."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.labelling.conftest import METHOD
from wsolkit.labelling import candidates
from wsolkit.labelling.candidates import candidates_of
from wsolkit.labelling.photographs import dataset_of, read_photographs
from wsolkit.labelling.run import label


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two methods to compare, of which one fits the labels."""
    other = shutil.copy(METHOD, tmp_path / "other.py")
    monkeypatch.setattr(candidates, "candidates_of", lambda _: [METHOD, str(other)])
    monkeypatch.setattr(candidates, "configuration_of", lambda *_: (str(other), ""))
    return str(other)


def test_checked_photographs_choose_and_the_sheet_shows_all(scenes, two, tmp_path, monkeypatch):
    said = []
    found = label(
        scenes, tmp_path / "labels", method="compare", verified=scenes / "boxes.json", formats=("coco",), draw=0,
        say=said.append,
    )  # fmt: skip
    scores = [line for line in said if "checked photographs" in line and "IoU" in line and "hit, on" in line]
    assert len(scores) == 2
    assert any("fits the 24 checked photographs best" in line for line in said)
    assert Image.open(found.folder / "sheet.jpg").width > 600
    assert found.boxes >= 20
    before = found.checkpoint.read_bytes()
    monkeypatch.setattr(candidates, "compare_methods", None)  # what was learnt is not learnt again
    label(scenes, found.folder, method="compare", formats=("coco",), draw=0)
    assert found.checkpoint.read_bytes() == before


def test_without_checked_photographs_the_labels_choose(scenes, two, tmp_path):
    said = []
    found = label(scenes, tmp_path / "labels", method="compare", formats=("coco",), draw=0, say=said.append)
    line = next(line for line in said if line.startswith("method other: "))
    assert "fits the labels; 10 checked photographs choose (--verified)" in line
    assert str(Path("sheet.jpg")) in line
    assert found.checkpoint.exists()


def test_parts_are_no_candidate_for_photographs_of_several_labels(scenes):
    photographs = read_photographs(dataset_of(scenes))
    assert candidates_of(photographs) == ["objects", "parts", "classes"]
    name = next(iter(photographs.labels))
    photographs.labels[name].append(1 - min(photographs.labels[name]))
    assert candidates_of(photographs) == ["objects", "classes"]
