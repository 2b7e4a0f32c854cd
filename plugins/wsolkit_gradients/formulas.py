"""The papers' formulas: maps (..., h, w) of activations A (..., C, h, w) and gradients G of a class score.

Gradients may be (..., C, 1, 1) where they are the same in all cells. All maps have negative scores cut off.
"""

from __future__ import annotations

from torch import Tensor

from wsolkit import weighted_sum

__all__ = ["grad_cam", "grad_cam_plus_plus", "layer_cam", "smooth_grad_cam_plus_plus", "x_grad_cam"]

TINY = 1e-7
"""Keeps a denominator from 0."""


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return ReLU of the sum of A_c times the mean of G_c (Selvaraju et al. 2017, equations 1 and 2).

    >>> import torch
    >>> grad_cam(torch.tensor([[[1.0, 2.0]], [[3.0, 0.0]]]), torch.tensor([[[1.0, 3.0]], [[-1.0, 0.0]]])).tolist()
    [[0.5, 4.0]]
    """
    return weighted_sum(activations, gradients.mean((-2, -1), keepdim=True)).relu()


def x_grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return ReLU of the sum of A_c times the mean of G_c weighed by A_c (Fu et al. 2020, equation 8)."""
    total = activations.sum((-2, -1), keepdim=True)
    if gradients.shape[-2:] == (1, 1):
        moments = gradients * total
    else:
        moments = (gradients * activations).sum((-2, -1), keepdim=True)
    return weighted_sum(activations, moments / (total + TINY)).relu()


def layer_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return ReLU of the sum of A_c times the positive part of G_c, cell by cell (Jiang et al. 2021, equation 6)."""
    return weighted_sum(activations, gradients.relu()).relu()


def grad_cam_plus_plus(activations: Tensor, gradients: Tensor, epsilon: float = 0.0) -> Tensor:
    """Return Grad-CAM++ of the exponential of a score (Chattopadhay et al. 2018, equations 10 and 19).

    With alpha = G^2 / (2 G^2 + S G^3), S the sum of A over all cells, the weight of a channel is the sum of alpha times
    the positive part of G.
    """
    return smooth_grad_cam_plus_plus(activations, gradients, gradients.square(), gradients.pow(3), epsilon)


def smooth_grad_cam_plus_plus(
    activations: Tensor, first: Tensor, second: Tensor, third: Tensor, epsilon: float = 0.0
) -> Tensor:
    """Return Smooth Grad-CAM++ (Omeiza et al. 2019): Grad-CAM++ with means over noisy images.

    Args:
        activations: A, of the image itself.
        first: the mean of G over the noisy images.
        second: the mean of G^2.
        third: the mean of G^3.
        epsilon: added below the line of alpha. pytorch-grad-cam adds 1e-6, which is more than the squared gradient of a
            mean over 49 cells; the paper adds nothing.
    """
    cells = activations.shape[-2] * activations.shape[-1]
    below = 2 * second + activations.sum((-2, -1), keepdim=True) * third + epsilon
    alpha = (second / below.where(below != 0, 1)).where(below != 0, 0)
    weights = (alpha * first.relu()).mean((-2, -1), keepdim=True) * cells  # of equal cells there may be but one
    return weighted_sum(activations, weights).relu()
