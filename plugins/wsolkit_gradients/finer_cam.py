"""Finer-CAM: what tells a class from those that the model takes for similar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor

from wsolkit import ConfigError, GradientMaps, MapNormalize, MapResize
from wsolkit_gradients.formulas import grad_cam, grad_cam_plus_plus, layer_cam, x_grad_cam

__all__ = ["FinerCAM", "similar_classes"]

FORMULAS = {"grad-cam": grad_cam, "grad-cam++": grad_cam_plus_plus, "xgrad-cam": x_grad_cam, "layer-cam": layer_cam}


def similar_classes(logits: Tensor, classes: Tensor, count: int) -> Tensor:
    """Return the classes whose scores are closest to those of the asked ones, which are not among them.

    Args:
        logits: (B, K).
        classes: (B, T).
        count: how many, N; all others where there are fewer.

    Returns:
        (B, T, N) or fewer.

    >>> similar_classes(torch.tensor([[3.0, 0.0, 2.0, 5.0]]), torch.tensor([[0]]), 2).tolist()
    [[[2, 3]]]
    """
    distances = (logits[:, None] - logits.gather(1, classes)[..., None]).abs()  # (B, T, K)
    distances = distances.scatter(2, classes[..., None], torch.inf)
    return distances.topk(min(count, logits.shape[1] - 1), dim=2, largest=False).indices


class FinerCAM(GradientMaps):
    """Explains the score of a class less that of similar ones (Zhang et al., CVPR 2025).

    Args:
        at: see ``GradientMaps``.
        fuse: see ``GradientMaps``.
        alpha: how much the similar classes count; 0 gives the method that it is based on.
        compare: how many similar classes.
        weights: ``mean`` of the similar classes' scores, or ``probability``: each difference counts by the probability
            of the similar class, as in the authors' code.
        of: the method it is based on: ``grad-cam``, ``grad-cam++``, ``xgrad-cam`` or ``layer-cam``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self,
        at: str | Sequence[str] | None = None,
        fuse: Literal["mean", "max"] = "mean",
        alpha: Annotated[float, "at least 0"] = 0.6,
        compare: Annotated[int, "at least 1"] = 3,
        weights: Literal["mean", "probability"] = "mean",
        of: Literal["grad-cam", "grad-cam++", "xgrad-cam", "layer-cam"] = "grad-cam",
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(at, fuse, resize, normalize)
        self.alpha, self.compare, self.weights, self.of = alpha, compare, weights, of

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place."""
        return FORMULAS[self.of](activations, gradients)

    def wanted(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Return the gradient of the compared score by the logits, (B, T, K).

        Raises:
            ConfigError: there is no other class.
        """
        if logits.shape[1] < 2:
            raise ConfigError("FinerCAM compares classes, but the model has one. Take GradCAM.")
        others = similar_classes(logits, classes, self.compare)  # (B, T, N)
        if self.weights == "mean":
            counts = torch.full_like(others, -self.alpha / others.shape[2], dtype=logits.dtype)
        else:  # sum of p_d (y_c - alpha y_d) over sum of p_d, whose weights depend on the logits as well
            scores = logits[:, None].expand(-1, classes.shape[1], -1).gather(2, others)
            shares = scores.softmax(2)
            differences = logits.gather(1, classes)[..., None] - self.alpha * scores
            compared = (shares * differences).sum(2, keepdim=True)
            counts = shares * (differences - compared - self.alpha)
        return super().wanted(logits, classes).scatter_add(2, others, counts)
