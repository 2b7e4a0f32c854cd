"""Mean IoU against a confusion matrix counted pixel by pixel."""

import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from wsolkit import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation.mean_iou import BACKGROUND, THRESHOLDS, MeanIoU
from wsolkit.evaluation.results import FIXED, ORACLE, VAL

GRID = (0.0, 0.2, 0.25, 0.5, 0.75, 1.0)


def labels_at(score_maps, shape, threshold):
    """The label of each pixel by a loop: highest map above the threshold, the first of several, else background."""
    labels = np.zeros(shape, int)
    for place in np.ndindex(*shape) if score_maps else ():
        best = next(iter(score_maps.values())).dtype.type(threshold)
        for k in sorted(score_maps):
            if score_maps[k][place] > best:
                best, labels[place] = score_maps[k][place], k + 1
    return labels


def confusion_of(pairs, num_classes):
    """Confusion matrix, true by predicted, of (labels, mask) pairs."""
    confusion = np.zeros((num_classes + 1, num_classes + 1), int)
    for labels, mask in pairs:
        for said, true in zip(labels.ravel().tolist(), mask.ravel().tolist(), strict=True):
            if true != 255:
                confusion[true, said] += 1
    return confusion


def ious_of(confusion):
    ious = []
    for k in range(len(confusion)):
        either = confusion[k].sum() + confusion[:, k].sum() - confusion[k, k]
        ious.append(100 * confusion[k, k] / either if either else float("nan"))
    return np.array(ious)


def random_images(seed, count=8, num_classes=4):
    """Images of different sizes; scores often lie on the thresholds and are often equal; class 3 never occurs."""
    rng = np.random.default_rng(seed)
    images = []
    for number in range(count):
        shape = (4 + number % 3, 5)
        classes = rng.permutation(num_classes - 1)[: rng.integers(0, 3)]
        dtype = rng.choice(np.array([np.float32, np.float64]))
        maps = {int(k): rng.choice(np.linspace(0, 1, 21), shape).astype(dtype) for k in classes}
        mask = rng.choice(np.array([0, 255, *(classes + 1)], np.uint8), shape)
        images.append({"image_id": f"{number:02}", "score_maps": maps, "mask": mask})
    return images


def filled(images, num_classes=4, **settings):
    metric = MeanIoU(num_classes, **settings)
    metric.extend(images)
    return metric


@pytest.mark.parametrize("seed", range(6))
def test_every_threshold_equals_the_confusion_matrix(seed):
    images = random_images(seed)
    for place, threshold in enumerate(GRID):
        result = filled(images, thresholds=GRID).compute(threshold=threshold)
        pairs = [(labels_at(i["score_maps"], i["mask"].shape, threshold), i["mask"]) for i in images]
        confusion = confusion_of(pairs, 4)
        ious = ious_of(confusion)
        first = result.lines[0]
        assert (first.name, first.threshold, first.selection) == ("mIoU", threshold, FIXED)
        assert first.score.percent == first.score.macro == pytest.approx(np.nanmean(ious))
        assert result.curves["mIoU over background score"].y[place] == pytest.approx(np.nanmean(ious))
        assert [result.each_class[k] for k in range(-1, 4)] == pytest.approx(ious.tolist(), nan_ok=True)
        accuracy = result["pixel accuracy"]
        assert accuracy.percent == pytest.approx(100 * np.trace(confusion) / confusion.sum())
        shares = [100 * confusion[k, k] / confusion[k].sum() for k in range(5) if confusion[k].sum()]
        assert accuracy.macro == pytest.approx(sum(shares) / len(shares))


@given(st.data())
def test_any_scores_equal_the_confusion_matrix(data):
    thresholds = sorted(data.draw(st.sets(st.sampled_from(THRESHOLDS), min_size=1, max_size=4)))
    score = st.one_of(st.floats(0, 1, width=32), st.sampled_from(THRESHOLDS))
    pixels = data.draw(st.lists(st.tuples(score, score, st.sampled_from([0, 1, 2, 255])), min_size=1, max_size=8))
    first, second, mask = (np.array([column]) for column in zip(*pixels, strict=True))
    metric = MeanIoU(2, thresholds)
    row = metric.measure({1: second, 0: first}, mask)
    for place, threshold in enumerate(thresholds):
        confusion = confusion_of([(labels_at({0: first, 1: second}, mask.shape, threshold), mask)], 2)
        found = dict(zip(row.values.tolist(), row.shared[:, place].tolist(), strict=True))
        assert [found.get(k, 0) for k in range(3)] == confusion.diagonal().tolist()
        found = dict(zip(row.values.tolist(), row.predicted[:, place].tolist(), strict=True))
        assert [found.get(k, 0) for k in range(3)] == confusion.sum(0).tolist()
        found = dict(zip(row.values.tolist(), row.true.tolist(), strict=True))
        assert [found.get(k, 0) for k in range(3)] == confusion.sum(1).tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_threshold_is_strict_and_ties_go_to_the_lower_class(dtype):
    scores = np.array([[0.2, 0.6]], dtype)
    metric = MeanIoU(2, thresholds=[0.2])
    metric.update("a", {1: scores, 0: scores}, np.array([[0, 1]], np.uint8))
    result = metric.compute()
    assert result["mIoU"].percent == 100
    assert result["pixel accuracy"].percent == 100


def test_iou_by_hand():
    """Class 0: 1 of 3 pixels; background: 1 of 3; class 1 never occurs and is no part of the mean."""
    metric = MeanIoU(2, thresholds=[0.5])
    metric.update("a", {0: np.array([[0.9, 0.9, 0.1, 0.1]])}, np.array([[1, 0, 1, 0]], np.uint8))
    result = metric.compute(threshold=0.5)
    assert result["mIoU"].percent == pytest.approx(100 / 3)
    assert np.isnan(result.each_class[1])
    assert result.each_class[BACKGROUND] == pytest.approx(100 / 3)
    assert result.conventions["classes"] == (
        "2 and the background (number -1); 1 of them in neither masks nor predictions: left out"
    )
    assert result.as_dict()["each_class"]["1"] is None


def test_an_image_without_maps_is_background():
    metric = MeanIoU(1, thresholds=[0.0, 0.5])
    metric.update("a", {}, np.array([[0, 0, 0, 1]], np.uint8))
    result = metric.compute()
    assert result["mIoU"].percent == pytest.approx((75 + 0) / 2)
    assert result["pixel accuracy"].percent == 75


def test_a_map_that_never_wins_leaves_no_trace():
    row = MeanIoU(3).measure({0: np.full((2, 2), 0.9), 2: np.full((2, 2), 0.8)}, np.full((2, 2), 1, np.uint8))
    assert row.values.tolist() == [1]


def test_oracle_beside_the_honest_number():
    mask = np.array([[1, 1, 0, 0]], np.uint8)
    test, val = MeanIoU(1, [0.2, 0.4, 0.8], split="val"), MeanIoU(1, [0.2, 0.4, 0.8], split="train")
    test.update("a", {0: np.array([[0.9, 0.9, 0.5, 0.3]])}, mask)
    val.update("a", {0: np.array([[0.7, 0.5, 0.3, 0.1]])}, mask)
    result = test.compute(threshold=val)
    assert [(line.name, line.threshold, line.selection) for line in result.lines] == [
        ("mIoU", 0.4, VAL),
        ("mIoU", 0.8, ORACLE),
        ("pixel accuracy", 0.4, VAL),
        ("pixel accuracy", 0.8, ORACLE),
    ]
    assert result["mIoU"].percent == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)
    assert result.lines[1].score.percent == 100
    assert result.each_class == pytest.approx({BACKGROUND: 50, 0: 200 / 3})
    alone = test.compute()
    assert [line.selection for line in alone.lines] == [ORACLE, ORACLE]
    assert alone.each_class == {BACKGROUND: 100, 0: 100}


def test_label_maps_equal_the_confusion_matrix():
    rng = np.random.default_rng(3)
    pairs = []
    metric = MeanIoU(3, level="pseudo label", split="VOC12 train")
    for number in range(5):
        mask = rng.choice(np.array([0, 1, 2, 255], np.uint8), (6, 7))
        labels = np.where(rng.random((6, 7)) < 0.6, np.where(mask == 255, 0, mask), rng.integers(0, 3, (6, 7)))
        labels[mask == 255] = rng.choice([0, 3, 255], (mask == 255).sum())
        metric.update_labels(str(number), labels.astype(np.uint8), mask)
        pairs.append((labels, mask))
    confusion = confusion_of([(np.where(mask == 255, 0, labels), mask) for labels, mask in pairs], 3)
    result = metric.compute()
    assert result["mIoU"].percent == pytest.approx(np.nanmean(ious_of(confusion)))
    assert result["pixel accuracy"].percent == pytest.approx(100 * np.trace(confusion) / confusion.sum())
    assert [(line.threshold, line.selection) for line in result.lines] == [(None, None)] * 2
    assert dict(result.curves) == {}
    assert result.conventions["level"] == "pseudo label (label maps)"
    assert result.conventions["split"] == "VOC12 train"
    assert result.conventions["threshold selection"] == "none: labels"


def test_label_maps_agree_with_the_score_maps_they_come_from():
    images = random_images(11)
    labels = MeanIoU(4)
    for image in images:
        made = labels_at(image["score_maps"], image["mask"].shape, 0.25)
        labels.update_labels(image["image_id"], made.astype(np.uint8), image["mask"])
    swept = filled(images, thresholds=GRID).compute(threshold=0.25)
    for name in ("mIoU", "pixel accuracy"):
        assert labels.compute()[name] == swept[name]


def test_order_and_merging_change_nothing():
    images = random_images(5)
    whole = filled(images).compute(threshold=0.3)
    first, second = filled(images[5:][::-1]), filled(images[:5][::-1])
    first.merge(pickle.loads(pickle.dumps(second)))
    assert first.compute(threshold=0.3).as_dict() == whole.as_dict()


def test_the_interval_is_the_spread_of_resampled_splits():
    images = random_images(2, count=9)
    metric = filled(images, thresholds=GRID)
    score = metric.compute(threshold=0.5)["mIoU"]
    each = [
        confusion_of([(labels_at(i["score_maps"], i["mask"].shape, 0.5), i["mask"])], 4) for i in images
    ]  # the drawn images are counted anew
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.multinomial(9, np.full(9, 1 / 9), size=50) for _ in range(20)])
    values = [np.nanmean(ious_of(sum(n * c for n, c in zip(counts, each, strict=True)))) for counts in drawn]
    assert [score.low, score.high] == pytest.approx(np.percentile(values, [2.5, 97.5]).tolist())
    assert score.low < score.percent < score.high
    assert score.interval == "bootstrap over images"


def test_an_image_that_ignores_every_pixel_counts_nowhere():
    images = random_images(4)
    metric = filled(images)
    before = metric.compute()
    metric.update("z", {0: np.ones((3, 3))}, np.full((3, 3), 255, np.uint8))
    after = metric.compute()
    assert [line.score for line in after.lines] == [line.score for line in before.lines]
    assert after["mIoU"].n == 8
    assert after.conventions["n"] == "images; left out: 1 without a pixel that counts"


def test_rows_are_small():
    """1,449 images of 500 x 375 with two classes stay under 3 MB; counts beyond 16 bits are kept."""
    mask = np.zeros((375, 500), np.uint8)
    mask[:100] = 3
    row = MeanIoU(20).measure({2: np.full((375, 500), 0.6), 7: np.full((375, 500), 0.5)}, mask)
    assert row.values.tolist() == [0, 3]
    assert row.predicted[:, 0].tolist() == [0, 375 * 500]
    assert row.predicted[:, -1].tolist() == [375 * 500, 0]
    assert sum(part.nbytes for part in row[:4]) < 2000


@pytest.mark.parametrize(
    ("score_maps", "mask", "error", "words"),
    [
        ({0: np.zeros((2, 2)), 1: np.zeros((2, 3))}, np.zeros((2, 2), np.uint8), ShapeError,
         r"The score map of class 1 has shape \(2, 3\), but the mask has \(2, 2\).*fit_mask.*--resize"),
        ({1: np.array([[np.nan]])}, np.zeros((1, 1), np.uint8), MapError, "The score map of class 1 holds NaN"),
        ({1: np.array([[1.5]])}, np.zeros((1, 1), np.uint8), MapError, "score map of class 1 .* goes from 1.5 to 1.5"),
        ({4: np.zeros((1, 1))}, np.zeros((1, 1), np.uint8), DataError, "class index from 0 to 3, but got 4"),
        ({}, np.array([[5, 0, 5]], np.uint8), DataError, "4 classes should hold 0 to 4, or 255 .* holds 5 at 2 pixels"),
        ({}, np.zeros((1, 1)), DataError, "whole numbers, but holds float64"),
        ({}, np.zeros(3, np.uint8), ShapeError, r"A mask should be \(H, W\)"),
    ],
)  # fmt: skip
def test_errors_say_what_was_wrong(score_maps, mask, error, words):
    with pytest.raises(error, match=words):
        MeanIoU(4).measure(score_maps, mask)


def test_errors_of_label_maps():
    metric = MeanIoU(2)
    mask = np.array([[0, 1, 255]], np.uint8)
    with pytest.raises(DataError, match="label map should hold 0 to 2, but holds 255 at 1 pixels that count"):
        metric.measure_labels(np.array([[0, 255, 255]], np.uint8), mask)
    with pytest.raises(ShapeError, match=r"The mask has shape \(1, 3\), but the label map has \(3, 1\)"):
        metric.measure_labels(np.zeros((3, 1), np.uint8), mask)
    with pytest.raises(DataError, match="A label map should hold whole numbers, but holds float32"):
        metric.measure_labels(np.zeros((1, 3), np.float32), mask)
    metric.update_labels("a", np.zeros((1, 3), np.uint8), mask)
    with pytest.raises(ConfigError, match=r"Label maps have no background score. Call compute\(\) without"):
        metric.compute(threshold=0.3)
    with pytest.raises(ConfigError, match="Label maps have no background score to choose"):
        filled(random_images(0), num_classes=2 + 2).compute(threshold=relabelled(4))
    metric.update("b", {}, mask)
    with pytest.raises(DataError, match="Some images were measured as score maps and some as label maps"):
        metric.compute()
    with pytest.raises(DataError, match="Image 'a' was counted before"):
        metric.update_labels("a", np.zeros((1, 3), np.uint8), mask)


def relabelled(num_classes):
    metric = MeanIoU(num_classes)
    metric.update_labels("v", np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8))
    return metric


def test_wrong_settings_and_thresholds():
    for num_classes in (0, 65535):
        with pytest.raises(ConfigError, match=f"num_classes should be from 1 to 65534, but got {num_classes}"):
            MeanIoU(num_classes)
    for thresholds in ([], [0.5, 0.2], [0.2, 0.2], [[0.1]], [float("nan")], [-0.1, 0.2], [0.5, 1.5]):
        with pytest.raises(ConfigError, match="thresholds should"):
            MeanIoU(2, thresholds)
    metric = filled(random_images(0))
    with pytest.raises(ConfigError, match="No image was measured at the background score 0.123; the nearest is 0.12"):
        metric.compute(threshold=0.123)
    with pytest.raises(ConfigError, match="a MeanIoU that saw the validation split, but got the scored split itself"):
        metric.compute(threshold=metric)
    with pytest.raises(ConfigError, match="validation split has 5 classes, but the scored one 4"):
        metric.compute(threshold=MeanIoU(5))
    with pytest.raises(DataError, match="MeanIoU has seen no image"):
        MeanIoU(2).compute()
    nothing = MeanIoU(2)
    nothing.update("a", {}, np.full((1, 1), 255, np.uint8))
    with pytest.raises(DataError, match="The masks of 1 images ignore every pixel"):
        nothing.compute()
    with pytest.raises(ConfigError, match="level is '' here and 'seed' there"):
        metric.merge(MeanIoU(4, level="seed"))


def test_the_usual_thresholds():
    assert (THRESHOLDS[0], THRESHOLDS[-1], len(THRESHOLDS)) == (0.05, 0.75, 71)
    assert 0.15 in THRESHOLDS
