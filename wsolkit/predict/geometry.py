"""How pixels of the network's input become pixels of the original image.

Boxes can be carried back only if the pipeline does nothing to the geometry but a resize to a fixed size. That is found
out by trying the pipeline on two images with boxes in them, so that it holds for transforms of any origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from wsolkit.errors import ConfigError
from wsolkit.registry import TRANSFORMS

__all__ = ["build_pipeline", "scale_boxes"]

ADVICE = "Prediction needs a plain Resize to a fixed (height, width), such as dict(type='Resize', size=(224, 224))."
PROBES = ((96, 61), (53, 120))
"""(height, width) of the two images the pipeline is tried on."""


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
    transform = v2.Compose([TRANSFORMS.build(step) for step in steps] or [v2.Identity()])
    sizes = {try_pipeline(transform, probe) for probe in PROBES}
    if len(sizes) != 1:
        what = f"leaves images at different sizes ({sorted(sizes)})" if steps else "is missing or empty"
        raise ConfigError(f"The test pipeline {what}. {ADVICE}")
    return transform, sizes.pop()


def try_pipeline(transform: v2.Transform, size: tuple[int, int]) -> tuple[int, int]:
    """Run the pipeline on an image of ``size`` = (height, width) with boxes, and return its output's size.

    Raises:
        ConfigError: the pipeline is random, or moves boxes by anything but a resize.
    """
    height, width = size
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    boxes = torch.tensor([[0, 0, width, height], [5, 7, width - 9, height - 3], [1, 2, 20, 30]], dtype=torch.float32)
    outcomes = []
    for seed in range(4):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            outcomes.append(
                transform(
                    {
                        "image": tv_tensors.Image(image),
                        "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size),
                    }
                )
            )
    first = outcomes[0]
    if any(not torch.equal(first["image"], other["image"]) for other in outcomes[1:]):
        raise ConfigError(f"The test pipeline is random: the same image comes out in different ways. {ADVICE}")
    new_height, new_width = first["image"].shape[-2:]
    wanted = boxes * torch.tensor([new_width / width, new_height / height] * 2)
    found = first["boxes"].as_subclass(Tensor).float()
    if found.shape != wanted.shape or not torch.allclose(found, wanted, atol=0.51):
        raise ConfigError(
            f"The test pipeline moves boxes by more than a resize ({boxes[1].tolist()} of a {width} x {height} image "
            f"becomes {found[1].tolist() if len(found) > 1 else 'nothing'} of {new_width} x {new_height}): it crops, "
            f"pads or flips. {ADVICE}"
        )
    return new_height, new_width


def scale_boxes(boxes: np.ndarray, source: tuple[int, int], target: tuple[int, int]) -> np.ndarray:
    """Carry boxes (N, 4) from an image of size ``source`` to one of ``target``, both (width, height), clipped to it.

    >>> scale_boxes(np.array([[10, 10, 20, 30.0]]), (100, 100), (200, 50)).tolist()
    [[20.0, 5.0, 40.0, 15.0]]
    """
    width, height = target
    scale = np.array([width / source[0], height / source[1]] * 2, dtype=np.float64)
    return np.clip(boxes * scale, 0, np.array([width, height] * 2, dtype=np.float64))
