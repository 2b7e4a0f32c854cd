"""Rates, intervals and the choice of a threshold on worked examples."""

import numpy as np
import pytest

from wsolkit import DataError
from wsolkit.evaluation import choose_threshold, hit_rates, rate_of


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


def test_a_hit_is_at_least_the_wanted_iou():
    assert hit_rates(np.array([[0.5, 0.49999]])).tolist() == [100.0, 0.0]


def test_threshold_is_one_for_the_whole_split_not_per_image():
    ious = np.array([[0.9, 0.1, 0.1], [0.1, 0.1, 0.9], [0.1, 0.1, 0.9]])
    assert choose_threshold(ious) == 2
    assert hit_rates(ious).max() == pytest.approx(200 / 3)  # 100 if each image had its own


def test_of_equal_thresholds_the_middle_one():
    assert choose_threshold(np.array([[0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]])) == 3
