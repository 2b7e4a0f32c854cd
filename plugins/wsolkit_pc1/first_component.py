"""The map of an image as the coordinate of its cells along the direction in which their features differ most."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from wsolkit import (
    Activation,
    CamMethod,
    KnownLevels,
    MapNormalize,
    MapResize,
    Model,
    check_places,
    head_level,
    one_of,
    watch,
)
from wsolkit.components import finite_features, where_features_vary

__all__ = ["PC1", "Sign", "first_component"]

Sign = Literal["activation", "border", "largest"]
"""How the sign of a principal component is settled, which a decomposition leaves open."""


def first_component(features: Tensor, sign: Sign = "border") -> Tensor:
    """Return the first principal component of each image's cells, (B, h, w) float32, positive for the object.

    The coordinates are the first eigenvector of the cells' Gram matrix (h w, h w), times the root of its eigenvalue:
    the same as projections on the first eigenvector of the channels' covariance, which is much larger.

    Args:
        features: (B, C, h, w).
        sign: ``border``: the outermost cells lie below the mean of all; ``activation``: the component rises with the
            sum of a cell's features; ``largest``: the channel that counts most has a positive weight.

    >>> first_component(torch.tensor([[[[1.0, 1.0, 1.0], [1.0, 4.0, 1.0], [1.0, 1.0, 1.0]]]])).round(decimals=2)[0, 1]
    tensor([-0.3300,  2.6700, -0.3300])
    """
    one_of("The sign of a principal component", sign, get_args(Sign))
    height, width = features.shape[-2:]
    cells = features.double().flatten(2).transpose(1, 2)  # (B, n, C)
    centred = cells - cells.mean(1, keepdim=True)
    values, vectors = torch.linalg.eigh(centred @ centred.transpose(1, 2))  # eigenvalues rise
    found = vectors[..., -1] * values[:, -1:].clamp_min(0).sqrt()  # (B, n)
    if sign == "border":
        inner = torch.zeros(height, width, dtype=torch.bool, device=features.device)
        inner[1:-1, 1:-1] = True
        side = -found[:, ~inner.flatten()].mean(1)
    elif sign == "activation":
        side = (found * centred.sum(2)).sum(1)
    else:
        direction = torch.einsum("bn,bnc->bc", found, centred)
        side = direction.gather(1, direction.abs().argmax(1, keepdim=True))[:, 0]
    flipped = torch.where(side < 0, -1.0, 1.0)
    return (found * flipped[:, None]).view(-1, height, width).float()


class PC1(CamMethod):
    """Shows the first principal component of an image's features (Yasuki and Taki, CVPR 2024), for whatever class.

    It needs neither a classifier nor a training of its own.

    Args:
        at: the place: a module of the backbone by its dotted name, or a level. By default the features that the head
            made its maps of.
        sign: see ``first_component``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    takes_labels = "one"

    def __init__(
        self,
        at: str | None = None,
        sign: Sign = "border",
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(resize, normalize)
        self.at, self.sign = at, sign

    def check(self, model: Model) -> None:
        """Refuse a model whose backbone lacks the place.

        Raises:
            ConfigError: it does.
        """
        check_places(model, () if self.at is None else (self.at,))

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T): one for all of them.

        Raises:
            ConfigError: the place is unknown, or the head shows no features.
            MapError: the features hold NaN or infinity.
        """
        features = finite_features(self.features(model, images, activation), type(self).__name__)
        found = where_features_vary(first_component(features, self.sign), features)
        if classes.ndim == 1:
            return found
        return found[:, None].expand(-1, classes.shape[1], -1, -1)

    @torch.no_grad()
    def features(self, model: Model, images: Tensor, activation: Activation | None = None) -> Tensor:
        """Return the features (B, C, h, w) whose component is shown."""
        name = type(self).__name__
        if self.at is not None and not (self.at == head_level(model) and isinstance(images, KnownLevels)):
            return watch(model, images, [self.at], name, gradients=False)[1].activations()[0]
        seen = activation or model.activate(images)
        if seen.features is None:
            raise seen.refusal("features", self, "Or set at to a place such as the backbone's deepest level.")
        return seen.features
