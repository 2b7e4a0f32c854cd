"""What networks themselves raise over the size of their images, in words."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from wsolkit.errors import DataError, ShapeError
from wsolkit.interfaces import KnownLevels

__all__ = ["plain_size_errors"]

ONE_VALUE = "Expected more than 1 value per channel"
"""How torch's batch norm complains of a batch of one image whose map is one cell."""


@contextmanager
def plain_size_errors(network: str, images: Tensor | KnownLevels) -> Iterator[None]:
    """Turn the complaints of a network about images (B, 3, H, W) into words that name both.

    Raises:
        ShapeError: timm's network asserts something, as HaloNet and BAT do of sizes that their blocks do not divide.
        DataError: a batch norm has one value for each channel to train on.
    """
    size = f"{images.shape[-1]} x {images.shape[-2]}"
    try:
        yield
    except AssertionError as error:
        if not raised_in_timm(error):
            raise
        why = f": {error}" if str(error) else ""
        raise ShapeError(
            f"{network} does not take images of {size} pixels (a check of its own fails{why}). Give it another size, "
            "such as 256 x 256."
        ) from error
    except ValueError as error:
        if ONE_VALUE not in str(error):
            raise
        raise DataError(
            f"A batch of {len(images)} image(s) of {size} pixels leaves a batch norm in {network} one value per "
            "channel, which has no spread to learn from. Set train_dataloader.drop_last=True, another batch_size, or "
            "larger images."
        ) from error


def raised_in_timm(error: BaseException) -> bool:
    """Whether an error arose in one of timm's modules, or in torch as one of them called it."""
    names = [str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [name for name in names if name.partition(".")[0] != "torch"]
    return bool(own) and own[-1].startswith("timm.")
