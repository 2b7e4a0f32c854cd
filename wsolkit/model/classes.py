"""Which classes of an image get boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import torch
from torch import Tensor

from wsolkit.errors import ConfigError, DataError, nearest

__all__ = ["FolderClasses", "choose_classes", "probabilities_of"]

MULTI_LABEL_MIN_SCORE = 0.5


def probabilities_of(logits: Tensor, multi_label: bool) -> Tensor:
    """Return the probability of each class, (B, K): sigmoids for multi-label models, else the softmax.

    >>> probabilities_of(torch.zeros(1, 4), multi_label=False).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return logits.float().sigmoid() if multi_label else logits.float().softmax(1)


def choose_classes(
    probabilities: Tensor, multi_label: bool, topk: int | None = None, min_score: float | None = None
) -> tuple[Tensor, list[int]]:
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
        return classes, [most] * len(classes)
    counts = (values > min_score).sum(1).tolist()
    return classes[:, : max(counts, default=0)], counts


def bare(name: str) -> str:
    """Return a class name without a leading number, in lower case, its words joined by spaces.

    >>> bare("017.Northern_Cardinal") == bare("northern-cardinal")
    True
    """
    return re.sub(r"[\s_.-]+", " ", re.sub(r"^\d+[\s_.-]+", "", name)).strip().lower()


class FolderClasses:
    """Finds the class of an image by the name of the folder it lies in.

    The folder's name has to be a class name; case, a leading number and ``_`` for a space do not matter as long as
    only one class fits.

    Args:
        classes: the names of the classes, by index.

    >>> FolderClasses(["001.Laysan_Albatross", "002.Cardinal"]).index("photos/cardinal/7.jpg")
    1
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self._exact = {name: index for index, name in enumerate(classes)}
        alike: dict[str, list[int]] = {}
        for index, name in enumerate(classes):
            alike.setdefault(bare(name), []).append(index)
        self._alike = {name: found[0] for name, found in alike.items() if len(found) == 1}

    def index(self, path: str) -> int:
        """Return the class of the image at ``path``.

        Raises:
            DataError: the folder's name is not a class.
        """
        folder = PurePath(path).parent.name
        found = self._exact.get(folder, self._alike.get(bare(folder)))
        if found is None:
            raise DataError(
                f"The class of an image is to be the name of its folder, but {folder!r} (of {path}) is no class of the "
                f"model. {nearest(folder, self.classes)} Rename the folder, leave it out, or use classes='predicted'."
            )
        return found

    def check(self, paths: Iterable[str]) -> None:
        """Look at every path before any work is done.

        Raises:
            DataError: a folder's name is not a class; the message names the first one.
        """
        seen: set[PurePath] = set()
        for path in paths:
            folder = PurePath(path).parent
            if folder not in seen:
                seen.add(folder)
                self.index(path)


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


def as_column(indices: Sequence[int], device: torch.device) -> tuple[Tensor, list[int]]:
    """Return one class for each image in the form of ``choose_classes``: (B, 1), and a count of one each."""
    return torch.tensor(list(indices), dtype=torch.long, device=device)[:, None], [1] * len(indices)


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
