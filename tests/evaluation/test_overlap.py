"""IoU against a count of pixels."""

import numpy as np
from hypothesis import given, strategies as st

from wsolkit.evaluation import best_iou, box_iou

boxes = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def painted(box):
    canvas = np.zeros((20, 20), bool)
    canvas[box[1] : box[3], box[0] : box[2]] = True
    return canvas


@given(boxes, boxes)
def test_iou_is_shared_pixels_over_all_pixels(a, b):
    first, second = painted(a), painted(b)
    expected = (first & second).sum() / (first | second).sum()
    assert np.isclose(box_iou(np.array([a]), np.array([b]))[0, 0], expected)


@given(boxes, boxes, st.floats(0.1, 9), st.floats(0.1, 9))
def test_iou_ignores_a_change_of_units(a, b, fx, fy):
    scale = np.array([fx, fy, fx, fy])
    assert np.isclose(box_iou(np.array([a]) * scale, np.array([b]) * scale), box_iou(np.array([a]), np.array([b])))


def test_best_iou_takes_the_best_true_box():
    assert best_iou(np.array([[0, 0, 2, 2]]), np.array([[0, 0, 1, 1], [0, 0, 2, 1]])).tolist() == [0.5]


def test_empty_boxes_overlap_nothing():
    assert box_iou(np.zeros((1, 4)), np.zeros((1, 4))).tolist() == [[0.0]]
