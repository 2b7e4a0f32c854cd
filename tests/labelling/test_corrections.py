"""What checked boxes teach about the others: corrections that help are made, others are not."""

import numpy as np
import pytest

from wsolkit.errors import ShapeError
from wsolkit.evaluation.overlap import paired_iou
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.labelling.corrections import FEWEST, correct_boxes, corrections, pairs, standardized, taught


@pytest.fixture
def drawn():
    """Features, boxes that are off by what the first feature says, and the true boxes."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 6))
    low = rng.uniform(0.1, 0.3, (120, 2))
    truth = np.concatenate([low, low + rng.uniform(0.3, 0.5, (120, 2))], 1)
    off = np.concatenate([np.zeros((120, 2)), 0.06 * features[:, :1], np.full((120, 1), 0.08)], 1)
    return features, truth + off, truth


def test_what_the_features_tell_is_corrected(drawn):
    features, boxes, truth = drawn
    found = correct_boxes(features, boxes, range(60), truth[:60])
    assert (found.used, found.checked) == (True, 60)
    unseen = paired_iou(found.boxes[60:], truth[60:]).mean()
    assert unseen > paired_iou(boxes[60:], truth[60:]).mean() + 0.05
    assert found.after == pytest.approx(100 * unseen, abs=4), "what was held out says what to expect of the unchecked"
    assert found.line.startswith("Boxes were corrected as 60 checked ones teach: mean IoU with them")


def test_what_nothing_tells_is_left_alone(drawn):
    features, _, boxes = drawn
    truth = boxes + np.random.default_rng(1).normal(0, 0.05, boxes.shape)
    found = correct_boxes(features, boxes, range(40), truth[:40])
    assert not found.used
    np.testing.assert_array_equal(found.boxes, boxes)
    assert "left as they are: corrections learnt from" in found.line


def test_few_checked_boxes_teach_nothing(drawn):
    features, boxes, truth = drawn
    found = correct_boxes(features, boxes, range(FEWEST - 1), truth[: FEWEST - 1])
    assert not found.used
    assert found.line == "19 checked boxes teach nothing yet about the others: 20 are needed."
    with pytest.raises(ShapeError, match="a true box for each of 3 checked ones, but got 120 and 2"):
        correct_boxes(features, boxes, range(3), truth[:2])


def test_the_regressor_is_weighted_ridge_regression(drawn):
    """The same numbers from the normal equations, with weights as repeated rows would have."""
    features, boxes, truth = drawn
    inputs, rows, beside = standardized(features, boxes), np.arange(10), np.arange(10, 40)
    weights = np.r_[np.ones(10), np.full(30, 0.03)]
    wanted = np.r_[truth[:10] - boxes[:10], np.zeros((30, 4))]
    mean = (weights[:, None] * wanted).sum(0) / weights.sum()
    known = inputs[:40]
    solved = np.linalg.solve(
        known.T @ (weights[:, None] * known) + 0.3 * np.eye(known.shape[1]),
        known.T @ (weights[:, None] * (wanted - mean)),
    )
    found = corrections(inputs, boxes, rows, truth[:10], beside, np.arange(120))
    np.testing.assert_allclose(found, inputs @ solved + mean, atol=1e-9)


def test_results_are_corrected_as_checked_boxes_teach(drawn):
    features, boxes, truth = drawn
    size = (200, 100)
    scale = np.array(size * 2)
    results = [
        ImageResult(f"{n}.jpg", "", size, [FoundBox(tuple(box * scale), 0, "owl", 0.5, 0.4, 0.3)])
        for n, box in enumerate(boxes)
    ]
    results[7:7] = [Failure("x.jpg", "", "broken"), ImageResult("none.jpg", "", size)]
    checked = {f"{n}.jpg": [FoundBox(tuple(truth[n] * scale), 0, "owl", 1.0, 1.0, 0.0)] for n in range(60)}
    checked["3.jpg"] = []
    rows = np.insert(features, [7, 7], 0, axis=0)
    made, corrected = taught(results, checked, rows)
    assert [each.image_id for each in made] == [each.image_id for each in results]
    assert (made[7], made[8]) == (results[7], results[8])
    assert (corrected.used, corrected.checked) == (True, 59)
    now = np.array([each.boxes[0].box for each in made[62:]]) / scale
    assert paired_iou(now, truth[60:]).mean() > paired_iou(boxes[60:], truth[60:]).mean() + 0.05
    assert made[62].boxes[0][1:] == results[62].boxes[0][1:]
    few, nothing = taught(results, {"0.jpg": checked["0.jpg"]}, rows)
    assert (few, nothing.checked) == (results, 1)


def test_a_checked_box_teaches_a_box_of_its_class_only():
    """The other class's box fits it better; where it is the only one, nothing is taught."""
    wren, owl = FoundBox((10, 10, 50, 50), 1, "wren", 0.5, 0.4), FoundBox((0, 0, 50, 50), 0, "owl", 0.5, 0.4)
    checked = {"a.jpg": [FoundBox((10, 10, 50, 50), 0, "owl", 1.0, 1.0)]}
    rows, truth = pairs({0: ImageResult("a.jpg", "", (100, 100), [wren, owl])}, checked, {(0, 0): 0, (0, 1): 1})
    assert (rows, truth.tolist()) == ([1], [[0.1, 0.1, 0.5, 0.5]])
    rows, truth = pairs({0: ImageResult("a.jpg", "", (100, 100), [wren])}, checked, {(0, 0): 0})
    assert (rows, len(truth)) == ([], 0)
