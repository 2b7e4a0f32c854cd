"""Once around: labelled, some checked in a tool, labelled again, and on to what trains on the labels."""

import json
import shutil

import numpy as np
import pytest

from tests.labelling.conftest import METHOD
from wsolkit.labelling.cuts import best
from wsolkit.labelling.run import label


@pytest.fixture
def copied(scenes, labelled, tmp_path):
    """Photographs and their labels, which a test may change."""
    shutil.copytree(scenes.parent, tmp_path / "all", symlinks=True)
    return tmp_path / "all" / "photos", tmp_path / "all" / "labels"


def boxes_by_file(path):
    content = json.loads(path.read_text())
    names = {each["id"]: each["file_name"] for each in content["images"]}
    found = {name: [] for name in names.values()}
    for each in content["annotations"]:
        found[names[each["image_id"]]].append(each["bbox"])
    return found


def as_tasks(path, names):
    """Return a file of boxes as Label Studio exports them, with its hashes, of some photographs."""
    content = json.loads(path.read_text())
    classes = {each["id"]: each["name"] for each in content["categories"]}
    tasks = []
    for image in content["images"]:
        if image["file_name"] not in names:
            continue
        width, height = image["width"], image["height"]
        results = []
        for each in content["annotations"]:
            if each["image_id"] == image["id"]:
                x, y, w, h = each["bbox"]
                value = {"x": 100 * x / width, "y": 100 * y / height, "width": 100 * w / width, "rotation": 0}
                value |= {"height": 100 * h / height, "rectanglelabels": [classes[each["category_id"]]]}
                size = {"original_width": width, "original_height": height}
                results.append({"type": "rectanglelabels", "value": value, **size})
        address = f"/data/upload/1/3f2a1b9c-{image['file_name'].rpartition('/')[2]}"
        tasks.append({"id": image["id"], "data": {"image": address}, "annotations": [{"result": results}]})
    return tasks


def test_checked_boxes_come_back_and_teach_the_others(copied):
    photos, folder = copied
    true = boxes_by_file(photos / "boxes.json")
    names = sorted(true)[:21]
    (folder.parent / "tasks.json").write_text(json.dumps(as_tasks(photos / "boxes.json", names)))
    said = []
    options = {"method": METHOD, "formats": ("coco", "labelstudio", "cvat"), "draw": 0}
    label(photos, folder, verified=folder.parent / "tasks.json", say=said.append, **options)
    assert "21 photographs are checked." in said
    assert any("checked ones teach: mean IoU" in line or "do not help surely: mean IoU" in line for line in said)
    for name in ("dataset.json", "cvat.json"):
        found = boxes_by_file(folder / name)
        for each in names:
            np.testing.assert_allclose(found[each], true[each], atol=0.02)
    tasks = json.loads((folder / "labelstudio.json").read_text())
    assert len(tasks) == 24
    lines = (folder / "next.txt").read_text().splitlines()
    assert {line.split("\t")[1] for line in lines} == set(true) - set(names)
    before = (folder / "dataset.json").read_bytes()
    label(photos, folder, **options)
    assert (folder / "dataset.json").read_bytes() == before, "a later run has not lost what was checked"


def test_another_cut_has_to_be_surely_better():
    """Columns are cuts, the last is the one there was; rows are the boxes of a photograph."""
    rng = np.random.default_rng(0)
    steady = [np.array([[0.4, 0.7, 0.5]]) + rng.normal(0, 0.02, (1, 1)) for _ in range(12)]
    assert best(steady) == 1
    torn = [np.array([[0.2, 0.9 if number % 2 else 0.3, 0.5]]) for number in range(12)]
    assert best(torn) == 2
