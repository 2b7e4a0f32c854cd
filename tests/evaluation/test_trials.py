"""From maps and boxes to a table, on images small enough to count."""

import numpy as np
import pytest

from wsolkit import ConfigError, Targets
from wsolkit.components.boxes import LargestComponent
from wsolkit.evaluation import BASELINES, boxes_at, class_labels, classification, judge, localization

THRESHOLDS = [0.1, 0.5, 0.9]


def targets(boxes, labels=None, difficult=None, size=(40, 20)):
    return Targets(
        size=size,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        box_labels=np.array(labels if labels is not None else [0] * len(boxes)),
        difficult=np.array(difficult if difficult is not None else [False] * len(boxes), bool),
    )


@pytest.fixture
def score_map():
    """10 x 10 cells: a weak 8 x 4 rectangle around a strong 2 x 4 one."""
    cells = np.zeros((10, 10))
    cells[2:6, 1:9] = 0.4
    cells[2:6, 1:3] = 1.0
    return cells


def test_boxes_are_fractions_of_the_map_at_each_threshold(score_map):
    boxes = boxes_at(score_map, LargestComponent(), THRESHOLDS)
    assert boxes.tolist() == [[0.1, 0.2, 0.9, 0.6], [0.1, 0.2, 0.3, 0.6], [0.1, 0.2, 0.3, 0.6]]


def test_boxes_at_leaves_the_extractor_as_it_was(score_map):
    extractor = LargestComponent(0.37)
    boxes_at(score_map, extractor, THRESHOLDS)
    assert extractor.threshold == 0.37


def test_judge_compares_in_pixels_of_the_image(score_map):
    boxes = {3: boxes_at(score_map, LargestComponent(), THRESHOLDS)}
    result = judge("a", np.array([0, 0, 1.0, 0.5]), 3, boxes, targets([[4, 4, 36, 12]]))
    assert result.rank == 1
    assert result.ious[0].tolist() == pytest.approx([1.0, 0.25, 0.25])


def test_difficult_boxes_are_no_truth(score_map):
    boxes = {0: boxes_at(score_map, LargestComponent(), THRESHOLDS)}
    both = judge("a", None, np.array([1.0, 0.0]), boxes, targets([[4, 4, 36, 12], [0, 0, 1, 1]], [0, 0], [True, False]))
    assert both.ious[0].max() < 0.1
    alone = judge("a", None, np.array([1.0, 0.0]), boxes, targets([[4, 4, 36, 12]], [0], [True]))
    assert alone.ious == []


def test_a_class_with_only_difficult_objects_is_left_out_of_the_average_precision():
    truth = targets([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]], [1, 2, 2], [True, True, False])
    assert class_labels(np.array([0, 1, 1, 0]), truth).tolist() == [0, -1, 1, 0]


def test_multi_label_images_are_one_trial_per_class(score_map):
    boxes = dict.fromkeys([0, 2], boxes_at(score_map, LargestComponent(), THRESHOLDS))
    truth = targets([[4, 4, 36, 12], [30, 10, 40, 20]], [0, 2])
    result = judge("a", np.zeros(3), np.array([1.0, 0.0, 1.0]), boxes, truth)
    assert result.classes == [0, 2]
    assert result.ious[0][0] == pytest.approx(1.0)
    assert result.ious[1][0] < 0.1


def test_a_missing_map_is_an_error_not_a_miss():
    with pytest.raises(ConfigError, match="Image a shows class 1, but there is no box of it"):
        judge("a", None, 1, {}, targets([[0, 0, 1, 1]]))


def test_localization_counts_hits_ranks_and_the_oracle():
    from wsolkit.evaluation import ImageResult

    results = [
        ImageResult("a", rank=0, classes=[0], ious=[np.array([0.6, 0.9, 0.0])]),
        ImageResult("b", rank=3, classes=[0], ious=[np.array([0.2, 0.8, 0.0])]),
        ImageResult("c", rank=9, classes=[0], ious=[np.array([0.7, 0.5, 0.0])]),
        ImageResult("d", rank=0, classes=[0], ious=[np.array([0.1, 0.1, 0.0])]),
    ]
    found = localization(results, THRESHOLDS, chosen=0)
    assert (found.gt_known.percent, found.top1.percent, found.top5.percent) == (50.0, 25.0, 25.0)
    assert (found.oracle.percent, found.oracle_threshold, found.gap) == (75.0, 0.5, 25.0)
    assert found.threshold == 0.1
    top = classification(results)
    assert (top["top1"].percent, top["top5"].percent) == (50.0, 75.0)


def test_baselines_are_what_they_say():
    size = (100, 200)
    boxes = {name: boxes_at(draw(size), LargestComponent(), [0.01, 0.5]) for name, draw in BASELINES.items()}
    assert boxes["whole image"].tolist() == [[0, 0, 1, 1]] * 2
    centre = boxes["centre box (half the area)"][0]
    assert (centre[2] - centre[0]) * (centre[3] - centre[1]) == pytest.approx(0.5, abs=0.01)
    blob = boxes["centred Gaussian blob"]
    assert np.allclose(blob + blob[:, [2, 3, 0, 1]], 1)  # centred
    half_side = 0.25 * np.sqrt(2 * np.log(2))
    assert blob[1] == pytest.approx([0.5 - half_side] * 2 + [0.5 + half_side] * 2, abs=0.01)


def test_top_5_ends_at_the_fifth_place():
    from wsolkit.evaluation import ImageResult

    results = [ImageResult(str(rank), rank=rank, classes=[0], ious=[np.array([0.6])]) for rank in (4, 5)]
    assert classification(results)["top5"].percent == 50.0
    assert localization(results, [0.5], chosen=0).top5.percent == 50.0


def test_features_reach_the_extractor(score_map):
    seen = []

    class Watching(LargestComponent):
        def __call__(self, score_map, features=None):
            seen.append(features)
            return super().__call__(score_map, features)

    features = np.zeros((3, 2, 2))
    boxes_at(score_map, Watching(), [0.2, 0.4], features)
    assert [each is features for each in seen] == [True, True]
