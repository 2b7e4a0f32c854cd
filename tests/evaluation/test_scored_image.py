"""One image as the protocols see it: its classes, and its true boxes on the map."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tests.support.drawn_images import PRESENT, SEVERAL, fed
from wsolkit import Targets
from wsolkit.evaluation.image_boxes import boxes_on_map
from wsolkit.evaluation.max_box_acc import MaxBoxAcc
from wsolkit.evaluation.scored_image import ScoredImage, class_labels, truth_boxes


def naive_truncated(box, size, to):
    """Return what wsolevaluation makes of a box whose ends lie outside: one less, scaled, cut off."""
    x0, y0, x1, y1 = box
    (w, h), (wide, high) = size, to
    return [int(x0 * wide / w), int(y0 * high / h), int((x1 - 1) * wide / w), int((y1 - 1) * high / h)]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_true_boxes_on_the_map_are_truncated_as_in_wsolevaluation(data):
    w, h = data.draw(st.integers(1, 700)), data.draw(st.integers(1, 700))
    to = data.draw(st.sampled_from([(224, 224), (28, 28), (448, 320)]))
    boxes = []
    for _ in range(data.draw(st.integers(1, 3))):
        x0, y0 = data.draw(st.integers(0, w - 1)), data.draw(st.integers(0, h - 1))
        boxes.append([x0, y0, data.draw(st.integers(x0 + 1, w)), data.draw(st.integers(y0 + 1, h))])
    truth = Targets((w, h), np.array(boxes, np.float32), np.zeros(len(boxes), int), np.zeros(len(boxes), bool))
    image = ScoredImage("a", {0: np.zeros(to[::-1], np.float32)}, 0, None, truth)
    found = boxes_on_map(image, 0, "wsoleval")
    assert found.tolist() == [naive_truncated(box, (w, h), to) for box in boxes]
    assert (found <= [to[0] - 1, to[1] - 1] * 2).all()
    half_open = boxes_on_map(image, 0, "exact")
    assert half_open == pytest.approx(np.array(boxes) * ([to[0] / w, to[1] / h] * 2))
    for convention in ("wsoleval", "exact"):
        MaxBoxAcc(convention=convention, thresholds=[0.5]).measure(image.maps[0], boxes_on_map(image, 0, convention))


def test_a_box_of_less_than_a_pixel_is_a_pixel_of_the_map():
    """Its inclusive end lies before its beginning, and on a finer map in a pixel before."""
    truth = Targets((10, 10), np.array([[4, 4, 4.25, 4.5]], np.float32), np.array([1]), np.array([False]))
    image = ScoredImage("a", {1: np.zeros((40, 40))}, 1, None, truth)
    assert boxes_on_map(image, 1, "wsoleval").tolist() == [[16, 16, 16, 16]]
    assert fed("MaxBoxAcc", [image])[1].rows["a"][0].truth == pytest.approx(np.array([[0.4, 0.4, 0.425, 0.425]]))
    assert boxes_on_map(image, 1, "exact").tolist() == [[16, 16, 17, 18]]


def test_true_boxes_of_a_class():
    truth = SEVERAL[0].targets
    assert truth_boxes(truth, 4, False).tolist() == [[24, 8, 26, 12]]
    assert len(truth_boxes(truth, 5, False)) == 0
    assert truth_boxes(truth, 0, True).tolist() == [[4, 2, 24, 12], [24, 8, 26, 12]]


def test_a_class_with_only_difficult_objects_is_left_out():
    truth = Targets(
        (40, 20),
        np.array([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]], np.float32),
        np.array([1, 2, 2]),
        np.array([True, True, False]),
    )
    assert class_labels(np.array([0, 1, 1, 0]), truth).tolist() == [0, -1, 1, 0]
    assert class_labels(np.array([0, 1, 1, 0]), None).tolist() == [0, 1, 1, 0]


def test_classes_that_are_present():
    assert SEVERAL[0].present == [1, 4]
    assert (ScoredImage("a", label=np.int64(3)).present, ScoredImage("a").present) == ([3], [])
    assert [ScoredImage("a", label=label).single_label for label in (None, 3, np.array(3), PRESENT)] == [
        True,
        True,
        True,
        False,
    ]
