"""A method over its seeds: intervals over images and seeds against loops, tests against counting and scipy."""

import itertools
import math

import numpy as np
import pytest

from wsolkit import DataError, ShapeError
from wsolkit.evaluation.over_seeds import difference_over_seeds, mean_of_scores, mean_over_seeds, unpaired
from wsolkit.evaluation.paired import compare_hits, mcnemar
from wsolkit.evaluation.scores import Score, rate_of
from wsolkit.evaluation.sign_flip import sign_flip
from wsolkit.evaluation.student import degrees_of_freedom, t_quantile, t_tail

HITS = np.array([[1, 0, 1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 1]])
OTHER = np.array([[0, 0, 1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0, 1, 0]])


def variance(values):
    """Return the variance of a list, by hand."""
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def test_student_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    for df in (0.7, 1, 2, 3.3, 17, 701, 1e6):
        assert t_quantile(df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-6)
        for t in (0.0, 0.1, 1, 2, 5, 30):
            assert t_tail(-t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-7)
    assert t_quantile(math.inf) == pytest.approx(1.959963984540054)
    assert degrees_of_freedom([(3.0, 2), (1.0, 10)]) == pytest.approx(16 / (9 / 2 + 1 / 10))


def test_the_interval_over_images_and_seeds_by_hand():
    found = mean_over_seeds(HITS)
    seeds = [100 * sum(row) / 8 for row in HITS.tolist()]
    images = [100 * sum(row) / 3 for row in HITS.T.tolist()]
    of_images, of_seeds = variance(images) / 8, variance(seeds) / 3
    assert found.mean == pytest.approx(sum(seeds) / 3)
    assert list(found.by_seed) == pytest.approx(seeds)
    assert (found.image_error**2, found.seed_error**2) == pytest.approx((of_images, of_seeds))
    df = (of_images + of_seeds) ** 2 / (of_images**2 / 7 + of_seeds**2 / 2)
    half = t_quantile(df) * math.sqrt(of_images + of_seeds)
    assert found.low == pytest.approx(max(found.mean - half, 0))
    assert found.high == pytest.approx(min(found.mean + half, 100))
    assert (found.lowest, found.highest) == (min(seeds), max(seeds))


def test_one_seed_of_one_trial_an_image_has_wilsons_interval():
    found, known = mean_over_seeds(HITS[:1]), rate_of(HITS[0] > 0)
    assert (found.mean, found.low, found.high) == pytest.approx((known.percent, known.low, known.high))
    assert found.seed_error == 0
    full = mean_over_seeds(np.ones((3, 50), int))
    assert (full.low, full.high) == (pytest.approx(rate_of(np.ones(50, bool)).low), 100)


def test_images_with_several_trials_are_one_unit():
    """Against the jackknife over images, whose variance of a ratio is the linear one up to terms of 1 / images."""
    rng = np.random.default_rng(0)
    trials = rng.integers(1, 5, 400)
    hits = rng.binomial(trials, rng.uniform(0, 1, 400))[None]
    found = mean_over_seeds(hits, trials)
    left_out = [100 * (hits.sum() - hits[0, i]) / (trials.sum() - trials[i]) for i in range(400)]
    jackknife = math.sqrt(399 / 400 * sum((each - np.mean(left_out)) ** 2 for each in left_out))
    assert found.mean == pytest.approx(100 * hits.sum() / trials.sum())
    assert found.image_error == pytest.approx(jackknife, rel=0.01)
    assert found.images == trials.sum()


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(150):
        image, seed = rng.normal(0, 1, 200), rng.normal(0, 0.15, (3, 1))
        found = mean_over_seeds(image + seed + rng.normal(0, 1, (3, 200)) > 0)
        inside += found.low <= 50 <= found.high
    assert inside >= 0.9 * 150


def test_the_mean_of_numbers_known_as_a_whole():
    found = mean_of_scores([Score(70.0, 50, 60.0, 80.0), Score(74.0, 50, 64.0, 84.0), Score(72.0, 50, 62.0, 82.0)])
    images, seeds = (10 / 1.959963984540054) ** 2, 4.0 / 3
    assert (found.image_error**2, found.seed_error**2) == pytest.approx((images, seeds))
    half = t_quantile((images + seeds) ** 2 / (seeds**2 / 2)) * math.sqrt(images + seeds)
    assert (found.mean, found.low, found.high) == pytest.approx((72, 72 - half, 72 + half))
    one = mean_of_scores([Score(70.0, 50, 60.0, 79.0)])
    assert (one.low, one.high) == (60.0, 79.0)
    nothing = mean_of_scores([Score(70.0, 50, math.nan, math.nan), Score(72.0, 50, math.nan, math.nan)])
    assert nothing.high == pytest.approx(71 + t_quantile(1))


def test_a_difference_by_hand():
    found = difference_over_seeds(OTHER, HITS)
    gains = [100 * (sum(a) / 3 - sum(b) / 2) for a, b in zip(HITS.T.tolist(), OTHER.T.tolist(), strict=True)]
    mine, theirs = ([100 * sum(row) / 8 for row in rows.tolist()] for rows in (HITS, OTHER))
    parts = [(variance(gains) / 8, 7), (variance(theirs) / 2, 1), (variance(mine) / 3, 2)]
    error = math.sqrt(sum(part for part, _ in parts))
    df = error**4 / sum(part**2 / free for part, free in parts if part)
    assert found.difference == pytest.approx(sum(mine) / 3 - sum(theirs) / 2)
    assert found.high - found.difference == pytest.approx(t_quantile(df) * error)
    assert found.p_seeds == pytest.approx(t_tail(found.difference / error, df))
    assert found.p == pytest.approx(counted([round(6 * gain / 100) for gain in gains]))
    back = difference_over_seeds(HITS, OTHER)
    assert (back.difference, back.p) == pytest.approx((-found.difference, found.p))


def counted(gains):
    """Return the share of all signs whose sum lies as far from 0, counted one by one."""
    sums = [sum(sign * gain for sign, gain in zip(signs, gains, strict=True))
            for signs in itertools.product((1, -1), repeat=len(gains))]  # fmt: skip
    return sum(abs(each) >= abs(sum(gains)) for each in sums) / len(sums)


@pytest.mark.parametrize("gains", [[1, -2, 3, 0, 2], [4, 4, -2, 6, 0, 0, 2], [5], [0, 0], [3, -3], [1] * 9, [9, 1, -1]])
def test_the_sign_flip_test_counts_all_signs(gains):
    assert sign_flip(np.array(gains)) == pytest.approx(counted(gains))


def test_for_one_seed_it_is_mcnemars():
    rng = np.random.default_rng(1)
    for n in (30, 300, 3000):
        one, two = rng.random((2, n)) < np.array([[0.5], [0.55]])
        gains = two.astype(int) - one
        assert sign_flip(gains) == pytest.approx(mcnemar(int((gains < 0).sum()), int((gains > 0).sum())), rel=1e-9)
        assert difference_over_seeds(one[None], two[None]).p == pytest.approx(compare_hits(one, two).p, rel=1e-9)


def test_very_many_images_are_taken_as_normal():
    gains = np.array([1] * 2600 + [-1] * 2450 + [2] * 30)
    assert sign_flip(gains) == pytest.approx(math.erfc(210 / math.sqrt(2 * (5050 + 120))))


def test_a_comparison_without_images():
    one, two = (mean_of_scores([Score(value, 50, value - 9.8, value + 9.8)]) for value in (50.0, 70.0))
    found = unpaired(one, two)
    assert (found.difference, found.images, found.paired) == (20.0, 0, False)
    assert found.high == pytest.approx(20 + math.sqrt(2) * 9.8)
    assert found.p == found.p_seeds == pytest.approx(math.erfc(20 / (math.sqrt(2) * 9.8 / 1.959963984540054) / 2**0.5))


def test_mistakes():
    with pytest.raises(ShapeError, match=r"Hits of seeds are \(S, I\) with trials \(I,\), but got \(3, 8\) and \(7,\)"):
        mean_over_seeds(HITS, np.ones(7))
    with pytest.raises(DataError, match="There is no trial, or no seed, or an image without a trial"):
        mean_over_seeds(np.zeros((2, 0)))
    with pytest.raises(DataError, match="An image has more hits than trials"):
        mean_over_seeds(2 * HITS)
    with pytest.raises(DataError, match="A mean over seeds needs a seed"):
        mean_of_scores([])
    with pytest.raises(DataError, match="should be whole numbers"):
        sign_flip(np.array([0.5]))
