"""Paired tests against hand-worked binomials and naive loops."""

import itertools
import math

import numpy as np
import pytest

from wsolkit import DataError
from wsolkit.errors import ShapeError
from wsolkit.evaluation.paired import compare_hits, holm, mcnemar


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (1, 8, 2 * (1 + 9) / 512),
        (2, 7, 2 * (1 + 9 + 36) / 512),
        (0, 10, 2 / 1024),
        (0, 1, 1.0),
        (4, 4, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_by_hand(first, second, p):
    assert mcnemar(first, second) == p == mcnemar(second, first)


@pytest.mark.parametrize("n", [3, 6, 9])
def test_mcnemar_counts_the_outcomes_of_fair_coins(n):
    for heads in range(n + 1):
        farther = sum(abs(2 * sum(coins) - n) >= abs(2 * heads - n) for coins in itertools.product((0, 1), repeat=n))
        assert mcnemar(heads, n - heads) == pytest.approx(farther / 2**n, abs=1e-15)


def test_mcnemar_of_many_trials():
    few, n = 9_700, 19_900
    logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2) for k in range(few + 1)]
    assert mcnemar(few, n - few) == pytest.approx(2 * math.fsum(map(math.exp, logs)), rel=1e-6)
    assert mcnemar(0, 5000) == 0.0


def test_mcnemar_refuses_negative_counts():
    with pytest.raises(DataError, match="not negative, but got -1 and 3"):
        mcnemar(-1, 3)


def test_the_four_counts_and_the_difference():
    first = np.array([1, 1, 1, 0, 0, 0, 0, 1, 0, 0], bool)
    second = np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 1], bool)
    found = compare_hits(first, second)
    assert (found.both, found.only_first, found.only_second, found.neither) == (3, 1, 5, 1)
    assert found.n == 10
    assert found.difference == pytest.approx(80 - 40)
    assert found.p == 2 * (1 + 6) / 64
    assert found.low < 40 < found.high
    back = compare_hits(second, first)
    assert (back.difference, back.p) == (-found.difference, found.p)
    assert found.as_dict()["n"] == 10


def test_the_interval_is_that_of_a_naive_bootstrap_over_images():
    rng = np.random.default_rng(5)
    images = np.repeat(np.arange(60), rng.integers(1, 4, 60))
    first = rng.random(len(images)) < 0.5
    second = np.where(rng.random(len(images)) < 0.7, first, rng.random(len(images)) < 0.7)
    differences = []
    for _ in range(3000):
        drawn = np.concatenate([np.flatnonzero(images == image) for image in rng.integers(0, 60, 60)])
        differences.append(100 * (second[drawn].mean() - first[drawn].mean()))
    low, high = np.percentile(differences, [2.5, 97.5])
    found = compare_hits(first, second, [f"{image}.jpg" for image in images])
    assert found.low == pytest.approx(low, abs=1)
    assert found.high == pytest.approx(high, abs=1)


def test_trials_of_one_image_count_together():
    first = np.zeros(400, bool)
    second = np.arange(400) % 20 < 5
    alone = compare_hits(first, second)
    together = compare_hits(first, second, [str(place // 20 * 20 + place % 20 // 5) for place in range(400)])
    assert together.difference == alone.difference == 25
    assert together.high - together.low > 1.8 * (alone.high - alone.low)


def test_the_seed_fixes_the_interval_and_order_does_not_matter():
    rng = np.random.default_rng(1)
    first, second = rng.random(300) < 0.4, rng.random(300) < 0.5
    order = rng.permutation(300)
    found = compare_hits(first, second)
    assert compare_hits(first, second) == found
    assert compare_hits(first[order], second[order]) == found
    assert compare_hits(first, second, seed=1) != found


def test_equal_runs_have_no_difference():
    hits = np.array([True, False, True])
    found = compare_hits(hits, hits)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_errors():
    with pytest.raises(ShapeError, match=r"same trials \(n,\), but got \(2,\) and \(3,\)"):
        compare_hits(np.zeros(2), np.zeros(3))
    with pytest.raises(ShapeError, match="and 1 images"):
        compare_hits(np.zeros(2), np.zeros(2), ["a"])
    with pytest.raises(ShapeError, match=r"got \(2, 1\)"):
        compare_hits(np.zeros((2, 1)), np.zeros((2, 1)))
    with pytest.raises(DataError, match="nothing to compare. Score both on the same images"):
        compare_hits(np.zeros(0), np.zeros(0))
