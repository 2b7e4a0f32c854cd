"""A model's prediction of one image as the protocols see it."""

from __future__ import annotations

import numpy as np

from wsolkit.evaluation.scored_image import ScoredImage, class_labels
from wsolkit.interfaces import Prediction, Targets

__all__ = ["scored_image"]


def scored_image(prediction: Prediction, label: np.ndarray | int | None, targets: Targets | None) -> ScoredImage:
    """Return a prediction and its truth as the protocols see an image.

    Args:
        prediction: logits, score maps and last features of the image.
        label: class index, multi-hot vector (K,), or None.
        targets: boxes and mask of the image, or None.
    """
    if label is not None:
        label = int(label) if np.ndim(label) == 0 else class_labels(np.asarray(label), targets)
    maps = prediction.maps.float().cpu().numpy()
    return ScoredImage(
        prediction.image_id,
        dict(zip(prediction.classes.tolist(), maps, strict=True)),
        label,
        None if prediction.logits is None else prediction.logits.float().cpu().numpy(),
        targets,
        None if prediction.features is None else prediction.features.float().cpu().numpy(),
    )
