"""A classifier's gradient at each region as the weights of a localizer, applied to all regions."""

from __future__ import annotations

from torch import Tensor

from wsolkit import GradientMaps, weighted_sum

__all__ = ["BagCAMs", "bag_of_localizers"]

SEEN_AT_ONCE = 2**22
"""How many numbers, at most, localizers are let see before they are added up; one localizer is always let see all."""


def bag_of_localizers(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return the mean of what the localizers of all regions see in each region, as maps (..., h, w).

    Localizer m has the gradient G_m of the class score at region m for weights: it sees ReLU(G_m . A_i) in region i.
    Where the gradient is the same in all regions there is one localizer, Grad-CAM's.

    Args:
        activations: A, (..., C, h, w).
        gradients: G, (..., C, h, w) or (..., C, 1, 1).

    >>> import torch
    >>> activations = torch.tensor([[[1.0, 2.0]], [[3.0, 0.0]]])
    >>> bag_of_localizers(activations, torch.tensor([[[1.0, -1.0]], [[0.0, 1.0]]])).tolist()
    [[1.5, 1.0]]
    """
    if gradients.shape[-2:] == (1, 1):
        return weighted_sum(activations, gradients).relu()
    cells = activations.flatten(-2)  # (..., C, regions i)
    localizers = gradients.flatten(-2).transpose(-1, -2)  # (..., regions m, C)
    images = max(cells[..., 0, 0].numel(), localizers[..., 0, 0].numel(), 1)
    step = max(1, SEEN_AT_ONCE // (images * cells.shape[-1]))
    votes = [(some @ cells).relu().sum(-2) for some in localizers.split(step, -2)]
    return (sum(votes[1:], votes[0]) / localizers.shape[-2]).unflatten(-1, activations.shape[-2:])


class BagCAMs(GradientMaps):
    """Lets a localizer of each region vote on all regions (Zhu et al., ECCV 2022).

    Args:
        at: see ``GradientMaps``; the paper gains most at intermediate layers, and behind the last one of a network with
            average pooling it is Grad-CAM.
        fuse: see ``GradientMaps``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place."""
        return bag_of_localizers(activations, gradients)
