"""A model over images: what it says of a batch, and the score maps of the chosen classes, a bounded number at a time.

Prediction, evaluation, the stages and the plugins go through here, so that each of them names the image whose numbers
are none, and says in the same words that a batch is too large for the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wsolkit.errors import MapError, WsolkitError, naming
from wsolkit.interfaces import Activation, Model
from wsolkit.model.classes import Chosen

__all__ = ["MAPS_AT_ONCE", "ScoredBatch", "activate_images", "enough_memory", "score_batch", "score_images"]

MAPS_AT_ONCE = 256
"""How many score maps are made at a time, at most, where images have many classes."""


@contextmanager
def enough_memory(count: int) -> Iterator[None]:
    """Say in words that the device has no memory for that many images.

    Raises:
        WsolkitError: it has none.

    >>> with enough_memory(64):
    ...     raise torch.OutOfMemoryError("CUDA out of memory.")
    Traceback (most recent call last):
    wsolkit.errors.WsolkitError: The device has no memory for 64 images at once. Lower batch_size.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise WsolkitError(f"The device has no memory for {count} images at once. Lower batch_size.") from error


@dataclass
class ScoredBatch:
    """A batch that went through the network.

    Attributes:
        model: the model.
        images: (B, 3, H, W), normalised.
        image_ids: B names.
        activation: what the model said of them.
        classes: (B, T) the classes that were chosen.
        counts: how many of each row of ``classes`` count.
    """

    model: Model
    images: Tensor
    image_ids: Sequence[str]
    activation: Activation
    classes: Tensor
    counts: list[int]

    @torch.no_grad()
    def maps(self) -> Iterator[tuple[int, Tensor]]:
        """Yield score maps (B, t, H, W) of a few columns of the classes at a time, with the first column's number.

        Raises:
            MapError: a map holds NaN or infinity; names the image.
            WsolkitError: the device has no memory for them.
        """
        cam = self.model.cam_method
        step = max(1, MAPS_AT_ONCE // max(1, len(self.images)))
        for first in range(0, max(self.counts, default=0), step):
            classes = self.classes[:, first : first + step].contiguous()
            try:
                with enough_memory(len(self.images)):
                    found = cam(self.model, self.images, classes, self.activation)
            except MapError:
                for row, image_id in enumerate(self.image_ids):  # one by one, until the image is found
                    with naming(image_id):
                        cam(self.model, self.images[row : row + 1], classes[row : row + 1])
                raise
            yield first, found
        self.activation.forget()

    def all_maps(self) -> Tensor:
        """Return all score maps (B, T, H, W) at once; see ``maps``."""
        parts = [found for _, found in self.maps()]
        height, width = self.images.shape[-2:]
        return torch.cat(parts, 1) if parts else self.images.new_zeros(len(self.images), 0, height, width)

    def features(self) -> np.ndarray | None:
        """Return the last features (B, C, h, w) in float32, or None where the model shows none."""
        found = self.activation.features
        return None if found is None else found.float().cpu().numpy()


def score_batch(
    model: Model, inputs: Tensor, image_ids: Sequence[str], choose: Callable[[Activation], Chosen]
) -> ScoredBatch:
    """Run the network on images (B, 3, H, W) uint8 and choose the classes that get a map; see ``score_images``."""
    return score_images(model, prepared(model, inputs), image_ids, choose)


def score_images(
    model: Model, images: Tensor, image_ids: Sequence[str], choose: Callable[[Activation], Chosen]
) -> ScoredBatch:
    """Run the network on normalised images and choose the classes that get a map.

    Args:
        model: a localizer in eval mode.
        images: (B, 3, H, W), normalised.
        image_ids: B names.
        choose: given what the model says, chooses the classes of each image; see ``wsolkit.model.classes``.

    Raises:
        MapError: logits are NaN or infinite; names the image.
        WsolkitError: the device has no memory for so many images.
    """
    activation = activate(model, images, image_ids, model.cam_method.activate)
    return ScoredBatch(model, images, image_ids, activation, *choose(activation))


def activate_images(model: Model, inputs: Tensor, image_ids: Sequence[str]) -> tuple[Tensor, Activation]:
    """Return images (B, 3, H, W) uint8 as the network takes them, on its device, and what the model says of them.

    Raises:
        MapError: logits are NaN or infinite; names the image.
        WsolkitError: the device has no memory for so many images.
    """
    images = prepared(model, inputs)
    return images, activate(model, images, image_ids)


def prepared(model: Model, inputs: Tensor) -> Tensor:
    """Return images (B, 3, H, W) uint8 as the network takes them, on its device."""
    with enough_memory(len(inputs)):
        images: Tensor = model.data_preprocessor({"inputs": inputs})["inputs"]
    return images


# Not inference mode: gradient-based CAM methods record operations on what was computed here.
@torch.no_grad()
def activate(
    model: Model,
    images: Tensor,
    image_ids: Sequence[str],
    run: Callable[[Model, Tensor], Activation] = lambda model, images: model.activate(images),
) -> Activation:
    """Run the network on normalised images and look at its logits; see ``score_images``."""
    with enough_memory(len(images)):
        activation = run(model, images)
    if activation.logits is not None:
        finite = torch.isfinite(activation.logits).all(1)
        if not bool(finite.all()):
            image_id = image_ids[int((~finite).nonzero()[0])]
            raise MapError(
                f"Image {image_id!r}: the model's logits hold NaN or infinity: it has diverged. Take an earlier "
                "checkpoint, or precision='fp32'.",
                about=image_id,
            )
    return activation
