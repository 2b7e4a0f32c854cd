"""MaxBoxAcc against a loop over images and thresholds that looks for contours each time."""

import pickle
import random

import cv2
import numpy as np
import pytest

from tests.support.contours import best_overlap, contour_boxes
from wsolkit import DataError
from wsolkit.evaluation.max_box_acc import MaxBoxAcc, MaxBoxAccV2
from wsolkit.evaluation.overlap import best_iou
from wsolkit.evaluation.results import FIXED, ORACLE, VAL

STEP = 0.05
THRESHOLDS = np.arange(0, 1, STEP)
IOUS = (0.3, 0.5, 0.7)
KINDS = [
    (MaxBoxAcc, (0.5,), False, "wsoleval"),
    (MaxBoxAcc, IOUS, False, "wsoleval"),
    (MaxBoxAccV2, IOUS, True, "wsoleval"),
    (MaxBoxAcc, IOUS, False, "exact"),
    (MaxBoxAccV2, IOUS, True, "exact"),
]


def split(seed, images=14, side=24):
    """Return maps with a few blobs, boxes with inclusive ends and classes, by image name."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    found = {}
    for number in range(images):
        score_map, truth = 0.1 * rng.random((side, side)), []
        for _ in range(rng.integers(1, 4)):
            a, b, wide, high = rng.uniform(5, side - 5, 2).tolist() + rng.uniform(2, 6, 2).tolist()
            score_map += rng.random() * np.exp(-(((x - a) / wide) ** 2) - ((y - b) / high) ** 2)
            ends = np.clip([a - wide, b - high, a + wide, b + high], 0, side - 1)
            truth.append(ends.astype(int).tolist())
        low, high = score_map.min(), score_map.max()
        label = int(rng.integers(3))
        found[f"{number:02}.jpg"] = ((score_map - low) / (high - low), truth[: rng.integers(1, 3)], label)
    return found


def filled(metric, images, order=None):
    for name in order or images:
        score_map, truth, label = images[name]
        metric.update(name, score_map, truth, label)
    return metric


def component_boxes_at(score_map, threshold, every):
    """Return half-open boxes of the 8-connected components, most pixels first."""
    inside = (score_map > threshold * score_map.max()).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(inside, connectivity=8)[2][1:].tolist()
    stats.sort(key=lambda row: -row[4])
    boxes = [[x, y, x + wide, y + high] for x, y, wide, high, _ in stats]
    return np.array(boxes if every else boxes[:1], float).reshape(-1, 4)


def naive_overlaps(images, every, convention="wsoleval"):
    """Return the overlap of the image's box at each threshold, (images, thresholds), by image name."""
    table = []
    for name in sorted(images):
        score_map, truth, _ = images[name]
        row = []
        for threshold in THRESHOLDS:
            if convention == "wsoleval":
                row.append(best_overlap(contour_boxes(score_map, threshold, every), truth))
            else:
                found = best_iou(component_boxes_at(score_map, threshold, every), np.array(truth, float))
                row.append(found.max(initial=0.0))
        table.append(row)
    return np.array(table)


def naive_best(curve):
    """Return the place of the best number, the middle one of several."""
    places = [place for place, value in enumerate(curve) if value == max(curve)]
    return places[len(places) // 2]


def naive_macro(values, labels):
    classes = {
        label: [value for value, other in zip(values, labels, strict=True) if other == label] for label in labels
    }
    return sum(sum(each) / len(each) for each in classes.values()) / len(classes)


@pytest.mark.parametrize(("kind", "ious", "every", "convention"), KINDS)
def test_all_numbers_equal_the_naive_loop(kind, ious, every, convention):
    test, val = split(1), split(2)
    own = filled(kind(ious, convention=convention, thresholds=STEP), test)
    other = filled(kind(ious, convention=convention, thresholds=STEP), val)
    overlaps, on_val = (naive_overlaps(images, every, convention) for images in (test, val))
    labels = [test[name][2] for name in sorted(test)]
    curves = np.array([100 * (overlaps >= iou).mean(0) for iou in ious])
    assert own.curves() == pytest.approx(curves)
    assert len(np.unique(curves)) > 3

    places = {
        FIXED: [6] * len(ious),
        VAL: [naive_best((on_val >= iou).mean(0)) for iou in ious],
        ORACLE: [naive_best((overlaps >= iou).mean(0)) for iou in ious],
    }
    assert [own.best_threshold(iou) for iou in ious] == pytest.approx(THRESHOLDS[places[ORACLE]])
    results = {FIXED: own.compute(0.3), VAL: own.compute(other), ORACLE: own.compute()}
    for selection, result in results.items():
        found = {(line.name, line.selection): line for line in result.lines}
        assert len(found) == len(result.lines)
        assert {name for _, name in found} == {selection, ORACLE}
        for chosen in {selection, ORACLE}:
            hits = np.array([overlaps[:, place] >= iou for place, iou in zip(places[chosen], ious, strict=True)])
            for iou, place, each in zip(ious, places[chosen], hits, strict=True):
                line = found[f"MaxBoxAcc@{100 * iou:g}", chosen]
                assert line.threshold == pytest.approx(THRESHOLDS[place])
                assert line.score.percent == pytest.approx(100 * each.mean())
                assert line.score.macro == pytest.approx(100 * naive_macro(each, labels))
                assert (line.score.n, line.score.interval) == (len(test), "Wilson")
            if len(ious) > 1:
                line = found[kind.metric, chosen]
                assert line.threshold is None
                assert line.score.percent == pytest.approx(100 * hits.mean())
                assert line.score.macro == pytest.approx(100 * naive_macro(hits.mean(0), labels))
                assert line.score.interval == "bootstrap over images"
                assert line.score.low <= line.score.percent <= line.score.high
        hits = [overlaps[:, place] >= iou for place, iou in zip(places[selection], ious, strict=True)]
        values = 100 * np.mean(hits, axis=0)
        assert result.each_class == {
            k: pytest.approx(np.mean(values[np.array(labels) == k])) for k in sorted({*labels})
        }
    for place, threshold in enumerate(THRESHOLDS):
        assert own.overlaps_at(threshold) == pytest.approx(overlaps[:, place])


def test_a_curve_to_draw_for_each_iou():
    own = filled(MaxBoxAccV2(thresholds=STEP), split(1))
    drawn = own.compute().curves
    assert list(drawn) == [f"hits over threshold, IoU {name}" for name in (30, 50, 70)]
    for curve, y in zip(drawn.values(), own.curves(), strict=True):
        assert curve.x.tolist() == THRESHOLDS.tolist()
        assert curve.y.tolist() == y.tolist()
    assert list(filled(MaxBoxAcc(thresholds=STEP), split(1)).compute().curves) == ["hits over threshold"]


@pytest.mark.parametrize("kind", [MaxBoxAcc, MaxBoxAccV2])
def test_order_and_shards_do_not_matter(kind):
    images = split(3)
    order = list(images)
    random.Random(0).shuffle(order)
    together = filled(kind(), images)
    first, second = filled(kind(), images, order[:5]), filled(kind(), images, order[5:])
    second.merge(pickle.loads(pickle.dumps(first)))
    val = filled(kind(), split(4))
    for threshold in (None, 0.2, val):
        assert second.compute(threshold).as_dict() == together.compute(threshold).as_dict()
    assert second.trials(0.2) == together.trials(0.2)
    with pytest.raises(DataError, match="was counted before"):
        together.merge(first)
