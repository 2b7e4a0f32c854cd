"""Pseudo boxes as a stage: score maps in, one box for each image out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from wsolkit import BOX_EXTRACTORS, ConfigError, load_config, progress_bar
from wsolkit.datasets import ImageDataset
from wsolkit.formats import ScoreMaps, open_score_maps
from wsolkit.pipeline import SplitStage, build_split
from wsolkit.report import Evaluation, evenly, write_contact_sheet, write_evaluation
from wsolkit_psol.box_file import BOXES, PseudoBox, file_name_of, write_boxes
from wsolkit_psol.box_picture import box_picture
from wsolkit_psol.box_quality import rate_baselines, rate_boxes, size_of, true_boxes
from wsolkit_psol.box_source import BoxSource, Normalize, Upsample
from wsolkit_psol.thresholds import (
    Choice,
    MapTruth,
    checked_rule,
    choose_on_val,
    fixed,
    otsu_of_data_set,
    otsu_of_image,
)

__all__ = ["PseudoBoxes"]

LabelledMap = tuple[Any, np.ndarray, tuple[int, int]]
SOURCE = "the best box of the image's score map"


class PseudoBoxes(SplitStage):
    """Makes one box for each image of a split from its score map: ``boxes.json``, and ``sheet.jpg`` to look at.

    The file is COCO's: boxes in pixels of the original images, their sizes and classes, and in ``info`` how the
    threshold was chosen. The data set ``COCO`` reads it. An image whose map gives no box gets the whole image.

    The threshold never looks at test boxes: it is a number, or ``otsu`` (each map its own) or ``otsu-dataset`` (one for
    all maps), which look at no box, or ``val``: most hits on the boxes of the val split.

    Args:
        maps: folder of the stage that wrote the score maps of the split.
        config: name or path of a configuration with the data, such as ``{train}/config.py``.
        split: ``train``, ``val`` or ``test``: whose images.
        threshold: a fraction of the map's maximum, ``val``, ``otsu`` or ``otsu-dataset``.
        val_maps: folder of the stage that wrote the score maps of val, for ``threshold="val"``.
        extractor: configuration of the ``BoxExtractor``, whose best box counts; the largest component by default.
        upsample: ``bilinear`` or ``bicubic`` resize maps to the original image before they are cut, ``none`` cuts them
            as they were written.
        normalize: ``minmax``, ``max`` or ``none``, done before maps are cut.
        iou: overlap that makes a hit on the val split.
        score: also compare the boxes with the true ones of a val or test split: ``results.json``, ``index.html``.
        sheet: how many images the contact sheet shows.
        options: entries of the configuration to change, by dotted name.

    Raises:
        ConfigError: a choice is unknown, or the threshold and ``val_maps`` do not go together.
    """

    def __init__(
        self,
        maps: str,
        config: str,
        split: str = "train",
        threshold: float | str = "val",
        val_maps: str | None = None,
        extractor: Mapping[str, Any] | None = None,
        upsample: Upsample = "none",
        normalize: Normalize = "none",
        iou: Annotated[float, "in (0, 1)"] = 0.5,
        score: bool = False,
        sheet: Annotated[int, "at least 0"] = 24,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(config, split, options)
        self.maps = str(maps)
        self.threshold = checked_rule(threshold, val_maps is not None)
        self.val_maps = val_maps
        if score and split == "train":
            raise ConfigError(
                "score=True compares with true boxes, which a train split is not asked for. Leave it out."
            )
        self.source = BoxSource(BOX_EXTRACTORS.build(extractor or {"type": "LargestComponent"}), upsample, normalize)
        self.iou, self.score, self.sheet = iou, score, sheet

    def reads(self) -> list[str | None]:
        """Return the folders of the maps."""
        return [self.maps, None if self.val_maps is None else str(self.val_maps)]

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Make the boxes; returns how many, how many of them are whole images, and the threshold.

        Raises:
            DataError: an image has no map, or several labels.
        """
        config = load_config(self.config, self.options)
        dataset = build_split(config, self.split, load_targets=self.score)
        single_label(dataset, self.split)
        maps = open_score_maps(self.maps, classes=dataset.classes)
        choice = self.choose(config, dataset, maps)
        boxes = list(self.made(dataset, maps, choice, folder))
        drawn = any(not dataset.record(index)["image_path"] for index in range(len(dataset)))
        whole = sum(found.empty for found in boxes)
        info: dict[str, Any] = {
            "description": "Pseudo boxes by wsolkit: one for each image, from its score map",
            "split": self.split,
            "image_root": str(folder if drawn else Path(dataset.data_root or ".").absolute()),
            "threshold": choice.threshold,
            "threshold chosen": choice.rule,
            "hits on val in %": choice.hits,
            "images of val": choice.images,
            "extractor": type(self.source.extractor).__name__,
            "upsample": self.source.upsample,
            "normalize": self.source.normalize,
            "whole images": whole,
        }
        pictures = [self.picture(dataset, maps, boxes, number) for number in evenly(len(boxes), self.sheet)]
        write_contact_sheet(folder / "sheet.jpg", pictures, columns=4)
        numbers = self.scored(config, dataset, boxes, choice, folder) if self.score else {}
        write_boxes(folder / BOXES, boxes, dataset.classes, info)
        cuts = [found.threshold for found in boxes]
        areas = [np.prod((found.box[2:] - found.box[:2]) / found.size) for found in boxes]
        summary: dict[str, float] = {
            "images": len(boxes),
            "whole images": whole,
            "threshold": float(np.mean(cuts)),
            "area in %": 100 * float(np.mean(areas)),
        }
        if choice.hits is not None:
            summary[f"val hits at {choice.threshold:g} in %"] = choice.hits
        return {**summary, **numbers}

    def choose(self, config: Any, dataset: ImageDataset, maps: ScoreMaps) -> Choice:
        """Return where the maps are cut, and why there."""
        if self.threshold == "otsu":
            return otsu_of_image()
        if self.threshold == "otsu-dataset":
            return otsu_of_data_set(prepared for _, prepared, _ in self.prepared(dataset, maps))
        if self.threshold != "val":
            return fixed(float(self.threshold))
        val = build_split(config, "val", load_targets=True)
        single_label(val, "val")
        return choose_on_val(self.source, self.on_val(val), self.iou)

    def on_val(self, val: ImageDataset) -> Iterator[MapTruth]:
        """Yield map, size and true boxes of every val image."""
        maps = open_score_maps(str(self.val_maps), classes=val.classes)
        for record, found, size in labelled_maps(val, maps):
            targets = val.targets(record, size)
            yield MapTruth(found, size, targets.boxes[~targets.difficult])

    def prepared(self, dataset: ImageDataset, maps: ScoreMaps) -> Iterator[LabelledMap]:
        """Yield record, map as the extractor gets it, and (width, height) of every image."""
        for record, found, size in labelled_maps(dataset, maps):
            yield record, self.source.prepare(found, size), size

    def made(self, dataset: ImageDataset, maps: ScoreMaps, choice: Choice, folder: Path) -> Iterator[PseudoBox]:
        """Yield the box of every image."""
        with progress_bar(f"boxes of {self.split}", len(dataset)) as advance:
            for record, prepared, size in self.prepared(dataset, maps):
                threshold = choice.cut(prepared)
                box = self.source.box(prepared, threshold, size)
                yield PseudoBox(
                    record["image_id"],
                    file_name_of(dataset, record, folder),
                    size,
                    record["labels"][0],
                    np.array([0.0, 0.0, *size]) if box is None else box,
                    threshold,
                    box is None,
                )
                advance(1)

    def picture(
        self, dataset: ImageDataset, maps: ScoreMaps, boxes: list[PseudoBox], place: int
    ) -> tuple[str, np.ndarray]:
        """Return one image with its box and its map, and a caption, for the contact sheet."""
        record, found = dataset.record(place), boxes[place]
        score_map = maps.read(found.image_id, [found.label])[found.label]
        prepared = self.source.prepare(score_map, found.size)
        peak = max(float(prepared.max()), 1e-9)
        title = f"{found.image_id} cut {found.threshold:.2f}{' EMPTY' if found.empty else ''}"
        return title, box_picture(dataset.read_image(record).permute(1, 2, 0).numpy(), found.box, prepared / peak)

    def scored(
        self, config: Any, dataset: ImageDataset, boxes: list[PseudoBox], choice: Choice, folder: Path
    ) -> dict[str, float]:
        """Write ``results.json``: the boxes and the baselines against the true boxes; returns BoxAcc in percent."""
        truth = list(true_boxes(dataset))
        known = {found.image_id: found.box for found in boxes}
        val = list(true_boxes(build_split(config, "val", load_targets=True))) if self.threshold == "val" else None
        result = rate_boxes(known, truth, SOURCE, choice.rule)
        found = Evaluation(folder.name, self.split, len(truth), [result], rate_baselines(truth, val))
        found.classes, found.command = tuple(dataset.classes), f"stage {folder.name!r} of a pipeline"
        write_evaluation(folder, found)
        return {line.name: line.score.percent for line in result.lines}


def labelled_maps(dataset: ImageDataset, maps: ScoreMaps) -> Iterator[LabelledMap]:
    """Yield record, the map (h, w) of its label, and (width, height) of every image.

    Raises:
        DataError: an image has no map of its label.
    """
    for index in range(len(dataset)):
        record = dataset.record(index)
        name, label = record["image_id"], record["labels"][0]
        yield record, maps.read(name, [label])[label], maps.size_of(name) or size_of(dataset, record)


def single_label(dataset: ImageDataset, split: str) -> None:
    """Look whether images have one label each.

    Raises:
        ConfigError: they may have several.
    """
    if dataset.multi_label:
        raise ConfigError(
            f"PSOL has one box for each image, but the images of split {split!r} may show several classes. Train a "
            "detector on exported boxes instead: `wsolkit predict` writes them in COCO's format."
        )
