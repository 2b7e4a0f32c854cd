"""The two losses of DANet beside the cross entropy of the classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, Loss, ShapeError
from wsolkit.components import label_rows, logits_and_labels, mean_cosine

__all__ = ["DiscrepantMaps", "GroupCrossEntropy", "group_labels"]


def group_labels(labels: Tensor, groups: Tensor) -> Tensor:
    """Return labels of groups (B, G): the sum of those of its classes.

    Args:
        labels: (B,) indices, or (B, K) soft.
        groups: (K,) group of each class, numbered from 0.

    >>> group_labels(torch.tensor([2, 0]), torch.tensor([0, 0, 1])).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    >>> group_labels(torch.tensor([[0.25, 0.5, 0.25]]), torch.tensor([0, 0, 1])).tolist()
    [[0.75, 0.25]]
    """
    of_class = F.one_hot(groups).float()  # (K, G)
    return of_class[labels] if labels.ndim == 1 else labels.float() @ of_class


class GroupCrossEntropy(Loss):
    """Cross entropy of the softmax on every level above the classes (hierarchical divergent activation, DANet).

    A cross entropy for each level of ``DivergentHead``, coarse to fine, which are added up; that of the classes is
    ``CrossEntropy``. Mixed labels are mixed on each level.
    """

    takes_labels = "one"

    def forward(self, activation: Activation, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of each level, ``level_0`` the coarsest.

        Raises:
            ConfigError: the head has no hierarchy.
            ShapeError: there are no labels, or of another number of classes.
        """
        groups = activation.need("groups", self)
        if not len(groups):
            why = "It has some where classes of the data have groups or last words in common."
            raise activation.refusal("groups", self, why)
        _, labels = logits_and_labels(self, activation, batch)
        return {
            f"level_{number}": F.cross_entropy(activation.extras[f"group_logits_{number}"], group_labels(labels, level))
            for number, level in enumerate(groups)
        }


class DiscrepantMaps(Loss):
    """Asks the maps of an image's class to differ: the sum of their cosines (discrepant divergent activation, DANet).

    The cosines of the M (M - 1) / 2 pairs of maps are added up, 28 of them for 8 maps. Configurations weigh the sum by
    .01, as the paper does. Where labels are mixed or several, the classes count by their
    labels.
    """

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the sum of cosines over the pairs of maps of the labelled classes, in [-M / 2, M (M - 1) / 2].

        Raises:
            ConfigError: the head has no several maps per class.
            ShapeError: there are no labels, or of another number of classes.
        """
        maps = activation.need("maps_per_class", self)
        if maps.shape[2] < 2:
            raise activation.refusal("maps_per_class", self)
        if batch.labels is None:
            raise ShapeError("DiscrepantMaps needs labels, but the batch has none. Give the data set class labels.")
        _, labels = logits_and_labels(self, activation, batch)
        shares = label_rows(labels, maps.shape[1])  # (B, K)
        pairs = maps.shape[2] * (maps.shape[2] - 1) / 2
        values = pairs * mean_cosine(maps.float())
        return (values * shares).sum() / shares.sum().clamp_min(torch.finfo(shares.dtype).eps)
