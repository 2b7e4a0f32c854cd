"""The mean IoU of masks in a folder against the true masks of a split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit import ConfigError, DataError, ShapeError, path_below
from wsolkit.datasets import ImageDataset
from wsolkit.evaluation import MeanIoU, Result
from wsolkit.formats import read_index_mask
from wsolkit.pipeline import SplitStage
from wsolkit.report import Evaluation, write_evaluation
from wsolkit_wsss.image_jobs import shown
from wsolkit_wsss.pseudo_masks import MASKS, SETTINGS
from wsolkit_wsss.split_data import split_data

__all__ = ["ScoreMasks", "mean_of_classes", "score_masks"]

BACKGROUND = -1


def score_masks(masks: str | Path, dataset: ImageDataset, level: str = "pseudo label") -> Result:
    """Compare the masks of a folder with the true ones: pixels summed over the split, then the IoU of each class.

    Args:
        masks: folder with ``masks/<image>.png``.
        dataset: the images, with true masks.
        level: what is scored: ``seed``, ``pseudo label`` or ``segmentation``.

    Raises:
        DataError: a mask is missing or holds what is no class, or no image has a true mask.
        ShapeError: a mask has another size than the true one.
    """
    metric = MeanIoU(len(dataset.classes), level=level, split=dataset.split)
    for index in shown(range(len(dataset)), "scoring masks", len(dataset)):
        record = dataset.record(index)
        height, width = dataset.read_image(record).shape[-2:]
        truth = dataset.targets(record, (width, height)).mask
        if truth is None:
            continue
        path = path_below(Path(masks) / MASKS, record["image_id"], ".png")
        if not path.is_file():
            raise DataError(f"Image {record['image_id']!r} has no mask {path}. Run the stage that writes them.")
        try:
            metric.update_labels(record["image_id"], read_index_mask(path), truth)
        except (ShapeError, DataError) as error:
            raise type(error)(f"Mask {path}: {error}") from None
    if not len(metric):
        raise DataError(f"No image of split {dataset.split!r} has a true mask, so there is nothing to compare with.")
    return metric.compute()


def mean_of_classes(result: Result, labels: Sequence[int]) -> float:
    """Return the mean IoU in percent over some classes and the background; classes that do not occur are left out.

    >>> result = Result("MeanIoU", (), each_class={-1: 90.0, 0: 30.0, 1: 60.0, 2: float("nan")})
    >>> mean_of_classes(result, [0, 2])
    60.0
    """
    return float(np.nanmean([result.each_class[label] for label in (BACKGROUND, *labels)]))


class ScoreMasks(SplitStage):
    """Scores the masks of a stage against the true masks of a split; ``results.json`` says how.

    The mean IoU is that over all classes that occur and the background, on the confusion matrix of the whole split.

    Args:
        masks: folder of the ``PseudoMasks`` stage, or any folder with ``masks/<image>.png``.
        config: configuration whose images these are, by name or path.
        split: ``train``, ``val`` or ``test``.
        level: what is scored: ``seed``, ``pseudo label`` or ``segmentation``.
        classes: names of classes to average separately as well, such as those with enough images.
        options: entries of the configuration to change, by dotted name.
    """

    def __init__(
        self,
        masks: str,
        config: str,
        split: str = "test",
        level: str = "pseudo label",
        classes: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(config, split, options)
        self.masks, self.level, self.classes = Path(masks), level, list(classes)

    def reads(self) -> list[Path]:
        """Return the folder of the masks."""
        return [self.masks]

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Write ``results.json`` and return mean IoU and pixel accuracy in percent.

        Raises:
            ConfigError: a class is unknown, or the masks belong to another split.
            DataError: see ``score_masks``.
            ShapeError: see ``score_masks``.
        """
        dataset = split_data(self.config, self.split, self.options, targets=True)
        names = list(dataset.classes)
        for name in self.classes:
            if name not in names:
                raise ConfigError(f"There is no class {name!r} to average. The classes are {', '.join(names)}.")
        made = self.made(names)
        result = score_masks(self.masks, dataset, self.level)
        found = {"mIoU": result["mIoU"].percent, "pixel accuracy": result["pixel accuracy"].percent}
        if self.classes:
            chosen = mean_of_classes(result, [names.index(name) for name in self.classes])
            found[f"mIoU of {len(self.classes)} classes and background"] = chosen
        each = {"background": BACKGROUND, **{name: label for label, name in enumerate(names)}}
        evaluation = Evaluation(folder.name, self.split, result["mIoU"].n, [result])
        evaluation.classes, evaluation.command = tuple(names), f"stage {folder.name!r} of a pipeline"
        evaluation.details = {
            **found,
            "level": self.level,
            "classes averaged separately": list(self.classes),
            "IoU of each class": {name: number(result.each_class[label]) for name, label in each.items()},
            "masks": made,
        }
        write_evaluation(folder, evaluation)
        return found

    def made(self, names: Sequence[str]) -> Any:
        """Return how the masks were made, as their stage wrote it down; None for masks of another origin.

        Raises:
            ConfigError: they were made for another split or other classes.
        """
        path = self.masks / SETTINGS
        if not path.is_file():
            return None
        found = read_settings(path)
        if found.get("split", self.split) != self.split or found.get("classes", list(names)) != list(names):
            other = f"split {found.get('split')!r} and {len(found.get('classes', ()))} classes"
            raise ConfigError(
                f"The masks in {self.masks} were made for {other}, not for split {self.split!r} of {self.config} with "
                f"{len(names)}. Score them on their own split."
            )
        return found


def read_settings(path: Path) -> dict[str, Any]:
    """Read a JSON file that a stage has written.

    Raises:
        DataError: it is damaged.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}). Remove the folder of its stage and run it again.") from None
    if not isinstance(found, dict):
        raise DataError(f"{path} should hold settings by name, but holds a {type(found).__name__}.")
    return found


def number(value: float) -> float | None:
    """Return a number for JSON, None for NaN."""
    return None if np.isnan(value) else float(value)
