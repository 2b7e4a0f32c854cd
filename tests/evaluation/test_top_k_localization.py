"""GT-known, top-1 and the three top-5 variants, on images where they differ."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tests.support.contours import best_overlap, contour_boxes
from wsolkit import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation.results import FIXED, ORACLE, VAL
from wsolkit.evaluation.top_k_localization import CLASS_AGNOSTIC, TopKLocalization

BOX = [[2, 2, 6, 6]]
CLASSES = 8
NAMES = ["GT-known", "top-1 loc", "top-5 loc", "top-5 loc, one box", "top-5 loc, top-1 map"]


def square(x0, y0, x1, y1, low=None):
    """Return a map of 8 x 8 with 1 inside the box, and .45 in a larger box ``low``."""
    score_map = np.zeros((8, 8))
    if low:
        score_map[low[1] : low[3], low[0] : low[2]] = 0.45
    score_map[y0:y1, x0:x1] = 1
    return score_map


RIGHT, WRONG = square(2, 2, 6, 6), square(0, 0, 3, 3)


def ranked(label, rank):
    """Return logits (8,) that put the label at a rank, and the class that is best."""
    order = [k for k in range(CLASSES) if k != label]
    order.insert(rank, label)
    logits = np.empty(CLASSES)
    logits[order] = -np.arange(CLASSES, dtype=float)
    return logits, order[0]


def image(name, label, rank, true, predicted=None):
    logits, best = ranked(label, rank)
    maps = {label: true}
    if predicted is not None and best != label:
        maps[best] = predicted
    return {"image_id": name, "score_maps": maps, "label": label, "gt_boxes": BOX, "logits": logits}


IMAGES = {
    "a": (image("a", 3, 0, RIGHT), "GT-known, top-1, own, one gt, one pred, top-1 map"),
    "b": (image("b", 3, 3, RIGHT, WRONG), "GT-known, own, one gt"),
    "c": (image("c", 3, 4, RIGHT, WRONG), "GT-known, own, one gt"),
    "d": (image("d", 5, 4, WRONG, RIGHT), "one pred, top-1 map"),
    "e": (image("e", 5, 5, RIGHT, RIGHT), "GT-known"),
    "f": (image("f", 5, 0, WRONG), ""),
    "g": (image("g", 5, 1, WRONG, WRONG), ""),
}
WANTED = {
    "gt": ["GT-known", "top-1", "own", "one gt", "top-1 map"],
    "pred": ["GT-known", "top-1", "own", "one pred", "top-1 map"],
}


def measured(images, **options):
    metric = TopKLocalization(**{"convention": "exact", "thresholds": 0.1, **options})
    metric.extend(images)
    return metric


def numbers(result, selection=FIXED):
    return {line.name: line.score.percent for line in result.lines if line.selection == selection}


@pytest.mark.parametrize("source", ["gt", "pred"])
def test_variants_of_top_5_differ(source):
    metric = measured([each for each, _ in IMAGES.values()], class_source=source)
    result = metric.compute(0.3)
    hits = {
        name: [wanted in words.split(", ") for _, words in IMAGES.values()]
        for name, wanted in zip(NAMES, WANTED[source], strict=True)
    }
    assert [line.name for line in result.lines] == NAMES * 2
    assert numbers(result) == {name: pytest.approx(100 * np.mean(each)) for name, each in hits.items()}
    for name, each in hits.items():
        macro = (np.mean(each[:3]) + np.mean(each[3:])) / 2  # labels 3 and 5
        assert result[name].macro == pytest.approx(100 * macro)
        assert (result[name].n, result[name].interval) == (7, "Wilson")


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("source", ["gt", "pred"])
def test_each_image_by_hand(name, source):
    one, words = IMAGES[name]
    found = numbers(measured([one], class_source=source).compute(0.3))
    expected = [100.0 if wanted in words.split(", ") else 0.0 for wanted in WANTED[source]]
    assert list(found.values()) == expected


def test_a_map_that_stands_for_every_class():
    """One map is the map of the true and of the predicted class; only the label's rank counts then."""
    images = [image(f"{rank}", 3, rank, RIGHT) | {"score_maps": {CLASS_AGNOSTIC: RIGHT}} for rank in range(7)]
    images.append(image("miss", 3, 0, RIGHT) | {"score_maps": {CLASS_AGNOSTIC: WRONG}})
    for source in ("gt", "pred"):
        found = numbers(measured(images, class_source=source).compute(0.3))
        assert list(found.values()) == [87.5, 12.5, 62.5, 62.5, 62.5]


def test_a_map_of_its_own_goes_before_the_one_for_every_class():
    mixed = image("a", 3, 2, RIGHT) | {"score_maps": {CLASS_AGNOSTIC: WRONG, 3: RIGHT}}
    assert list(numbers(measured([mixed]).compute(0.3)).values()) == [100, 0, 100, 100, 0]
    predicted = ranked(3, 2)[1]
    mixed = image("a", 3, 2, RIGHT) | {"score_maps": {CLASS_AGNOSTIC: RIGHT, predicted: WRONG}}
    assert list(numbers(measured([mixed]).compute(0.3)).values()) == [100, 0, 100, 100, 0]
    mixed = image("a", 3, 2, RIGHT) | {"score_maps": {CLASS_AGNOSTIC: RIGHT, 3: WRONG}}
    assert list(numbers(measured([mixed]).compute(0.3)).values()) == [0, 0, 0, 0, 100]


def test_without_logits_gt_known_alone():
    images = [image("a", 3, 0, RIGHT) | {"logits": None}, image("b", 3, 0, WRONG)]
    result = measured(images).compute()
    assert numbers(result, ORACLE) == {"GT-known": 50.0}
    assert result.conventions["n"] == "(image, class) pairs, of 2 images; no logits: GT-known alone"


def test_without_the_predicted_class_s_map_its_lines_are_left_out():
    images = [image("a", 3, 0, RIGHT), image("b", 3, 2, RIGHT)]
    result = measured(images).compute()
    assert list(numbers(result, ORACLE)) == NAMES[:4]
    assert result.conventions["left out"] == "top-1 map: images lack the map of the predicted class"
    result = measured(images, class_source="pred").compute()
    assert list(numbers(result, ORACLE)) == NAMES[:3]
    assert result.conventions["left out"] == "one box and top-1 map: images lack the map of the predicted class"


def test_conventions_are_named():
    result = measured([each for each, _ in IMAGES.values()], iou=0.7).compute()
    assert result.conventions == {
        "comparator": "IoU >= 0.7",
        "convention": "exact",
        "threshold selection": "test-oracle (best on the scored split itself, for comparison only), by GT-known",
        "class source": "GT-known and own map: true class; one box: true class; top-1 map: predicted class",
        "box source": "largest component",
        "resolution": "8 x 8",
        "averaging": "micro over trials; macro: mean over classes",
        "n": "(image, class) pairs, of 7 images",
    }
    result = measured([image("a", 3, 0, RIGHT)], class_source="pred", convention="wsoleval").compute()
    assert "one box: predicted class" in result.conventions["class source"]
    assert (result.conventions["convention"], result.conventions["box source"]) == ("wsoleval", "largest contour")
    json.dumps(result.as_dict(), allow_nan=False)


OUTER, INNER = square(2, 2, 6, 6, low=(0, 0, 8, 8)), square(3, 3, 4, 4, low=(2, 2, 6, 6))
"""Their boxes are right from .5 on, and up to .4."""


def test_val_chooses_the_threshold_of_best_gt_known():
    """Up to .4 there are five thresholds and the middle is .2; from .5 on it is .7."""
    val = measured([image("a", 0, 0, OUTER), image("b", 0, 0, INNER), image("c", 0, 0, OUTER)])
    test = measured([image("a", 0, 0, OUTER), image("b", 0, 1, INNER, OUTER), image("c", 0, 0, INNER)])
    assert (val.best_threshold(), test.best_threshold()) == (pytest.approx(0.7), pytest.approx(0.2))
    result = test.compute(val)
    assert [(line.selection, line.threshold) for line in result.lines] == [(VAL, pytest.approx(0.7))] * 5 + [
        (ORACLE, pytest.approx(0.2))
    ] * 5
    assert list(numbers(result, VAL).values()) == pytest.approx([100 / 3, 100 / 3, 100 / 3, 100 / 3, 200 / 3])
    assert list(numbers(result, ORACLE).values()) == pytest.approx([200 / 3, 100 / 3, 200 / 3, 200 / 3, 100 / 3])
    assert result["GT-known"].percent == pytest.approx(100 / 3)
    curve = result.curves["GT-known over threshold"]
    assert curve.y == pytest.approx([200 / 3] * 5 + [100 / 3] * 5)
    assert result.conventions["threshold selection"].startswith("chosen on val; test-oracle")


def test_logits_do_not_choose_the_threshold():
    """The top-1 lines would be best from .5 on; GT-known is best below."""
    images = [image("a", 0, 0, OUTER), image("b", 0, 6, INNER), image("c", 0, 6, INNER)]
    result = measured(images).compute()
    assert result.lines[0].threshold == pytest.approx(0.2)
    assert numbers(result, ORACLE)["top-1 loc"] == 0


def test_other_thresholds_are_refused():
    own = measured([image("a", 0, 0, RIGHT)])
    for threshold, words in [
        (1.0, r"in \[0, 1\), but got 1.0"),
        ("x", "a TopKLocalization that saw the validation split, but got x"),
        (own, "but got the scored split itself"),
        (measured([image("a", 0, 0, RIGHT)], iou=0.3), "chosen at iou 0.3, but is wanted at 0.5"),
        (measured([image("a", 0, 0, RIGHT)], convention="wsoleval"), "chosen at convention 'wsoleval'"),
    ]:
        with pytest.raises(ConfigError, match=words):
            own.compute(threshold)
    assert own.compute(measured([image("a", 0, 0, RIGHT)], class_source="pred"))["GT-known"].percent == 100


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_source": "both"}, "class_source should be one of 'gt', 'pred', but got 'both'"),
        ({"convention": "wsol"}, "convention should be one of 'wsoleval', 'exact', but got 'wsol'"),
        ({"iou": 0}, r"iou should be in \(0, 1\), but got 0"),
        ({"iou": 50}, r"iou should be in \(0, 1\), but got 50"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(ConfigError, match=words):
        TopKLocalization(**options)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"score_maps": {1: RIGHT, 2: RIGHT}}, DataError, r"no map of the true class 3; maps are there of \[1, 2\]"),
        ({"score_maps": {}}, DataError, "no map of the true class 3"),
        ({"score_maps": RIGHT}, DataError, "score_maps should be maps by class index, .* but got a ndarray"),
        ({"score_maps": {3: RIGHT * np.nan}}, MapError, "NaN"),
        ({"score_maps": {3: RIGHT[0]}}, ShapeError, r"\(H, W\)"),
        ({"label": 8}, DataError, "class index from 0 to 7, but got 8"),
        ({"label": -1}, DataError, "class index from 0, but got -1"),
        ({"label": "cat"}, DataError, "class index, but got 'cat'"),
        ({"gt_boxes": []}, DataError, "no true box"),
        ({"gt_boxes": [[0, 0, 9, 9]]}, DataError, "outside the image of 8 x 8"),
        ({"logits": np.full(8, np.nan)}, DataError, "NaN"),
        ({"logits": np.zeros((2, 8))}, ShapeError, "1 axes"),
    ],
)
def test_wrong_input_is_explained(change, error, words):
    metric = TopKLocalization(convention="exact")
    with pytest.raises(error, match=words):
        metric.update(**{**image("a", 3, 0, RIGHT), **change})
    assert len(metric) == 0


def test_equal_logits_rank_the_lower_class_first():
    one = image("a", 3, 0, RIGHT) | {"logits": np.zeros(8), "score_maps": {3: RIGHT, 0: WRONG}}
    assert list(numbers(measured([one]).compute(0.3)).values()) == [100, 0, 100, 100, 0]


def naive(images, threshold, source):
    """Return the hits of each number, image by image, by contours."""
    table = {name: [] for name in NAMES}
    for each in images:
        label, logits = each["label"], each["logits"].tolist()
        hit = {
            k: best_overlap(contour_boxes(score_map, threshold, False), each["gt_boxes"]) >= 0.5
            for k, score_map in each["score_maps"].items()
        }
        order = sorted(range(CLASSES), key=lambda k: (-logits[k], k))
        five, best = order[:5], order[0]
        table["GT-known"].append(hit[label])
        table["top-1 loc"].append(best == label and hit[best])
        table["top-5 loc"].append(any(k == label and hit[k] for k in five))
        table["top-5 loc, one box"].append(label in five and hit[label if source == "gt" else best])
        table["top-5 loc, top-1 map"].append(label in five and hit[best])
    return table


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["gt", "pred"]))
def test_equal_to_the_naive_loop_in_any_order(seed, source):
    rng = np.random.default_rng(seed)
    images = []
    for number in range(6):
        maps = {k: np.kron(rng.random((3, 3)), np.ones((3, 3))) for k in range(CLASSES)}
        x0, y0 = rng.integers(0, 4, 2).tolist()
        truth = [[x0, y0, x0 + int(rng.integers(2, 5)), y0 + int(rng.integers(2, 5))]]
        logits = rng.integers(0, 5, CLASSES).astype(float)
        label = int(rng.integers(CLASSES))
        images.append(
            {"image_id": f"{number}", "score_maps": maps, "label": label, "gt_boxes": truth, "logits": logits}
        )
    together = measured(images, convention="wsoleval", class_source=source)
    curve = [100 * np.mean(naive(images, threshold, source)["GT-known"]) for threshold in np.arange(0, 1, 0.1)]
    assert together.curve() == pytest.approx(curve)
    tables = {FIXED: naive(images, 0.3, source)}
    places = [place for place, value in enumerate(curve) if value == max(curve)]
    tables[ORACLE] = naive(images, np.arange(0, 1, 0.1)[places[len(places) // 2]], source)
    result = together.compute(0.3)
    for selection, table in tables.items():
        expected = {name: pytest.approx(100 * np.mean(each)) for name, each in table.items()}
        assert numbers(result, selection) == expected
    rng.shuffle(images)
    first, second = (measured(part, convention="wsoleval", class_source=source) for part in (images[:2], images[2:]))
    second.merge(pickle.loads(pickle.dumps(first)))
    assert second.compute(0.3).as_dict() == result.as_dict()


def test_other_settings_do_not_merge():
    with pytest.raises(ConfigError, match="class_source is 'gt' here and 'pred' there"):
        TopKLocalization().merge(TopKLocalization(class_source="pred"))
    with pytest.raises(DataError, match="'a' was counted before"):
        measured([image("a", 3, 0, RIGHT)]).merge(measured([image("a", 3, 0, RIGHT)]))
    with pytest.raises(DataError, match="TopKLocalization has seen no image"):
        TopKLocalization().compute()
