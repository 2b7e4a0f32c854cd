"""Which thresholds there are, which of them is best, and which one a result was taken at."""

import numpy as np
import pytest

from wsolkit import ConfigError, DataError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.results import FIXED, ORACLE, VAL, Result
from wsolkit.evaluation.thresholds import (
    best_place,
    check_thresholds,
    choose_threshold,
    hit_rates,
    honest_threshold,
    index_of,
    selection_words,
)


class Kind(Accumulator):
    """An accumulator whose best threshold is given."""

    def __init__(self, best=0.4, level=0.5):
        super().__init__()
        self.best, self.level = best, level

    def measure(self):
        return 0

    def compute(self):
        return Result("Kind", ())

    def best_threshold(self, offset=0.0):
        return self.best + offset


class Special(Kind):
    """Measures something else."""


def test_a_hit_is_at_least_the_wanted_iou():
    assert hit_rates(np.array([[0.5, 0.49999]])).tolist() == [100.0, 0.0]
    assert hit_rates(np.array([[0.7, 0.69999], [0.1, 0.9]]), 0.7).tolist() == [50.0, 50.0]


def test_threshold_is_one_for_the_whole_split_not_per_image():
    ious = np.array([[0.9, 0.1, 0.1], [0.1, 0.1, 0.9], [0.1, 0.1, 0.9]])
    assert choose_threshold(ious) == 2
    assert hit_rates(ious).max() == pytest.approx(200 / 3)  # 100 if each image had its own


def test_of_equal_thresholds_the_middle_one():
    assert choose_threshold(np.array([[0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]])) == 3
    assert best_place(np.array([5.0, 5.0, 1.0])) == 1
    assert best_place(np.array([3.0, 5.0, 4.0])) == 1


def test_two_sums_of_one_number_are_equal():
    """0.1 + 0.2 is not 0.3 to the last bit, but as good."""
    assert best_place(np.array([0.1 + 0.2, 0.3, 0.3, 0.0])) == 1


def test_nan_counts_as_nothing():
    assert best_place(np.array([np.nan, 2.0, np.nan, 1.0])) == 1
    with pytest.raises(DataError, match="nothing to choose a threshold by: none of 2 values is a number"):
        best_place(np.array([np.nan, np.nan]))
    with pytest.raises(DataError, match="none of 0 values"):
        best_place(np.zeros(0))


def test_a_step_is_spread_over_0_to_1():
    assert check_thresholds(0.001).shape == (1000,)
    assert check_thresholds(0.001).tobytes() == np.arange(0, 1, 0.001).tobytes()
    assert check_thresholds(1).tolist() == [0.0]
    assert check_thresholds(np.float32(0.5)).tolist() == [0.0, 0.5]
    assert check_thresholds([0.3, 0.1]).tolist() == [0.3, 0.1]
    assert max(check_thresholds(step).max() for step in (0.1, 0.3, 1 / 3, 0.7, 1 / 49)) < 1


@pytest.mark.parametrize("step", [0, -0.1, 1.5, float("nan"), float("inf"), "half", 1e-9, None])
def test_steps_that_make_no_sense(step):
    with pytest.raises(ConfigError, match=r"step between thresholds should be in \(0, 1\]|fractions of the map's"):
        check_thresholds(step)


@pytest.mark.parametrize("given", [[], [0.5, 1.0], [-0.1], [float("nan")], [[0.1, 0.2]], ["a"], [None], [[1], [2, 3]]])
def test_thresholds_that_make_no_sense(given):
    with pytest.raises(ConfigError, match=r"fractions of the map's maximum in \[0, 1\), but got .*Give a list of them"):
        check_thresholds(given)


def test_more_thresholds_than_levels_of_16_bits():
    assert len(check_thresholds(np.linspace(0, 0.9, 65_535))) == 65_535
    with pytest.raises(ConfigError, match="may be 65535 thresholds, but got 65536"):
        check_thresholds(np.linspace(0, 0.9, 65_536))


def test_the_nearest_measured_threshold():
    measured = np.array([0.0, 0.1, 0.5])
    assert [index_of(each, measured) for each in (0.004, 0.096, 0.104, 0.5)] == [0, 1, 1, 2]
    with pytest.raises(ConfigError, match="No image was measured at the threshold 0.3; the nearest is 0.1"):
        index_of(0.3, measured)
    for wrong in (1.0, -0.01, float("nan")):
        with pytest.raises(ConfigError, match=r"box threshold is a fraction of the map's maximum in \[0, 1\), but got"):
            index_of(wrong, measured)


def test_an_honest_threshold_is_fixed_or_from_another_split():
    own = Kind()
    assert honest_threshold(0.25, own) == (0.25, FIXED)
    assert honest_threshold(np.float32(0.25), own) == (0.25, FIXED)
    assert honest_threshold(1, own) == (1.0, FIXED)
    assert honest_threshold(Kind(best=0.7), own) == (0.7, VAL)
    assert honest_threshold(Kind(best=0.25), own, 0.5) == (0.75, VAL)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (1.01, "but got 1.01"),
        (-0.5, "but got -0.5"),
        (float("nan"), "but got nan"),
        ("0.2", "but got 0.2"),
        ([0.2], r"but got \[0.2\]"),
        (Special(), "but got <"),
        (object(), "a Kind that saw the validation split"),
    ],
)
def test_other_thresholds_are_explained(given, words):
    with pytest.raises(ConfigError, match=words) as caught:
        honest_threshold(given, Kind())
    assert "should be a number in [0, 1], or a Kind that saw the validation split" in str(caught.value)
    assert str(caught.value).endswith("Leave it out for the test-oracle number.")


def test_a_split_does_not_choose_for_itself():
    own = Kind()
    with pytest.raises(ConfigError, match="but got the scored split itself"):
        honest_threshold(own, own)
    with pytest.raises(ConfigError, match="a Special that saw"):
        honest_threshold(Kind(), Special())


def test_a_threshold_of_other_settings_is_refused():
    assert honest_threshold(Kind(level=0.7), Kind()) == (0.4, VAL)
    assert honest_threshold(Kind(), Kind(), same=["level"]) == (0.4, VAL)
    with pytest.raises(ConfigError, match=r"chosen at level 0.7, but is wanted at 0.5. Measure the validation split"):
        honest_threshold(Kind(level=0.7), Kind(), same=["level"])


def test_selections_in_words():
    assert selection_words([VAL]) == "chosen on val"
    assert selection_words([VAL, ORACLE]) == (
        "chosen on val; test-oracle (best on the scored split itself, for comparison only)"
    )


def test_a_rate_of_nothing_is_named():
    with pytest.raises(DataError, match="no trials to take a rate of"):
        hit_rates(np.zeros((0, 3)))
