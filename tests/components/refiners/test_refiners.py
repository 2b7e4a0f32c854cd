"""Refiners on drawn pictures whose objects are known: masks, boxes, and what happens where the object is lost."""

import numpy as np
import pytest

from wsolkit import ConfigError, DataError, ScoredBoxes, ShapeError
from wsolkit.components.refiners.dense_crf_refiner import DenseCRFRefiner
from wsolkit.components.refiners.grab_cut import GrabCutRefiner
from wsolkit.components.refiners.map_masks import MapMasks
from wsolkit.components.refiners.objects import ForegroundRefiner, map_masks, mask_overlap, split_foreground
from wsolkit.registry import REFINERS

HEIGHT, WIDTH = 60, 80
COLUMNS, ROWS = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
OBJECT = ((COLUMNS - 38) / 22) ** 2 + ((ROWS - 30) / 14) ** 2 <= 1
SCORES = np.exp(-(((COLUMNS - 42) / 28) ** 2) - ((ROWS - 27) / 20) ** 2).astype(np.float32)
"""A blob beside the object, as a coarse map is."""
CUT = 0.5


@pytest.fixture(scope="module")
def photo():
    noise = np.random.default_rng(0).normal(0, 12, (HEIGHT, WIDTH, 3))
    colours = np.where(OBJECT[..., None], [190, 120, 60], [60, 90, 130])
    return np.clip(colours + noise, 0, 255).astype(np.uint8)


def boxes_of(score_map):
    columns, rows = (np.flatnonzero((score_map > CUT * score_map.max()).any(axis)) for axis in (0, 1))
    box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    return ScoredBoxes(np.array([box], np.float32), np.array([0.7], np.float32))


@pytest.mark.parametrize("refiner", [DenseCRFRefiner(), GrabCutRefiner()], ids=["crf", "grabcut"])
def test_the_mask_follows_the_object_in_the_photograph(refiner, photo):
    boxes = boxes_of(SCORES)
    coarse = mask_overlap(MapMasks()(photo, SCORES, boxes, CUT).masks[0], OBJECT)
    masks, kept = refiner(photo, SCORES, boxes, CUT)
    assert coarse < 0.75
    assert mask_overlap(masks[0], OBJECT) > 0.95
    assert (kept.boxes == boxes.boxes).all() == (refiner.replace_from == 1)


@pytest.mark.parametrize("kind", [DenseCRFRefiner, GrabCutRefiner])
def test_a_box_is_replaced_from_the_overlap_on_that_was_asked_for(kind, photo):
    boxes = boxes_of(SCORES)
    assert kind(replace_from=0)(photo, SCORES, boxes, CUT).boxes.boxes[0] == pytest.approx([16, 16, 61, 45], abs=1.01)
    assert (kind(replace_from=0.99)(photo, SCORES, boxes, CUT).boxes.boxes == boxes.boxes).all()
    assert (kind(replace_from=1)(photo, SCORES, boxes, CUT).boxes.boxes == boxes.boxes).all()


class Loses(ForegroundRefiner):
    """Finds something small beside the object."""

    def foreground(self, image, score_map, seeds, threshold):
        found = np.zeros(score_map.shape, bool)
        found[24:28, 43:47] = True
        return found


def test_where_the_object_is_lost_mask_and_box_are_those_of_the_map(photo):
    boxes = boxes_of(SCORES)
    masks, kept = Loses(keep_below=0.3, replace_from=0.0)(photo, SCORES, boxes, CUT)
    assert (masks[0] == (CUT * SCORES.max() < SCORES)).all()
    assert (kept.boxes == boxes.boxes).all()
    assert Loses(keep_below=0)(photo, SCORES, boxes, CUT).masks[0].sum() == 16


def test_results_do_not_depend_on_what_was_refined_before(photo):
    boxes, refiner = boxes_of(SCORES), GrabCutRefiner()
    first = refiner(photo, SCORES, boxes, CUT).masks
    refiner(photo[::-1], SCORES, boxes, CUT)
    assert (refiner(photo, SCORES, boxes, CUT).masks == first).all()


@pytest.mark.parametrize("kind", [DenseCRFRefiner, GrabCutRefiner])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_maps_and_flat_photographs(kind, value):
    image = np.full((20, 20, 3), 77, np.uint8)
    box = ScoredBoxes(np.array([[0, 0, 20, 20]], np.float32), np.ones(1, np.float32))
    masks = kind()(image, np.full((20, 20), value, np.float32), box, 0.5).masks
    assert masks.all()


def test_objects_that_touch_are_divided_between_their_seeds():
    foreground = np.zeros((5, 12), bool)
    foreground[1:4, 1:11] = True
    seeds = np.zeros((3, 5, 12), bool)
    seeds[0, 2, 2:4], seeds[1, 2, 8:10], seeds[2, 0, 0] = True, True, True
    parts = split_foreground(foreground, seeds)
    assert (parts[0] ^ parts[1] == foreground).all()
    assert parts[0, 2, 5]
    assert parts[1, 2, 6]
    assert not parts[2].any()


def test_holes_are_filled():
    foreground = np.ones((5, 5), bool)
    foreground[2, 2] = False
    assert split_foreground(foreground, np.ones((1, 5, 5), bool)).all()


def test_the_map_of_a_box_is_its_largest_component_or_the_box():
    score_map = np.zeros((6, 10))
    score_map[1:4, 1:4], score_map[4, 8] = 1, 0.9
    boxes = np.array([[1, 1, 9, 5], [5, 0, 7.5, 1.5], [-3, -3, 0, 0], [9.5, 5, 30, 30]])
    masks = map_masks(score_map, boxes, 0.5)
    assert masks.sum(axis=(1, 2)).tolist() == [9, 6, 1, 1]
    assert masks[0, 1:4, 1:4].all()
    assert masks[1, 0:2, 5:8].all()


def test_what_does_not_fit_is_refused_in_words(photo):
    boxes = boxes_of(SCORES)
    with pytest.raises(ShapeError, match=r"An image \(60, 80, 3\) needs a map of its size, but got \(30, 80\)"):
        GrabCutRefiner()(photo, SCORES[:30], boxes, CUT)
    with pytest.raises(DataError, match="should be uint8, 0 to 255, but got float64"):
        GrabCutRefiner()(photo / 255, SCORES, boxes, CUT)
    with pytest.raises(ConfigError, match="refiner DenseCRFRefiner takes no argument 'slop'. Did you mean 'slope'"):
        REFINERS.build({"type": "DenseCRFRefiner", "slop": 3})
    with pytest.raises(ConfigError, match="side"):
        REFINERS.build({"type": "MapMasks", "side": 3})
