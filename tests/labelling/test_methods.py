"""The choice of a method: by what is known, and by checked photographs."""

import numpy as np
import pytest

from wsolkit import DataError
from wsolkit.formats.found_boxes import FoundBox
from wsolkit.labelling.methods import METHODS, box_overlaps, choose_method, config_of, score_methods


def box(x0, y0, x1, y1, name="robin"):
    return FoundBox((x0, y0, x1, y1), 0, name, 1.0, 1.0)


@pytest.mark.parametrize(
    ("known", "method", "words"),
    [
        ({}, "objects", "one label"),
        ({"several_labels": True}, "classes", "several labels"),
        ({"background": ["free"]}, "parts", "of 'free' show nothing"),
        ({"background": ["free"], "several_labels": True}, "classes", "several labels"),
    ],
)
def test_the_method_follows_from_the_labels(known, method, words):
    choice = choose_method(**known)
    assert choice.method == method in METHODS
    assert words in choice.reason
    assert config_of(choice.method) == f"label_{method}"


def test_boxes_are_matched_one_to_one_and_the_best_pairs_first():
    truth = [box(0, 0, 10, 10), box(20, 0, 30, 10)]
    found = [box(0, 0, 10, 5), box(0, 0, 10, 8), box(20, 0, 40, 10)]
    assert box_overlaps(found, truth).tolist() == [0.8, 0.5, 0.0]
    assert box_overlaps(found[:1], truth).tolist() == [0.5, 0.0]
    assert box_overlaps([], truth).tolist() == [0.0, 0.0]
    assert box_overlaps(found[:1], []).tolist() == [0.0]


def test_a_box_fits_its_own_class_and_one_without_a_class_any():
    truth = [box(0, 0, 10, 10, "dog"), box(0, 0, 10, 10, "cat")]
    assert box_overlaps([box(0, 0, 10, 10, "cat")], truth).tolist() == [0.0, 1.0]
    assert box_overlaps([box(0, 0, 10, 10, "object")], truth[:1]).tolist() == [1.0]


def test_checked_photographs_choose_the_method():
    verified = {"a": [box(0, 0, 10, 10)], "b": [box(0, 0, 10, 10)], "free": []}
    found = {
        "objects": {"a": [box(0, 0, 10, 10)], "b": [box(0, 0, 10, 2)], "free": [box(0, 0, 5, 5)], "unseen": []},
        "parts": {"a": [box(0, 0, 10, 6)], "b": [box(0, 0, 10, 6)]},
    }
    best, other = score_methods(found, verified)
    assert (best.method, best.images, best.hits) == ("parts", 3, 100.0)
    assert best.mean_iou == pytest.approx(100 * (0.6 + 0.6 + 1) / 3)
    assert other.mean_iou == pytest.approx(100 * (1 + 0.2 + 0) / 3)
    assert other.hits == 50.0
    assert best.low <= best.mean_iou <= best.high
    assert other.line == "objects: IoU 40.0 [0.0, 100.0], 50.0 % of the boxes hit, on 3 checked photographs"


def test_the_interval_is_that_of_resampled_photographs():
    rng = np.random.default_rng(0)
    sides = rng.integers(1, 11, 200).tolist()
    verified = {str(number): [box(0, 0, 10, 10)] for number in range(200)}
    (score,) = score_methods({"objects": {str(n): [box(0, 0, side, 10)] for n, side in enumerate(sides)}}, verified)
    spread = 1.96 * np.std(np.array(sides) * 10) / np.sqrt(200)
    assert score.high - score.low == pytest.approx(2 * spread, rel=0.1)


def test_without_checked_photographs_a_person_chooses():
    with pytest.raises(DataError, match="No photograph was checked.*Look at the sheet"):
        score_methods({"objects": {}}, {})
