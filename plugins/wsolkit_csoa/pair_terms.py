"""The terms of co-supervised augmentation over the pairs of a batch, from one Gram matrix."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["pair_distances", "pair_terms"]


def pair_distances(rows: Tensor, eps: float = 1e-6) -> Tensor:
    """Return the distance of each two rows (n, d), as a matrix (n, n), by one product.

    Squares below ``eps`` count as ``eps`` and give no gradient, so that equal rows are harmless.

    >>> pair_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))[0, 1].item()
    5.0
    """
    rows = rows - rows.mean(0).detach()  # distances stay, and less is lost in the difference of squares
    gram = rows @ rows.T
    squares = gram.diagonal()
    return (squares[:, None] + squares[None, :] - 2 * gram).clamp_min(eps).sqrt()


def pair_terms(
    foreground: Tensor,
    background: Tensor,
    confident: Tensor,
    labels: Tensor,
    gamma: float = 1.0,
    delta: float = 1.0,
    eps: float = 1e-6,
    cap: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean term of the pairs of different class and of those of the same class (CSoA, eq. 12).

    With D_m^cam = |f_m - b_m|, D_m^back = |b_m - k_m| and D_mn = |f_m - f_n|, each pair m < n counts once:

    - different classes: gamma (D_m^back + D_n^back) / (delta D_mn + (D_m^cam + D_n^cam) / 2);
    - the same class: (gamma (D_m^back + D_n^back) + D_mn) / ((D_m^cam + D_n^cam) / 2).

    Args:
        foreground: f, (n, d).
        background: b, (n, d).
        confident: k, the sure part of the background, (n, d).
        labels: (n,) classes.
        gamma: weight of the distances between the backgrounds.
        delta: weight of the distance between foregrounds of different classes.
        eps: added to denominators; also the least squared distance.
        cap: the most a pair counts, or None; pairs above it give no gradient.

    Returns:
        Two scalars in float32; a kind of pair that the batch does not have gives 0.

    >>> f, b = torch.tensor([[0.0], [6.0]]), torch.tensor([[4.0], [2.0]])  # both D_cam are 4, D_mn is 6
    >>> k = b + 1  # both D_back are 1
    >>> diff, same = pair_terms(f, b, k, torch.tensor([0, 1]))
    >>> round(diff.item(), 4), same.item()  # 2 / (6 + 4)
    (0.2, 0.0)
    >>> diff, same = pair_terms(f, b, k, torch.tensor([1, 1]))
    >>> diff.item(), round(same.item(), 4)  # (2 + 6) / 4
    (0.0, 2.0)
    """
    with torch.autocast(foreground.device.type, enabled=False):
        foreground, background, confident = foreground.float(), background.float(), confident.float()
        cam = row_distances(foreground, background, eps)  # (n,)
        back = row_distances(background, confident, eps)
        first, second = torch.triu_indices(len(labels), len(labels), 1, device=foreground.device)
        between = pair_distances(foreground, eps)[first, second]  # (pairs,)
        backs = gamma * (back[first] + back[second])
        cams = 0.5 * (cam[first] + cam[second])
        equal = labels[first] == labels[second]
        terms = torch.where(equal, (backs + between) / (cams + eps), backs / (delta * between + cams + eps))
        if cap is not None:
            terms = terms.clamp_max(cap)
        return masked_mean(terms, ~equal), masked_mean(terms, equal)


def row_distances(left: Tensor, right: Tensor, eps: float) -> Tensor:
    """Return the distance of each row from its partner, (n,), with the squares as in ``pair_distances``."""
    return (left - right).square().sum(1).clamp_min(eps).sqrt()


def masked_mean(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the chosen values, or 0 where none is."""
    return (values * chosen).sum() / chosen.sum().clamp_min(1)
