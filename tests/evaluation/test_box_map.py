"""Detection average precision by hand, against naive loops, and against pycocotools."""

import numpy as np
import pytest

from wsolkit.errors import ConfigError, DataError, ShapeError
from wsolkit.evaluation.box_map import BoxMAP, match_boxes

A, B, FAR = [0, 0, 10, 10], [20, 0, 30, 10], [60, 60, 70, 70]


def evaluated(*images, **options):
    metric = BoxMAP(**{"draws": 20, **options})
    for number, image in enumerate(images):
        metric.update(f"{number:03}", *image)
    return metric.compute()


def test_average_precision_by_hand():
    """Right (.9), wrong (.8), right (.7), wrong (.6) of 4 boxes: recall .25 at 1, .5 at 2/3.

    All-point .25 + .25 * 2/3; 11-point: recalls 0, .1, .2 at 1, and .3, .4, .5 at 2/3.
    """
    image = ([A, FAR, B, FAR], [0] * 4, [0.9, 0.8, 0.7, 0.6], [A, B, [40, 0, 50, 10], [0, 40, 10, 50]], [0] * 4)
    result = evaluated(image)
    assert result["BoxMAP@50"].percent == pytest.approx(100 * (0.25 + 0.25 * 2 / 3))
    assert result["BoxMAP@50"].macro == result["BoxMAP@50"].percent
    assert result["BoxMAP@50 micro"].percent == pytest.approx(result["BoxMAP@50"].percent)
    other = evaluated(image, method="voc-11-point")
    assert other["BoxMAP@50"].percent == pytest.approx(100 * (3 + 3 * 2 / 3) / 11)
    assert other.conventions["average precision"].startswith("11-point")


def test_eleven_point_reaches_every_recall_exactly():
    """3 of 10 boxes found, all right: recalls 0, .1, .2 and .3, of which .3 is lost where 3 / 10 < .1 + .1 + .1."""
    boxes = [[20 * k, 0, 20 * k + 10, 10] for k in range(10)]
    result = evaluated((boxes[:3], [0] * 3, [0.9, 0.8, 0.7], boxes, [0] * 10), method="voc-11-point")
    assert result["BoxMAP@50"].percent == pytest.approx(100 * 4 / 11)


def test_a_box_is_found_once_and_duplicates_are_wrong():
    """Right (.9), duplicate (.8), right (.7): .5 * 1 + .5 * 2/3."""
    result = evaluated(([A, A, B], [0] * 3, [0.9, 0.8, 0.7], [A, B], [0, 0]))
    assert result["BoxMAP@50"].percent == pytest.approx(100 * (0.5 + 0.5 * 2 / 3))


def test_difficult_boxes_are_neither_right_nor_wrong_nor_wanted():
    result = evaluated(([A, A, B], [0] * 3, [0.9, 0.8, 0.7], [A, B], [0, 0], [True, False]))
    assert result["BoxMAP@50"].percent == 100
    coco = evaluated(([A, A, B], [0] * 3, [0.9, 0.8, 0.7], [A, B], [0, 0], [True, False]), method="coco")
    assert coco["AP50"].percent == pytest.approx(100)


def test_the_comparator_and_the_ends_decide_at_the_level():
    half = ([[0, 0, 10, 5]], [0], [0.9], [A], [0])
    assert evaluated(half)["BoxMAP@50"].percent == 100
    assert evaluated(half, comparator=">")["BoxMAP@50"].percent == 0
    assert evaluated(half, inclusive=True)["BoxMAP@50"].percent == 100  # 11 * 6 / 11 ** 2
    one_pixel = ([[3, 3, 3, 3]], [0], [0.9], [[3, 3, 4, 3]], [0])
    assert evaluated(one_pixel, inclusive=True)["BoxMAP@50"].percent == 100
    assert evaluated(one_pixel)["BoxMAP@50"].percent == 0


def test_each_level_has_its_lines():
    result = evaluated(([[0, 0, 10, 4]], [0], [0.9], [A], [0]), ious=(0.3, 0.5))
    assert [line.name for line in result.lines] == ["BoxMAP@30", "BoxMAP@50", "BoxMAP@30 micro", "BoxMAP@50 micro"]
    assert [line.score.percent for line in result.lines] == [100, 0, 100, 0]
    assert result.each_class == {0: 100}
    assert result.more_each_class == {"BoxMAP@50": {0: 0}}


def test_classes_count_alike_and_classes_without_boxes_do_not():
    """Class 0 is found, class 1 not, class 5 is nowhere."""
    result = evaluated(([A, B, FAR], [0, 1, 5], [0.3, 0.2, 0.9], [A, A], [0, 1]))
    assert result["BoxMAP@50"].percent == 50
    assert result.each_class == {0: 100, 1: 0}
    assert result["BoxMAP@50 micro"].percent == 50


def test_equal_scores_share_a_point_across_images():
    right, wrong = ([A], [0], [0.5], [A], [0]), ([FAR], [0], [0.5], [], [])
    assert evaluated(right, wrong)["BoxMAP@50"].percent == 50
    assert evaluated(wrong, right)["BoxMAP@50"].percent == 50


@pytest.mark.parametrize("method", ["voc-all-point", "voc-11-point", "coco"])
def test_no_detections_are_zero_and_no_boxes_an_error(method):
    nothing = (np.zeros((0, 4)), [], [])
    result = evaluated((*nothing, [A], [3]), method=method)
    assert result.lines[0].score.percent == 0
    assert result.each_class == {3: 0}
    with pytest.raises(DataError, match="No image has a true box that is not difficult, so there is no box mAP"):
        evaluated(([A], [0], [0.5], [], []), ([A], [0], [0.5], [A], [0], [True]), method=method)
    with pytest.raises(DataError, match="has seen no image"):
        BoxMAP(method=method).compute()


def test_matching_takes_the_best_box_and_no_other():
    overlaps = np.array([[0.9, 0.6], [0.8, 0.7], [0.2, 0.55], [0.3, 0.3]])
    assert match_boxes(overlaps, np.array([False, False]), 0.5).tolist() == [1, 0, 1, 0]
    assert match_boxes(overlaps, np.array([True, False]), 0.5).tolist() == [-1, -1, 1, 0]
    assert match_boxes(np.zeros((2, 0)), np.zeros(0, bool), 0.5).tolist() == [0, 0]


def random_images(seed, images=30, classes=3):
    """True boxes in cells of a grid, so that no detection overlaps two of them, and detections near them."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(images):
        cells = rng.permutation(16)[: rng.integers(0, 6)]
        origins = np.stack([cells % 4, cells // 4], 1) * 100.0
        truth = np.concatenate([origins + 20, origins + 60], 1)
        labels = rng.integers(0, classes, len(cells))
        picks = rng.integers(0, max(len(cells), 1), rng.integers(0, 9) if len(cells) else 0)
        boxes = truth[picks] + rng.integers(-12, 13, (len(picks), 4))
        guessed = np.where(rng.random(len(picks)) < 0.8, labels[picks], rng.integers(0, classes, len(picks)))
        made.append((boxes, guessed, rng.random(len(picks)), truth, labels))
    return made


def naive_precision(images, k, level, steps):
    """Mean precision at steps + 1 recalls, by loops over detections and boxes (each box once, the best free one)."""
    answers, total = [], 0
    for boxes, labels, scores, truth, true_labels in images:
        mine = [tuple(b) for b, label in zip(truth, true_labels, strict=True) if label == k]
        total += len(mine)
        free = list(mine)
        for place in np.argsort(-scores):
            if labels[place] != k:
                continue
            best, chosen = level, None
            x0, y0, x1, y1 = boxes[place]
            for box in free:
                w, h = min(x1, box[2]) - max(x0, box[0]), min(y1, box[3]) - max(y0, box[1])
                shared = max(w, 0) * max(h, 0)
                iou = shared / ((x1 - x0) * (y1 - y0) + (box[2] - box[0]) * (box[3] - box[1]) - shared)
                if iou >= best:
                    best, chosen = iou, box
            if chosen:
                free.remove(chosen)
            answers.append((scores[place], chosen is not None))
    right, points = 0, []
    for place, (_, hit) in enumerate(sorted(answers, reverse=True), start=1):
        right += hit
        points.append((right, right / place))
    best_at = [max((p for r, p in points if r * steps >= k * total), default=0) for k in range(steps + 1)]
    return 100 * sum(best_at) / (steps + 1)


@pytest.mark.parametrize("seed", range(3))
def test_coco_and_voc_equal_the_loops(seed):
    images = random_images(seed)
    coco, voc = evaluated(*images, method="coco"), evaluated(*images, method="voc-11-point")
    assert coco["AP50"].percent == pytest.approx(np.mean([naive_precision(images, k, 0.5, 100) for k in range(3)]))
    assert coco["AP75"].percent == pytest.approx(np.mean([naive_precision(images, k, 0.75, 100) for k in range(3)]))
    levels = [0.5 + 0.05 * number for number in range(10)]
    each = {k: np.mean([naive_precision(images, k, level, 100) for level in levels]) for k in range(3)}
    assert coco["AP"].percent == pytest.approx(np.mean(list(each.values())), abs=0.05)
    assert coco.each_class == pytest.approx(each, abs=0.1)
    hard = {k: naive_precision(images, k, 0.75, 100) for k in range(3)}
    assert coco.more_each_class["AP75"] == pytest.approx(hard, abs=0.1)
    by_class = {k: naive_precision(images, k, 0.5, 10) for k in range(3)}
    assert voc.each_class == pytest.approx(by_class)
    assert voc["BoxMAP@50"].percent == pytest.approx(np.mean(list(by_class.values())))
    assert coco["AP50"].low < coco["AP50"].percent < coco["AP50"].high
    assert coco["AP50"].macro == coco["AP50"].percent


def test_the_interval_is_that_of_evaluating_the_drawn_images():
    images = random_images(5)
    result = evaluated(*images, draws=50)
    counts = np.random.default_rng(0).multinomial(len(images), np.full(len(images), 1 / len(images)), size=50)
    drawn = [evaluated(*(images[i] for i in np.repeat(np.arange(len(images)), row)), draws=0) for row in counts]
    for name in ("BoxMAP@50", "BoxMAP@50 micro"):
        wanted = np.percentile([each[name].percent for each in drawn], [2.5, 97.5]).tolist()
        assert [result[name].low, result[name].high] == pytest.approx(wanted)


def test_no_draws_leave_the_interval_open():
    result = evaluated(([A], [0], [0.9], [A], [0]), draws=0)
    assert np.isnan(result["BoxMAP@50"].low)
    assert result.as_dict()["lines"][0]["low"] is None


@pytest.mark.parametrize("method", ["voc-all-point", "coco"])
def test_order_and_shards_do_not_matter(method, capsys):
    images = dict(zip("abcdefgh", random_images(2, images=8), strict=True))
    together, first, second = (BoxMAP(method=method, draws=10) for _ in range(3))
    for name, image in images.items():
        together.update(name, *image)
    for name in "hbdfgace":
        (first if name in "bdh" else second).update(name, *images[name])
    first.merge(second)
    assert first.compute().as_dict() == together.compute().as_dict()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (([A], [0], [np.nan], [A], [0]), DataError, "scores hold NaN or infinity"),
        (([A], [0], [0.5, 0.4], [A], [0]), ShapeError, r"scores should be \(1,\), one for each box, but got \(2,\)"),
        (([A], [0, 1], [0.5], [A], [0]), ShapeError, r"labels should be \(1,\) as there are 1 boxes, but got \(2,\)"),
        (([A], [-1], [0.5], [A], [0]), DataError, "class index from 0, but got -1"),
        (([A], [0], [0.5], [A], [-3]), DataError, "class index from 0, but got -3"),
        (([[9, 0, 1, 1]], [0], [0.5], [A], [0]), DataError, "Number 0 of boxes ends before it begins"),
        (([A], [0], [0.5], [[0, 9, 1, 1]], [0]), DataError, "Number 0 of gt_boxes ends before it begins"),
        (([A], [0], [0.5], [A], [0], [True, True]), ShapeError, r"difficult should be \(1,\)"),
        ((A, [0], [0.5], [A], [0]), ShapeError, r"boxes should be \(N, 4\)"),
    ],
)
def test_wrong_input_is_explained(image, error, words):
    with pytest.raises(error, match=words):
        BoxMAP().measure(*image)


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="no method 'voc-11' of box mAP. Did you mean 'voc-11-point'"):
        BoxMAP(method="voc-11")
    for option in ({"ious": (0.5,)}, {"comparator": ">"}, {"inclusive": True}):
        with pytest.raises(ConfigError, match="Method 'coco' has its own rules"):
            BoxMAP(method="coco", **option)
    with pytest.raises(ConfigError, match="comparator should be"):
        BoxMAP(comparator="=")
    with pytest.raises(ConfigError, match="ious should be"):
        BoxMAP(ious=(50,))
