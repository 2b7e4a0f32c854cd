"""Rates, means over classes and intervals on worked examples."""

import numpy as np
import pytest

from wsolkit import DataError
from wsolkit.evaluation.scores import BOOTSTRAP, WILSON, Score, bootstrap_interval, class_means, rate_of


@pytest.mark.parametrize(("hits", "n"), [(3, 10), (421, 702), (1, 5)])
def test_interval_is_wilson_s(hits, n):
    """Both ends are where the observed share lies 1.96 deviations of a binomial away (Wilson 1927)."""
    rate = rate_of(np.arange(n) < hits)
    assert (rate.percent, rate.n) == (100 * hits / n, n)
    assert rate.low < rate.percent < rate.high
    for end in (rate.low / 100, rate.high / 100):
        assert abs(hits / n - end) == pytest.approx(1.959964 * np.sqrt(end * (1 - end) / n), rel=1e-5)


def test_interval_stays_within_0_and_100():
    assert (rate_of(np.ones(10)).high, rate_of(np.zeros(10)).low) == pytest.approx((100.0, 0.0))


def test_no_trials_is_said():
    with pytest.raises(DataError, match="no image with a box"):
        rate_of(np.zeros(0))


def test_macro_is_the_mean_of_the_classes():
    """Class 4 has 1 of 3, class 2 has 1 of 1."""
    score = rate_of(np.array([True, False, False, True]), [4, 4, 4, 2])
    assert (score.percent, score.macro, score.interval) == (50.0, pytest.approx(200 / 3), WILSON)
    assert class_means(np.array([1.0, 2.0, 6.0]), np.array([5, 0, 0])) == {0: 4.0, 5: 1.0}
    assert rate_of(np.ones(2)).macro is None
    assert rate_of(np.ones(2), [1, None]).macro is None


def test_bootstrap_draws_images_with_replacement():
    """The mean of n values has the deviation s / sqrt(n): 1.96 of them to either side."""
    values = np.random.default_rng(0).normal(50, 10, 400)
    low, high = bootstrap_interval(lambda counts: counts @ values / counts.sum(1), 400, draws=2000)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.15)
    seen = []
    bootstrap_interval(lambda counts: seen.append(counts) or np.zeros(len(counts)), 7, draws=120)
    assert sum(map(len, seen)) == 120
    assert all((counts.sum(1) == 7).all() for counts in seen)


def test_the_same_data_has_the_same_interval():
    values = np.arange(9.0)
    ends = [bootstrap_interval(lambda counts: counts @ values / counts.sum(1), 9) for _ in range(2)]
    assert ends[0] == ends[1]
    assert ends[0] != bootstrap_interval(lambda counts: counts @ values / counts.sum(1), 9, seed=1)


def test_draws_without_a_number_are_left_out():
    assert bootstrap_interval(lambda counts: np.where(counts[:, 0] > 0, 3.0, np.nan), 4) == (3.0, 3.0)


def test_text_of_a_score():
    assert str(Score(50.04, 9, 20.0, 80.96, 1.0, BOOTSTRAP)) == "50.0 [20.0, 81.0]"
