"""CorLoc by hand and against a loop over classes."""

import numpy as np
import pytest

from wsolkit.errors import ConfigError, DataError, ShapeError
from wsolkit.evaluation.corloc import CorLoc

WHOLE = [0, 0, 10, 10]
HALF = [0, 0, 10, 5]
SMALL = [0, 0, 10, 4]


def test_mean_over_classes_and_share_of_trials_by_hand():
    """Class 1: hit, miss, miss. Class 4: hit. CorLoc (1/3 + 1) / 2; micro 2 / 4."""
    metric = CorLoc()
    metric.update("a", {1: HALF, 4: WHOLE, 9: SMALL}, [WHOLE, WHOLE], [1, 4])
    metric.update("b", {1: SMALL}, [WHOLE], [1])
    metric.update("c", {1: None}, [WHOLE], [1])
    metric.update("d", {1: WHOLE}, np.zeros((0, 4)), [])
    result = metric.compute()
    assert result["CorLoc"].percent == pytest.approx(200 / 3)
    assert result["CorLoc"].macro == pytest.approx(200 / 3)
    assert result["CorLoc"].n == 4
    assert result["CorLoc micro"].percent == 50
    assert result["CorLoc micro"].interval == "Wilson"
    assert result.each_class == pytest.approx({1: 100 / 3, 4: 100})
    assert result.conventions["comparator"] == "IoU >= 0.5"
    assert result.conventions["n"] == "(image, class) pairs, of 3 images"


def test_the_comparator_decides_at_one_half():
    metric = CorLoc(comparator=">")
    metric.update("a", {1: HALF}, [WHOLE], [1])
    assert metric.compute()["CorLoc"].percent == 0


def test_any_true_box_of_the_class_counts_and_none_of_another():
    row = CorLoc().measure({1: HALF, 2: HALF}, [[50, 50, 60, 60], HALF, [70, 70, 80, 80]], [1, 1, 2])
    assert row == {1: 1.0, 2: 0.0}


def test_difficult_boxes_make_no_positive_but_may_be_hit():
    metric = CorLoc()
    assert metric.measure({}, [WHOLE], [1], [True]) == {}
    assert metric.measure({1: WHOLE}, [WHOLE, [50, 50, 60, 60]], [1, 1], [True, False]) == {1: 1.0}


def test_the_interval_is_that_of_a_loop_over_draws():
    rng = np.random.default_rng(1)
    metric, rows = CorLoc(), []
    for image in range(30):
        row = {}
        for k in range(3):
            if rng.random() < 0.6:
                row[k] = bool(rng.random() < 0.3 + 0.2 * k)
        rows.append(row)
        boxes = {k: WHOLE if hit else None for k, hit in row.items()}
        metric.update(f"{image:03}", boxes, [WHOLE] * len(row), list(row))
    kept = [row for row in rows if row]

    def mean(images):
        rates = []
        for k in range(3):
            trials = [row[k] for row in images if k in row]
            if trials:
                rates.append(100 * sum(trials) / len(trials))
        return np.mean(rates)

    score = metric.compute()["CorLoc"]
    assert score.percent == pytest.approx(mean(kept))
    draws = np.random.default_rng(7)
    values = [mean([kept[i] for i in draws.integers(0, len(kept), len(kept))]) for _ in range(2000)]
    assert [score.low, score.high] == pytest.approx(np.percentile(values, [2.5, 97.5]).tolist(), abs=2.5)


def test_order_and_shards_do_not_matter():
    boxes = {"a": WHOLE, "b": HALF, "c": SMALL}
    images = {name: ({1: box, 2: box}, [WHOLE, HALF], [1, 2]) for name, box in boxes.items()}
    together, first, second = CorLoc(), CorLoc(), CorLoc()
    for name in "abc":
        together.update(name, *images[name])
    for name in "cb":
        first.update(name, *images[name])
    second.update("a", *images["a"])
    first.merge(second)
    assert first.compute().as_dict() == together.compute().as_dict()


def test_a_positive_class_needs_an_entry():
    with pytest.raises(DataError, match=r"shows class 3, but boxes has no entry for it \(it has \[1\]\)"):
        CorLoc().measure({1: WHOLE}, [WHOLE], [3])


def test_wrong_input_is_explained():
    metric = CorLoc()
    with pytest.raises(ShapeError, match=r"The box of class 3 should be \(4,\)"):
        metric.measure({3: [WHOLE]}, [WHOLE], [3])
    with pytest.raises(DataError, match="Number 0 of boxes of class 3 holds NaN"):
        metric.measure({3: [0, 0, np.nan, 1]}, [WHOLE], [3])
    with pytest.raises(DataError, match="Number 0 of boxes of class 3 ends before it begins"):
        metric.measure({3: [5, 0, 1, 1]}, [WHOLE], [3])
    with pytest.raises(DataError, match="class index from 0, but got -1"):
        metric.measure({}, [WHOLE], [-1])
    with pytest.raises(ConfigError, match="fractions inside"):
        CorLoc(iou=50)
    with pytest.raises(ConfigError, match="comparator"):
        CorLoc(comparator="=")


def test_nothing_to_localize_is_an_error():
    metric = CorLoc()
    with pytest.raises(DataError, match="CorLoc has seen no image"):
        metric.compute()
    metric.update("a", {}, [WHOLE], [1], [True])
    with pytest.raises(DataError, match="No image has a true box that is not difficult"):
        metric.compute()
