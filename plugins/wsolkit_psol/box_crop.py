"""A random crop that keeps a part of the box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F

from wsolkit import ConfigError, DataError, in_range

__all__ = ["RandomResizedBBoxCrop", "draw_crop", "visible_share"]

Crop = tuple[int, int, int, int]
"""top, left, height, width in pixels."""


def draw_crop(size: tuple[int, int], scale: Sequence[float], ratio: Sequence[float]) -> Crop | None:
    """Draw a crop of an image of ``size`` = (height, width) from torch's random numbers; None where it does not fit.

    Args:
        size: (height, width) of the image.
        scale: smallest and largest area of the crop, as fractions of the image.
        ratio: smallest and largest width / height of the crop; drawn evenly on a logarithmic scale.
    """
    height, width = size
    area = height * width * float(torch.empty(()).uniform_(scale[0], scale[1]))
    aspect = math.exp(float(torch.empty(()).uniform_(math.log(ratio[0]), math.log(ratio[1]))))
    wide, high = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
    if not (0 < wide <= width and 0 < high <= height):
        return None
    top = int(torch.randint(height - high + 1, ()))
    left = int(torch.randint(width - wide + 1, ()))
    return top, left, high, wide


def visible_share(boxes: Tensor, crop: Crop) -> float:
    """Return the least share of a box's area that lies inside the crop, over boxes (N, 4); 1 without boxes.

    >>> visible_share(torch.tensor([[0.0, 0, 10, 10]]), (5, 5, 20, 20))
    0.25
    """
    if not len(boxes):
        return 1.0
    top, left, height, width = crop
    corner = torch.maximum(boxes[:, :2], boxes.new_tensor([left, top]))
    end = torch.minimum(boxes[:, 2:], boxes.new_tensor([left + width, top + height]))
    shared = (end - corner).clamp(min=0).prod(1)
    return float((shared / (boxes[:, 2:] - boxes[:, :2]).prod(1).clamp(min=1e-9)).min())


class RandomResizedBBoxCrop(v2.Transform):
    """Crops an image at random around a part of its box, resizes the crop and clips the box to it (PSOL).

    As ``RandomResizedCrop``, but a crop that shows too little of the box is drawn again. Where no draw fits, the whole
    image is taken.

    Args:
        size: (height, width) of the output, or one number for both.
        scale: smallest and largest area of the crop, as fractions of the image.
        ratio: smallest and largest width / height of the crop.
        min_visible: least share of the box's area that has to be inside the crop.
        tries: how many crops are drawn.
        interpolation: as torchvision's ``Resize``.
        antialias: as torchvision's ``Resize``.

    Raises:
        ConfigError: a number is out of range.

    >>> from torchvision import tv_tensors
    >>> box = tv_tensors.BoundingBoxes(torch.tensor([[30.0, 5, 38, 15]]), format="XYXY", canvas_size=(20, 40))
    >>> out = RandomResizedBBoxCrop(16)({"image": tv_tensors.Image(torch.zeros(3, 20, 40)), "boxes": box})
    >>> out["image"].shape, bool((out["boxes"][:, 2:] > out["boxes"][:, :2]).all())
    (torch.Size([3, 16, 16]), True)
    """

    def __init__(
        self,
        size: int | Sequence[int] = 224,
        scale: Sequence[float] = (0.2, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        min_visible: float = 0.25,
        tries: int = 10,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool = True,
    ) -> None:
        super().__init__()
        sides = [size, size] if isinstance(size, int) else list(size)
        if len(sides) != 2 or any(not isinstance(side, int) or side < 1 for side in sides):
            raise ConfigError(f"size should be one or two positive whole numbers (height, width), but got {size!r}.")
        if len(scale) != 2 or not 0 < scale[0] <= scale[1] <= 1:
            raise ConfigError(f"scale should be two fractions in (0, 1], the smaller one first, but got {scale!r}.")
        if len(ratio) != 2 or not 0 < ratio[0] <= ratio[1]:
            raise ConfigError(f"ratio should be two positive numbers, the smaller one first, but got {ratio!r}.")
        in_range("min_visible", min_visible, "in (0, 1]")
        in_range("tries", tries, "at least 1")
        self.size, self.scale, self.ratio = sides, tuple(scale), tuple(ratio)
        self.min_visible, self.tries = min_visible, tries
        self.interpolation, self.antialias = interpolation, antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw a crop that shows enough of every box.

        Raises:
            DataError: boxes are not in x0 y0 x1 y1.
        """
        found = [each for each in flat_inputs if isinstance(each, tv_tensors.BoundingBoxes)]
        if any(each.format != tv_tensors.BoundingBoxFormat.XYXY for each in found):
            raise DataError("RandomResizedBBoxCrop takes boxes as x0 y0 x1 y1 (XYXY), but got another format.")
        picture = next((each for each in flat_inputs if isinstance(each, tv_tensors.Image)), flat_inputs[0])
        height, width = F.get_size(picture)
        boxes = torch.cat([each.as_subclass(Tensor) for each in found]) if found else torch.zeros(0, 4)
        for _ in range(self.tries):
            crop = draw_crop((height, width), self.scale, self.ratio)
            if crop is not None and visible_share(boxes, crop) >= self.min_visible:
                return {"crop": crop}
        return {"crop": (0, 0, height, width)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Crop and resize one image, mask or set of boxes; boxes are clipped to the crop."""
        return F.resized_crop(
            inpt, *params["crop"], size=self.size, interpolation=self.interpolation, antialias=self.antialias
        )
