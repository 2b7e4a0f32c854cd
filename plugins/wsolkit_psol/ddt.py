"""DDT: where the descriptors of a class vary together, its object is (Wei et al., Pattern Recognition 2019).

Every cell of a convolutional layer is a descriptor of C numbers. Over all images of a class, the first principal
component of the descriptors separates object from background: cells with a positive projection belong to the object.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from wsolkit import DataError, one_of

__all__ = ["Moments", "Sign", "principal_direction", "projection"]

Sign = Literal["activation", "border", "largest"]
"""How the sign of the principal component is settled, which a decomposition leaves open."""


class Moments:
    """Mean and scatter of the descriptors seen so far, in float64, from batches of any size.

    Attributes:
        count: how many descriptors there were.
        mean: (C,) their mean.
        scatter: (C, C) sum of the outer products of their deviations from the mean.
        border_sum: (C,) sum of the descriptors of the outermost cells.
        border_count: how many of these there were.

    >>> moments = Moments()
    >>> moments.update(torch.tensor([[[[1.0, 3.0]]]]))
    >>> moments.count, moments.mean.tolist(), moments.scatter.tolist()
    (2, [2.0], [[2.0]])
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros(0, dtype=torch.float64)
        self.scatter = torch.zeros(0, 0, dtype=torch.float64)
        self.border_sum = torch.zeros(0, dtype=torch.float64)
        self.border_count = 0

    def update(self, features: Tensor) -> None:
        """Add the descriptors of features (B, C, h, w).

        Raises:
            DataError: they hold NaN or infinity.
        """
        cells = features.double().movedim(1, -1)  # (B, h, w, C)
        if not bool(torch.isfinite(cells).all()):
            raise DataError("The features hold NaN or infinity. Take other weights.")
        found = cells.flatten(0, 2)  # (n, C)
        mean = found.mean(0)
        deviations = found - mean
        scatter, count = deviations.T @ deviations, len(found)
        border = torch.ones(cells.shape[1:3], dtype=torch.bool, device=cells.device)
        border[1:-1, 1:-1] = False
        outer = cells[:, border].flatten(0, 1)
        if self.count == 0:
            self.mean, self.scatter, self.count = mean, scatter, count
            self.border_sum, self.border_count = outer.sum(0), len(outer)
            return
        total = self.count + count
        gap = mean - self.mean
        self.scatter = self.scatter + scatter + torch.outer(gap, gap) * (self.count * count / total)
        self.mean = self.mean + gap * (count / total)
        self.count = total
        self.border_sum, self.border_count = self.border_sum + outer.sum(0), self.border_count + len(outer)


def principal_direction(moments: Moments, sign: Sign = "activation") -> Tensor:
    """Return the first principal component (C,) of the descriptors, of length 1, pointing to the object.

    Args:
        moments: of all descriptors of a class.
        sign: ``activation``: the projection grows with the sum of a descriptor's numbers (their covariance is the
            component's eigenvalue times the sum of its entries), as features after a ReLU are strong where something
            is recognised; ``border``: the outermost cells lie below the mean; ``largest``: the entry that is largest
            without its sign is positive, scikit-learn's convention and the authors' code.

    Raises:
        ConfigError: there is no such way.
        DataError: there is no descriptor.

    >>> moments = Moments()
    >>> moments.update(torch.tensor([[[[0.0, 1.0, 5.0]], [[0.0, 1.0, 5.0]]]]))
    >>> [round(value, 4) for value in principal_direction(moments).tolist()]
    [0.7071, 0.7071]
    """
    one_of("The sign of a principal component", sign, get_args(Sign))
    if moments.count == 0:
        raise DataError("There is no descriptor to take a principal component of.")
    direction = torch.linalg.eigh(moments.scatter / moments.count).eigenvectors[:, -1]  # eigenvalues rise
    if sign == "activation":
        side = direction.sum()
    elif sign == "largest":
        side = direction[direction.abs().argmax()]
    else:
        side = direction @ (moments.mean - moments.border_sum / moments.border_count)
    return -direction if float(side) < 0 else direction


def projection(features: Tensor, mean: Tensor, direction: Tensor) -> Tensor:
    """Return how far along the principal component every cell of features (B, C, h, w) lies, as (B, h, w) float32.

    >>> projection(torch.tensor([[[[1.0, 4.0]]]]), torch.tensor([2.0]), torch.tensor([1.0])).tolist()
    [[[-1.0, 2.0]]]
    """
    deviations = features.to(mean.dtype) - mean[:, None, None]
    return torch.einsum("bchw,c->bhw", deviations, direction).float()
