"""Pixel histograms against np.histogram, PxAP and IoUs against loops over pixels."""

import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from wsolkit import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation.pixel_counts import bin_edges, pixel_histograms
from wsolkit.evaluation.px_ap import PxAP
from wsolkit.evaluation.results import FIXED, ORACLE, VAL

STEPS = [0.001, 0.01, 0.1, 0.3, 0.07, 1 / 3, 1 / 49, 0.5, 1e-4]


def reference_edges(step):
    """Edges as wsolevaluation has them; a last edge that rounding puts at 1 or above would be there twice."""
    below = np.arange(0, 1, step)
    return np.append(below[below < 1], [1.0, 2.0, 3.0])


def awkward_scores(step, dtype, rng):
    """Scores on the edges, one unit in the last place beside them, k/1000, and random ones."""
    edges = reference_edges(step)[:-2]
    grid = np.concatenate([edges, np.arange(1001) / 1000, np.arange(256) / 255])
    near = np.concatenate([np.nextafter(grid.astype(dtype), dtype(2)), np.nextafter(grid.astype(dtype), dtype(-1))])
    scores = np.concatenate([grid.astype(dtype), near, rng.random(5000).astype(dtype), np.zeros(3, dtype), [1, 1]])
    return np.clip(scores, 0, 1).astype(dtype)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_bins_are_those_of_np_histogram(step, dtype):
    rng = np.random.default_rng(0)
    scores = awkward_scores(step, dtype, rng)[None]
    mask = rng.choice(np.array([0, 1, 7, 255], np.uint8), scores.shape)
    foreground, background = pixel_histograms(scores, mask, step)
    edges = reference_edges(step)
    assert bin_edges(step).tolist() == edges.tolist()
    assert foreground.tolist() == np.histogram(scores[(mask > 0) & (mask < 255)], bins=edges)[0].tolist()
    assert background.tolist() == np.histogram(scores[mask == 0], bins=edges)[0].tolist()


@pytest.mark.parametrize("scores", [np.arange(1001) / 1000, (np.arange(1001) / 1000).astype(np.float32)])
def test_scores_that_lie_on_the_edges_of_the_usual_step(scores):
    foreground, _ = pixel_histograms(scores[None], np.ones((1, 1001), np.uint8))
    assert foreground.tolist() == np.histogram(scores, bins=reference_edges(0.001))[0].tolist()


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50), st.sampled_from(STEPS))
def test_any_scores_fall_as_in_np_histogram(scores, step):
    foreground, background = pixel_histograms(np.array([scores]), np.full((1, len(scores)), 3), step)
    assert foreground.tolist() == np.histogram(scores, bins=reference_edges(step))[0].tolist()
    assert background.sum() == 0


def test_the_reference_has_1002_bins():
    foreground, background = pixel_histograms(np.ones((2, 2)), np.array([[0, 1], [2, 255]]))
    assert len(foreground) == len(background) == 1002
    assert (foreground[1000], background[1000]) == (2, 1)


def pooled_reference(maps, masks, step):
    """AP of all pixels by a loop over the bins from the top, as C.3 of the protocol has it."""
    scores = np.concatenate([m.ravel() for m in maps])
    truth = np.concatenate([m.ravel() for m in masks])
    scores, truth = scores[truth != 255], truth[truth != 255] > 0
    total, recall = 0.0, 0.0
    for edge in reversed(reference_edges(step)[:-1]):
        taken = scores >= edge
        if not taken.any():
            continue
        tp = (taken & truth).sum()
        total += tp / taken.sum() * (tp / truth.sum() - recall)
        recall = tp / truth.sum()
    return 100 * total


def iou_reference(score_map, mask, threshold):
    shared = union = 0
    for score, truth in zip(score_map.ravel(), mask.ravel(), strict=True):
        if truth == 255:
            continue
        shared += score >= threshold and truth != 0
        union += score >= threshold or truth != 0
    return shared, union


@pytest.fixture
def images():
    """Twelve images of different sizes and three classes; scores are higher on the foreground."""
    rng = np.random.default_rng(7)
    found = []
    for number in range(12):
        shape = (5 + number % 3, 6)
        mask = rng.choice(np.array([0, 0, 1, 9, 255], np.uint8), shape)
        score_map = np.clip(rng.random(shape) * 0.7 + 0.3 * ((mask > 0) & (mask < 255)), 0, 1)
        found.append({"image_id": f"{number:02}", "score_map": score_map, "mask": mask, "label": number % 3})
    return found


def filled(images, **settings):
    metric = PxAP(**settings)
    metric.extend(images)
    return metric


@pytest.mark.parametrize("step", [0.1, 0.001])
def test_px_ap_equals_the_loop_micro_and_macro(images, step):
    result = filled(images, step=step).compute()
    expected = pooled_reference([i["score_map"] for i in images], [i["mask"] for i in images], step)
    assert result["PxAP"].percent == pytest.approx(expected, abs=1e-9)
    each = {
        k: pooled_reference(
            [i["score_map"] for i in images if i["label"] == k], [i["mask"] for i in images if i["label"] == k], step
        )
        for k in range(3)
    }
    assert dict(result.each_class) == pytest.approx(each, abs=1e-9)
    assert result["PxAP"].macro == pytest.approx(sum(each.values()) / 3)
    assert result["PxAP"].macro != pytest.approx(expected, abs=1e-3)


def test_ious_equal_the_loop_at_a_fixed_threshold(images):
    result = filled(images, step=0.1).compute(threshold=0.6)
    cut = bin_edges(0.1)[6]
    counts = [iou_reference(i["score_map"], i["mask"], cut) for i in images]
    assert [(line.name, line.selection) for line in result.lines] == [
        ("PxAP", None), ("PxIoU", FIXED), ("PxIoU", ORACLE), ("image IoU", FIXED), ("image IoU", ORACLE),
    ]  # fmt: skip
    assert [line.threshold for line in result.lines[1::2]] == [cut, cut]
    shared, union = (sum(each) for each in zip(*counts, strict=True))
    assert result["PxIoU"].percent == pytest.approx(100 * shared / union)
    ious = np.array([100 * shared / union for shared, union in counts])
    assert result["image IoU"].percent == pytest.approx(ious.mean())
    assert result["image IoU"].macro == pytest.approx(np.mean([ious[k::3].mean() for k in range(3)]))
    classes = [[sum(c[part] for c in counts[k::3]) for part in (0, 1)] for k in range(3)]
    assert result["PxIoU"].macro == pytest.approx(100 * np.mean([shared / union for shared, union in classes]))


def test_the_oracle_is_the_best_edge_of_the_pooled_iou(images):
    result = filled(images, step=0.1).compute()
    curve = result.curves["IoU over threshold"]
    assert curve.x.tolist() == pytest.approx(np.linspace(0, 1, 11))
    for edge, iou in zip(curve.x, curve.y, strict=True):
        counts = [iou_reference(i["score_map"], i["mask"], edge) for i in images]
        shared, union = (sum(each) for each in zip(*counts, strict=True))
        assert iou == pytest.approx(100 * shared / union)
    line = result.lines[1]
    assert (line.name, line.selection, line.score.percent) == ("PxIoU", ORACLE, max(curve.y))
    assert curve.y[list(curve.x).index(line.threshold)] == max(curve.y)
    assert [line.selection for line in result.lines] == [None, ORACLE, ORACLE]


def test_the_threshold_of_the_validation_split_comes_first():
    mask = np.array([[1, 1, 0, 0]], np.uint8)
    test, val = PxAP(step=0.1), PxAP(step=0.1)
    test.update("a", np.array([[0.95, 0.85, 0.65, 0.15]]), mask)
    val.update("a", np.array([[0.95, 0.35, 0.25, 0.15]]), mask)  # best from .3 on
    result = test.compute(threshold=val)
    honest, oracle = result.lines[1:3]
    assert (honest.selection, round(honest.threshold, 6), honest.score.percent) == (VAL, 0.3, pytest.approx(200 / 3))
    assert (oracle.selection, round(oracle.threshold, 6), oracle.score.percent) == (ORACLE, 0.8, 100.0)
    assert result.conventions["threshold selection"].startswith(
        "PxAP: none, every bin; PxIoU: chosen on val; test-oracle"
    )


def test_of_equally_good_thresholds_the_middle_one_counts():
    metric = PxAP(step=0.1)
    metric.update("a", np.array([[0.95, 0.15]]), np.array([[1, 0]]))  # .2 to .9 are all perfect
    assert metric.best_threshold() == pytest.approx(0.6)


def test_a_threshold_between_edges_takes_the_nearest():
    metric = PxAP(step=0.1)
    metric.update("a", np.array([[0.95, 0.15]]), np.array([[1, 0]]))
    assert metric.compute(threshold=0.23).lines[1].threshold == pytest.approx(0.2)
    assert metric.compute(threshold=0.28).lines[1].threshold == pytest.approx(0.3)
    assert metric.compute(threshold=1).lines[1].threshold == 1.0


def test_the_precision_recall_curve_by_hand():
    metric = PxAP(step=0.5)
    metric.update("a", np.array([[0.9, 0.6, 0.6, 0.2]]), np.array([[1, 1, 0, 1]]))
    curve = metric.compute().curves["precision-recall"]
    assert curve.x.tolist() == pytest.approx([200 / 3, 100])
    assert curve.y.tolist() == pytest.approx([200 / 3, 75])


def test_order_and_merging_change_nothing(images):
    whole = filled(images).compute(threshold=0.4)
    first, second = filled(images[7:][::-1]), filled(images[:7][::-1])
    first.merge(pickle.loads(pickle.dumps(second)))
    assert first.compute(threshold=0.4).as_dict() == whole.as_dict()


def test_intervals_hold_the_number_and_shrink_with_more_images(images):
    few = filled(images).compute()
    many = PxAP()
    for copy in range(9):
        many.extend({**image, "image_id": f"{copy} {image['image_id']}"} for image in images)
    for name in ("PxAP", "PxIoU", "image IoU"):
        score, narrow = few[name], many.compute()[name]
        assert 0 <= score.low < score.percent < score.high <= 100
        assert narrow.percent == pytest.approx(score.percent)
        assert narrow.high - narrow.low < 0.6 * (score.high - score.low)
        assert score.interval == "bootstrap over images"


def test_the_interval_is_the_spread_of_resampled_splits(images):
    """Pool the drawn images anew, instead of products with counts."""
    metric = filled(images, step=0.1)
    rows = [row for _, row in metric.ordered()]
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.multinomial(12, np.full(12, 1 / 12), size=50) for _ in range(20)])
    values = []
    for counts in drawn:
        again = PxAP(step=0.1)
        for number, times in enumerate(counts):
            for copy in range(times):
                again.add(f"{number} {copy}", rows[number])
        pooled, _ = again.pooled()
        foreground, background = pooled.foreground.sum(0)[::-1].cumsum(), pooled.background.sum(0)[::-1].cumsum()
        taken = foreground + background > 0
        recall = foreground[taken] / foreground[-1]
        values.append(100 * np.sum(foreground[taken] / (foreground + background)[taken] * np.diff(recall, prepend=0)))
    score = metric.compute()["PxAP"]
    assert [score.low, score.high] == pytest.approx(np.percentile(values, [2.5, 97.5]).tolist())


def test_more_images_than_one_block_are_all_drawn():
    metric = PxAP(step=0.5)
    for number in range(1100):  # the later images are all wrong
        metric.update(f"{number:04}", np.array([[0.9, 0.1]]), np.array([[1, 0] if number < 550 else [0, 1]]))
    score = metric.compute()["PxAP"]
    assert score.percent == pytest.approx(50)
    assert 40 < score.low < 50 < score.high < 60


def test_pixels_left_out_count_nowhere(images):
    metric = filled(images)
    before = metric.compute(threshold=0.5)
    metric.update("ignored", np.random.default_rng(0).random((8, 8)), np.full((8, 8), 255, np.uint8), label=2)
    after = metric.compute(threshold=0.5)
    assert [line.score for line in after.lines] == [line.score for line in before.lines]
    assert after.conventions["n"] == "images; left out: 1 without a pixel that counts"


def test_an_image_without_foreground_counts_its_background_but_has_no_iou_of_its_own(images):
    metric = filled(images)
    before = metric.compute(threshold=0.5)
    metric.update("empty", np.ones((8, 8)), np.zeros((8, 8), np.uint8), label=5)
    after = metric.compute(threshold=0.5)
    assert after["PxAP"].percent < before["PxAP"].percent
    assert after["PxIoU"].percent < before["PxIoU"].percent
    assert after["image IoU"] == before["image IoU"]
    assert (after["PxAP"].n, after["image IoU"].n) == (13, 12)
    assert after["PxAP"].macro == before["PxAP"].macro
    assert after["PxIoU"].macro == before["PxIoU"].macro
    assert np.isnan(after.each_class[5])


def test_without_labels_there_is_no_macro(images):
    metric = filled(images[:-1])
    metric.update("z", images[-1]["score_map"], images[-1]["mask"])
    result = metric.compute()
    assert [line.score.macro for line in result.lines] == [None] * 3
    assert dict(result.each_class) == {}


def test_five_thousand_images_are_small():
    row = PxAP().measure(np.random.default_rng(0).random((224, 224), dtype=np.float32), np.ones((224, 224), np.uint8))
    assert 5000 * (row.foreground.nbytes + row.background.nbytes) < 50e6
    assert row.foreground.sum(dtype=np.int64) == 224 * 224


def test_counts_above_a_small_type_are_kept():
    metric = PxAP()
    metric.update("big", np.full((300, 300), 0.5), np.ones((300, 300), np.uint8))
    metric.update("small", np.full((2, 2), 0.5), np.zeros((2, 2), np.uint8))
    assert metric.rows["big"].foreground.max() == 90_000
    assert metric.compute()["PxAP"].percent == pytest.approx(100 * 90_000 / 90_004)


MASK = np.array([[0, 1]], np.uint8)


@pytest.mark.parametrize(
    ("score_map", "mask", "error", "words"),
    [
        (np.zeros((3, 4)), np.zeros((4, 3), np.uint8), ShapeError,
         r"The score map has shape \(3, 4\), but the mask has \(4, 3\).*fit_mask.*--resize"),
        (np.zeros(2), MASK, ShapeError, r"The score map should be \(H, W\).*shape \(2,\)"),
        (np.zeros((0, 2)), np.zeros((0, 2), np.uint8), ShapeError, "at least one pixel"),
        (np.array([[0.5, np.nan]]), MASK, MapError, "The score map holds NaN: the model has diverged"),
        (np.array([[0.5, np.inf]]), MASK, MapError, r"goes from 0.5 to inf. Normalize it first"),
        (np.array([[-0.25, 0.5]]), MASK, MapError, r"numbers in \[0, 1\], but goes from -0.25 to 0.5"),
        (np.array([[0, 255]], np.uint8), MASK, MapError, "goes from 0 to 255.*--normalize minmax"),
        (np.array([["a", "b"]]), MASK, MapError, r"should hold numbers in \[0, 1\], but holds <U1"),
        ([[0.1, 0.2], [0.3]], MASK, MapError, "The score map should be an"),
        (np.zeros((1, 2)), np.array([[0.0, 1.0]]), DataError, "whole numbers, but holds float64. Convert it to uint8"),
        (np.zeros((1, 2)), np.array([[-1, 1]]), DataError, r"numbers from 0 to 255 \(ignored\), but goes from -1 to 1"),
        (np.zeros((1, 2)), [[0, 1], [1]], DataError, "A mask should be an"),
    ],
)  # fmt: skip
def test_errors_say_what_was_wrong(score_map, mask, error, words):
    with pytest.raises(error, match=words):
        PxAP().measure(score_map, mask)


def test_a_mask_of_0_and_255_is_no_foreground():
    metric = PxAP()
    metric.update("a", np.array([[0.2, 0.9]]), np.array([[0, 255]], np.uint8))
    with pytest.raises(DataError, match="masks of 1 images hold no foreground.*of a mask of 0 and 255, give mask > 0"):
        metric.compute()
    metric.update("b", np.array([[0.2, 0.9]]), np.array([[0, 255]], np.uint8) > 0)
    assert metric.compute()["PxAP"].percent == pytest.approx(100)


def test_wrong_settings_and_thresholds(images):
    for step in (0, -1, 0.6, float("nan")):
        with pytest.raises(ConfigError, match=r"step should be from 1e-5 to .5, but got"):
            PxAP(step=step)
    metric = filled(images)
    for threshold in (-0.1, 1.5, float("nan"), "val", None.__class__):
        with pytest.raises(ConfigError, match=r"threshold should be a number in \[0, 1\], or a PxAP that saw"):
            metric.compute(threshold=threshold)
    with pytest.raises(ConfigError, match="got the scored split itself. Leave it out for the test-oracle number"):
        metric.compute(threshold=metric)
    with pytest.raises(DataError, match="PxAP has seen no image"):
        metric.compute(threshold=PxAP())
    with pytest.raises(DataError, match="class index from 0, but got -1"):
        metric.update("x", np.zeros((1, 2)), MASK, label=-1)
    with pytest.raises(ConfigError, match="step is 0.001 here and 0.1 there"):
        metric.merge(PxAP(step=0.1))
