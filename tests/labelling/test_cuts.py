"""Cuts chosen by checked boxes, on maps that were drawn by hand."""

import numpy as np
import pytest

from tests.support.colours import colour_predictor
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.labelling.cuts import Honest, cut_of_checked, wilson
from wsolkit.labelling.judge import write_sample
from wsolkit.labelling.words import cut_words

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
    assert "10 of 10 boxes that were looked at are right: 100.0 % [72.2, 100.0]" in found.line  # R's binom.wilson
    assert found.kept == 0


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
    assert "; cut at 0.3). It holds for what was looked at" in found.line


def test_few_checked_photographs_choose_nothing():
    results = [result(number, (1, 1, 9, 9), (3, 3, 6, 6)) for number in range(9)]
    checked = {str(number): [FoundBox((30.0, 30.0, 60.0, 60.0), 0, "red", 1.0, 1.0)] for number in range(9)}
    assert cut_of_checked(colour_predictor(), results, checked, FREE) is None


def test_rejected_boxes_are_misses_and_choose_no_cut():
    """As accepted boxes are the tool's own, the number would else be 100 % whatever was rejected."""
    results = [result(number, (1, 1, 9, 9), (3, 3, 6, 6)) for number in range(17)]
    own = [FoundBox((10.0, 10.0, 90.0, 90.0), 0, "red", 1.0, 1.0)]  # as the map says at the cut told without boxes
    checked = {str(number): own for number in range(17)}
    rejected = {"x": 1, "y": 1, "z": 1}
    found = cut_of_checked(colour_predictor(), results, checked, FREE, rejected=rejected)
    assert "17 of 20 boxes that were looked at are right: 85.0 % [64.0, 94.8] (3 rejected; IoU" in found.line
    assert (found.tally(), found.kept, found.chosen) == ((17, 20), 17, False)
    assert cut_words(found, 17, "label-free") == (
        "the cut is label-free: all 17 checked boxes are as they were found, which does not tell where another cut "
        "would be; boxes that you have corrected in an annotation tool do"
    )
    few = cut_of_checked(
        colour_predictor(), results[:2], {"0": own, "1": own}, FREE, rejected=dict.fromkeys("abcdefgh", 1)
    )
    assert (few.tally(), few.cut, few.chosen) == ((2, 10), FREE, False)
    assert "10 photographs with checked boxes choose another one, and 2 are checked" in cut_words(few, 2, "label-free")
    none = cut_of_checked(colour_predictor(), [], {}, FREE, rejected=dict.fromkeys("abcdefghij", 1))
    assert none.tally() == (0, 10)
    assert "(10 rejected; cut at 0.2)" in none.line


def test_photographs_drawn_at_random_tell_of_all_as_far_as_all_are_looked_at():
    found = Honest(0.5, {str(n): np.array([0.9]) for n in range(8)}, False, rejected={"8": 2})
    drawn = [str(number) for number in range(12)]
    assert "look at those in sample.txt, drawn at random, from the first on: 10 at least" in found.random_line(drawn)
    said = found.random_line(drawn, empty=["9"])
    assert said.startswith("All photographs: 8 of 11 boxes on the first 10 of sample.txt are right: 72.7 % [")


def test_a_sample_keeps_its_order_when_photographs_come_and_go(tmp_path):
    names = [f"{number}.jpg" for number in range(200)]
    drawn, path = write_sample(names, 0, tmp_path)
    assert path.read_text().splitlines() == drawn
    assert len(set(drawn)) == 50
    again, _ = write_sample([name for name in names if name != drawn[3]], 0, tmp_path)
    assert again[:49] == drawn[:3] + drawn[4:]
    assert write_sample(names, 1, tmp_path)[0] != drawn


@pytest.mark.parametrize(("hits", "count", "interval"), [(8, 10, (0.4902, 0.9433)), (0, 20, (0.0, 0.1611))])
def test_wilson(hits, count, interval):
    assert wilson(hits, count) == pytest.approx(interval, abs=1e-4)
