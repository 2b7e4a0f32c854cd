"""MaxBoxAcc on maps whose box at every threshold is known, and what it refuses."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from wsolkit import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation.max_box_acc import MaxBoxAcc, MaxBoxAccV2, mean_score
from wsolkit.evaluation.results import FIXED, ORACLE, VAL

IOUS = (0.3, 0.5, 0.7)
OUTER, INNER = [0, 0, 10, 10], [3, 3, 7, 7]


def nested(truth):
    """Return a map with 1 in ``INNER`` and .45 in ``OUTER``, whose box is the one or the other."""
    score_map = np.zeros((10, 10))
    score_map[OUTER[1] : OUTER[3], OUTER[0] : OUTER[2]] = 0.45
    score_map[INNER[1] : INNER[3], INNER[0] : INNER[2]] = 1
    return score_map, [truth]


def exact(truths, labels=None, **options):
    metric = MaxBoxAcc(**{"ious": IOUS, "convention": "exact", "thresholds": 0.1, **options})
    for number, truth in enumerate(truths):
        metric.update(str(number), *nested(truth), None if labels is None else labels[number])
    return metric


FLAT = [0, 0, 10, 4]
"""Overlaps OUTER by .4, and INNER by 4 / 52."""


def test_val_chooses_a_threshold_for_each_iou():
    """OUTER is the box up to .4, INNER from .5 on: the plateaus are 0 ... .4 and .5 ... .9, their middles .2 and .7.

    On val, low thresholds hit FLAT twice at .3, high ones INNER once; at .5 and .7 only INNER is ever hit.
    """
    val = exact([FLAT, FLAT, INNER])
    assert [val.best_threshold(iou) for iou in IOUS] == pytest.approx([0.2, 0.7, 0.7])
    assert val.best_threshold() == pytest.approx(0.7)
    test = exact([OUTER, OUTER, INNER, FLAT])
    result = test.compute(val)
    lines = [(line.name, line.selection, line.score.percent) for line in result.lines]
    assert lines == [
        ("MaxBoxAcc", VAL, pytest.approx((75 + 25 + 25) / 3)),
        ("MaxBoxAcc", ORACLE, pytest.approx((75 + 50 + 50) / 3)),
        ("MaxBoxAcc@30", VAL, 75.0),
        ("MaxBoxAcc@50", VAL, 25.0),
        ("MaxBoxAcc@70", VAL, 25.0),
        ("MaxBoxAcc@30", ORACLE, 75.0),
        ("MaxBoxAcc@50", ORACLE, 50.0),
        ("MaxBoxAcc@70", ORACLE, 50.0),
    ]
    assert [line.threshold for line in result.lines[2:]] == pytest.approx([0.2, 0.7, 0.7, 0.2, 0.2, 0.2])
    assert result["MaxBoxAcc@50"].percent == 25.0
    assert result.conventions["threshold selection"].startswith("chosen on val; test-oracle (best on the scored split")


def test_one_threshold_for_the_split_not_one_per_image():
    """Each image alone has a threshold that hits."""
    assert exact([OUTER, INNER, INNER], ious=[0.5]).compute()["MaxBoxAcc@50"].percent == pytest.approx(200 / 3)


def test_a_fixed_threshold_is_the_nearest_measured_one():
    result = exact([OUTER, INNER, INNER], ious=[0.5]).compute(0.304)
    assert [(line.threshold, line.selection) for line in result.lines] == [
        (pytest.approx(0.3), FIXED),
        (pytest.approx(0.7), ORACLE),
    ]
    assert [line.score.percent for line in result.lines] == pytest.approx([100 / 3, 200 / 3])


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (0.33, "No image was measured at the threshold 0.33; the nearest is 0.3. Measure with thresholds=0.001"),
        (1.0, r"in \[0, 1\), but got 1.0"),
        (-1, "a MaxBoxAcc that saw the validation split, but got -1"),
        ("best", "but got best"),
        (MaxBoxAccV2(), "a MaxBoxAcc that saw the validation split, but got <"),
    ],
)
def test_other_thresholds_are_refused(threshold, words):
    with pytest.raises(ConfigError, match=words):
        exact([OUTER]).compute(threshold)


def test_val_has_to_be_another_split_of_the_same_settings():
    own = exact([OUTER])
    with pytest.raises(ConfigError, match="but got the scored split itself"):
        own.compute(own)
    with pytest.raises(DataError, match="MaxBoxAcc has seen no image"):
        own.compute(MaxBoxAcc(IOUS, convention="exact"))
    with pytest.raises(ConfigError, match=r"measures the IoUs \(0.5,\), but got 0.3"):
        own.compute(exact([OUTER], ious=[0.5]))
    with pytest.raises(ConfigError, match="chosen at boxes 'all', but is wanted at 'largest'"):
        own.compute(exact([OUTER], boxes="all"))
    with pytest.raises(ConfigError, match="chosen at convention 'wsoleval', but is wanted at 'exact'"):
        own.compute(exact([[0, 0, 9, 9]], convention="wsoleval"))
    with pytest.raises(ConfigError, match=r"measures the IoUs .* but got 0.6"):
        own.best_threshold(0.6)
    assert exact([OUTER], ious=[0.5]).compute(own)["MaxBoxAcc@50"].percent == 100


def test_conventions_are_named():
    result = exact([OUTER, INNER]).compute(0.2)
    assert result.conventions == {
        "comparator": "IoU >=",
        "convention": "exact: strict >, half-open boxes, no + 1",
        "threshold selection": "fixed; test-oracle (best on the scored split itself, for comparison only)",
        "class source": "map of the true class",
        "box source": "largest component",
        "resolution": "10 x 10",
        "averaging": "micro over maps; macro: mean over classes",
        "n": "maps, of 2 images",
    }
    wide = MaxBoxAccV2()
    wide.update("a", np.ones((4, 6)), [[0, 0, 5, 3]])
    assert wide.compute().conventions["resolution"] == "6 x 4"
    assert wide.compute().conventions["box source"] == "best of all contours, holes included, or of all components"
    assert wide.compute().conventions["convention"].startswith("wsolevaluation: uint8 by truncation, strict >, IoU + 1")
    wide.update("b", np.ones((5, 6)), [[0, 0, 5, 3]])
    assert wide.compute().conventions["resolution"] == "2 sizes of maps"
    assert exact([[0, 0, 9, 9]], convention="wsoleval").compute().conventions["box source"] == "largest contour"
    text = str(result)
    assert "MaxBoxAcc: 50.00" in text
    assert "thresholds fixed" in text
    assert "thresholds test-oracle" in text
    json.dumps(result.as_dict(), allow_nan=False)


def test_without_labels_there_is_no_macro():
    for labels in (None, [1, None]):
        result = exact([OUTER, INNER], labels).compute()
        assert {line.score.macro for line in result.lines} == {None}
        assert result.each_class == {}


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [
        ({}, {"convention": "exact"}, "convention is 'wsoleval' here and 'exact' there"),
        ({}, {"boxes": "all"}, "boxes is 'largest' here and 'all' there"),
        ({}, {"ious": (0.3,)}, r"ious is \(0.5,\) here and \(0.3,\) there"),
        ({"thresholds": [0.1]}, {"thresholds": [0.2]}, "thresholds is array"),
    ],
)
def test_other_settings_do_not_merge(mine, theirs, words):
    with pytest.raises(ConfigError, match=words):
        MaxBoxAcc(**mine).merge(MaxBoxAcc(**theirs))
    with pytest.raises(ConfigError, match="MaxBoxAcc cannot be merged with MaxBoxAccV2"):
        MaxBoxAcc().merge(MaxBoxAccV2())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"boxes": "each"}, "boxes should be one of 'largest', 'all', but got 'each'"),
        ({"convention": "wsol"}, "convention should be one of 'wsoleval', 'exact', but got 'wsol'"),
        ({"ious": (50,)}, r"different fractions inside \(0, 1\)"),
        ({"thresholds": [1.0]}, r"fractions of the map's maximum in \[0, 1\)"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(ConfigError, match=words):
        MaxBoxAcc(**options)


@pytest.mark.parametrize(
    ("score_map", "truth", "label", "error", "words"),
    [
        (np.full((4, 4), np.nan), [[0, 0, 1, 1]], 0, MapError, "NaN"),
        (np.full((4, 4), 2.0), [[0, 0, 1, 1]], 0, MapError, r"numbers in \[0, 1\], but goes from 2 to 2"),
        (np.zeros((2, 4, 4)), [[0, 0, 1, 1]], 0, ShapeError, r"\(H, W\)"),
        (np.zeros((4, 4)), [], 0, DataError, "no true box"),
        (np.zeros((4, 4)), [[0, 0, 9, 1]], 0, DataError, "outside the image of 4 x 4"),
        (np.zeros((4, 4)), [[2, 0, 1, 1]], 0, DataError, "ends before it begins"),
        (np.zeros((4, 4)), [[0, 0, 1, 1]], -1, DataError, "class index from 0, but got -1"),
        (np.zeros((4, 4)), [[0, 0, 1, 1]], 1.5, DataError, "class index, but got '1.5'"),
    ],
)
def test_wrong_input_is_explained(score_map, truth, label, error, words):
    metric = MaxBoxAcc()
    with pytest.raises(error, match=words):
        metric.update("a", score_map, truth, label)
    assert len(metric) == 0


def test_a_map_without_contrast_hits_what_the_convention_says():
    """wsolevaluation's box of an empty map is one pixel in the corner; exact has none."""
    corner = MaxBoxAcc()
    corner.update("a", np.zeros((8, 8)), [[0, 0, 0, 0]])
    assert corner.compute()["MaxBoxAcc@50"].percent == 100
    none = MaxBoxAcc(convention="exact")
    none.update("a", np.zeros((8, 8)), [[0, 0, 1, 1]])
    assert none.compute()["MaxBoxAcc@50"].percent == 0


def test_what_became_of_every_map():
    """At .2 the box is OUTER: it hits OUTER, is more than INNER, part of nothing."""
    metric = MaxBoxAcc(convention="exact", thresholds=0.1)
    for name, truth, label, right in (("c", OUTER, 4, None), ("a", INNER, 2, np.bool_(False)), ("b", FLAT, 2, True)):
        metric.update(name, *nested(truth), label, right)
    low, high = metric.trials(0.2), metric.trials(0.7, iou=0.3)
    assert [(each.image_id, each.label, each.outcome, each.right_class) for each in low] == [
        ("a", 2, "more", False),
        ("b", 2, "more", True),
        ("c", 4, "hit", None),
    ]
    assert [each.outcome for each in high] == ["hit", "other", "part"]
    assert [each.iou for each in low] == pytest.approx([0.16, 0.4, 1.0])
    assert [each.outcome for each in metric.trials(0.2, iou=0.4)] == ["more", "hit", "hit"]
    assert low[0].box == (0, 0, 1, 1)
    assert high[0].box == (0.3, 0.3, 0.7, 0.7)
    assert low[1].truth == ((0.0, 0.0, 1.0, 0.4),)
    json.dumps([each.as_dict() for each in low], allow_nan=False)


def test_trials_of_wsoleval_end_one_pixel_too_far():
    """Pixels 3 to 6 of a row of 10: the box ends at 7, inclusive, which is .8 of the width."""
    metric = MaxBoxAcc()
    metric.update("a", nested(INNER)[0], [[3, 3, 6, 6]])
    metric.update("b", np.zeros((10, 10)), [[3, 3, 6, 6]])
    first, second = metric.trials(0.7)
    assert first.box == (0.3, 0.3, 0.8, 0.8)
    assert first.truth == ((0.3, 0.3, 0.7, 0.7),)
    assert first.label == -1
    assert (second.box, second.outcome, second.iou) == ((0, 0, 0, 0), "miss", 0.0)


def test_trials_are_fractions_of_width_and_height():
    score_map = np.zeros((5, 20))
    score_map[1:3, 4:10] = 1
    metric = MaxBoxAcc(convention="exact")
    metric.update("a", score_map, [[0, 0, 5, 5]])
    (found,) = metric.trials(0.5)
    assert found.box == (0.2, 0.2, 0.5, 0.6)
    assert found.truth == ((0.0, 0.0, 0.25, 1.0),)


def test_an_image_is_drawn_with_all_its_trials():
    """Twenty maps of one image say no more than one: the interval is that of four images, not of 23 maps."""
    hits = np.array([[True] * 20 + [False] * 3])
    names = ["a"] * 20 + ["b", "c", "d"]
    score = mean_score(hits, [None] * 23, names)
    assert score.percent == pytest.approx(2000 / 23)
    assert score.low == 0  # "a" is in none of the four drawn with probability (3 / 4) ** 4 = .32
    assert score.n == 23


MAPS = hnp.arrays(np.float64, (7, 9), elements=st.sampled_from([0, 0.0625, 0.125, 0.25, 0.3, 0.375, 0.5, 0.7, 0.75, 1]))
TRUTH = st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(1, 9), st.integers(1, 7)).map(
    lambda n: [[n[0], n[1], min(n[0] + n[2], 9), min(n[1] + n[3], 7)]]
)


@settings(max_examples=60, deadline=None)
@given(MAPS, TRUTH, st.sampled_from(["largest", "all"]))
def test_hits_fall_as_the_wanted_iou_rises(score_map, truth, boxes):
    ious = [0.01, 0.2, 0.5, 0.8, 0.99]
    metric = MaxBoxAcc(ious, boxes, "exact", 0.05)
    metric.update("a", score_map, truth)
    assert (np.diff(metric.curves(), axis=0) <= 0).all()
    scores = [metric.compute()[f"MaxBoxAcc@{100 * iou:g}"].percent for iou in ious]
    assert scores == sorted(scores, reverse=True)


@settings(max_examples=60, deadline=None)
@given(MAPS, TRUTH, st.sampled_from(["largest", "all"]), st.sampled_from([0.5, 0.25, 2.0**-20]))
def test_a_positive_factor_changes_no_exact_hit(score_map, truth, boxes, factor):
    one, other = (MaxBoxAcc(IOUS, boxes, "exact", 0.05) for _ in range(2))
    one.update("a", score_map, truth)
    other.update("a", factor * score_map, truth)
    assert one.compute(0.3).as_dict() == other.compute(0.3).as_dict()


@settings(max_examples=60, deadline=None)
@given(TRUTH, st.sampled_from(["largest", "all"]), st.floats(0.01, 1))
def test_a_perfect_map_scores_1_everywhere(truth, boxes, height):
    (x0, y0, x1, y1), score_map = truth[0], np.zeros((7, 9))
    score_map[y0:y1, x0:x1] = height
    metric = MaxBoxAcc((0.3, 0.999999), boxes, "exact", 0.01)
    metric.update("a", score_map, truth, label=0)
    assert (metric.curves() == 100).all()
    assert {line.score.percent for line in metric.compute(0.77).lines} == {100.0}
