"""The pipeline of images to predict: one whose boxes can be carried back to the original image.

Boxes can be carried back only if the pipeline does nothing to the geometry but a resize to a fixed size. That is found
out by trying the pipeline on two images with boxes in them, so that it holds for transforms of any origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torchvision.transforms import v2

from wsolkit.datasets.geometry import ADVICE, PROBES, try_pipeline
from wsolkit.datasets.transforms import build_pipeline as compose
from wsolkit.errors import ConfigError

__all__ = ["build_pipeline"]


def build_pipeline(steps: Sequence[Any]) -> tuple[v2.Transform, tuple[int, int]]:
    """Build a test pipeline and find the size of the network's input.

    Args:
        steps: torchvision v2 transforms, as configurations or objects.

    Returns:
        the transform, which takes ``dict(image=...)``, and (H, W) of its output.

    Raises:
        ConfigError: the pipeline crops, pads, flips, is random or leaves images at sizes of their own.

    >>> transform, size = build_pipeline([v2.Resize((32, 48))])
    >>> size
    (32, 48)
    """
    transform = compose(steps) or v2.Compose([v2.Identity()])
    sizes = {try_pipeline(transform, probe) for probe in PROBES}
    if len(sizes) != 1:
        what = f"leaves images at different sizes ({sorted(sizes)})" if steps else "is missing or empty"
        raise ConfigError(f"The test pipeline {what}. {ADVICE}")
    return transform, sizes.pop()
