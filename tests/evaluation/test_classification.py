"""Average precision and ranks by hand and against a loop over cut-offs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsolkit import ShapeError
from wsolkit.evaluation import average_precision, label_rank, mean_average_precision


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
