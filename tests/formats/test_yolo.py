"""YOLO's labels are read as they were written, and damaged ones are told in words."""

import pytest
from hypothesis import given

from tests.support.found import results
from wsolkit.errors import DataError
from wsolkit.formats.writers import write_results
from wsolkit.formats.yolo import read_labels, read_names

CLASSES = ("cat & dog", "café", "0")


@given(found=results(CLASSES, least_boxes=1))
def test_boxes_are_read_as_they_were_written(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("yolo")
    write_results([found], folder, CLASSES, ["yolo"])
    assert read_names(folder / "yolo") == list(CLASSES)
    name = found.image_id.removesuffix(".jpg")
    read = read_labels(folder / "yolo" / "labels" / f"{name}.txt", found.size, CLASSES)
    assert [each.label for each in read] == [each.class_index for each in found.boxes]
    for each, written in zip(read, found.boxes, strict=True):
        assert each.box == pytest.approx(written.box, abs=2e-6 * max(found.size))  # six digits of a fraction


def test_names_come_from_either_file(tmp_path):
    (tmp_path / "classes.txt").write_text("owl\nbarn owl\n")
    assert read_names(tmp_path) == ["owl", "barn owl"]
    (tmp_path / "data.yaml").write_text("nc: 2\nnames: [cat, dog]\n")
    assert read_names(tmp_path) == ["cat", "dog"]
    (tmp_path / "data.yaml").write_text("names:\n  1: dog\n  0: cat\n")
    assert read_names(tmp_path) == ["cat", "dog"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [", "cannot be read as YAML"),
        ("train: images", "should list the classes under names:, numbered from 0, but has None"),
        ("names: {1: cat}", "numbered from 0, but has {1: 'cat'}"),
        ("names: cat", "numbered from 0, but has 'cat'"),
    ],
)
def test_a_list_of_names_that_is_none(tmp_path, text, words):
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DataError, match=words):
        read_names(tmp_path)


def test_a_folder_without_names(tmp_path):
    with pytest.raises(DataError, match="neither data.yaml nor classes.txt in .* Name the classes"):
        read_names(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 0.5 0.5 1", "line 1: expected 'class cx cy w h', but got '0 0.5 0.5 1'"),
        ("0 0.5 0.5 1 x", "expected 'class cx cy w h'"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2 0.3", "expected 'class cx cy w h'"),
        ("0 0.1 0.1 0.2 0.1 0.2 1.5", r"should be fractions of the image"),
        ("3 0.5 0.5 1 1", "line 1: the class should be one of 0 to 2, but got '3'"),
        ("0 320 240 10 10", r"line 1: the centre and size of a box should be fractions of the image, in \[0, 1\]"),
        ("0 0.5 nan 1 1", r"should be fractions of the image"),
    ],
)
def test_damaged_labels(tmp_path, line, words):
    (tmp_path / "a.txt").write_text(line)
    with pytest.raises(DataError, match=words):
        read_labels(tmp_path / "a.txt", (640, 480), CLASSES)


def test_the_score_of_a_detector_is_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.5 1 0.93\n")
    assert read_labels(tmp_path / "a.txt", (8, 6), CLASSES) == [(1, (2.0, 0.0, 6.0, 6.0))]


@pytest.mark.parametrize(
    "line", ["0 0.375 0.333333 0.25 0.333333", "0 0.375 0.3333333333333333 0.25 0.3333333333333333"]
)
def test_sides_that_were_whole_pixels_are_whole_again(tmp_path, line):
    (tmp_path / "a.txt").write_text(line)
    assert read_labels(tmp_path / "a.txt", (40, 30), CLASSES) == [(0, (10, 5, 20, 15))]


def test_fractions_of_few_digits_stay_what_they_are(tmp_path):
    (tmp_path / "a.txt").write_text("0 0.50 0.50 0.99 0.99")
    assert read_labels(tmp_path / "a.txt", (200, 100), CLASSES)[0].box == pytest.approx((1, 0.5, 199, 99.5))
