"""Masks and doubt of found boxes in every format, read back by pycocotools, Pillow, XML and CSV readers."""

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from wsolkit.datasets.annotations import read_annotations
from wsolkit.errors import ConfigError
from wsolkit.formats.coco_outlines import painted
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.formats.found_masks import FoundMask, polygons
from wsolkit.formats.writers import FORMATS, write_results
from wsolkit.formats.yolo import read_labels

CLASSES = ("owl", "newt")
SIZE = (60, 40)


def disc(x, y, radius):
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


LARGE, SMALL = disc(25, 20, 15), disc(30, 20, 5)
BOXES = [
    FoundBox((10.0, 5.0, 41.0, 36.0), 0, "owl", 0.75, 0.5, 0.25, FoundMask.of(LARGE)),
    FoundBox((25.0, 15.0, 36.0, 26.0), 1, "newt", 0.5, 0.5, 0.125, FoundMask.of(SMALL)),
    FoundBox((50.0, 2.0, 56.0, 8.0), 1, "newt", 0.5, 0.5),
    FoundBox((1.0, 1.0, 3.0, 3.0), 1, "newt", 0.5, 0.5, 1.0, FoundMask.of(np.zeros(SIZE[::-1], bool))),
]


@pytest.fixture
def written(tmp_path):
    results = [ImageResult("a/one.jpg", "", SIZE, BOXES), ImageResult("two.jpg", "", (3, 2))]
    write_results(results, tmp_path, CLASSES, list(FORMATS))
    return tmp_path


def test_coco_results_hold_run_lengths_and_the_data_set_polygons(written):
    data = COCO(str(written / "dataset.json"))
    results = json.loads((written / "boxes.json").read_text())
    assert [each.get("doubt") for each in results] == [0.25, 0.125, None, 1.0]
    assert [each.get("doubt") for each in data.anns.values()] == [0.25, 0.125, None, 1.0]
    assert ["segmentation" in each for each in results] == [True, True, False, False]
    assert (coco_mask.decode(results[0]["segmentation"]).astype(bool) == LARGE).all()
    assert isinstance(data.anns[1]["segmentation"], list)
    assert (data.anns[1]["area"], data.anns[3]["area"]) == (LARGE.sum(), 36)
    painted_again = data.annToMask(data.anns[1]).astype(bool)
    assert (painted_again & LARGE).sum() / (painted_again | LARGE).sum() > 0.95


def test_the_data_set_is_read_with_its_masks(written):
    image = read_annotations(written / "dataset.json").image(0, masks=True)
    mask = image.targets.mask
    assert (mask[20, 30], mask[20, 15], mask[0, 0]) == (2, 1, 0)


def test_png_masks_have_the_smaller_object_on_top(written):
    root = written / "masks"
    classes, objects = (Image.open(root / f"Segmentation{kind}" / "a" / "one.png") for kind in ("Class", "Object"))
    assert classes.mode == "P"
    assert (np.array(classes) == np.where(SMALL, 2, np.where(LARGE, 1, 0))).all()
    assert (np.array(objects) == np.where(SMALL, 2, np.where(LARGE, 1, 0))).all()
    assert not np.array(Image.open(root / "SegmentationClass" / "two.png")).any()
    assert (root / "classes.txt").read_text().split() == list(CLASSES)


def test_yolo_seg_has_outlines_and_yolo_boxes(written):
    lines = (written / "yolo-seg" / "labels" / "a" / "one.txt").read_text().splitlines()
    assert [len(line.split()) for line in lines[2:]] == [9, 9], "a box without a mask is its four corners"
    numbers = np.array(lines[0].split()[1:], float).reshape(-1, 2) * SIZE
    again = painted([numbers.ravel().tolist()], SIZE)
    assert (again & LARGE).sum() / (again | LARGE).sum() > 0.95
    assert "names" in (written / "yolo-seg" / "data.yaml").read_text()
    plain = (written / "yolo" / "labels" / "a" / "one.txt").read_text().splitlines()
    assert [len(line.split()) for line in plain] == [5] * 4, "YOLO has no column for doubt"


def test_boxes_around_yolo_outlines_are_read(written):
    found = read_labels(written / "yolo-seg" / "labels" / "a" / "one.txt", SIZE, CLASSES)
    assert [each.label for each in found] == [0, 1, 1, 1]
    assert found[0].box == pytest.approx(BOXES[0].box, abs=0.6)
    assert found[2].box == pytest.approx(BOXES[2].box, abs=1e-3)


def test_doubt_in_tables_and_xml(written):
    with (written / "boxes.csv").open(newline="") as file:
        assert [row["doubt"] for row in csv.DictReader(file)] == ["0.25", "0.125", "", "1.0"]
    objects = ElementTree.parse(written / "voc" / "Annotations" / "a" / "one.xml").getroot().findall("object")
    assert [each.findtext("doubt") for each in objects] == ["0.25", "0.125", None, "1.0"]
    assert [each.findtext("difficult") for each in objects] == ["0"] * 4


def test_more_classes_than_mask_files_hold_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="hold at most 254 classes, but there are 255. Take --format coco"):
        write_results([], tmp_path, [str(k) for k in range(255)], ["masks"])
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_any_mask_comes_back_and_has_outlines(inside):
    mask = FoundMask.of(inside)
    size = inside.shape[::-1]
    assert (FoundMask.checked(mask.counts, size).inside() == inside).all()
    found = polygons(inside)
    assert bool(found) == inside.any()
    for outline in found:
        assert len(outline) >= 6
        assert all(0 <= x <= size[0] for x in outline[::2])
        assert all(0 <= y <= size[1] for y in outline[1::2])
