"""Boxes that a person has rejected: in nothing that is trained from, listed, and back as soon as they are accepted."""

import csv
import json
import shutil

import pytest

from tests.labelling.conftest import METHOD
from wsolkit.cli.label import closing_lines
from wsolkit.labelling.run import label
from wsolkit.labelling.verified import VERDICTS

FORMATS = ("coco", "yolo", "voc", "csv", "labelstudio", "cvat")


@pytest.fixture
def copied(scenes, labelled, tmp_path):
    """Photographs and their labels, which a test may change."""
    shutil.copytree(scenes.parent, tmp_path / "all", symlinks=True)
    return tmp_path / "all" / "photos", tmp_path / "all" / "labels"


def verdicts(folder, given):
    """Write the page's file about boxes of ``dataset.json``: a verdict for each name."""
    content = json.loads((folder / "dataset.json").read_text())
    images = [each for each in content["images"] if each["file_name"] in given]
    boxes = {each["id"]: [box for box in content["annotations"] if box["image_id"] == each["id"]] for each in images}
    for each in images:
        each["verdict"] = given[each["file_name"]]
        if each["verdict"] == "rejected":
            each["rejected"] = [box["bbox"] for box in boxes.pop(each["id"])]
    kept = [box for each in boxes.values() for box in each]
    path = folder.parent / "verdicts.json"
    path.write_text(json.dumps({**content, "info": {"description": VERDICTS}, "images": images, "annotations": kept}))
    return path


def run(photos, folder, **options):
    return label(photos, folder, method=METHOD, **{"formats": FORMATS, "draw": 0, **options})


def listed(folder):
    """Return the photographs that each kind of file to train from has."""
    found = {"coco": [each["file_name"] for each in json.loads((folder / "dataset.json").read_text())["images"]]}
    for name, inner, ending in (("yolo", "labels", ".txt"), ("voc", "Annotations", ".xml")):
        paths = (folder / name / inner).rglob(f"*{ending}")
        found[name] = [str(each.relative_to(folder / name / inner).with_suffix(".png")) for each in paths]
    with (folder / "boxes.csv").open(newline="") as file:
        found["csv"] = [row["image_id"] for row in csv.DictReader(file)]
    return {kind: {name.removeprefix("all/") for name in names} for kind, names in found.items()}


def test_rejected_boxes_are_in_nothing_to_train_from_until_they_are_accepted(copied):
    photos, folder = copied
    named = [each["file_name"] for each in json.loads((folder / "dataset.json").read_text())["images"]]
    wrong, right = set(named[:2]), set(named[2:4])
    accepted = verdicts(folder, dict.fromkeys(wrong, "accepted"))
    accepted = accepted.rename(accepted.with_name("accepted.json"))
    path = verdicts(folder, dict.fromkeys(wrong, "rejected") | dict.fromkeys(right, "accepted"))
    for verified in (path, None):  # a later run knows it without the file
        found = run(photos, folder, verified=verified, draw=-1)
        assert (found.rejected, found.photographs) == (2, 24)
        for kind, names in listed(folder).items():
            assert not names & wrong, kind
            assert names >= right, kind
        with (folder / "rejected.csv").open(newline="") as file:
            assert {row["image_id"] for row in csv.DictReader(file)} == wrong
        tasks = json.loads((folder / "labelstudio.json").read_text())
        empty = [each for each in tasks if not each["predictions"][0]["result"]]
        assert (len(tasks), len(empty)) == (24, 2), "to draw their boxes in"
        assert not {name for name in wrong | right if name in (folder / "next.txt").read_text()}
        page = (folder / "index.html").read_text()
        assert [page.count(f'data-known="{word}"') for word in ("rejected", "accepted")] == [2, 2]
        assert "2 images, in no file to train from" in page
        assert any(
            "2 photographs are rejected: no file to train from has them" in each for each in closing_lines(found)
        )
    found = run(photos, folder, verified=accepted)
    assert found.rejected == 0
    assert all(names >= wrong for names in listed(folder).values())
    assert not (folder / "rejected.csv").exists()


def test_other_boxes_than_those_rejected_are_to_be_looked_at_again(copied):
    photos, folder = copied
    name = json.loads((folder / "dataset.json").read_text())["images"][0]["file_name"]
    path = verdicts(folder, {name: "rejected"})
    content = json.loads(path.read_text())
    content["images"][0]["rejected"] = [[0, 0, 3, 3]]
    path.write_text(json.dumps(content))
    found = run(photos, folder, verified=path, formats=("coco",), draw=-1)
    assert found.rejected == 1
    assert name in (folder / "next.txt").read_text()
    page = (folder / "index.html").read_text()
    assert "another box was rejected here" in page
    assert page.count('data-known=""') == 24
