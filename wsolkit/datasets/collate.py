"""Stacks samples into a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from wsolkit.errors import DataError
from wsolkit.registry import FUNCTIONS

__all__ = ["collate_samples"]


@FUNCTIONS.register_module()
def collate_samples(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the samples as one batch: ``inputs`` (B, 3, H, W), ``labels`` (B,) or (B, K), anything else as lists.

    ``extras`` of the samples become a dict of tensors with the images first, and lists of what are no tensors.

    Inputs are laid out with the channels innermost, as decoders give images: nothing has to be reordered.

    Args:
        samples: dicts with the same keys, as an ``ImageDataset`` gives them.

    Raises:
        DataError: the images differ in size, so they cannot be stacked.

    >>> sample = {"inputs": torch.zeros(3, 2, 2, dtype=torch.uint8), "labels": torch.tensor(4), "image_ids": "a.jpg"}
    >>> batch = collate_samples([sample, sample])
    >>> tuple(batch["inputs"].shape), batch["labels"].tolist(), batch["image_ids"]
    ((2, 3, 2, 2), [4, 4], ['a.jpg', 'a.jpg'])
    """
    shapes = {tuple(sample["inputs"].shape): sample["image_ids"] for sample in samples}
    if len(shapes) > 1:
        sizes = ", ".join(f"{shape[2]}x{shape[1]} ({name})" for shape, name in list(shapes.items())[:3])
        raise DataError(
            f"The images of a batch should have one size, but got {sizes}. Add a Resize or crop to the pipeline, "
            "for example dict(type='Resize', size=(224, 224)), or set batch_size=1."
        )
    stacked = {"inputs", "labels", "extras"}
    inputs = torch.stack([sample["inputs"].movedim(0, -1) for sample in samples])  # (B, H, W, 3)
    batch: dict[str, Any] = {
        "inputs": inputs.movedim(-1, 1),
        "labels": torch.stack([sample["labels"] for sample in samples]),
    }
    if "extras" in samples[0]:
        batch["extras"] = {key: joined([sample["extras"][key] for sample in samples]) for key in samples[0]["extras"]}
    return batch | {key: [sample[key] for sample in samples] for key in samples[0] if key not in stacked}


def joined(values: list[Any]) -> Any:
    """Return tensors as one, anything else as it is."""
    return torch.stack(values) if all(isinstance(value, torch.Tensor) for value in values) else values
