"""Collecting evidence: every image once, in any order, from any number of processes."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from wsolkit import ConfigError, DataError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.results import Line, Result
from wsolkit.evaluation.scores import Score


class MeanValue(Accumulator):
    """The mean of one number per image."""

    metric = "mean"

    def __init__(self, scale=1.0, edges=(0.0, 1.0), name=None):
        super().__init__()
        self.scale, self.edges, self.name = scale, np.array(edges), name

    def measure(self, value):
        if value < 0:
            raise DataError("The value is negative.")
        return self.scale * value

    def compute(self):
        values = [value for _, value in self.ordered()]
        return Result("mean", (Line("mean", Score(sum(values) / len(values), len(values), 0, 0)),))


class Another(MeanValue):
    """The same numbers, another kind."""


def filled(values, **settings):
    metric = MeanValue(**settings)
    for name, value in values.items():
        metric.update(name, value)
    return metric


def test_every_image_counts_once():
    metric = filled({"a": 1.0})
    with pytest.raises(DataError, match="Image 'a' was counted before. Every image counts once"):
        metric.update("a", 2.0)
    with pytest.raises(DataError, match="Image 'a' was counted before"):
        metric.add("a", 2.0)
    assert metric.rows == {"a": 1.0}


@pytest.mark.parametrize("name", [7, None, ["a"], b"a"])
def test_names_are_text(name):
    with pytest.raises(DataError, match="The name of an image should be text, but got"):
        MeanValue().update(name, 1.0)


def test_a_wrong_image_leaves_nothing_behind():
    metric = filled({"a": 1.0})
    with pytest.raises(DataError, match="negative"):
        metric.update("b", -1.0)
    metric.update("b", 1.0)
    assert len(metric) == 2


def test_a_batch_is_a_row_of_updates():
    metric = MeanValue()
    metric.extend({"image_id": name, "value": value} for name, value in [("b", 4.0), ("a", 2.0)])
    assert metric.ordered() == [("a", 2.0), ("b", 4.0)]
    assert metric.compute()["mean"].percent == 3.0
    with pytest.raises(DataError, match="'a' was counted before"):
        metric.extend([{"image_id": "a", "value": 1.0}])


def test_nothing_seen_is_said():
    with pytest.raises(DataError, match="MeanValue has seen no image, so there is nothing to compute"):
        MeanValue().compute()


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_order_and_any_split_give_the_same_bits(data):
    """Sums of floats depend on the order; what is computed here must not."""
    values = data.draw(st.dictionaries(st.text("abc", min_size=1), st.floats(0, 1e9), min_size=1, max_size=12))
    together = filled(values).compute().as_dict()
    order = data.draw(st.permutations(list(values)))
    shares = [data.draw(st.integers(0, 2)) for _ in order]
    parts = [MeanValue() for _ in range(3)]
    for name, share in zip(order, shares, strict=True):
        parts[share].update(name, values[name])
    whole = MeanValue()
    for part in data.draw(st.permutations(parts)):
        whole.merge(pickle.loads(pickle.dumps(part)))
    assert whole.compute().as_dict() == together


def test_merging_takes_all_or_nothing():
    first, second = filled({"a": 1.0, "c": 3.0}), filled({"b": 2.0, "c": 3.0})
    with pytest.raises(DataError, match="Image 'c' was counted before"):
        first.merge(second)
    assert set(first.rows) == {"a", "c"}
    with pytest.raises(DataError, match="Image 'a' was counted before"):
        first.merge(first)
    first.merge(MeanValue())
    assert len(first) == 2
    assert set(second.rows) == {"b", "c"}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"scale": 2.0}, "scale is 1.0 here and 2.0 there"),
        ({"edges": (0.0, 2.0)}, "edges is array"),
        ({"edges": (0.0, 1.0, 2.0)}, "edges is array"),
        ({"name": "x"}, "name is None here and 'x' there"),
    ],
)
def test_other_settings_do_not_merge(other, words):
    metric = filled({"a": 1.0})
    with pytest.raises(ConfigError, match="with different settings cannot be merged") as caught:
        metric.merge(filled({"b": 1.0}, **other))
    assert words in str(caught.value)
    assert len(metric) == 1


def test_other_kinds_do_not_merge():
    with pytest.raises(ConfigError, match="MeanValue cannot be merged with Another"):
        MeanValue().merge(Another())
    with pytest.raises(ConfigError, match="Another cannot be merged with MeanValue"):
        Another().merge(MeanValue())
    with pytest.raises(ConfigError, match="MeanValue cannot be merged with dict"):
        MeanValue().merge({})
