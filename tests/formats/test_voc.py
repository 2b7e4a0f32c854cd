"""VOC files are read as they were written: whole pixels from 1, both ends inside."""

import math

import pytest
from hypothesis import given, strategies as st

from tests.support.found import results
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.formats.text_lists import numbered_lines, read_class_names
from wsolkit.formats.voc import half_open, image_size, inclusive, object_boxes, object_names, voc_xml
from wsolkit.formats.writers import write_results

CLASSES = ("cat & dog", "café", "owl <small>")


@given(found=results(CLASSES, whole=True))
def test_boxes_of_whole_pixels_are_read_as_they_were_written(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("voc") / "a.xml"
    path.write_bytes(voc_xml(found))
    assert image_size(path) == found.size
    assert [(each.name, each.box) for each in object_boxes(path)] == [(f.class_name, f.box) for f in found.boxes]
    assert object_names(path) == [(f.class_name, False) for f in found.boxes]


@given(found=results(CLASSES))
def test_other_boxes_become_the_pixels_they_touch(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("voc") / "a.xml"
    path.write_bytes(voc_xml(found))
    for each, written in zip(object_boxes(path), found.boxes, strict=True):
        x0, y0, x1, y1 = written.box
        assert each.box == (math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1))


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
def test_the_rule_and_its_inverse(x, width, y, height):
    box = (x, y, x + width, y + height)
    assert half_open(inclusive(box, (x + width, y + height))) == box


def test_the_folder_is_a_data_set(tmp_path):
    boxes = [FoundBox((0.0, 0.0, 4.0, 3.0), index, CLASSES[index], 0.5, 0.5) for index in (0, 2)]
    write_results([ImageResult("a/b c.jpg", "", (8, 6), boxes)], tmp_path, CLASSES, ["voc"])
    names = [line for _, line in numbered_lines(tmp_path / "voc" / "ImageSets" / "Main" / "train.txt")]
    assert names == ["a/b c"]
    assert read_class_names(tmp_path / "voc" / "classes.txt") == list(CLASSES)
    assert len(object_boxes(tmp_path / "voc" / "Annotations" / f"{names[0]}.xml")) == 2


def test_sides_beyond_the_image_are_cut():
    assert inclusive((0.2, 0.0, 8.4, 6.0), (8, 6)) == (1, 1, 8, 6)
    assert half_open((1, 1, 8, 6)) == pytest.approx((0, 0, 8, 6))
