"""How boxes miss, on boxes whose shares can be counted on squared paper of 20 x 20."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from wsolkit import DataError
from wsolkit.evaluation.failures import FAILURES, Trial, by_size, failure_of, failure_shares, iou_histogram

TRUE = [0, 0, 10, 10]


def outcome(box, *truth, hit=False):
    return failure_of(np.array(box, float), np.array(truth, float).reshape(-1, 4), hit)


def trial(outcome="hit", area=0.04, iou=0.6, **more):
    side = area**0.5
    return Trial("a", 3, (0.0, 0.0, 0.5, 0.5), ((0.0, 0.0, side, side),), iou, outcome, **more)


@pytest.mark.parametrize(
    ("box", "truth", "expected"),
    [
        ([2, 2, 6, 6], [TRUE], "part"),  # all of the box is object, 16 of 100 found
        ([4, 0, 8, 12], [TRUE], "part"),  # 40 of 48
        ([0, 0, 20, 20], [TRUE], "more"),  # all of the object in 400
        ([0, 2, 20, 20], [TRUE], "more"),  # 80 of 100
        ([0, 5, 10, 15], [TRUE], "other"),  # 50 of 100 of both: not more than half
        ([0, 3, 20, 20], [TRUE], "other"),  # 70 of 100 of the object: not more than .7
        ([9, 9, 20, 20], [TRUE], "other"),  # a corner
        ([10, 0, 20, 10], [TRUE], "miss"),  # side by side
        ([0, 0, 0, 0], [TRUE], "miss"),  # no box
        ([5, 5, 5, 9], [TRUE], "miss"),  # a box without width
        ([0, 0, 5, 5], [], "miss"),
        ([0, 0, 20, 10], [TRUE, [10, 0, 20, 10]], "multi-instance"),
        ([0, 0, 14, 10], [TRUE, [10, 0, 20, 10]], "multi-instance"),  # all of one, 40 of 100 of the other
        ([0, 0, 13, 10], [TRUE, [10, 0, 20, 10]], "more"),  # all of one, 30 of 100 of the other: not more than .3
        ([4, 0, 14, 10], [TRUE, [10, 0, 20, 10]], "multi-instance"),  # 60 and 40, though 60 of 100 of the box
    ],
)
def test_by_hand(box, truth, expected):
    assert outcome(box, *truth) == expected
    assert outcome(box, *truth, hit=True) == "hit"


def test_part_and_more_at_once_go_by_the_larger_share():
    """These overlap so well that they miss only at high IoUs."""
    assert outcome([0, 2, 10, 12], TRUE) == "part"  # 80 of 100 of both: a tie is a part
    assert outcome([0, 0, 10, 12], [0, 2, 10, 12.5]) == "more"  # 100 of 120, 100 of 105
    assert outcome([0, 2, 10, 12.5], [0, 0, 10, 12]) == "part"  # 100 of 105, 100 of 120


def test_the_true_box_of_best_iou_decides():
    """The box shares more area with the large object (8 of its 16) but fits the small one better."""
    large, small = [0, 0, 20, 12], [2, 12, 4, 14]
    assert outcome([2, 8, 4, 16], large, small) == "more"
    assert outcome([2, 8, 4, 16], small, large) == "more"
    assert outcome([2, 8, 4, 16], large) == "other"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_only_the_shares_matter(data):
    """The outcome of a naive reading of the definition, and the order of the true boxes does not matter."""
    numbers = st.tuples(*[st.integers(0, 12)] * 4).map(
        lambda n: [min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]) + 1, max(n[1], n[3]) + 1]
    )
    box, truth = data.draw(numbers), data.draw(st.lists(numbers, min_size=1, max_size=3))

    def cells(b):
        return {(x, y) for x in range(b[0], b[2]) for y in range(b[1], b[3])}

    mine = cells(box)
    each = [(mine, cells(true), mine & cells(true)) for true in truth]
    best = max(each, key=lambda part: len(part[2]) / len(part[0] | part[1]))
    inside, covered = len(best[2]) / len(mine), len(best[2]) / len(best[1])
    if not any(shared for *_, shared in each):
        expected = "miss"
    elif sum(10 * len(shared) > 3 * len(true) for _, true, shared in each) > 1:
        expected = "multi-instance"
    elif inside > 0.5 and (covered <= 0.7 or inside >= covered):
        expected = "part"
    else:
        expected = "more" if covered > 0.7 else "other"
    ious = sorted((len(part[2]) / len(part[0] | part[1]) for part in each), reverse=True)
    found = failure_of(np.array(box, float), np.array(truth, float), hit=False)
    if len(ious) < 2 or ious[0] > ious[1]:
        assert found == expected
        assert failure_of(np.array(box, float), np.array(truth[::-1], float), hit=False) == expected
    assert found in FAILURES


def test_shares_of_outcomes():
    trials = [trial(name) for name in ("hit", "hit", "part", "miss")]
    assert failure_shares(trials) == {
        "hit": 50.0,
        "part": 25.0,
        "more": 0.0,
        "multi-instance": 0.0,
        "miss": 25.0,
        "other": 0.0,
    }
    assert failure_shares([]) == {}


def test_sizes_of_objects():
    areas = {
        "under 10 %": [0.0, 0.0999],
        "10 to 25 %": [0.1001, 0.24],
        "25 to 50 %": [0.2501],
        "over 50 %": [0.51, 1.0],
    }
    trials = {name: [trial(area=area) for area in each] for name, each in areas.items()}
    assert by_size(each for name in reversed(trials) for each in trials[name]) == trials
    assert list(by_size([])) == list(areas)
    assert by_size([trial(area=0.25)])["25 to 50 %"]  # a bound belongs to the larger size


def test_the_largest_true_box_is_the_size():
    many = Trial("a", 0, (0, 0, 0, 0), ((0.0, 0.0, 0.1, 0.1), (0.2, 0.2, 0.9, 0.7), (0, 0, 0.2, 0.2)), 0.0, "miss")
    assert many.area == pytest.approx(0.35)


def test_histogram_of_ious():
    counts, bounds = iou_histogram([trial(iou=iou) for iou in (0.0, 0.1, 0.24, 0.25, 0.5, 0.99, 1.0)], bins=4)
    assert counts.tolist() == [3, 1, 1, 2]
    assert bounds.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert iou_histogram([])[0].tolist() == [0] * 20


@pytest.mark.parametrize("right", [None, True, False])
def test_json_and_back(right):
    one = trial("multi-instance", right_class=right)
    assert Trial.from_dict(json.loads(json.dumps(one.as_dict(), allow_nan=False))) == one


@pytest.mark.parametrize(
    "change",
    [
        {"truth": None},
        {"truth": [1, 2, 3, 4]},
        {"truth": [["x", 0, 1, 1]]},
        {"box": 3},
        {"box": None},
        {"colour": "red"},
        "no truth",
        "no iou",
        "a list",
        "nothing",
    ],
)
def test_garbled_trials_are_explained(change):
    content = trial().as_dict()
    if isinstance(change, dict):
        content |= change
    elif change.startswith("no "):
        del content[change[3:]]
    else:
        content = [content] if change == "a list" else None
    with pytest.raises(DataError, match="This is no trial of an evaluation: "):
        Trial.from_dict(content)
