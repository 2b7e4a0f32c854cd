"""Cuts chosen by checked boxes, on maps that were drawn by hand."""

import numpy as np
import pytest

from tests.support.colours import colour_predictor
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.labelling.cuts import cut_of_checked, wilson

FREE = 0.2
"""The cut that was told without boxes."""


def result(number, wide, narrow, score=0.4):
    """A map (10, 10) of a weak square and a strong one inside; the checked box is the narrow one."""
    score_map = np.zeros((10, 10), np.float32)
    score_map[wide[1] : wide[3], wide[0] : wide[2]] = score
    score_map[narrow[1] : narrow[3], narrow[0] : narrow[2]] = 1
    return ImageResult(str(number), "", (100, 100), maps={0: score_map})


def test_the_cut_is_where_checked_boxes_are_met():
    results = [result(number, (1, 1, 9, 9), (3, 3, 6, 6)) for number in range(10)]
    checked = {str(number): [FoundBox((30.0, 30.0, 60.0, 60.0), 0, "red", 1.0, 1.0)] for number in range(10)}
    found = cut_of_checked(colour_predictor(), results, checked, FREE)
    assert 0.4 < found.cut < 1
    assert found.chosen
    assert (found.hits, found.mean_iou, found.images) == (1.0, pytest.approx(1.0), 10)
    assert (found.low, found.high) == pytest.approx((0.7225, 1.0), abs=1e-4)  # 10 of 10, by R's binom.wilson


def test_each_half_is_judged_at_the_cut_of_the_other():
    even = [result(number, (1, 1, 9, 9), (3, 3, 6, 6)) for number in range(0, 10, 2)]  # want a cut above .4
    odd = [result(number, (1, 1, 9, 9), (3, 3, 6, 6)) for number in range(1, 10, 2)]
    checked = {each.image_id: [FoundBox((30.0, 30.0, 60.0, 60.0), 0, "red", 1.0, 1.0)] for each in even}
    checked |= {each.image_id: [FoundBox((10.0, 10.0, 90.0, 90.0), 0, "red", 1.0, 1.0)] for each in odd}
    results = sorted([*even, *odd], key=lambda each: each.image_id)
    found = cut_of_checked(colour_predictor(), results, checked, FREE)
    assert found.hits == 0.0
    assert found.mean_iou == pytest.approx(9 / 64)
    assert (found.cut, found.chosen) == (FREE, False), "the halves contradict each other: no cut is surely better"


def test_a_given_cut_is_judged_alone():
    results = [result(number, (1, 1, 9, 9), (3, 3, 6, 6)) for number in range(10)]
    checked = {str(number): [FoundBox((30.0, 30.0, 60.0, 60.0), 0, "red", 1.0, 1.0)] for number in range(10)}
    found = cut_of_checked(colour_predictor(), results, checked, FREE, given=0.3)
    assert (found.cut, found.hits, found.mean_iou, found.chosen) == (0.3, 0.0, pytest.approx(9 / 64), False)
    assert found.line.endswith("(cut at 0.3, as given).")


def test_few_checked_photographs_choose_nothing():
    results = [result(number, (1, 1, 9, 9), (3, 3, 6, 6)) for number in range(9)]
    checked = {str(number): [FoundBox((30.0, 30.0, 60.0, 60.0), 0, "red", 1.0, 1.0)] for number in range(9)}
    assert cut_of_checked(colour_predictor(), results, checked, FREE) is None


@pytest.mark.parametrize(("hits", "count", "interval"), [(8, 10, (0.4902, 0.9433)), (0, 20, (0.0, 0.1611))])
def test_wilson(hits, count, interval):
    assert wilson(hits, count) == pytest.approx(interval, abs=1e-4)
