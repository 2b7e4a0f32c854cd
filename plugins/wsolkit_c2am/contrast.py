"""The contrast of C2AM: foregrounds attract one another, so do backgrounds, and the two repel each other.

Cosines are of embeddings (N, C); N is the number of images in the batch, over all processes. Embeddings of several
maps learned side by side are (M, N, C): each map's are contrasted with one another alone, and each has a value (M,).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import ShapeError

__all__ = ["CLAMP", "cosines", "negative_contrast", "positive_contrast", "rank_weights"]

CLAMP = (0.0005, 0.9995)
"""Where the cosine is cut off inside the logarithm; there is no gradient outside."""


def cosines(first: Tensor, second: Tensor) -> Tensor:
    """Return the cosine of each row (..., N, C) with each row (..., P, C), as (..., N, P).

    Raises:
        ShapeError: the rows differ in length.

    >>> cosines(torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0], [6.0, 8.0]]))
    tensor([[0.9600, 1.0000]])
    """
    if first.ndim < 2 or first.shape[:-2] != second.shape[:-2] or first.shape[-1] != second.shape[-1]:
        raise ShapeError(
            f"Embeddings should be (N, C) and (M, C), but got {tuple(first.shape)} and {tuple(second.shape)}."
        )
    with torch.autocast(
        first.device.type, enabled=False
    ):  # in bf16 a cosine of .9995 would be 1, and the loss infinite
        return F.normalize(first.float(), dim=-1) @ F.normalize(second.float(), dim=-1).mT


def negative_contrast(foreground: Tensor, background: Tensor) -> Tensor:
    """Return the mean of -log(1 - s_ij) over all pairs of a foreground i and a background j (C2AM, eq. 3).

    Args:
        foreground: (N, C), or (M, N, C).
        background: the same.

    >>> float(negative_contrast(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 0.0]])))  # -log(1 - 0.7071)
    1.227947...
    """
    similarity = cosines(foreground, background).clamp(*CLAMP)
    return -torch.log1p(-similarity).mean((-2, -1))


def rank_weights(similarity: Tensor, alpha: float, include_self: bool = False) -> Tensor:
    """Return exp(-alpha * rank) of each pair, where the rank in a row goes by falling similarity (C2AM, eq. 5 and 6).

    The nearest other image has rank 0. An image itself is left out with weight 0, or has the rank -1 if
    ``include_self``. Equal similarities rank in the order of the columns.

    Args:
        similarity: (..., N, N), images with themselves on the diagonal.
        alpha: how fast the weight falls.
        include_self: whether an image and itself are a pair.

    >>> rank_weights(torch.tensor([[1.0, 0.2, 0.9], [0.2, 1.0, 0.3], [0.9, 0.3, 1.0]]), alpha=1.0)
    tensor([[0.0000, 0.3679, 1.0000],
            [0.3679, 0.0000, 1.0000],
            [1.0000, 0.3679, 0.0000]])
    """
    own = torch.eye(similarity.shape[-1], dtype=torch.bool, device=similarity.device)
    others = similarity.detach().masked_fill(own, torch.inf)  # an image itself comes first, whatever rounding says
    order = torch.argsort(others, dim=-1, descending=True, stable=True)
    rank = torch.argsort(order, dim=-1) - 1
    weights = torch.exp(-alpha * rank.float())
    return weights if include_self else weights.masked_fill(own, 0)


def positive_contrast(
    embeddings: Tensor, alpha: float, include_self: bool = False, rank_clamped: bool = False
) -> Tensor:
    """Return the mean of -w_ij * log(s_ij) over pairs of one kind (C2AM, eq. 4 to 6).

    Args:
        embeddings: (N, C) or (M, N, C), all foregrounds or all backgrounds.
        alpha: see ``rank_weights``.
        include_self: count the N pairs of an image with itself and divide by N^2, not by N(N - 1).
        rank_clamped: rank the cosines after they are cut off at ``CLAMP``, so that all beyond it are equal.

    Raises:
        ShapeError: there is one image only, and it does not count as a pair.

    >>> rows = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    >>> float(positive_contrast(rows, alpha=0.25))  # both pairs have the weight 1: -log 0.7071
    0.346573...
    """
    count = embeddings.shape[-2]
    if count < 2 and not include_self:
        raise ShapeError(
            "The contrast compares images with one another, but the batch has a single image. Use a larger batch_size, "
            "or drop_last=True if it is the last of an epoch."
        )
    similarity = cosines(embeddings, embeddings)
    clamped = similarity.clamp(*CLAMP)
    weights = rank_weights(clamped if rank_clamped else similarity, alpha, include_self)
    pairs = count * count if include_self else count * (count - 1)
    return -(weights * clamped.log()).sum((-2, -1)) / pairs
