"""Data sets: one class per layout on disk, all giving the same samples and targets."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsolkit.datasets.collate import collate_samples
    from wsolkit.datasets.decode import read_image
    from wsolkit.datasets.images import ImageDataset
    from wsolkit.datasets.masks import IGNORED, fit_mask, mask_value, read_binary_mask, read_index_mask
    from wsolkit.datasets.record import Record
    from wsolkit.datasets.transforms import build_pipeline
    from wsolkit.registry import DATASETS, TRANSFORMS

__all__ = [
    "DATASETS",
    "IGNORED",
    "TRANSFORMS",
    "ImageDataset",
    "Record",
    "build_pipeline",
    "collate_samples",
    "fit_mask",
    "mask_value",
    "read_binary_mask",
    "read_image",
    "read_index_mask",
]

_HOMES = {
    "collate_samples": "wsolkit.datasets.collate",
    "read_image": "wsolkit.datasets.decode",
    "ImageDataset": "wsolkit.datasets.images",
    "IGNORED": "wsolkit.datasets.masks",
    "fit_mask": "wsolkit.datasets.masks",
    "mask_value": "wsolkit.datasets.masks",
    "read_binary_mask": "wsolkit.datasets.masks",
    "read_index_mask": "wsolkit.datasets.masks",
    "Record": "wsolkit.datasets.record",
    "build_pipeline": "wsolkit.datasets.transforms",
    "DATASETS": "wsolkit.registry",
    "TRANSFORMS": "wsolkit.registry",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the evaluation reads masks and does not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'wsolkit.datasets' has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
