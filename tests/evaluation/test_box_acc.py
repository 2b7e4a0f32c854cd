"""Accuracy of one box per image against counts by hand, and the checks of boxes."""

import pickle
import random

import numpy as np
import pytest

from wsolkit.errors import ConfigError, DataError, ShapeError
from wsolkit.evaluation.box_acc import BoxAcc
from wsolkit.evaluation.checks import checked_boxes, checked_class, checked_ious, checked_truth, percent_name

TRUTH = [[0, 0, 10, 10]]
# IoU with the truth: .2, .4, .5, .6, .8
BOXES = {"a": [0, 0, 10, 2], "b": [0, 0, 10, 4], "c": [0, 0, 10, 5], "d": [0, 0, 10, 6], "e": [0, 0, 10, 8]}
LABELS = {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1}


def counted(labels=True, order=tuple(BOXES), **options):
    metric = BoxAcc(**options)
    for name in order:
        metric.update(name, box=BOXES[name], gt_boxes=TRUTH, label=LABELS[name] if labels else None)
    return metric


def test_levels_and_their_mean_by_hand():
    result = counted().compute()
    assert [line.name for line in result.lines] == ["BoxAcc@30", "BoxAcc@50", "BoxAcc@70", "BoxAcc"]
    assert [line.score.percent for line in result.lines] == pytest.approx([80, 40, 20, 140 / 3])
    assert [line.score.macro for line in result.lines] == pytest.approx(
        [(200 / 3 + 100) / 2, (0 + 100) / 2, (0 + 50) / 2, (250 / 3 + 50 + 25) / 3]
    )
    assert result.each_class == pytest.approx({0: 200 / 3, 1: 100})
    assert [line.score.interval for line in result.lines] == ["Wilson"] * 3 + ["bootstrap over images"]
    assert result["BoxAcc"].low < 140 / 3 < result["BoxAcc"].high


def test_the_comparator_decides_at_the_level_itself():
    assert counted(comparator=">=").compute()["BoxAcc@50"].percent == 60
    assert counted(comparator=">").compute()["BoxAcc@50"].percent == 40
    assert counted(comparator=">=").compute().conventions["comparator"] == "IoU >= level"


def test_the_best_true_box_counts():
    row = BoxAcc().measure([0, 0, 10, 5], [[50, 50, 60, 60], [0, 0, 10, 5]])
    assert row.iou == 1


def test_inclusive_ends_add_one():
    """One pixel each, the truth two: 1 / 2."""
    assert BoxAcc(inclusive=True).measure([3, 3, 3, 3], [[3, 3, 4, 3]], size=(5, 5)).iou == 0.5
    assert BoxAcc().measure([3, 3, 3, 3], [[3, 3, 4, 4]]).iou == 0


def test_without_labels_there_is_no_macro():
    result = counted(labels=False).compute()
    assert result["BoxAcc"].macro is None
    assert result["BoxAcc@50"].macro is None
    assert result.each_class == {}


def test_order_and_shards_do_not_matter():
    names = list(BOXES)
    random.Random(0).shuffle(names)
    first, second = counted(order=names[:2]), counted(order=names[2:])
    second.merge(pickle.loads(pickle.dumps(first)))
    assert second.compute().as_dict() == counted().compute().as_dict()


def test_other_settings_do_not_merge():
    with pytest.raises(ConfigError, match="comparator is '>' here and '>=' there"):
        counted().merge(BoxAcc(comparator=">="))


def test_boxes_outside_the_image_are_named():
    metric = BoxAcc()
    with pytest.raises(DataError, match=r"Number 0 of box lies outside the image of 10 x 10: \[0.0, 0.0, 11.0, 5.0\]"):
        metric.update("a", [0, 0, 11, 5], TRUTH, size=(10, 10))
    with pytest.raises(DataError, match="Number 1 of gt_boxes lies outside"):
        metric.update("a", [0, 0, 5, 5], [[0, 0, 1, 1], [0, 0, 5, 12]], size=(10, 10))
    with pytest.raises(DataError, match="lies outside the image of 10 x 10"):
        BoxAcc(inclusive=True).measure([0, 0, 10, 5], [[0, 0, 9, 9]], size=(10, 10))
    with pytest.raises(DataError, match=r"size should be \(width, height\)"):
        metric.measure([0, 0, 1, 1], TRUTH, size=(0, 10))
    assert metric.measure([0, 0, 10.001, 10], TRUTH, size=(10, 10)).iou > 0.99
    assert len(metric) == 0


@pytest.mark.parametrize(
    ("box", "gt_boxes", "error", "words"),
    [
        ([0, 0, 1], TRUTH, ShapeError, r"box should be \(4,\), x0 y0 x1 y1, but got shape \(3,\)"),
        ([[0, 0, 1, 1]], TRUTH, ShapeError, "Give one box per image"),
        ([0, 0, np.nan, 1], TRUTH, DataError, "Number 0 of box holds NaN or infinity"),
        ([5, 0, 1, 1], TRUTH, DataError, "ends before it begins: boxes are x0 y0 x1 y1, not x y width height"),
        ([0, 0, 1, 1], [[0, 0, 1, 1], [0, 5, 4, 1]], DataError, r"Number 1 of gt_boxes ends before it begins"),
        ([0, 0, 1, 1], np.zeros((0, 4)), DataError, "no true box to compare with"),
        ([0, 0, 1, 1], [], DataError, "no true box to compare with"),
        ([0, 0, 1, 1], [0, 0, 1, 1], ShapeError, r"gt_boxes should be \(N, 4\)"),
        (["x", 0, 1, 1], TRUTH, ShapeError, r"box should be \(N, 4\) numbers"),
    ],
)
def test_wrong_boxes_are_explained(box, gt_boxes, error, words):
    with pytest.raises(error, match=words):
        BoxAcc().measure(box, gt_boxes)


@pytest.mark.parametrize("label", [-1, 1.5, "cat", np.array([1, 2])])
def test_a_label_is_a_class_index(label):
    with pytest.raises(DataError, match="A label should be a class index"):
        BoxAcc().measure([0, 0, 1, 1], TRUTH, label=label)


def test_labels_of_numpy_are_class_indices():
    assert checked_class(np.int64(3), 4) == 3
    with pytest.raises(DataError, match="class index from 0 to 2, but got 3"):
        checked_class(3, 3)


@pytest.mark.parametrize("ious", [(), (0.5, 0.5), (0,), (1,), (50,), (float("nan"),)])
def test_levels_are_fractions(ious):
    with pytest.raises(ConfigError, match=r"different fractions inside \(0, 1\)"):
        BoxAcc(ious=ious)


def test_other_options_are_checked():
    with pytest.raises(ConfigError, match="comparator should be one of '>', '>=', but got '<'"):
        BoxAcc(comparator="<")
    assert checked_ious([0.3]) == (0.3,)
    assert percent_name(0.55) == "55"


def test_nothing_seen_is_an_error():
    with pytest.raises(DataError, match="BoxAcc has seen no image"):
        BoxAcc().compute()


def test_truth_fits_together():
    truth = checked_truth([[0, 0, 1, 1]], [2], None)
    assert truth.difficult.tolist() == [False]
    assert checked_truth([], [], []).boxes.shape == (0, 4)
    with pytest.raises(ShapeError, match=r"gt_labels should be \(1,\) as there are 1 boxes, but got \(2,\)"):
        checked_truth([[0, 0, 1, 1]], [2, 3])
    with pytest.raises(ShapeError, match=r"difficult should be \(1,\)"):
        checked_truth([[0, 0, 1, 1]], [2], [True, False])
    with pytest.raises(DataError, match="difficult should be true or false"):
        checked_truth([[0, 0, 1, 1]], [2], [7])
    with pytest.raises(DataError, match="class index from 0, but got -2"):
        checked_truth([[0, 0, 1, 1]], [-2])
    with pytest.raises(DataError, match=r"but got '1.5'"):
        checked_truth([[0, 0, 1, 1]], [1.5])
    assert checked_boxes(np.zeros((2, 4), np.float32)).dtype == np.float64
