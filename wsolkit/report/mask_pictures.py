"""Masks of several runs beside the true mask: which images are shown, and what stands under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsolkit.errors import DataError, first_few
from wsolkit.evaluation.class_masks import fit_mask
from wsolkit.files import path_below
from wsolkit.formats.masks import read_index_mask
from wsolkit.report.contact_sheet import evenly
from wsolkit.report.mask_colours import colour_mask
from wsolkit.report.pictures import PHOTO, PictureSource, photo_uri

__all__ = ["MaskCard", "image_iou", "mask_cards", "mask_folder", "mask_names"]

LOOKED_AT, SHOWN = 500, 24
IGNORED = 255
ENDING = ".png"


@dataclass(frozen=True)
class MaskCard:
    """One image with the masks of all runs.

    Attributes:
        name: the image.
        photo: data URI of the photo; None where it cannot be read.
        truth: data URI of the true mask over the photo, or None.
        masks: data URI of each run's mask over the photo.
        ious: mean IoU of each run's mask over the classes of this image, or None without a true mask.
        size: width and height of the pictures on the page, in pixels.
    """

    name: str
    photo: str | None
    truth: str | None
    masks: tuple[str, ...]
    ious: tuple[float | None, ...]
    size: tuple[int, int]


def mask_folder(folder: str | Path) -> Path:
    """Return the folder that holds the masks: ``masks/`` in the folder of a stage, or the folder itself.

    Raises:
        DataError: there is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"There is no folder of masks {path}. Give one with a PNG file for each image.")
    return path / "masks" if (path / "masks").is_dir() else path


def mask_names(folder: Path) -> list[str]:
    """Return the images that have a mask below a folder, in order."""
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob(f"*{ENDING}"))


def image_iou(mask: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the mean IoU over the classes that are in a mask or in the true one; None where nothing is judged.

    Args:
        mask: (H, W) indices.
        truth: (H, W) indices; 255 is not judged.

    >>> image_iou(np.array([[0, 1, 1, 2]]), np.array([[0, 0, 1, 255]]))
    0.5
    """
    judged = truth != IGNORED
    mask, truth = mask[judged], truth[judged]
    classes = np.union1d(mask, truth)
    if not len(classes):
        return None
    pairs = [(mask == index, truth == index) for index in classes]
    return float(np.mean([(one & other).sum() / (one | other).sum() for one, other in pairs]))


def mask_cards(
    folders: Sequence[str | Path], true_masks: str | Path | None, source: PictureSource, most: int = SHOWN
) -> list[MaskCard]:
    """Return images with the masks of all runs: those whose IoU differs most, and some spread over the rest.

    Of many images 500 are looked at, spread over all. Without true masks those shown are spread over all images.

    Args:
        folders: the folder of each run's masks, PNG files with an index for each pixel named after the images.
        true_masks: folder of the true masks, named in the same way, or None.
        source: opens the photos.
        most: how many images are wanted.

    Raises:
        DataError: a folder is missing, the runs share no image with a mask, or a mask cannot be read.
    """
    places = [mask_folder(folder) for folder in folders]
    truth = None if true_masks is None else mask_folder(true_masks)
    named = [mask_names(place) for place in [*places, *([truth] if truth is not None else [])]]
    shared = sorted(set(named[0]).intersection(*named[1:]))
    if not shared:
        told = "; ".join(f"{place}: {first_few(names)}" for place, names in zip([*places, truth], named, strict=False))
        raise DataError(f"No image has a mask in every folder, so none can be shown. They hold {told}.")
    names = [shared[place] for place in evenly(len(shared), LOOKED_AT)]
    ious = {name: ious_of(name, places, truth) for name in names} if truth is not None else {}

    def spread(name: str) -> float:
        known = [iou for iou in ious[name] if iou is not None]
        return max(known) - min(known) if known else 0.0

    apart = sorted(ious, key=lambda name: (-spread(name), name))[: most - most // 3]
    rest = [name for name in names if name not in apart]
    chosen = [*apart, *(rest[place] for place in evenly(len(rest), most - len(apart)))]
    return [card(name, places, truth, ious.get(name, (None,) * len(places)), source) for name in chosen]


def ious_of(name: str, places: Sequence[Path], truth: Path) -> tuple[float | None, ...]:
    """Return the IoU of each run's mask of an image; masks are resized to the true one."""
    true_mask = read_index_mask(path_below(truth, name, ENDING))
    size = (true_mask.shape[1], true_mask.shape[0])
    masks = (read_index_mask(path_below(place, name, ENDING)) for place in places)
    return tuple(image_iou(fit_mask(mask, size), true_mask) for mask in masks)


def card(
    name: str, places: Sequence[Path], truth: Path | None, ious: tuple[float | None, ...], source: PictureSource
) -> MaskCard:
    """Return an image with its masks over the photo, or over black where that cannot be read."""
    found = [read_index_mask(path_below(place, name, ENDING)) for place in [*places, *([truth] if truth else [])]]
    photo = source.photo(name)
    height, width = found[-1].shape if photo is None else photo.shape[:2]
    under = np.zeros((height, width, 3), np.uint8) if photo is None else photo
    scale = PHOTO / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    drawn = [photo_uri(colour_mask(fit_mask(mask, (width, height)), under), size) for mask in found]
    runs = tuple(drawn[: len(places)])
    shown = None if photo is None else photo_uri(photo, size)
    return MaskCard(name, shown, drawn[-1] if truth else None, runs, ious, size)
