"""Every protocol fed with images drawn by hand gives what its accumulator gives."""

import json

import numpy as np
import pytest

from tests.support.drawn_images import (
    CLASSES,
    HALF_OPEN,
    INCLUSIVE,
    LOGITS_OF,
    MULTI,
    ONE,
    ONE_LABEL,
    PRESENT,
    SEVERAL,
    SINGLE,
    SIZE,
    TWO,
    by_hand,
    drawn,
    fed,
    maps_and,
    targets,
)
from wsolkit import DataError, Targets
from wsolkit.evaluation.box_acc import BoxAcc
from wsolkit.evaluation.box_map import BoxMAP
from wsolkit.evaluation.classification import ClassificationMAP
from wsolkit.evaluation.corloc import CorLoc
from wsolkit.evaluation.max_box_acc import MaxBoxAcc, MaxBoxAccV2
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.point_localization import PointLocalizationMAP
from wsolkit.evaluation.protocol import BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL
from wsolkit.evaluation.protocols import PROTOCOLS
from wsolkit.evaluation.px_ap import PxAP
from wsolkit.evaluation.results import FIXED, VAL
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.evaluation.top_k import TopKAccuracy
from wsolkit.evaluation.top_k_localization import TopKLocalization


def test_names_and_needs():
    assert list(PROTOCOLS) == [each.name for each in PROTOCOLS.values()]
    known = {BOXES, MASKS, LOGITS, MULTI_LABEL, SINGLE_LABEL}
    assert all(each.needs and each.needs <= known and each.summary for each in PROTOCOLS.values())
    metrics = {name: type(each().make(CLASSES)) for name, each in PROTOCOLS.items()}
    assert metrics == {
        "accuracy": TopKAccuracy,
        "mAP": ClassificationMAP,
        "localization": TopKLocalization,
        "MaxBoxAcc": MaxBoxAcc,
        "MaxBoxAccV2": MaxBoxAccV2,
        "MaxBoxAcc-exact": MaxBoxAcc,
        "BoxAcc": BoxAcc,
        "CorLoc": CorLoc,
        "point-mAP": PointLocalizationMAP,
        "box-mAP": BoxMAP,
        "box-mAP-given": BoxMAP,
        "PxAP": PxAP,
        "mIoU": MeanIoU,
    }


def single_by_hand(name):
    """Return the accumulator of a protocol fed with the images of one label, everything brought to size by hand."""
    if name == "accuracy":
        return by_hand(TopKAccuracy(), [{"logits": LOGITS_OF, "label": k} for k in (1, 4)])
    if name == "MaxBoxAcc":
        return by_hand(MaxBoxAcc(), [each | {"right_class": each["label"] == 1} for each in maps_and(INCLUSIVE)])
    if name == "MaxBoxAccV2":
        return by_hand(MaxBoxAccV2(), [each | {"right_class": each["label"] == 1} for each in maps_and(INCLUSIVE)])
    if name == "MaxBoxAcc-exact":
        rows = [each | {"right_class": each["label"] == 1} for each in maps_and(HALF_OPEN)]
        return by_hand(MaxBoxAcc(convention="exact"), rows)
    if name == "localization":
        rows = [{"label": k, "gt_boxes": [box]} for k, box in ((1, [4, 2, 24, 12]), (4, [24, 8, 26, 12]))]
        both = {"score_maps": {1: ONE, 4: TWO}, "logits": LOGITS_OF, "size": SIZE}
        return by_hand(TopKLocalization(convention="exact", thresholds=0.01), [both | row for row in rows])
    if name == "BoxAcc":  # above .2 of the maximum: the larger rectangle of ONE, all of TWO
        rows = [
            {"box": [4, 2, 16, 12], "gt_boxes": [[4, 2, 24, 12]], "label": 1},
            {"box": [20, 6, 36, 16], "gt_boxes": [[24, 8, 26, 12]], "label": 4},
        ]
        return by_hand(BoxAcc(), rows)
    if name == "CorLoc":
        rows = [
            {"boxes": {1: [4, 2, 16, 12]}, "gt_boxes": [[4, 2, 24, 12]], "gt_labels": [1]},
            {"boxes": {4: [20, 6, 36, 16]}, "gt_boxes": [[24, 8, 26, 12]], "gt_labels": [4]},
        ]
        return by_hand(CorLoc(), rows)
    assert name == "PxAP"
    rows = [
        {"score_map": ONE, "mask": drawn((1, 2, 1, 12, 6)).astype(np.uint8), "label": 1},
        {"score_map": TWO, "mask": drawn((1, 12, 4, 13, 6)).astype(np.uint8), "label": 4},
    ]
    return by_hand(PxAP(), rows)


def numbers(result):
    """Return the numbers of a result alone, without their thresholds."""
    return [(line.name, line.score) for line in result.lines]


@pytest.mark.parametrize("name", SINGLE)
def test_images_of_one_label(name):
    protocol, accumulator = fed(name, ONE_LABEL)
    assert len(accumulator) == 2
    hand = single_by_hand(name)
    mine, expected = protocol.result(accumulator), hand.compute()
    assert numbers(mine) == numbers(expected)
    assert mine.each_class == expected.each_class
    json.dumps(mine.as_dict(), allow_nan=False)
    if protocol.sweeps:
        assert protocol.result(accumulator, 0.4).as_dict()["lines"] == hand.compute(0.4).as_dict()["lines"]
        assert protocol.result(accumulator, hand).lines[-1].score == expected.lines[-1].score


def sure(k):
    return 1 / (1 + np.exp(-LOGITS_OF[k]))


def several_by_hand(name):
    truth = {"gt_boxes": SEVERAL[0].targets.boxes, "gt_labels": [1, 4, 5, 4], "difficult": [False, False, True, True]}
    other = {"gt_boxes": [[20, 6, 36, 16]], "gt_labels": [4], "difficult": [False]}
    if name == "mAP":
        return by_hand(
            ClassificationMAP(),
            [{"scores": LOGITS_OF, "labels": PRESENT}, {"scores": -LOGITS_OF, "labels": SEVERAL[1].label}],
        )
    if name == "localization":
        metric = TopKLocalization(convention="exact", thresholds=0.01)
        one = metric.measure({1: ONE}, 1, [[4, 2, 24, 12]], size=SIZE)
        two = metric.measure({4: TWO}, 4, [[24, 8, 26, 12]], size=SIZE)
        metric.add("a", one + two)
        metric.update("b", {4: TWO}, 4, [[20, 6, 36, 16]], size=SIZE)
        return metric
    if name.startswith("MaxBoxAcc"):
        metric = PROTOCOLS[name]().make(CLASSES)
        boxes, second = (HALF_OPEN, [10, 3, 18, 8]) if name.endswith("exact") else (INCLUSIVE, [10, 3, 17, 7])
        rows = [metric.measure(**each) for each in maps_and(boxes)]
        metric.add("a", rows[0] + rows[1])
        metric.update("b", TWO, [second], 4)
        return metric
    if name == "CorLoc":  # TWO fits the difficult box of class 4; that counts as right
        rows = [{"boxes": {1: [4, 2, 16, 12], 4: [20, 6, 36, 16]}, **truth}, {"boxes": {4: [20, 6, 36, 16]}, **other}]
        rows[0] |= {"gt_boxes": truth["gt_boxes"][[0, 1, 3]], "gt_labels": [1, 4, 4], "difficult": [False, False, True]}
        return by_hand(CorLoc(), rows)
    if name == "point-mAP":
        rows = [
            {"score_maps": {1: ONE, 4: TWO}, "class_scores": LOGITS_OF, "size": SIZE, **truth},
            {"score_maps": {4: TWO}, "class_scores": -LOGITS_OF, "size": SIZE, **other},
        ]
        return by_hand(PointLocalizationMAP(), rows)
    if name == "box-mAP-given":
        mean = (0.6 * 36 + 1.0 * 4) / 40
        rows = [
            {
                "boxes": [[4, 2, 16, 12], [24, 4, 30, 18], [20, 6, 36, 16]],
                "labels": [1, 1, 4],
                "scores": [0.9 * sure(1), 0.3 * sure(1), mean * sure(4)],
                **truth,
            },
            {"boxes": [[20, 6, 36, 16]], "labels": [4], "scores": [mean * (1 - sure(4))], **other},
        ]
        return by_hand(BoxMAP(ious=(0.5, 0.3)), rows)
    assert name == "mIoU"
    metric = MeanIoU(CLASSES, level="seed")
    mask = drawn((2, 2, 1, 8, 6), (5, 10, 3, 18, 7)).astype(np.uint8)
    metric.update("a", {1: ONE, 4: TWO}, mask)
    return metric


@pytest.mark.parametrize("name", [name for name in MULTI if name not in ("PxAP", "box-mAP")])
def test_images_of_several_labels(name):
    protocol, accumulator = fed(name, SEVERAL)
    hand = several_by_hand(name)
    assert len(accumulator) == len(hand)
    mine, expected = protocol.result(accumulator), hand.compute()
    for one, other in zip(mine.lines, expected.lines, strict=True):
        assert one.name == other.name
        assert one.score.percent == pytest.approx(other.score.percent)
        assert one.score.n == other.score.n
        assert not protocol.sweeps or (one.threshold, one.selection) == (other.threshold, other.selection)
    assert mine.each_class == pytest.approx(expected.each_class, nan_ok=True)


@pytest.mark.parametrize("name", ["MaxBoxAcc", "MaxBoxAccV2", "MaxBoxAcc-exact"])
def test_one_trial_for_each_class_with_a_box_that_is_not_difficult(name):
    protocol, accumulator = fed(name, SEVERAL)
    assert [[trial.label for trial in row] for row in accumulator.rows.values()] == [[1, 4], [4]]
    assert len(accumulator.rows["a"][1].truth) == 1  # the difficult box of class 4 is none to hit
    assert {line.score.n for line in protocol.result(accumulator).lines} == {3}
    each_iou = [line.score.percent for line in protocol.result(accumulator).lines if "@" in line.name]
    assert accumulator.curves().max(1) == pytest.approx(each_iou)  # of three maps, not of two images
    assert accumulator.rows["a"][0].right_class is None


@pytest.mark.parametrize("name", SINGLE)
def test_boxes_of_data_with_one_label_belong_to_the_label(name):
    """Data whose boxes have no class of their own gives the same numbers."""
    images = [
        ScoredImage(
            each.image_id, each.maps, each.label, each.logits, targets(each.targets.boxes, [0], mask=each.targets.mask)
        )
        for each in ONE_LABEL
    ]
    found, expected = (protocol.result(each).as_dict() for protocol, each in (fed(name, images), fed(name, ONE_LABEL)))
    assert found == expected


def test_the_box_threshold_counts_and_is_named():
    """Above .7 of the maximum TWO is the small square, 22 8 26 12 in the image, twice the true box."""
    _, accumulator = fed("BoxAcc", ONE_LABEL[1:], 0.7)
    assert accumulator.rows["b"].iou == 0.5
    assert fed("BoxAcc", ONE_LABEL[1:])[1].rows["b"].iou == pytest.approx(8 / 160)
    assert fed("CorLoc", ONE_LABEL[1:], 0.7)[1].rows["b"] == {4: 0.5}
    for name, images in (("BoxAcc", ONE_LABEL), ("CorLoc", ONE_LABEL), ("box-mAP-given", SEVERAL)):
        protocol, accumulator = fed(name, images)
        for threshold, selection, words in ((0.7, FIXED, "fixed"), (0.6, VAL, "chosen on val")):
            result = protocol.at(threshold, selection).result(accumulator)
            assert {(line.threshold, line.selection) for line in result.lines} == {(threshold, selection)}
            assert result.conventions["threshold selection"] == words
        usual = protocol.result(accumulator)
        assert {(line.threshold, line.selection) for line in usual.lines} == {(0.2, FIXED)}
        assert usual.conventions["threshold selection"] == "fixed, CAM's 0.2"
    for name, images in (("accuracy", ONE_LABEL), ("mAP", SEVERAL), ("point-mAP", SEVERAL)):
        protocol, accumulator = fed(name, images)
        assert {line.threshold for line in protocol.result(accumulator).lines} == {None}
    assert PROTOCOLS["BoxAcc"]().threshold is None


def test_without_logits_a_box_scores_by_its_map():
    image = ScoredImage("a", {1: ONE}, PRESENT * [0, 1, 0, 0, 0, 0, 0], None, SEVERAL[0].targets)
    hand = BoxMAP(ious=(0.5, 0.3))
    truth = SEVERAL[0].targets
    hand.update(
        "a", [[4, 2, 16, 12], [24, 4, 30, 18]], [1, 1], [0.9, 0.3], truth.boxes, truth.box_labels, truth.difficult
    )
    row, expected = fed("box-mAP-given", [image])[1].rows["a"], hand.rows["a"]
    assert row.scores == pytest.approx(expected.scores)
    assert row.boxes.tolist() == expected.boxes.tolist()
    assert row.outcomes.tolist() == expected.outcomes.tolist()
    _, with_logits = fed("box-mAP-given", SEVERAL)
    for name, detections in several_by_hand("box-mAP-given").rows.items():
        assert with_logits.rows[name].scores == pytest.approx(detections.scores)


def test_boxes_of_predicted_classes():
    """In the first image classes 0, 1 and 4 are likelier than not, and there is no map of class 0."""
    with pytest.raises(
        DataError, match="Class 0 is predicted in image 'a', but there is no map of it; there are maps of"
    ):
        fed("box-mAP", SEVERAL[:1])
    one = ScoredImage("a", {1: ONE, 4: TWO}, PRESENT, np.where(np.arange(CLASSES) == 4, 1.0, -1.0), SEVERAL[0].targets)
    protocol, accumulator = fed("box-mAP", [one])
    assert accumulator.rows["a"].labels.tolist() == [4]  # class 1 is given, but not predicted
    assert "predicted" in protocol.result(accumulator).conventions["class source"]


def test_width_and_height_have_scales_of_their_own():
    """The map of 20 x 10 belongs to an image of 20 x 30: its rows are three pixels high."""
    truth = Targets((20, 30), np.array([[2, 3, 8, 18]], np.float32), np.array([1]), np.array([False]))
    image = ScoredImage("a", {1: ONE}, 1, LOGITS_OF, truth)
    assert fed("BoxAcc", [image])[1].rows["a"].iou == 1
    assert fed("CorLoc", [image])[1].rows["a"] == {1: 1.0}


def test_trials_know_whether_the_best_class_is_right():
    _, accumulator = fed("MaxBoxAcc", ONE_LABEL)
    assert [each.right_class for each in accumulator.trials(0.5)] == [True, False]
    without = [ScoredImage(each.image_id, each.maps, each.label, None, each.targets) for each in ONE_LABEL]
    assert [each.right_class for each in fed("MaxBoxAcc", without)[1].trials(0.5)] == [None, None]
