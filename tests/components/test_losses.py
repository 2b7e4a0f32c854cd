"""The classification losses against numbers worked out with math.log, and the ways labels go wrong."""

import math

import pytest
import torch

from wsolkit import Activation, Batch, HeadError, ShapeError
from wsolkit.components.losses import BinaryCrossEntropy, CrossEntropy, CrossEntropyOrNothing

MAPS = torch.zeros(1, 3, 2, 2)
IMAGES = torch.zeros(1, 3, 4, 4)
LOGITS = torch.tensor([[1.0, 2.0, 0.5]])


def softmax(k):
    total = sum(math.exp(x) for x in LOGITS[0].tolist())
    return math.exp(LOGITS[0, k]) / total


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_cross_entropy_of_a_hard_label():
    loss = CrossEntropy()(Activation(MAPS, LOGITS), Batch(IMAGES, torch.tensor([1])))
    assert loss.item() == pytest.approx(-math.log(softmax(1)), abs=1e-6)


def test_cross_entropy_of_a_soft_label():
    loss = CrossEntropy()(Activation(MAPS, LOGITS), Batch(IMAGES, torch.tensor([[0.3, 0.7, 0.0]])))
    assert loss.item() == pytest.approx(-0.3 * math.log(softmax(0)) - 0.7 * math.log(softmax(1)), abs=1e-6)


@pytest.mark.parametrize("kind", [CrossEntropy, BinaryCrossEntropy, CrossEntropyOrNothing])
def test_the_logits_of_another_branch_are_scored_where_they_are_named(kind):
    batch = Batch(IMAGES, torch.tensor([1]))
    other = torch.tensor([[0.0, -1.0, 3.0]])
    activation = Activation(MAPS, LOGITS, extras={"early_logits": other})
    expected = kind()(Activation(MAPS, other), batch)
    assert kind(logits="early_logits")(activation, batch) == expected != kind()(activation, batch)
    with pytest.raises(
        HeadError, match=f"{kind.__name__} needs the extra 'early', which the head does not give. .* 'early_logits'"
    ):
        kind(logits="early")(activation, batch)


def test_nothing_is_a_class_whose_score_is_0():
    scores = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.2, -1.0]])
    labels = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    loss = CrossEntropyOrNothing()(Activation(MAPS, scores), Batch(IMAGES, labels))
    totals = [sum(math.exp(x) for x in [*row, 0.0]) for row in scores.tolist()]
    expected = (-math.log(math.exp(0.5) / totals[0]) - math.log(1 / totals[1])) / 2
    assert loss.item() == pytest.approx(expected, abs=1e-6)
    hard = CrossEntropyOrNothing()(Activation(MAPS, scores[:1]), Batch(IMAGES, torch.tensor([2])))
    assert hard.item() == pytest.approx(-math.log(math.exp(0.5) / totals[0]), abs=1e-6)


def test_one_class_or_nothing_takes_no_images_of_several():
    batch = Batch(IMAGES, torch.tensor([[1.0, 0.0, 1.0]]))
    with pytest.raises(ShapeError, match=r"image 0 of the batch add up to 2\..*use BinaryCrossEntropy"):
        CrossEntropyOrNothing()(Activation(MAPS, LOGITS), batch)


def test_binary_cross_entropy_is_the_mean_over_classes():
    loss = BinaryCrossEntropy()(Activation(MAPS, LOGITS), Batch(IMAGES, torch.tensor([[1.0, 0.0, 0.25]])))
    terms = [
        -math.log(sigmoid(1.0)),
        -math.log(1 - sigmoid(2.0)),
        -0.25 * math.log(sigmoid(0.5)) - 0.75 * math.log(1 - sigmoid(0.5)),
    ]
    assert loss.item() == pytest.approx(sum(terms) / 3, abs=1e-6)


def test_binary_cross_entropy_takes_indices_as_one_hot():
    hard = BinaryCrossEntropy()(Activation(MAPS, LOGITS), Batch(IMAGES, torch.tensor([2])))
    soft = BinaryCrossEntropy()(Activation(MAPS, LOGITS), Batch(IMAGES, torch.tensor([[0.0, 0.0, 1.0]])))
    assert hard.item() == soft.item()


@pytest.mark.parametrize(
    ("activation", "labels", "words"),
    [
        (Activation(MAPS, None), torch.tensor([0]), "CrossEntropy needs logits, but the head gives none"),
        (Activation(MAPS, LOGITS), None, "needs labels, but the batch has none"),
        (Activation(MAPS, LOGITS), torch.tensor([3]), "A label is 3, but the head has 3 classes"),
        (Activation(MAPS, LOGITS), torch.zeros(1, 4), "disagree about the number of classes"),
    ],
)
def test_what_does_not_fit_is_said(activation, labels, words):
    with pytest.raises((HeadError, ShapeError), match=words):
        CrossEntropy()(activation, Batch(IMAGES, labels))
