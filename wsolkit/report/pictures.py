"""Pictures for a page: which trials are shown, and photo, score map and boxes as data that a page can carry in itself.

The photo is a small JPEG, the score map a translucent image of a few hundred cells over it, and boxes are drawn by the
browser, so that each can be switched off and a page with dozens of pictures stays small.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from wsolkit.datasets.decode import read_pixels
from wsolkit.errors import WsolkitError
from wsolkit.evaluation.failures import FAILURES, HIT, Trial
from wsolkit.files import path_below
from wsolkit.report.drawing import encode_jpeg

__all__ = ["Card", "DrawnBox", "PictureSource", "best_trials", "card_of", "in_turn", "worst_trials"]

ENDINGS = (".jpg", ".jpeg", ".JPEG", ".png")
PHOTO = 340
"""Longest side of a photo on a page, in pixels."""

HEAT = 64
"""Longest side of a score map on a page, in cells."""

QUALITY = 78
STRENGTH = 0.7

T = TypeVar("T")
MapOf = Callable[[str, int], np.ndarray | None]


@dataclass(frozen=True)
class DrawnBox:
    """A box on a picture: its corners in percent of the picture, and the class of its style."""

    x: float
    y: float
    width: float
    height: float
    style: str


@dataclass(frozen=True)
class Card:
    """A picture with what is said under it.

    Attributes:
        name: the image.
        class_name: the class of the trial.
        photo: data URI of the photo; None where it cannot be read.
        heats: data URI of the score map of each run, None where there is none.
        boxes: true boxes, then the run's, in drawing order.
        size: width and height of the picture on the page, in pixels.
        trials: the trial of each run.
    """

    name: str
    class_name: str
    photo: str | None
    heats: tuple[str | None, ...]
    boxes: tuple[DrawnBox, ...]
    size: tuple[int, int]
    trials: tuple[Trial, ...] = ()

    @property
    def hits(self) -> str:
        """A digit for each run: 1 where it hits."""
        return "".join(str(int(trial.outcome == HIT)) for trial in self.trials)


def image_file(folder: Path, image_id: str) -> Path:
    """Return the file of an image; VOC's and COCO's ids have no file ending.

    >>> image_file(Path("photos"), "robin/1.jpg").as_posix()
    'photos/robin/1.jpg'
    """
    path = folder / image_id
    if path.exists():
        return path
    return next((found for ending in ENDINGS if (found := folder / f"{image_id}{ending}").exists()), path)


class PictureSource:
    """Opens photos and score maps, and remembers what could not be opened.

    Args:
        image_root: folder of the images, or None.
        maps: where the score maps of each run are, or None.
        inside: whether names that lead out of ``image_root`` are left out: where the names are a stranger's.
    """

    def __init__(self, image_root: str | Path | None, maps: Sequence[str | None] = (), inside: bool = False) -> None:
        self.missing: list[str] = []
        self.unread = 0
        self.inside = inside
        self.image_root = image_root or None
        if not image_root:
            self.missing.append("The run does not say where its images are, so photos are left out.")
        elif not Path(image_root).is_dir():
            self.missing.append(f"The folder of the images is gone ({image_root}), so photos are left out.")
            self.image_root = None
        self.readers: list[MapOf | None] = [self._reader(path) for path in maps]

    def _reader(self, path: str | None) -> MapOf | None:
        """Return what reads a score map by image and class; None without maps."""
        if not path:
            self.missing.append("The run does not say where its score maps are, so they are left out.")
            return None
        if not Path(path).exists():
            self.missing.append(f"The score maps are gone ({path}), so they are left out.")
            return None
        try:
            from wsolkit.formats.score_maps import open_score_maps

            files = open_score_maps(path, normalize="minmax")
        except (WsolkitError, OSError, ImportError, ValueError) as error:
            self.missing.append(f"The score maps cannot be opened, so they are left out: {error}")
            return None

        def read(image_id: str, label: int) -> np.ndarray | None:
            try:
                return files.maps_of(image_id, [label])[label]
            except (WsolkitError, OSError, ValueError, KeyError):
                return None

        return read

    def photo(self, image_id: str) -> np.ndarray | None:
        """Return the image (h, w, 3) uint8, RGB; None where it cannot be read."""
        if self.image_root is None:
            return None
        try:
            if self.inside:
                path_below(self.image_root, image_id)
            return read_pixels(image_file(Path(self.image_root), image_id))
        except (WsolkitError, OSError, ValueError):  # a ValueError for a name with a null byte
            self.unread += 1
            return None

    def maps_of(self, image_id: str, label: int) -> list[np.ndarray | None]:
        """Return the score map (H, W) of each run, None where it cannot be read."""
        return [None if reader is None else reader(image_id, label) for reader in self.readers]

    def notes(self) -> list[str]:
        """Return what could not be shown, in words; asked for when the pictures are made."""
        unread = [f"{self.unread} of the photos cannot be read and are left out."] if self.unread else []
        return list(dict.fromkeys(self.missing)) + unread


def worst_trials(trials: Iterable[Trial], most: int = 24) -> list[Trial]:
    """Return trials that fail, as many of each class of failure as there are, of each those of lowest IoU.

    Args:
        trials: what became of every pair.
        most: how many are wanted.

    Returns:
        by class of failure, then from the lowest IoU up.

    >>> truth = ((0.0, 0.0, 1.0, 1.0),)
    >>> part, worse = (Trial(name, 0, (0, 0, 0.4, 0.5), truth, iou, "part") for name, iou in (("a", 0.3), ("b", 0.2)))
    >>> [trial.image_id for trial in worst_trials([part, worse, Trial("c", 0, (0, 0, 0, 0), truth, 0, "miss")], 2)]
    ['b', 'c']
    """
    kinds: dict[str, list[Trial]] = {outcome: [] for outcome in FAILURES if outcome != HIT}
    for trial in sorted(trials, key=lambda trial: (trial.iou, trial.image_id, trial.label)):
        if trial.outcome != HIT:
            kinds[trial.outcome].append(trial)
    chosen = in_turn(list(kinds.values()), most)
    return sorted(chosen, key=lambda trial: (FAILURES.index(trial.outcome), trial.iou))


def best_trials(trials: Iterable[Trial], most: int = 12) -> list[Trial]:
    """Return the hits of highest IoU, highest first."""
    hits = [trial for trial in trials if trial.outcome == HIT]
    return sorted(hits, key=lambda trial: (-trial.iou, trial.image_id, trial.label))[:most]


def in_turn(rows: Sequence[Sequence[T]], most: int) -> list[T]:
    """Return the first of each row, then the second of each, until there are ``most``.

    >>> in_turn([[1, 2, 3], [4]], most=3)
    [1, 4, 2]
    """
    longest = max(map(len, rows), default=0)
    return [row[place] for place in range(longest) for row in rows if place < len(row)][:most]


def card_of(trials: Sequence[Trial], class_name: str, source: PictureSource) -> Card:
    """Return the picture of one (image, class) pair with the box of each run.

    Args:
        trials: what became of the pair in each run.
        class_name: the name of the class.
        source: opens the photo and the maps.
    """
    first = trials[0]
    photo = source.photo(first.image_id)
    maps = source.maps_of(first.image_id, first.label)
    known = next((array for array in maps if array is not None), None)
    shape = photo.shape[:2] if photo is not None else (known.shape if known is not None else (1, 1))
    scale = PHOTO / max(shape)
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    boxes = [drawn_box(box, "truth") for box in first.truth]
    boxes += [drawn_box(trial.box, f"run{number}") for number, trial in enumerate(trials) if any(trial.box)]
    return Card(
        name=first.image_id,
        class_name=class_name,
        photo=None if photo is None else photo_uri(photo, size),
        heats=tuple(None if array is None else heat_uri(array) for array in maps),
        boxes=tuple(boxes),
        size=size,
        trials=tuple(trials),
    )


def drawn_box(box: Sequence[float], style: str) -> DrawnBox:
    """Return a box, given in fractions of the image, in percent of the picture.

    >>> drawn_box((0.1, 0.2, 0.5, 0.5), "truth")
    DrawnBox(x=10.0, y=20.0, width=40.0, height=30.0, style='truth')
    """
    x0, y0, x1, y1 = (min(max(100 * side, 0.0), 100.0) for side in box)
    return DrawnBox(round(x0, 2), round(y0, 2), round(max(x1 - x0, 0.0), 2), round(max(y1 - y0, 0.0), 2), style)


def photo_uri(image: np.ndarray, size: tuple[int, int]) -> str:
    """Return an image (h, w, 3) uint8, RGB, as a small JPEG of ``size`` (width, height) in a data URI."""
    shrinks = size[0] < image.shape[1]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return data_uri("image/jpeg", encode_jpeg(small, QUALITY))


def heat_uri(score_map: np.ndarray) -> str | None:
    """Return a score map (H, W) in [0, 1] as a translucent picture in a data URI; where scores are low it is clear.

    None where WebP files cannot be written.
    """
    scale = min(HEAT / max(score_map.shape), 1.0)
    size = (max(1, round(score_map.shape[1] * scale)), max(1, round(score_map.shape[0] * scale)))
    small = cv2.resize(score_map.astype(np.float32), size, interpolation=cv2.INTER_AREA).clip(0, 1)
    colours = cv2.applyColorMap(np.round(small * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    opacity = np.round(255 * STRENGTH * (0.25 + 0.75 * small)).astype(np.uint8)
    done, data = cv2.imencode(".webp", np.dstack([colours, opacity]), [cv2.IMWRITE_WEBP_QUALITY, 85])
    return data_uri("image/webp", data.tobytes()) if done else None


def data_uri(kind: str, data: bytes) -> str:
    """Return bytes as a data URI.

    >>> data_uri("text/plain", b"a")
    'data:text/plain;base64,YQ=='
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
