"""Which classes of an image get a score map, and with it boxes: those it is labelled with, predicted, or asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from wsolkit.errors import ConfigError, DataError, nearest
from wsolkit.interfaces import Activation

__all__ = [
    "Chosen",
    "Which",
    "choose_classes",
    "class_names",
    "classes_to_score",
    "given_choice",
    "given_classes",
    "labelled_classes",
    "named_choice",
    "one_class_each",
    "predicted_classes",
    "probabilities_of",
]

Which = Literal["labels", "predicted", "all"]
MULTI_LABEL_MIN_SCORE = 0.5


def probabilities_of(logits: Tensor, multi_label: bool) -> Tensor:
    """Return the probability of each class, (B, K): sigmoids for multi-label models, else the softmax.

    >>> probabilities_of(torch.zeros(1, 4), multi_label=False).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return logits.float().sigmoid() if multi_label else logits.float().softmax(1)


class Chosen(NamedTuple):
    """The classes (B, T) of B images, and how many of each row count; what follows those means nothing."""

    classes: Tensor
    counts: list[int]


def by_rank(rank: Tensor) -> Chosen:
    """Choose the classes with a rank (B, K) above 0: the highest first, then in their order; rows are filled with 0.

    >>> by_rank(torch.tensor([[0, 1, 2], [0, 0, 0]]))
    Chosen(classes=tensor([[2, 1],
            [0, 0]]), counts=[2, 0])
    """
    counts = (rank > 0).sum(1).tolist()
    order = torch.argsort(rank, dim=1, descending=True, stable=True)[:, : max(counts, default=0)]
    return Chosen(order.masked_fill(rank.gather(1, order) == 0, 0), counts)


def labelled_classes(labels: Tensor) -> Chosen:
    """Choose the classes that images are labelled with: (B,) indices, or (B, K) multi-hot."""
    if labels.ndim == 1:
        return Chosen(labels[:, None], [1] * len(labels))
    return by_rank((labels > 0.5).long())


def predicted_classes(activation: Activation, multi_label: bool) -> Chosen:
    """Choose the classes a model predicts: the likeliest, in multi-label data also every class likelier than not.

    A model that does not classify has the one class 0.

    >>> seen = Activation(torch.zeros(2, 3, 1, 1), logits=torch.tensor([[1.0, -1.0, 2.0], [-3.0, -1.0, -2.0]]))
    >>> classes, counts = predicted_classes(seen, multi_label=True)
    >>> classes.tolist(), counts
    ([[0, 2], [1, 0]], [2, 1])
    """
    logits = activation.logits
    if logits is None:
        size, device = len(activation.maps), activation.maps.device
        return Chosen(torch.zeros(size, 1, dtype=torch.long, device=device), [1] * size)
    likeliest = logits.argmax(1, keepdim=True)
    if not multi_label:
        return Chosen(likeliest, [1] * len(logits))
    return by_rank((logits > 0).scatter(1, likeliest, True).long())


def classes_to_score(activation: Activation, labels: Tensor | None) -> Chosen:
    """Choose the classes an evaluation needs: the labelled ones, then the predicted ones; the likeliest without labels.

    A class is predicted where it is the likeliest of an image with one label, or likelier than not in multi-label data.
    """
    logits = activation.logits
    if labels is None:
        return predicted_classes(activation, multi_label=False)
    if logits is None:
        return labelled_classes(labels)
    if labels.ndim == 1:
        likeliest = logits.argmax(1)
        other = likeliest != labels
        return Chosen(torch.stack([labels, likeliest * other], 1), (1 + other.long()).tolist())
    return by_rank(torch.maximum(2 * (labels > 0.5).long(), (logits > 0).long()))


def named_choice(which: Which, activation: Activation, labels: Tensor) -> Chosen:
    """Choose the ``labels``, the classes the model has ``predicted``, or ``all``; a map without class counts once.

    Args:
        which: the choice.
        activation: what the model says of B images.
        labels: (B,) indices, or (B, K) multi-hot.

    Raises:
        ConfigError: the model does not classify, so that it cannot say which classes it predicts.
    """
    maps = activation.maps
    images, classes = maps.shape[:2]
    if activation.class_agnostic:
        return one_class_each([0] * images, maps.device)
    if which == "all":
        return Chosen(torch.arange(classes, device=maps.device).expand(images, -1), [classes] * images)
    if which == "labels":
        return labelled_classes(labels.to(maps.device))
    if activation.logits is None:
        raise ConfigError("The model does not classify, so it predicts no classes. Take which='labels' or 'all'.")
    return predicted_classes(activation, multi_label=labels.ndim > 1)


def choose_classes(
    probabilities: Tensor, multi_label: bool, topk: int | None = None, min_score: float | None = None
) -> Chosen:
    """Choose the classes of each image.

    With neither ``topk`` nor ``min_score``, a single-label model gives its likeliest class and a multi-label model
    every class with a probability above 0.5. ``topk`` alone gives that many classes, ``min_score`` alone every class
    above it, both together at most that many above it.

    Args:
        probabilities: (B, K).
        multi_label: whether several classes may be in one image.
        topk: most classes of an image.
        min_score: probability that a class has to exceed.

    Returns:
        classes (B, T), likeliest first, and how many of each row count (T is the largest of these numbers).

    Raises:
        ConfigError: ``topk`` is not positive or ``min_score`` not in [0, 1).

    >>> classes, counts = choose_classes(torch.tensor([[0.1, 0.7, 0.6], [0.2, 0.1, 0.3]]), multi_label=True)
    >>> classes.tolist(), counts
    ([[1, 2], [2, 0]], [2, 0])
    """
    if topk is not None and topk < 1:
        raise ConfigError(f"topk is how many classes an image may have, at least 1, but got {topk}.")
    if min_score is not None and not 0 <= min_score < 1:
        raise ConfigError(f"min_score is a probability in [0, 1), but got {min_score}.")
    if topk is None and min_score is None:
        topk, min_score = (None, MULTI_LABEL_MIN_SCORE) if multi_label else (1, None)
    most = probabilities.shape[1] if topk is None else min(topk, probabilities.shape[1])
    values, classes = probabilities.topk(most, dim=1)
    if min_score is None:
        return Chosen(classes, [most] * len(classes))
    counts = (values > min_score).sum(1).tolist()
    return Chosen(classes[:, : max(counts, default=0)], counts)


def given_classes(classes: Sequence[int | str], names: Sequence[str]) -> list[int]:
    """Return the indices of classes given by index or by name.

    Raises:
        DataError: one is no class of the model.

    >>> given_classes(["cat", 0], ["dog", "cat"])
    [1, 0]
    """
    known = {name: index for index, name in enumerate(names)}
    indices = []
    for given in classes:
        index = known.get(given) if isinstance(given, str) else int(given)
        if index is None or not 0 <= index < len(names):
            raise DataError(f"{given!r} is no class of the model, which has {len(names)}. {nearest(str(given), names)}")
        indices.append(index)
    return indices


def one_class_each(indices: Sequence[int], device: torch.device) -> Chosen:
    """Choose the given class of each image."""
    return Chosen(torch.tensor(list(indices), dtype=torch.long, device=device)[:, None], [1] * len(indices))


def given_choice(
    rows: Sequence[Sequence[int]],
    device: torch.device,
    probabilities: Tensor | None = None,
    min_score: float | None = None,
) -> Chosen:
    """Choose the given classes of each image, where their probability exceeds ``min_score`` if there are both.

    >>> given_choice([[3], [1, 2]], torch.device("cpu"))
    Chosen(classes=tensor([[3, 0],
            [1, 2]]), counts=[1, 2])
    """
    if probabilities is not None and min_score is not None:
        known = probabilities.cpu()
        rows = [[index for index in row if known[number, index] > min_score] for number, row in enumerate(rows)]
    counts = [len(row) for row in rows]
    filled = [[*row, *[0] * (max(counts) - len(row))] for row in rows]
    return Chosen(torch.tensor(filled, dtype=torch.long, device=device).view(len(rows), max(counts)), counts)


def class_names(known: Sequence[str], count: int | None) -> tuple[str, ...]:
    """Return the names of the model's classes: the known ones, numbered ones, or ``object`` without a classifier.

    Args:
        known: names the configuration or the checkpoint gives.
        count: how many classes the model tells apart, or None where it does not classify.

    Raises:
        ConfigError: the model has another number of classes than there are names.

    >>> class_names([], 2), class_names([], None)
    (('class_0', 'class_1'), ('object',))
    """
    if known and count is not None and len(known) != count:
        raise ConfigError(
            f"The model tells {count} classes apart, but there are names for {len(known)}. Check classes= and "
            "num_classes= in the configuration."
        )
    return tuple(known) or (("object",) if count is None else tuple(f"class_{index}" for index in range(count)))
