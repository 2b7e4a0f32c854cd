"""What a classifier says of several views of an image: ten crops, whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from wsolkit.errors import ConfigError
from wsolkit.evaluation.top_k import average_crops
from wsolkit.interfaces import Model
from wsolkit.model.scored_batch import activate_images

__all__ = ["class_probabilities", "scores_of", "ten_crops"]

LEAST = 1e-12
"""Probabilities are kept this far from 0 and 1 where they become scores."""


def ten_crops(images: Tensor, crop: tuple[int, int]) -> Tensor:
    """Return the corners and the middle of images (B, 3, R, S), plain and flipped, as (B, 10, 3, h, w).

    >>> ten_crops(torch.arange(9.0).view(1, 1, 3, 3).expand(1, 3, 3, 3), (1, 1))[0, :, 0, 0, 0].tolist()
    [0.0, 2.0, 6.0, 8.0, 4.0, 2.0, 0.0, 8.0, 6.0, 4.0]
    """
    return torch.stack(F.ten_crop(images, list(crop)), 1)


def class_probabilities(model: Model, views: Tensor, image_ids: Sequence[str], multi_label: bool = False) -> np.ndarray:
    """Return the mean over its views of each image's class probabilities, (B, K) float64.

    Args:
        model: a localizer in eval mode whose head classifies.
        views: (B, V, 3, h, w) uint8; one view of all images goes through the network at a time.
        image_ids: B names.
        multi_label: average sigmoids instead of the softmax.

    Raises:
        ConfigError: the model does not classify.
        MapError: the model's logits are NaN or infinite; names the image.
        WsolkitError: the device has no memory for so many images.
    """
    found = []
    for view in views.unbind(1):
        logits = activate_images(model, view, image_ids)[1].logits
        if logits is None:
            raise ConfigError(
                f"The classifier needs logits, but a {type(model.head).__name__} does not classify. Take a "
                "configuration whose head does, such as CAMHead."
            )
        found.append(logits.double().cpu())
    each = torch.stack(found, 1)  # (B, V, K)
    if multi_label:
        return each.sigmoid().mean(1).numpy()
    return np.stack([average_crops(one) for one in each.numpy()])


def scores_of(probabilities: np.ndarray, multi_label: bool = False) -> Tensor:
    """Return class scores (B, K) whose softmax, or sigmoid in multi-label data, are the given probabilities.

    >>> scores_of(np.array([[0.75, 0.25]])).softmax(1).round(decimals=4).tolist()
    [[0.75, 0.25]]
    """
    kept = torch.from_numpy(probabilities).clamp(LEAST, 1 - LEAST if multi_label else 1)
    return (kept.logit() if multi_label else kept.log()).float()
