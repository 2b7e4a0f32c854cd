"""Whether a pipeline does nothing to the geometry but a resize, so that a map covers the whole image.

Only then can boxes be carried between the map and the original image. It is found out by trying the pipeline on images
with boxes in them, so that it holds for transforms of any origin.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from wsolkit.errors import ConfigError

__all__ = ["ADVICE", "PROBES", "try_pipeline"]

ADVICE = (
    "Evaluation and prediction need a plain Resize to a fixed (height, width), such as "
    "dict(type='Resize', size=(224, 224))."
)
PROBES = ((96, 61), (53, 120))
"""(height, width) of the two images a pipeline is tried on."""


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
