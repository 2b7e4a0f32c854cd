"""Whether a pipeline does nothing to the geometry but a resize, so that a map covers the whole image.

Only then can boxes be carried between the map and the original image. It is found out by trying the pipeline on images
with boxes in them, so that it holds for transforms of any origin.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from wsolkit.errors import ConfigError, shortened

__all__ = ["ADVICE", "PROBES", "plain_transform_errors", "try_pipeline"]

ADVICE = (
    "Evaluation and prediction need a plain Resize to a fixed (height, width), such as "
    "dict(type='Resize', size=(224, 224))."
)
PROBES = ((96, 61), (53, 120))
"""(height, width) of the two images a pipeline is tried on."""


@contextmanager
def plain_transform_errors(what: str) -> Iterator[None]:
    """Turn what torchvision says of the arguments of its transforms into words; errors of other code stay as they are.

    Raises:
        ConfigError: torchvision complains.

    >>> with plain_transform_errors("RandomHorizontalFlip"):
    ...     v2.RandomHorizontalFlip(p=7)
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: RandomHorizontalFlip does not work with its arguments: `p` should be a floating ...
    """
    try:
        yield
    except (TypeError, ValueError, RuntimeError) as error:
        innermost = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
        if str(innermost.f_globals.get("__name__")).partition(".")[0] not in ("torch", "torchvision"):
            raise
        reason = shortened((str(error).splitlines() or [type(error).__name__])[0], 200).rstrip(".")
        raise ConfigError(f"{what} does not work with its arguments: {reason}. Correct them.") from error


def try_pipeline(transform: v2.Transform, size: tuple[int, int]) -> tuple[int, int]:
    """Run the pipeline on an image of ``size`` = (height, width) with boxes, and return its output's size.

    Raises:
        ConfigError: the pipeline is random, moves boxes by anything but a resize, or does not work at all.
    """
    height, width = size
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    boxes = torch.tensor([[0, 0, width, height], [5, 7, width - 9, height - 3], [1, 2, 20, 30]], dtype=torch.float32)
    outcomes = []
    for seed in range(4):
        with torch.random.fork_rng(devices=[]), plain_transform_errors("A step of the test pipeline"):
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
