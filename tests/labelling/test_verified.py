"""Boxes that a person has checked, of some photographs, in the files of every tool."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.formats.test_tools import result, task
from wsolkit.errors import DataError
from wsolkit.formats.coco import OURS
from wsolkit.labelling.verified import VERDICTS, read_verified

CLASSES = ["cat", "owl"]


@pytest.fixture
def images(tmp_path):
    found = {}
    for name in ("owl/1.jpg", "owl/my 2.jpg", "cat/3.jpg", "cat/4.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(path)
        found[name] = str(path)
    return found


def coco(tmp_path, names, info=None, size=(40, 30), **more):
    """Write a file whose first image alone has a box, of an owl."""
    listed = [{"id": n, "file_name": name, "width": size[0], "height": size[1]} for n, name in enumerate(names)]
    for image, verdict in zip(listed, more.get("verdicts", ()), strict=False):
        image["verdict"] = verdict
    boxes = [{"id": 1, "image_id": 0, "category_id": 9, "bbox": [2, 3, 10, 20], "iscrowd": 0}]
    content = {"info": info or {}, "images": listed, "annotations": boxes, "categories": [{"id": 9, "name": "owl"}]}
    (tmp_path / "checked.json").write_text(json.dumps(content))
    return tmp_path / "checked.json"


def boxes_of(verified):
    return {name: [(each.class_name, each.box) for each in found] for name, found in verified.boxes.items()}


def test_some_photographs_are_found_by_their_files(images, tmp_path):
    found = read_verified(coco(tmp_path, ["D:\\all\\3f2a1b9c-my_2.jpg", "3.jpg", "5.jpg"]), images, CLASSES)
    assert boxes_of(found) == {"owl/my 2.jpg": [("owl", (2, 3, 12, 23))], "cat/3.jpg": []}
    assert found.told == (
        "2 photographs are checked, 1 of them without a box; 1 name is of no photograph here: '5.jpg'."
    )
    assert found.boxes["owl/my 2.jpg"][0][3:6] == (1, 1, 0)


def test_a_file_of_found_boxes_is_said_to_be_one(images, tmp_path, recwarn):
    found = read_verified(coco(tmp_path, ["owl/1.jpg"], {"description": OURS}), images, CLASSES)
    assert found.told == (
        "1 photograph is checked; the file began as boxes that wsolkit found: keep only what somebody has looked at in "
        "it."
    )
    assert not recwarn.list


def test_boxes_of_a_larger_copy_are_scaled(images, tmp_path):
    found = read_verified(coco(tmp_path, ["owl/1.jpg"], size=(80, 60)), images, CLASSES)
    assert boxes_of(found) == {"owl/1.jpg": [("owl", (1, 1.5, 6, 11.5))]}


def test_verdicts_of_the_page(images, tmp_path):
    path = coco(tmp_path, ["owl/1.jpg", "cat/3.jpg", "cat/4.jpg"], {"description": VERDICTS},
                verdicts=["accepted", "rejected", "accepted"])  # fmt: skip
    found = read_verified(path, images, CLASSES)
    assert (list(found.boxes), found.rejected) == (["owl/1.jpg", "cat/4.jpg"], {"cat/3.jpg": []})
    assert found.boxes["cat/4.jpg"] == []


@pytest.mark.parametrize("kind", ["cvat", "label studio", "voc", "yolo", "csv"])
def test_every_tool(images, tmp_path, kind):
    path = tmp_path / "checked"
    if kind == "cvat":
        path = tmp_path / "annotations.xml"
        box = '<box label="owl" xtl="10" ytl="3" xbr="30" ybr="9"/>'
        path.write_text(f'<annotations><image name="1.jpg" width="40" height="30">{box}</image>'
                        '<image name="z.jpg" width="1" height="1"/></annotations>')  # fmt: skip
    elif kind == "label studio":
        path = tmp_path / "tasks.json"
        drawn = [task("/data/upload/abcdef12-1.jpg", {"result": [result()]}), task("z.jpg", {"result": []})]
        path.write_text(json.dumps(drawn))
    elif kind == "voc":
        path.mkdir()
        box = "<xmin>11</xmin><ymin>4</ymin><xmax>30</xmax><ymax>9</ymax>"
        xml = f"<annotation><object><name>owl</name><bndbox>{box}</bndbox></object></annotation>"
        (path / "1.xml").write_text(xml)
        (path / "z.xml").write_text(xml)
    elif kind == "yolo":
        (path / "labels").mkdir(parents=True)
        (path / "classes.txt").write_text("owl\n")
        (path / "labels" / "1.txt").write_text("0 0.5 0.2 0.5 0.2\n")
        (path / "labels" / "z.txt").write_text("")
    else:
        path = tmp_path / "boxes.csv"
        path.write_text("1.jpg,10,3,30,9\nz.jpg,0,0,5,5\n")
    found = read_verified(path, images, CLASSES, labels={"owl/1.jpg": [1]})
    assert list(found.boxes) == ["owl/1.jpg"]
    (box,) = found.boxes["owl/1.jpg"]
    np.testing.assert_allclose(box.box, (10, 3, 30, 9), atol=1e-4)
    assert (box.class_index, box.class_name) == (1, "owl")
    assert len(found.unmatched) == 1


def test_a_file_of_other_photographs_is_refused(images, tmp_path):
    with pytest.raises(DataError, match="names none of the 4 photographs: 'x.jpg'. Give the file that was exported"):
        read_verified(coco(tmp_path, ["x.jpg"]), images, CLASSES)
    with pytest.raises(DataError, match="'owl' is no class"):
        read_verified(coco(tmp_path, ["owl/1.jpg"]), images, ["cat", "dog"])
