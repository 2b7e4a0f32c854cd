"""A verdict on boxes without any truth: each kind, each reason, and its words."""

import numpy as np
import pytest

from wsolkit import DataError, ShapeError
from wsolkit.evaluation import Judged, box_iou, verdict_of
from wsolkit.evaluation.baselines import CENTRE_SIDE
from wsolkit.evaluation.verdict import DOUBTFUL, OTHERS, TRIED


def spread(count=40, doubts=0.05, side=0.4, seed=0):
    """Return images with a box each, at random places."""
    corners = np.random.default_rng(seed).random((count, 2)) * (1 - side)
    doubts = np.broadcast_to(doubts, count)
    return [
        Judged(f"{number:03}.jpg", np.concatenate([corner, corner + side])[None], doubts[number : number + 1])
        for number, corner in enumerate(corners)
    ]


def test_boxes_that_look_good():
    found = verdict_of(spread())
    assert (found.kind, found.line, found.check) == ("good", f"The boxes look good. {TRIED}", ())
    few = verdict_of(spread(doubts=[0.3, *[0.05] * 39]))
    assert few.kind == "good"
    assert few.line == f"The boxes look good. Check this 1 of 40 photographs first. {TRIED}"
    assert few.check == ("000.jpg",)


def test_the_most_doubtful_come_first():
    doubts = np.full(40, 0.05)
    doubts[[3, 20, 11]] = 0.3, 0.9, 0.3
    found = verdict_of(spread(doubts=doubts))
    assert found.kind == "check"
    assert found.line == f"Check these 3 of 40 photographs first. {TRIED}"
    assert found.check == ("020.jpg", "003.jpg", "011.jpg")
    assert found.facts["doubtful"] == 3 / 40
    assert found.facts["mean doubt"] == pytest.approx(doubts.mean())


def test_the_worst_box_of_an_image_counts_and_no_box_is_doubtful():
    two = Judged("two", np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]), np.array([0.05, 0.6]))
    none = Judged("none", np.zeros((0, 4)), np.zeros(0))
    found = verdict_of([*spread(doubts=0.01), two, none])
    assert found.check == ("none", "two")
    assert found.facts["without a box"] == pytest.approx(1 / 42)


@pytest.mark.parametrize(
    ("images", "margin", "why"),
    [
        (
            spread(doubts=0.5, side=0.97),
            None,
            "most boxes change with the cut or with the mirror image; the boxes of all photographs are nearly the same "
            "box; many boxes are the whole photograph",
        ),
        (spread(doubts=0.5), None, "most boxes change with the cut or with the mirror image"),
        (
            spread(side=0.97),
            None,
            "the boxes of all photographs are nearly the same box; many boxes are the whole photograph",
        ),
        (spread(side=0.05), None, "many boxes are tiny"),
        (spread(), 0.7, "it is not clear which region is the object"),
        ([each._replace(members=0.3) for each in spread()], None, "maps learnt from other beginnings give other boxes"),
        (
            [*spread(30), *(Judged(str(n), np.zeros((0, 4)), np.zeros(0)) for n in range(15))],
            None,
            "many photographs have no box",
        ),
    ],
)
def test_boxes_no_better_than_a_centred_one(images, margin, why):
    found = verdict_of(images, vote_margin=margin)
    assert found.kind == "no better"
    assert found.line == (
        f"The boxes may be no better than a centred box would be: {why}. Look at some; where they are wrong, try "
        "another threshold, another method or more photographs."
    )


def test_small_doubtful_boxes_apart_from_one_another_are_to_be_checked():
    found = verdict_of(spread(doubts=0.5, side=0.1))
    assert found.facts["alike"] < 0.1
    assert (found.kind, found.line) == ("check", "Check these 40 of 40 photographs first.")


def test_facts_are_those_of_a_loop():
    images = [each._replace(members=0.9) for each in spread(23)]
    facts = verdict_of(images, vote_margin=0.98).facts
    boxes = np.concatenate([each.boxes for each in images])
    others = [box_iou(boxes[n], boxes[(n - shift) % 23])[0, 0] for n in range(23) for shift in range(1, OTHERS + 1)]
    low, high = (1 - CENTRE_SIDE) / 2, (1 + CENTRE_SIDE) / 2
    assert facts["alike"] == pytest.approx(np.mean(others))
    centre = box_iou(boxes, [[low, low, high, high]]).mean()
    assert facts["overlap with the centre box"] == pytest.approx(centre, abs=1e-6)
    assert facts["members differ"] == pytest.approx(0.1)
    assert facts["vote against"] == pytest.approx(0.02)
    assert (facts["whole image"], facts["tiny"], facts["without a box"]) == (0, 0, 0)


def test_one_photograph_alone():
    assert verdict_of(spread(1)).facts["alike"] == 0
    assert verdict_of(spread(1, doubts=DOUBTFUL)).kind == "check"


def test_bad_arguments():
    with pytest.raises(DataError, match="no image to judge"):
        verdict_of([])
    with pytest.raises(ShapeError, match=r"'a' has 1 boxes, but doubts of shape \(2,\)"):
        verdict_of([Judged("a", np.array([[0, 0, 1, 1]]), np.zeros(2))])
    with pytest.raises(DataError, match="outside"):
        verdict_of([Judged("a", np.array([[0, 0, 1, 1.5]]), np.zeros(1))])
