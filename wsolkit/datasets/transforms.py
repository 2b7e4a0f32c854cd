"""torchvision's v2 transforms by name in configurations, and those of our own.

Images stay uint8 to the end of the pipeline; they are normalised as a batch later. Every public transform of
``torchvision.transforms.v2`` is known by its own name:

    pipeline = [
        dict(type="RandomResizedCrop", size=224, antialias=True),
        dict(type="RandomApply", transforms=[dict(type="ColorJitter", brightness=0.4)], p=0.8),
        dict(type="RandomHorizontalFlip"),
    ]
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import torch
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F

from wsolkit.datasets.geometry import plain_transform_errors
from wsolkit.errors import ConfigError, nearest
from wsolkit.registry import TRANSFORMS

__all__ = ["ResizedRandomCrop", "build_pipeline"]


def build_pipeline(steps: Sequence[Any]) -> v2.Compose | None:
    """Return the transforms, given as configurations or objects, as one; None for no steps.

    Raises:
        ConfigError: a step names no transform, or has an argument it does not take or cannot work with.

    >>> build_pipeline([dict(type="CenterCrop", size=2)])(torch.arange(16).view(1, 4, 4)).tolist()
    [[[5, 6], [9, 10]]]
    """
    built = []
    for step in steps:
        kind = step.get("type") if isinstance(step, Mapping) else type(step).__name__
        with plain_transform_errors(f"The step {kind} of a pipeline"):
            built.append(TRANSFORMS.build(step))
    return v2.Compose(built) if built else None


def pair(size: int | Sequence[int], what: str) -> tuple[int, int]:
    """Return (height, width) of a size that may be one number for a square.

    Raises:
        ConfigError: it is not one or two positive whole numbers.
    """
    numbers = (size, size) if isinstance(size, int) else tuple(size)
    if len(numbers) != 2 or any(not isinstance(number, int) or number < 1 for number in numbers):
        raise ConfigError(f"{what} should be one or two positive whole numbers (height, width), but got {size!r}.")
    return numbers[0], numbers[1]


class ResizedRandomCrop(v2.Transform):
    """Resizes to one size and crops a smaller one at random, antialiased, without resizing what is cut off below.

    The training transform of wsolevaluation (Resize((256, 256)), then RandomCrop(224)): the image is warped, its
    sides are not kept in proportion. Columns are the same to the bit. Only the rows of the crop are resized, and they
    begin and end at whole pixels of the image: the crop lies at most half a pixel higher or lower than in two steps.

    Args:
        size: (height, width) that the whole image would be resized to, or one number for both.
        crop: (height, width) of the output, or one number for both; not larger than ``size``.
        interpolation: as torchvision's ``Resize``.
        antialias: as torchvision's ``Resize``.

    Raises:
        ConfigError: the crop is larger than the size.

    >>> ResizedRandomCrop(8, crop=6)(torch.zeros(3, 20, 30, dtype=torch.uint8)).shape
    torch.Size([3, 6, 6])
    """

    def __init__(
        self,
        size: int | Sequence[int] = 256,
        crop: int | Sequence[int] = 224,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool = True,
    ) -> None:
        super().__init__()
        self.size, self.crop = pair(size, "size"), pair(crop, "crop")
        if self.crop[0] > self.size[0] or self.crop[1] > self.size[1]:
            raise ConfigError(f"The crop should fit into the size {self.size}, but got {self.crop}. Make it smaller.")
        self.interpolation, self.antialias = interpolation, antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the place of the crop: rows of the image, and columns of the image when it is resized."""
        height, width = F.get_size(flat_inputs[0])
        offset = int(torch.randint(self.size[0] - self.crop[0] + 1, ()))
        left = int(torch.randint(self.size[1] - self.crop[1] + 1, ()))
        scale = height / self.size[0]
        top = min(round(offset * scale), height - 1)
        bottom = max(round((offset + self.crop[0]) * scale), top + 1)
        return {"top": top, "height": bottom - top, "width": width, "left": left}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Crop and resize one image, mask or set of boxes."""
        rows = F.crop(inpt, params["top"], 0, params["height"], params["width"])
        wide = F.resize(rows, [self.crop[0], self.size[1]], interpolation=self.interpolation, antialias=self.antialias)
        return F.crop(wide, 0, params["left"], *self.crop)


def from_text(name: str, default: Any, value: Any) -> Any:
    """Return an argument of a transform as torchvision wants it, where a configuration has words or nested steps.

    Raises:
        ConfigError: the word is none of the argument's choices.

    >>> from_text("interpolation", InterpolationMode.BILINEAR, "bicubic")
    <InterpolationMode.BICUBIC: 'bicubic'>
    """
    if name == "transforms" and isinstance(value, Sequence):
        return [TRANSFORMS.build(step) for step in value]
    if isinstance(value, Mapping) and "type" in value:
        return TRANSFORMS.build(value)
    if not isinstance(value, str):
        return value
    kind = InterpolationMode if name == "interpolation" else type(default)  # newer releases have words as defaults
    if issubclass(kind, Enum):
        choices = {str(choice.value): choice for choice in kind}
        if value not in choices:
            raise ConfigError(f"A transform's {name} cannot be {value!r}. {nearest(value, choices)}")
        return choices[value]
    if name == "dtype":
        if not isinstance(getattr(torch, value, None), torch.dtype):
            raise ConfigError(f"A transform's dtype cannot be {value!r}. {nearest(value, ['uint8', 'float32'])}")
        return getattr(torch, value)
    return value


def from_config(transform: type[v2.Transform]) -> Callable[..., v2.Transform]:
    """Return a function with the transform's name and signature whose arguments may be words or nested steps."""
    parameters = inspect.signature(transform).parameters

    @functools.wraps(transform, updated=())
    def build(*args: Any, **kwargs: Any) -> v2.Transform:
        defaults = {key: parameters[key].default if key in parameters else None for key in kwargs}
        return transform(*args, **{key: from_text(key, defaults[key], value) for key, value in kwargs.items()})

    return build


def register_torchvision() -> None:
    """Register every public v2 transform under its own name, unless the name is taken."""
    for name, transform in vars(v2).items():
        is_transform = inspect.isclass(transform) and issubclass(transform, v2.Transform)
        if is_transform and transform is not v2.Transform and name not in TRANSFORMS.module_dict:
            TRANSFORMS.register_module(name=name, module=from_config(transform))


register_torchvision()
