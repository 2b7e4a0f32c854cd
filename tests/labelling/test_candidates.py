"""Every method beside the others: a sheet of them, and checked photographs that choose."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from tests.labelling.conftest import METHOD
from wsolkit.labelling import candidates
from wsolkit.labelling.candidates import candidates_of
from wsolkit.labelling.learnt_map import Options, Steps
from wsolkit.labelling.photographs import dataset_of, read_photographs
from wsolkit.labelling.run import label
from wsolkit.progress import hidden


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


def test_the_methods_share_the_room_and_the_losers_features_go(tmp_path, monkeypatch):
    shares = []

    def learnt(folder, photographs, before, options, *_):
        shares.append(options.cache_gb)
        (folder / "features").mkdir(parents=True)
        for name in ("config.py", "last.pth", "features/features.json"):
            (folder / name).write_text(folder.name)
        return None, None

    monkeypatch.setattr(candidates, "learnt_map", learnt)
    monkeypatch.setattr(candidates, "results_with_maps", lambda *_: [])
    monkeypatch.setattr(candidates, "write_method_sheet", lambda *_: None)
    monkeypatch.setattr(candidates, "configuration_of", lambda *_: ("label_parts.py", ""))
    photographs = SimpleNamespace(unreadable=[], files=[], labels={}, classes=())
    options = Options("compare", 0, None, 6.0, None)
    (tmp_path / "features").mkdir()
    candidates.chosen_candidate(tmp_path, photographs, {}, options, Steps([], lambda _: None), hidden)
    assert shares == [2.0, 2.0, 2.0]
    assert (tmp_path / "features" / "features.json").read_text() == "parts"
    assert not list((tmp_path / "candidates").glob("*/features"))
    assert len(list((tmp_path / "candidates").glob("*/last.pth"))) == 3


def test_parts_are_no_candidate_for_photographs_of_several_labels(scenes):
    photographs = read_photographs(dataset_of(scenes))
    assert candidates_of(photographs) == ["objects", "parts", "classes"]
    name = next(iter(photographs.labels))
    photographs.labels[name].append(1 - min(photographs.labels[name]))
    assert candidates_of(photographs) == ["objects", "classes"]
