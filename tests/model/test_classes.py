"""Which classes of an image get a map."""

import pytest
import torch

from wsolkit.errors import ConfigError
from wsolkit.interfaces import Activation
from wsolkit.model.classes import (
    choose_classes,
    classes_to_score,
    given_choice,
    labelled_classes,
    named_choice,
    predicted_classes,
)

MAPS = torch.zeros(3, 4, 2, 2)
LOGITS = torch.tensor([[1.0, -1, 2, -1], [-3, -1, -2, -4], [-1, -1, -1, 5]])
MULTI_HOT = torch.tensor([[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0.0]])
INDICES = torch.tensor([2, 0, 1])


def rows(chosen):
    return [row[:count] for row, count in zip(chosen.classes.tolist(), chosen.counts, strict=True)]


def test_the_classes_that_images_are_labelled_with():
    assert rows(labelled_classes(INDICES)) == [[2], [0], [1]]
    assert rows(labelled_classes(MULTI_HOT)) == [[1, 3], [], [0]]
    assert rows(labelled_classes(torch.zeros(2, 4))) == [[], []]


def test_the_classes_that_a_model_predicts():
    seen = Activation(MAPS, LOGITS)
    assert rows(predicted_classes(seen, multi_label=False)) == [[2], [1], [3]]
    assert rows(predicted_classes(seen, multi_label=True)) == [[0, 2], [1], [3]]  # the likeliest in any case
    assert rows(predicted_classes(Activation(MAPS), multi_label=True)) == [[0]] * 3


def test_an_evaluation_needs_the_labelled_classes_then_the_predicted_ones():
    seen = Activation(MAPS, LOGITS)
    assert rows(classes_to_score(seen, INDICES)) == [[2], [0, 1], [1, 3]]
    assert rows(classes_to_score(seen, MULTI_HOT)) == [[1, 3, 0, 2], [], [0, 3]]
    assert rows(classes_to_score(seen, None)) == [[2], [1], [3]]
    assert rows(classes_to_score(Activation(MAPS), INDICES)) == [[2], [0], [1]]
    assert rows(classes_to_score(Activation(torch.rand(3, 1, 2, 2)), None)) == [[0]] * 3


def test_a_choice_by_name():
    seen = Activation(MAPS, LOGITS)
    assert rows(named_choice("labels", seen, MULTI_HOT)) == [[1, 3], [], [0]]
    assert rows(named_choice("predicted", seen, MULTI_HOT)) == [[0, 2], [1], [3]]
    assert rows(named_choice("predicted", seen, INDICES)) == [[2], [1], [3]]
    assert rows(named_choice("all", seen, INDICES)) == [[0, 1, 2, 3]] * 3
    agnostic = Activation(torch.zeros(3, 1, 2, 2), LOGITS)
    assert [rows(named_choice(which, agnostic, INDICES)) for which in ("labels", "predicted", "all")] == [[[0]] * 3] * 3
    with pytest.raises(ConfigError, match="The model does not classify, so it predicts no classes. Take which="):
        named_choice("predicted", Activation(MAPS), MULTI_HOT)


def test_given_classes_may_have_to_be_likely():
    device, probabilities = torch.device("cpu"), LOGITS.softmax(1)
    assert rows(given_choice([[2], [0], [3]], device)) == [[2], [0], [3]]
    assert rows(given_choice([[2], [0], [3]], device, probabilities)) == [[2], [0], [3]]
    assert rows(given_choice([[2], [0], [3]], device, probabilities, min_score=0.5)) == [[2], [], [3]]


def test_so_many_likely_classes():
    probabilities = torch.tensor([[0.1, 0.7, 0.6], [0.2, 0.1, 0.3]])
    assert rows(choose_classes(probabilities, multi_label=False)) == [[1], [2]]
    assert rows(choose_classes(probabilities, multi_label=True)) == [[1, 2], []]
    assert rows(choose_classes(probabilities, multi_label=True, topk=5)) == [[1, 2, 0], [2, 0, 1]]
    assert rows(choose_classes(probabilities, multi_label=True, topk=1, min_score=0.25)) == [[1], [2]]
