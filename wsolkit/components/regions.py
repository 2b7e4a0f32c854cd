"""What a map says of the features under it: mean features of regions, and the cells that are left when it erases."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from wsolkit.errors import ShapeError
from wsolkit.maps import MapNormalize, between, extremes, resize_maps

__all__ = ["below", "map_of_present", "normalized_maximum", "pool_regions"]

SMALL = 1e-6
"""Added to the weight of a region before it divides, so that an empty one has the features 0."""


def pool_regions(features: Tensor, regions: Tensor, per: Literal["weight", "cell"] = "weight") -> Tensor:
    """Return the features of regions, each the sum over its cells by their weights, in float32.

    Args:
        features: (B, C, h, w).
        regions: (B, M, h, w), the weights of the cells, at least 0.
        per: what the sum is divided by: the ``weight`` of the region, so that its size does not matter, or the number
            of cells of the map (``cell``).

    Returns:
        (B, M, C).

    >>> features = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # two channels, two cells
    >>> regions = torch.tensor([[[[1.0, 0.25]]]])
    >>> pool_regions(features, regions, per="cell").tolist()
    [[[0.75, 2.0]]]
    >>> [round(float(mean), 4) for mean in pool_regions(features, regions).flatten()]
    [1.2, 3.2]
    """
    with torch.autocast(features.device.type, enabled=False):
        # With the channels innermost this is a view, and the gradient comes back in the layout of the features.
        cells = features.permute(0, 2, 3, 1).flatten(1, 2).float()  # (B, h * w, C)
        weights = regions.float().flatten(2)  # (B, M, h * w)
        sums = torch.bmm(weights, cells)  # (B, M, C)
        if per == "cell":
            return sums / cells.shape[1]
        return sums / (weights.sum(2, keepdim=True) + SMALL)


@torch.no_grad()
def map_of_present(
    maps: Tensor, labels: Tensor, normalize: MapNormalize = "minmax", size: tuple[int, int] | None = None
) -> Tensor:
    """Return one map of what an image shows: the maximum over the normalised maps of its classes, without gradients.

    Args:
        maps: (B, K, h, w), or (B, 1, h, w) of all classes.
        labels: (B,) class indices, or (B, K) where classes above 0 are present; an image of none has a map of zeros.
        normalize: see ``wsolkit.maps.normalize_maps``.
        size: (H, W) that the maps of these classes, and of no others, are resized to bilinearly before.

    Returns:
        (B, 1, h, w) in [0, 1], or (B, 1, H, W).

    Raises:
        ShapeError: the labels do not fit the maps.

    >>> maps = torch.tensor([[[[0.0, 2.0, 4.0]], [[9.0, 6.0, 3.0]]]])
    >>> map_of_present(maps, torch.tensor([0])).tolist()
    [[[[0.0, 0.5, 1.0]]]]
    >>> map_of_present(maps, torch.tensor([[1.0, 1.0]])).tolist()
    [[[[1.0, 0.5, 1.0]]]]
    """
    classes = maps.shape[1]
    fits = len(labels) == len(maps) and (labels.ndim == 1 or (labels.ndim == 2 and classes in (1, labels.shape[1])))
    if not fits:
        raise ShapeError(f"Labels of the maps {tuple(maps.shape)} should be (B,) or (B, K), but got {labels.shape}.")
    images = torch.arange(len(maps), device=maps.device)
    labels = labels.to(maps.device)
    if classes == 1:
        chosen = maps
    elif labels.ndim == 1:
        chosen = maps[images, labels][:, None]
    else:
        images, present = (labels > 0).nonzero(as_tuple=True)
        chosen = maps[images, present][:, None]
    chosen = chosen.float() if size is None else resize_maps(chosen.float(), size, "bilinear")
    chosen = between(chosen, *extremes(chosen), normalize)
    if classes == 1 or labels.ndim == 1:
        return chosen
    found = chosen.new_zeros(len(maps), *chosen.shape[1:])
    return found.scatter_reduce(0, images[:, None, None, None].expand_as(chosen), chosen, "amax")


@torch.no_grad()
def below(maps: Tensor, threshold: float, normalize: MapNormalize = "max") -> Tensor:
    """Return 1 where a normalised map is below the threshold and 0 elsewhere, to be multiplied with what it erases.

    With ``max`` the threshold is a fraction of the map's maximum, with ``minmax`` of its range.

    Args:
        maps: (B, M, h, w).
        threshold: in [0, 1].
        normalize: see ``wsolkit.maps.normalize_maps``; ``none`` for maps in [0, 1].

    Returns:
        The same shape and type.

    >>> below(torch.tensor([[[[2.0, 3.0, 4.0]]]]), 0.75).tolist()
    [[[[1.0, 0.0, 0.0]]]]
    >>> below(torch.tensor([[[[2.0, 3.0, 4.0]]]]), 0.75, "minmax").tolist()
    [[[[1.0, 1.0, 0.0]]]]
    """
    return (between(maps, *extremes(maps), normalize) < threshold).to(maps.dtype)


def normalized_maximum(*maps: Tensor, normalize: MapNormalize = "minmax") -> Tensor:
    """Bring each of several maps (..., h, w) to [0, 1] and return the largest, cell by cell, in float32.

    >>> normalized_maximum(torch.tensor([[0.0, 2.0, 4.0]]), torch.tensor([[9.0, 6.0, 3.0]])).tolist()
    [[1.0, 0.5, 1.0]]
    """
    every = [each.float() for each in maps]
    return torch.stack([between(each, *extremes(each), normalize) for each in every]).amax(0)
