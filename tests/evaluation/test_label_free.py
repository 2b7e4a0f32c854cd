"""A threshold from maps alone: where boxes agree with themselves, but not with those of other maps."""

import numpy as np
import pytest

from wsolkit import DataError, MapError
from wsolkit.evaluation import LabelFreeThreshold, box_iou
from wsolkit.evaluation.label_free import CUTS, NEXT, PRIOR, SHIFTS, SMALL, self_agreement


def plateau(rng, side=48, size=16, edge=0.62, around=0.5):
    """Return a map with an object of scores above ``edge``, at a random place, and noise of up to ``around`` beside."""
    score_map = rng.random((side, side)) * around
    y, x = rng.integers(0, side - size, 2)
    score_map[y : y + size, x : x + size] = edge + rng.random((size, size)) * (1 - edge)
    return score_map


def filled(maps, names=None):
    """Return an accumulator that saw maps."""
    metric = LabelFreeThreshold()
    for number, score_map in enumerate(maps):
        metric.update(names[number] if names else f"{number:03}", score_map)
    return metric


def agreement_loop(boxes):
    """The mean overlaps of the module's first lines, map by map and cut by cut."""
    count, cuts = boxes.shape[:2]
    shifts = sorted({round(count * part / (SHIFTS + 1)) for part in range(1, SHIFTS + 1)} - {0, count})
    own, chance = [], []
    for cut in range(NEXT, cuts - NEXT):
        near = (cut - NEXT, cut + NEXT)
        own.append(np.mean([box_iou(boxes[n, cut], boxes[n, at])[0, 0] for n in range(count) for at in near]))
        others = [(n, (n - shift) % count, at) for shift in shifts for n in range(count) for at in near]
        chance.append(np.mean([box_iou(boxes[n, cut], boxes[m, at])[0, 0] for n, m, at in others]))
    return own, chance


def test_agreement_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    corners = rng.random((11, 7, 2, 2))
    boxes = np.concatenate([corners.min(2), corners.max(2)], -1)
    boxes[3, 2] = 0
    own, chance = self_agreement(boxes)
    expected = agreement_loop(boxes)
    assert own == pytest.approx(expected[0])
    assert chance == pytest.approx(expected[1])


@pytest.mark.parametrize(("edge", "around"), [(0.62, 0.5), (0.35, 0.25), (0.9, 0.8)])
def test_the_cut_lies_between_background_and_object(edge, around):
    rng = np.random.default_rng(1)
    cut = filled([plateau(rng, size=24, edge=edge, around=around) for _ in range(24)]).best_threshold()
    assert around <= cut <= 0.92  # noise fills an object's box up to its very peak


def test_boxes_that_never_meet_say_nothing_of_chance():
    """Points on a diagonal, one map each: no two boxes overlap at high cuts."""
    maps = []
    for place in range(16):
        score_map = np.zeros((64, 64))
        score_map[4 * place : 4 * place + 3, 4 * place : 4 * place + 3] = 1
        maps.append(score_map)
    assert filled(maps).best_threshold() == SMALL


def test_few_maps_are_cut_at_the_prior():
    rng = np.random.default_rng(2)
    assert filled([plateau(rng) for _ in range(7)]).best_threshold() == PRIOR
    with pytest.raises(DataError, match="has seen no image"):
        LabelFreeThreshold().best_threshold()


def test_order_shards_and_several_maps_of_an_image_change_nothing():
    rng = np.random.default_rng(3)
    maps = [plateau(rng) for _ in range(12)]
    whole = filled(maps)
    first, second = LabelFreeThreshold(), LabelFreeThreshold()
    for number in range(11, -1, -1):
        (first if number % 2 else second).update(f"{number:03}", maps[number])
    first.merge(second)
    assert first.best_threshold() == whole.best_threshold()
    pairs = LabelFreeThreshold()
    for number in range(6):
        pairs.update(f"{number:03}", maps[2 * number], maps[2 * number + 1])
    assert pairs.best_threshold() == whole.best_threshold()
    assert pairs.rows["000"].shape == (2, len(CUTS), 4)


def test_boxes_are_fractions_of_maps_of_any_size():
    score_map = np.zeros((10, 20))
    score_map[2:7, 4:12] = 1
    assert LabelFreeThreshold().measure(score_map)[0, 20] == pytest.approx([0.2, 0.2, 0.6, 0.7])


def test_a_result_says_the_threshold_alone():
    rng = np.random.default_rng(4)
    result = filled([plateau(rng) for _ in range(3)]).compute()
    assert result.lines == ()
    assert result.conventions == {"threshold": "0.66"}


def test_bad_maps():
    with pytest.raises(MapError, match="NaN"):
        LabelFreeThreshold().update("a", np.full((2, 2), np.nan))
