"""Whether an exported file says what PyTorch does, on drawn pictures and in batches of several sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import torch

from wsolkit.errors import WsolkitError
from wsolkit.model.localizer import Localizer
from wsolkit.model.scored_batch import activate_images

__all__ = ["MOST", "check_agreement", "drawn_pictures"]

MOST = 1e-4
"""How far a score in [0, 1] may be off; a logit as far as this share of the largest one, where that is above 1."""

BATCHES = (1, 2, 5)

Run = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""What a file makes of images (B, H, W, 3) uint8: ``maps``, and ``logits`` where the model classifies."""


def drawn_pictures(count: int, size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return pictures (B, H, W, 3) uint8 of smooth grounds with a disc and a little noise, always the same.

    >>> drawn_pictures(2, (32, 48)).shape
    (2, 32, 48, 3)
    """
    height, width = size
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        ground = random.uniform(0, 255, (5, 5, 3)).astype(np.float32)
        picture = cv2.resize(ground, (width, height), interpolation=cv2.INTER_CUBIC)
        centre = (int(random.integers(width)), int(random.integers(height)))
        cv2.circle(picture, centre, max(1, min(size) // 4), random.uniform(0, 255, 3).tolist(), -1)
        pictures.append(picture + random.normal(0, 8, picture.shape))
    return np.clip(np.stack(pictures), 0, 255).astype(np.uint8)


@torch.no_grad()
def check_agreement(run: Run, model: Localizer, size: tuple[int, int]) -> float:
    """Compare a file with the model it was made of.

    Args:
        run: runs the file.
        model: in eval mode on the CPU, in float32.
        size: (H, W) of the images.

    Returns:
        The largest difference of a score.

    Raises:
        WsolkitError: it differs by more than ``MOST``.
    """
    worst = 0.0
    for number, batch in enumerate(BATCHES):
        pictures = drawn_pictures(batch, size, seed=number)
        inputs = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        images, activation = activate_images(model, inputs, [f"drawn {each}" for each in range(batch)])
        classes = torch.arange(activation.maps.shape[1]).expand(batch, -1)
        expected = {"maps": model.cam_method(model, images, classes, activation).numpy()}
        if activation.logits is not None:
            expected["logits"] = activation.logits.numpy()
        found = run(pictures)
        for name, right in expected.items():
            unit = 1.0 if name == "maps" else max(1.0, float(np.abs(right).max()))
            same = found[name].shape == right.shape
            off = float(np.abs(found[name] - right).max()) / unit if same else float("inf")
            if not off <= MOST:  # NaN is none either
                how = f"by {off:.2g}" if same else f"in shape: {found[name].shape} for {right.shape}"
                raise WsolkitError(
                    f"The exported {name} differ from PyTorch's {how}, on {batch} drawn picture(s); {MOST:g} is the "
                    "most. Nothing was written. A part of the model does in PyTorch what an exported file cannot "
                    "hold; try the other format (--to), or another network or head."
                )
            worst = max(worst, off)
    return worst
