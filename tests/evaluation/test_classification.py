"""Average precision and ranks by hand and against a loop over cut-offs."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from wsolkit.errors import ConfigError, DataError, ShapeError
from wsolkit.evaluation.classification import (
    ClassificationMAP,
    average_precision,
    label_rank,
    mean_average_precision,
    ranked_precision,
    ranking_of,
)


def by_cutoffs(scores, labels):
    """All-point interpolated AP: for each recall reached, the best precision at that recall or beyond."""
    kept = [(s, y) for s, y in zip(scores, labels, strict=True) if y >= 0]
    positives = sum(y for _, y in kept)
    points = []
    for cut in sorted({s for s, _ in kept}, reverse=True):
        taken = [y for s, y in kept if s >= cut]
        points.append((sum(taken) / positives, sum(taken) / len(taken)))
    total, reached = 0.0, 0.0
    for recall, _ in points:
        best = max(p for r, p in points if r >= recall)
        total += (recall - reached) * best
        reached = recall
    return 100 * total


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9]), st.sampled_from([1, 0, -1])), min_size=1, max_size=12
    )
)
def test_average_precision_equals_the_loop(pairs):
    scores, labels = np.array([s for s, _ in pairs]), np.array([y for _, y in pairs])
    if not (labels == 1).any():
        assert math.isnan(average_precision(scores, labels))
    else:
        assert average_precision(scores, labels) == pytest.approx(by_cutoffs(scores, labels))


def test_difficult_images_do_not_count():
    assert average_precision(np.array([0.9, 0.8]), np.array([-1, 1])) == 100.0


def test_equal_scores_share_one_point():
    assert average_precision(np.array([0.5, 0.5]), np.array([1, 0])) == 50.0
    assert average_precision(np.array([0.5, 0.5]), np.array([0, 1])) == 50.0


def test_classes_without_positives_are_left_out_of_the_mean():
    mean, each = mean_average_precision(np.array([[0.9, 0.1], [0.2, 0.3]]), np.array([[1, 0], [0, 0]]))
    assert mean == 100.0
    assert math.isnan(each[1])


def test_rank_of_the_label():
    assert [label_rank(np.array([3.0, 1.0, 2.0]), k) for k in range(3)] == [0, 2, 1]
    assert label_rank(np.array([1.0, 1.0]), 1) == 1


def test_lengths_must_agree():
    with pytest.raises(ShapeError, match=r"should be \(n,\), but got \(2,\) and \(3,\)"):
        average_precision(np.zeros(2), np.zeros(3))


def test_eleven_points_by_hand():
    """Right, wrong, right of 2: recalls 0 to .5 at 1, .6 to 1 at 2/3."""
    scores, labels = np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])
    assert average_precision(scores, labels, "11-point") == pytest.approx(100 * (6 + 5 * 2 / 3) / 11)
    assert average_precision(scores, labels, "101-point") == pytest.approx(100 * (51 + 50 * 2 / 3) / 101)
    assert mean_average_precision(scores[:, None], labels[:, None], "11-point")[0] == pytest.approx(100 * 28 / 33)


def test_an_image_drawn_twice_counts_twice():
    scores, labels = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 0, 1, 0])
    ranking = ranking_of(scores, labels == 1, np.arange(4), labels)
    for drawn in ([2, 0, 1, 1], [0, 2, 1, 1], [1, 1, 1, 1], [0, 3, 0, 1]):
        repeated = np.repeat(np.arange(4), drawn)
        for way in ("all-point", "11-point"):
            expected = average_precision(scores[repeated], labels[repeated], way)
            assert ranked_precision(ranking, np.array(drawn), way) == pytest.approx(expected, nan_ok=True)


def test_scores_and_labels_are_checked():
    with pytest.raises(DataError, match=r"scores hold NaN or infinity \(1 of 2, the first at \[1\]\)"):
        average_precision(np.array([0.5, np.nan]), np.array([1, 0]))
    with pytest.raises(DataError, match=r"labels should be 1, 0 or -1 \(left out\) for each class, but got 3"):
        average_precision(np.array([0.5, 0.4]), np.array([1, 3]))
    with pytest.raises(ConfigError, match="no interpolation '10-point'. Did you mean"):
        average_precision(np.array([0.5, 0.4]), np.array([1, 0]), "10-point")
    with pytest.raises(ConfigError, match="no interpolation 'none'"):
        average_precision(np.array([0.5, 0.4]), np.array([0, 0]), "none")
    with pytest.raises(ShapeError, match=r"scores should have 2 axes, but got shape \(2,\)"):
        mean_average_precision(np.zeros(2), np.zeros(2))
    with pytest.raises(ShapeError, match=r"should be \(n, K\), but got \(2, 3\) and \(2, 2\)"):
        mean_average_precision(np.zeros((2, 3)), np.zeros((2, 2)))


def filled(scores, labels, order=None, **options):
    metric = ClassificationMAP(**{"draws": 50, **options})
    for place in range(len(scores)) if order is None else order:
        metric.update(f"{place:03}", scores[place], labels[place])
    return metric


def test_each_class_has_its_precision():
    """Class 0 is right at places 1 and 3; class 1 once, with one image left out; class 2 is in no image."""
    scores = np.array([[0.9, 0.2, 0.1], [0.8, 0.7, 0.1], [0.7, 0.6, 0.3]])
    labels = np.array([[1, 0, 0], [0, -1, 0], [1, 1, 0]])
    result = filled(scores, labels).compute()
    assert result.each_class == {0: pytest.approx(100 * (1 + 2 / 3) / 2), 1: 100.0}
    assert result.each_n == {0: 2, 1: 1}


@pytest.mark.parametrize("seed", range(3))
def test_map_of_random_scores_equals_the_loop(seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 6, (20, 4)) / 6, rng.choice([1, 0, -1], (20, 4), p=[0.3, 0.5, 0.2])
    labels[:, 3] = 0
    result = filled(scores, labels).compute()
    wanted = {k: by_cutoffs(scores[:, k], labels[:, k]) for k in range(3)}
    assert result.each_class == pytest.approx(wanted)
    assert result["mAP"].percent == pytest.approx(np.mean(list(wanted.values())))
    assert result["mAP"].macro == result["mAP"].percent
    assert result["micro AP"].percent == pytest.approx(by_cutoffs(scores.ravel(), labels.ravel()))
    assert result["mAP"].low < result["mAP"].percent < result["mAP"].high
    assert result["mAP"].n == 20
    assert result["mAP"].interval == "bootstrap over images"


def test_eleven_points_are_named():
    scores, labels = np.array([[0.9], [0.8], [0.7]]), np.array([[1], [0], [1]])
    result = filled(scores, labels, interpolation="11-point").compute()
    assert result["mAP"].percent == pytest.approx(100 * 28 / 33)
    assert result.conventions["average precision"] == "11-point, equal scores share one point"


def test_order_and_shards_do_not_matter():
    rng = np.random.default_rng(4)
    scores, labels = rng.random((9, 3)), rng.choice([1, 0, -1], (9, 3))
    first, second = filled(scores, labels, [8, 1, 4]), filled(scores, labels, [7, 6, 5, 3, 2, 0])
    first.merge(second)
    assert first.compute().as_dict() == filled(scores, labels).compute().as_dict()


def test_the_metric_explains_wrong_input():
    metric = ClassificationMAP()
    with pytest.raises(DataError, match="has seen no image"):
        metric.compute()
    with pytest.raises(ShapeError, match=r"but got \(2,\) and \(3,\)"):
        metric.measure(np.zeros(2), np.zeros(3))
    with pytest.raises(ShapeError, match="scores should have 1 axes"):
        metric.measure(np.zeros((1, 2)), np.zeros((1, 2)))
    with pytest.raises(ShapeError, match="scores should be an array of numbers"):
        metric.measure("abc", np.zeros(2))
    with pytest.raises(DataError, match="scores hold NaN"):
        metric.measure(np.array([np.nan, 1]), np.zeros(2))
    with pytest.raises(DataError, match="but got 7. Check the labels"):
        metric.measure(np.zeros(2), np.array([7, 0]))
    with pytest.raises(ConfigError, match="no interpolation"):
        ClassificationMAP(interpolation="area")
    metric.update("a", np.zeros(2), np.array([0, -1]))
    with pytest.raises(DataError, match="No class has anything to find"):
        metric.compute()
    metric.update("b", np.zeros(3), np.array([0, 1, 1]))
    with pytest.raises(DataError, match="Image 'b' has scores of 3 classes, but 'a' of 2. Use one model."):
        metric.compute()
