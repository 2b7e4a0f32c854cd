"""Pictures: sizes, the heat where the score is, the boxes where they belong."""

import cv2
import numpy as np
import pytest

from wsolkit.formats.found_boxes import FoundBox
from wsolkit.formats.found_masks import FoundMask
from wsolkit.report.drawing import PANEL, encode_jpeg, font, heat_overlay, side_by_side


def test_heat_lies_where_the_score_is():
    image = np.full((40, 80, 3), 120, np.uint8)
    score_map = np.zeros((4, 8), np.float32)
    score_map[:, 6:] = 1
    heat = heat_overlay(image, score_map).astype(int)
    assert heat.shape == image.shape
    strong, weak = heat[20, 75], heat[20, 5]
    assert strong[0] - strong[2] > 50, "red where the score is high"
    assert abs(weak - 120).max() < abs(strong - 120).max()


@pytest.mark.parametrize("size", [(50, 100), (900, 600), (3, 400), (7, 5)])
def test_a_picture_has_two_panels_and_a_caption(size):
    height, width = size
    image = np.zeros((height, width, 3), np.uint8)
    boxes = [
        FoundBox((0, 0, width, height), 1, "a very long name " * 9, 0.5, 0.5),
        FoundBox((0, 0, 1, 1), 1, "b", 0.1, 0.2),
    ]
    scale = PANEL / max(size)
    picture = side_by_side(image, {1: np.zeros((8, 8), np.float32)}, boxes)
    assert abs(picture.shape[1] - (2 * width * scale + 6)) <= 2
    assert picture.shape[0] > height * scale
    assert cv2.imdecode(np.frombuffer(encode_jpeg(picture), np.uint8), cv2.IMREAD_COLOR).shape == picture.shape
    assert side_by_side(image, {}, []).shape[1] == picture.shape[1]


def test_a_box_is_drawn_at_its_place():
    image = np.zeros((100, 200, 3), np.uint8)
    picture = side_by_side(image, {}, [FoundBox((50, 20, 150, 80), 0, "a", 1.0, 1.0)])
    marked = picture[:200, 406:]
    rows, columns = np.nonzero((marked == 255).all(2))
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (101, 41, 299, 159)


def test_box_and_mask_lie_on_the_photo_and_on_the_map():
    inside = np.zeros((100, 200), bool)
    inside[30:70, 60:140] = True
    found = FoundBox((50, 20, 150, 80), 0, "a", 1.0, 1.0, None, FoundMask.of(inside))
    picture = side_by_side(np.zeros((100, 200, 3), np.uint8), {0: np.zeros((4, 4), np.float32)}, [found])
    photo, heat = picture[:200, :400], picture[:200, 406:]
    for panel in (photo, heat):  # twice as large as the image
        rows, columns = np.nonzero((panel == 255).all(2))
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (101, 41, 299, 159)
    assert photo[100, 200].tolist() == [76, 76, 76]  # tinted
    assert photo[50, 110].tolist() == [0, 0, 0]
    assert (photo[60, 125:275] == 255).all()  # the line around


def test_letters_of_other_alphabets_are_no_empty_boxes():
    letters = font(25)
    empty = np.asarray(letters.getmask("\uffff").resize((20, 20)))
    for letter in "üłЖΩ":
        assert not np.array_equal(np.asarray(letters.getmask(letter).resize((20, 20))), empty)
