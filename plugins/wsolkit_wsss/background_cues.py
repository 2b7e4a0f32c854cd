"""From class-agnostic maps to cues: a binary foreground mask for each image, whose complement is the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np

from wsolkit import DataError, path_below
from wsolkit.datasets import ImageDataset
from wsolkit.formats import CLASS_AGNOSTIC, ScoreMaps, open_score_maps, read_gray, write_gray
from wsolkit.pipeline import SplitStage
from wsolkit.report import evenly, write_contact_sheet
from wsolkit_wsss.crf_settings import ON_LABELS, CrfSettings, crf_settings, refine_labels
from wsolkit_wsss.image_jobs import check_workers, run_jobs
from wsolkit_wsss.mask_share import check_share
from wsolkit_wsss.split_data import Configuration, image_of, split_data

__all__ = ["CUES", "BackgroundCues", "cue_mask", "resized"]

CUES = "cues"
"""Folder of the cues inside the stage's folder."""

ADVICE = (
    "Look at sheet.jpg and at the maps. Maps of C2AM are cut well where they come from MultiScaleMaps("
    "of=dict(type='C2AMLogitMaps'), normalize='max') or from normalize='minmax'; else choose another threshold, or "
    "exchange the two regions with model.head.polarity."
)

Refine = Callable[[np.ndarray, np.ndarray, int, CrfSettings], np.ndarray]


def resized(score_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a map (h, w) at ``size`` = (width, height), bilinear, float32 in [0, 1].

    >>> resized(np.array([[0.0, 1.0]]), (4, 1)).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    return cv2.resize(score_map.astype(np.float32), size, interpolation=cv2.INTER_LINEAR).reshape(size[::-1]).clip(0, 1)


def cue_mask(
    image: np.ndarray,
    score_map: np.ndarray,
    threshold: float,
    settings: CrfSettings | None,
    refine: Refine = refine_labels,
) -> np.ndarray:
    """Return the foreground of an image: where the map is greater than a threshold, refined by a CRF on those labels.

    Args:
        image: (H, W, 3) uint8, RGB.
        score_map: (h, w) in [0, 1], foreground is high; of any size, over the whole image.
        threshold: strictly greater scores are foreground.
        settings: numbers of the CRF; None leaves it out.
        refine: the CRF on a label map.

    Returns:
        (H, W) uint8: 255 foreground, 0 background.
    """
    labels = (resized(score_map, (image.shape[1], image.shape[0])) > threshold).astype(np.uint8)
    if settings is not None:
        labels = refine(image, labels, 2, settings)
    return np.where(labels > 0, 255, 0).astype(np.uint8)


class BackgroundCues(SplitStage):
    """Writes the background cues of a split: ``cues/<image>.png``, 255 foreground and 0 background.

    The class-agnostic map of each image is resized to the image, cut at a threshold and refined by a dense CRF on the
    label map. ``sheet.jpg`` shows some of them.

    Args:
        maps: folder of a stage that wrote one class-agnostic map for each image of the split.
        config: configuration whose images these are, by name or path.
        split: ``train``, ``val`` or ``test``.
        threshold: strictly greater scores are foreground.
        crf: True for the CRF with C2AM's numbers, False for none, or entries that differ from them, such as
            ``dict(iterations=5, bilateral=(50, 5, 10))``.
        workers: images at a time, each in a thread.
        sheet: images on the contact sheet.
        options: entries of the configuration to change, by dotted name.

    Raises:
        ConfigError: a number is out of range.
    """

    def __init__(
        self,
        maps: str,
        config: str,
        split: str = "train",
        threshold: Annotated[float, "in [0, 1)"] = 0.3,
        crf: bool | Mapping[str, Any] = True,
        workers: int = 0,
        sheet: int = 12,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        check_workers(workers)
        super().__init__(config, split, options)
        self.maps = maps
        self.threshold, self.workers, self.sheet = threshold, workers, sheet
        self.crf = crf_settings(crf, ON_LABELS)

    def reads(self) -> list[str]:
        """Return the folder of the maps."""
        return [self.maps]

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Write the cues and return the number of images, of those without foreground, and its mean share in percent.

        Raises:
            DataError: maps of an image are missing, or belong to classes, or the cues mark all or nothing.
        """
        dataset = split_data(self.config, self.split, self.options)
        files = [path_below(folder / CUES, dataset.record(index)["image_id"], ".png") for index in range(len(dataset))]
        todo = [index for index, path in enumerate(files) if not (resume and path.exists())]
        maps = open_score_maps(self.maps)
        settings = (maps, self.config, self.split, self.options, self.threshold, self.crf, folder)
        run_jobs(cue_job, settings, todo, self.workers, "background cues")
        shares = [float((read_gray(path, "The cue") > 0).mean()) for path in files]
        self.draw(folder, dataset, files, maps)
        share = check_share(shares, f"the cues at threshold {self.threshold:g}", ADVICE, refuse=True)
        return {
            "images": len(files),
            "without foreground": sum(each == 0 for each in shares),
            "foreground in %": share,
        }

    def draw(self, folder: Path, dataset: ImageDataset, files: Sequence[Path], maps: ScoreMaps) -> None:
        """Write the contact sheet."""
        pictures: list[tuple[str, np.ndarray]] = []
        for index in evenly(len(dataset), self.sheet):
            image, cue = image_of(dataset, index), read_gray(files[index], "The cue")
            score_map = foreground_map(maps, dataset.record(index)["image_id"])
            heat = np.round(255 * resized(score_map, (image.shape[1], image.shape[0]))).astype(np.uint8)
            pictures += [("image", image), ("class-agnostic map", heat), ("cue", cue)]
            pictures.append(("foreground", np.where(cue[..., None] > 0, image, 128).astype(np.uint8)))
        write_contact_sheet(folder / "sheet.jpg", pictures, columns=4)


def foreground_map(maps: ScoreMaps, image_id: str) -> np.ndarray:
    """Return the class-agnostic map (h, w) of an image.

    Raises:
        DataError: there is none.
    """
    found = maps.image(image_id).maps
    if list(found) != [CLASS_AGNOSTIC]:
        raise DataError(
            f"Background cues need one class-agnostic map of each image, but {maps.path} has maps of the classes "
            f"{list(found)} of {image_id!r}. Take the maps of a class-agnostic model, such as C2AM's."
        )
    return found[CLASS_AGNOSTIC]


def cue_job(
    maps: ScoreMaps,
    config: Configuration,
    split: str,
    options: Mapping[str, Any],
    threshold: float,
    settings: CrfSettings | None,
    folder: Path,
) -> Callable[[int], None]:
    """Make the function that writes the cue of one image."""
    dataset = split_data(config, split, options)

    def job(index: int) -> None:
        image_id = dataset.record(index)["image_id"]
        cue = cue_mask(image_of(dataset, index), foreground_map(maps, image_id), threshold, settings)
        write_gray(path_below(folder / CUES, image_id, ".png"), cue)

    return job
