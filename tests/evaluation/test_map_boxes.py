"""Boxes and hits at every threshold from one pass, bit for bit what one contour search per threshold gives."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tests.support.contours import contour_boxes, contour_hits
from tests.support.drawn_maps import KINDS, drawn_boxes, drawn_map
from wsolkit import ConfigError, DataError, MapError, ShapeError
from wsolkit.components.boxes import components, largest_box
from wsolkit.evaluation import box_hits, box_iou, component_boxes
from wsolkit.evaluation.map_boxes import truncated_boxes

THRESHOLDS = np.arange(0, 1, 0.001)
IOUS = (0.3, 0.5, 0.7)
MAPS_OF_A_KIND = 40


def ids(kind):
    return kind.__name__


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_hits_equal_the_contour_rule_at_all_thousand_thresholds(kind):
    rng = np.random.default_rng(len(kind.__name__))
    for _ in range(MAPS_OF_A_KIND):
        score_map = drawn_map(kind, rng)
        truth = drawn_boxes(rng, score_map.shape)
        for boxes in ("largest", "all"):
            found = box_hits(score_map, truth, thresholds=THRESHOLDS, ious=IOUS, boxes=boxes)
            wanted = contour_hits(score_map, truth, THRESHOLDS, IOUS, boxes == "all")
            assert (found == wanted).all(), (kind.__name__, boxes, score_map.shape)


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_boxes_equal_the_contour_rule(kind):
    rng = np.random.default_rng(7)
    for _ in range(30):
        score_map = drawn_map(kind, rng)
        thresholds = rng.choice(THRESHOLDS, 8)
        for boxes in ("largest", "all"):
            found = component_boxes(score_map, thresholds, boxes=boxes, convention="wsoleval")
            for threshold, mine in zip(thresholds, found, strict=True):
                wanted = contour_boxes(score_map, threshold, boxes == "all")
                assert sorted(mine.tolist()) == sorted(wanted.tolist())


def test_hits_equal_the_contour_rule_at_full_size():
    rng = np.random.default_rng(0)
    for cells in (7, 14, 28):
        coarse = rng.random((cells, cells)).astype(np.float32)
        score_map = cv2.resize(coarse, (224, 224), interpolation=cv2.INTER_CUBIC)
        score_map = (score_map - score_map.min()) / (score_map.max() - score_map.min())
        truth = drawn_boxes(rng, score_map.shape, most=20)
        for boxes in ("largest", "all"):
            found = box_hits(score_map, truth, thresholds=0.001, boxes=boxes)
            assert (found == contour_hits(score_map, truth, THRESHOLDS, IOUS, boxes == "all")).all()


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_exact_boxes_are_those_of_labelled_components(kind):
    rng = np.random.default_rng(11)
    for _ in range(30):
        score_map = drawn_map(kind, rng)
        thresholds = sorted(rng.choice(THRESHOLDS, 6).tolist())
        all_boxes = component_boxes(score_map, thresholds)
        largest = component_boxes(score_map, thresholds, boxes="largest")
        for number, threshold in enumerate(thresholds):
            boxes, areas, _ = components(score_map, threshold)
            assert sorted(all_boxes[number].tolist()) == sorted(boxes.tolist())
            sizes = {tuple(box): area for box, area in zip(boxes.tolist(), areas.tolist(), strict=True)}
            if len(sizes) == len(boxes):
                found = [sizes[tuple(box)] for box in all_boxes[number].tolist()]
                assert found == sorted(found, reverse=True)
            one = largest_box(score_map, threshold)
            assert largest[number].tolist() == ([] if one is None else [list(one)])


def test_exact_hits_are_half_open_overlaps():
    rng = np.random.default_rng(3)
    for _ in range(100):
        score_map = drawn_map(KINDS[0], rng)
        height, width = score_map.shape
        truth = np.array([[0, 0, width * rng.uniform(0.2, 1), height * rng.uniform(0.2, 1)]])
        hits = box_hits(score_map, truth, thresholds=[0.3, 0.6], boxes="all", convention="exact")
        for column, threshold in enumerate((0.3, 0.6)):
            best = box_iou(components(score_map, threshold)[0], truth).max(initial=0)
            assert hits[:, column].tolist() == [best >= iou for iou in IOUS]


def test_golden_boxes():
    """Worked out by hand: a square with a hole, a dot in the hole, and a bar on the border."""
    score_map = np.zeros((8, 10))
    score_map[1:6, 1:6] = 0.8
    score_map[2:5, 2:5] = 0
    score_map[3, 3] = 0.6
    score_map[:, 9] = 1
    assert component_boxes(score_map, [0.5], convention="exact")[0].tolist() == [
        [1, 1, 6, 6],  # 16 pixels
        [9, 0, 10, 8],  # 8 pixels, half open
        [3, 3, 4, 4],
    ]
    found = component_boxes(score_map, [0.5], convention="wsoleval")[0].tolist()
    assert found == [
        [1, 1, 6, 6],  # the square's outer contour: ends are exclusive ...
        [9, 0, 9, 7],  # ... and cut off at the last pixel
        [3, 3, 4, 4],
        [1, 1, 6, 6],  # the contour of the hole runs along the square's pixels
    ]
    largest = component_boxes(score_map, [0.5, 0.9], boxes="largest", convention="wsoleval")
    assert [boxes.tolist() for boxes in largest] == [[[1, 1, 6, 6]], [[9, 0, 9, 7]]]


def test_golden_hits():
    """A 4 x 4 square at (2, 2) has the box 2..6 in wsolevaluation, one too wide: 25 pixels with + 1."""
    score_map = np.zeros((10, 10))
    score_map[2:6, 2:6] = 1
    truth = [[2, 2, 5, 5]]  # the square itself, ends inclusive: IoU 16 / 25 = .64
    assert box_hits(score_map, truth, thresholds=[0.5], ious=[0.64, 0.65]).tolist() == [[True], [False]]
    assert box_hits(score_map, [[2, 2, 6, 6]], thresholds=[0.5], ious=[0.99], convention="exact").all()


def test_an_empty_map_is_one_pixel_for_wsolevaluation_and_nothing_else():
    empty = np.zeros((4, 4))
    assert component_boxes(empty, [0.2], convention="wsoleval")[0].tolist() == [[0, 0, 0, 0]]
    assert component_boxes(empty, [0.2])[0].shape == (0, 4)
    assert box_hits(empty, [[0, 0, 0, 0]], thresholds=[0.2]).all()
    assert not box_hits(empty, [[0, 0, 1, 1]], thresholds=[0.2], convention="exact").any()


def test_equal_areas_go_to_the_last_in_raster_order_for_wsolevaluation_to_the_first_else():
    score_map = np.zeros((3, 9))
    score_map[:2, :2] = score_map[1:, 6:8] = 1
    assert component_boxes(score_map, [0.5], boxes="largest", convention="wsoleval")[0].tolist() == [[6, 1, 8, 2]]
    assert component_boxes(score_map, [0.5], boxes="largest")[0].tolist() == [[0, 0, 2, 2]]


def test_scores_are_truncated_not_rounded():
    """254.9 / 255 and 254.1 / 255 are both level 254, so neither is above the other's cut."""
    score_map = np.array([[254.9, 254.1, 0, 255]]) / 255
    boxes = component_boxes(score_map, [254.2 / 255], convention="wsoleval")[0]
    assert boxes.tolist() == [[3, 0, 3, 0]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.sampled_from(["largest", "all"]))
def test_hits_fall_with_the_iou(seed, kind, boxes):
    rng = np.random.default_rng(seed)
    score_map = drawn_map(kind, rng)
    truth = drawn_boxes(rng, score_map.shape)
    for convention in ("wsoleval", "exact"):
        hits = box_hits(
            score_map, truth, thresholds=0.01, ious=(0.1, 0.4, 0.6, 0.9), boxes=boxes, convention=convention
        )
        assert (np.diff(hits.astype(int), axis=0) <= 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.sampled_from([0.5, 0.25, 2**-6]))
def test_exact_hits_do_not_change_with_the_scale_of_the_map(seed, kind, factor):
    rng = np.random.default_rng(seed)
    score_map = drawn_map(kind, rng)
    truth = drawn_boxes(rng, score_map.shape)
    both = [box_hits(each, truth, thresholds=0.01, convention="exact") for each in (score_map, score_map * factor)]
    assert (both[0] == both[1]).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_all_boxes_hit_wherever_the_largest_does_and_more_truth_never_hurts(seed, number):
    rng = np.random.default_rng(seed)
    score_map = drawn_map(KINDS[number], rng)
    truth = drawn_boxes(rng, score_map.shape)
    for convention in ("wsoleval", "exact"):
        one = box_hits(score_map, truth[:1], thresholds=0.01, convention=convention)
        assert (box_hits(score_map, truth, thresholds=0.01, convention=convention) >= one).all()
        every = box_hits(score_map, truth[:1], thresholds=0.01, boxes="all", convention=convention)
        assert (every >= one).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.data())
def test_a_perfect_map_hits_at_every_threshold(height, width, data):
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
    score_map = np.zeros((height, width))
    score_map[y0:y1, x0:x1] = 1
    assert box_hits(score_map, [[x0, y0, x1, y1]], ious=[0.999], convention="exact").all()


def test_true_boxes_are_scaled_and_truncated_as_wsolevaluation_does():
    rng = np.random.default_rng(5)
    for _ in range(50):
        width, height = rng.integers(20, 700, 2).tolist()
        inclusive = drawn_boxes(rng, (height, width))
        found = truncated_boxes(inclusive + np.array([0, 0, 1, 1]), (width, height), (224, 224))
        wanted = [
            [int(float(value) * 224.0 / float(side)) for value, side in zip(box, [width, height] * 2, strict=True)]
            for box in inclusive.tolist()
        ]
        assert found.tolist() == wanted


@pytest.mark.parametrize(
    ("score_map", "error", "words"),
    [
        (np.full((4, 4), np.nan), MapError, "holds NaN"),
        (np.full((4, 4), 1.5), MapError, "numbers in \\[0, 1\\], but goes from 1.5 to 1.5"),
        (np.full((4, 4), -0.5), MapError, "numbers in \\[0, 1\\], but goes from -0.5"),
        (np.full((4, 4), np.inf), MapError, "numbers in \\[0, 1\\]"),
        (np.full((1, 4, 4), 0.5), ShapeError, "should be \\(H, W\\).*shape \\(1, 4, 4\\)"),
        (np.zeros((0, 4)), ShapeError, "at least one pixel"),
    ],
)
def test_what_is_no_score_map_is_named(score_map, error, words):
    with pytest.raises(error, match=words):
        box_hits(score_map, [[0, 0, 1, 1]])
    with pytest.raises(error, match=words):
        component_boxes(score_map)


@pytest.mark.parametrize(
    ("boxes", "error", "words"),
    [
        ([[0, 0, 5, 2]], DataError, "outside the image of 4 x 4"),
        ([[-1, 0, 2, 2]], DataError, "outside the image of 4 x 4"),
        ([[2, 2, 1, 3]], DataError, "ends before it begins"),
        ([[0, 0, np.nan, 1]], DataError, "NaN"),
        ([[0, 0, 1]], ShapeError, "\\(N, 4\\), x0 y0 x1 y1"),
        (np.zeros((0, 4)), DataError, "no true box"),
    ],
)
def test_wrong_true_boxes_are_named(boxes, error, words):
    with pytest.raises(error, match=words):
        box_hits(np.ones((4, 4)), boxes)


def test_wrong_options_are_named():
    score_map, truth = np.ones((4, 4)), [[0, 0, 1, 1]]
    with pytest.raises(ConfigError, match="no convention 'wsolevall'. Did you mean 'wsoleval'"):
        box_hits(score_map, truth, convention="wsolevall")
    with pytest.raises(ConfigError, match="boxes are the 'largest' or 'all' components, but got 'every'"):
        component_boxes(score_map, boxes="every")
    with pytest.raises(ConfigError, match=r"in \[0, 1\), but got \[0.5, 1.0\]"):
        box_hits(score_map, truth, thresholds=[0.5, 1.0])


@pytest.mark.parametrize("ious", [(2,), (), (0.5, np.nan)])
def test_levels_of_iou_are_checked(ious):
    with pytest.raises(ConfigError, match=r"ious should be different fractions inside \(0, 1\)"):
        box_hits(np.ones((4, 4)), [[0, 0, 1, 1]], ious=ious)


def test_one_iou_and_a_box_of_less_than_a_pixel():
    assert box_hits(np.ones((4, 4)), [[0, 0, 3, 3]], thresholds=[0.2], ious=0.5).tolist() == [[True]]
    assert truncated_boxes([[10, 10, 10.3, 10.3]], (224, 224), (224, 224)).tolist() == [[10, 10, 10, 10]]
