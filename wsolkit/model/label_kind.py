"""Whether the labels of a data set are of the kind that the parts of a model take."""

from __future__ import annotations

import warnings
from typing import Any

from torch import nn

from wsolkit.errors import ConfigError
from wsolkit.interfaces import Loss
from wsolkit.interfaces.labels import ONE

__all__ = ["check_losses", "is_multi_label", "warn_of_maps"]


def check_losses(model: nn.Module, dataset: Any) -> None:
    """Look for images that a loss of the model cannot take, before anything is trained.

    Args:
        model: any model.
        dataset: what it is about to be trained on; only the records of multi-label data are looked through.

    Raises:
        ConfigError: a loss takes images of one class alone, and an image has several or none.
    """
    choosy = [type(part).__name__ for part in model.modules() if isinstance(part, Loss) and part.takes_labels == ONE]
    if not choosy or not is_multi_label(dataset) or not hasattr(dataset, "get_data_info"):
        return
    for place in range(len(dataset)):
        record = dataset.get_data_info(place)
        labels = record.get("labels")
        if labels is not None and len(labels) != 1:
            raise ConfigError(
                f"{choosy[0]} takes images of one class, but this is multi-label data: image "
                f"{record.get('image_id', place)!r} has {len(labels)} classes. Use losses for several classes "
                "(BinaryCrossEntropy in the place of CrossEntropy), or only the images with one."
            )


def warn_of_maps(cam_method: Any, multi_label: bool) -> None:
    """Warn where the maps of a CAM method tell the classes of one image hardly apart, and images have several."""
    if multi_label and getattr(cam_method, "takes_labels", None) == ONE:
        name = type(cam_method).__name__
        warnings.warn(
            f"{name} is for images of one class, but this is multi-label data: its maps of two classes of an image are "
            "nearly the same. Use cam_method=dict(type='HeadMaps').",
            stacklevel=2,
        )


def is_multi_label(dataset: Any) -> bool:
    """Whether a data set says that its images may have several classes or none."""
    return bool((getattr(dataset, "metainfo", None) or {}).get("multi_label"))
