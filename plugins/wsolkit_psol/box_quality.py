"""How good one box for each image is, beside answers that do not look at the image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wsolkit import DataError
from wsolkit.components import LargestComponent
from wsolkit.datasets import ImageDataset, Record
from wsolkit.evaluation import BASELINES, BoxAcc, Result, best_iou, choose_threshold
from wsolkit_psol.box_source import in_image

__all__ = ["TrueBoxes", "baseline_boxes", "rate_boxes", "true_boxes"]

SIDE = 200
"""Side of the maps that the baselines draw; a box is carried to the image in fractions."""

THRESHOLDS = [number / 100 for number in range(100)]


@dataclass(frozen=True)
class TrueBoxes:
    """What annotators say of one image.

    Attributes:
        image_id: its name.
        label: its class.
        size: (width, height) of the original image.
        boxes: (N, 4) x0 y0 x1 y1 in its pixels; difficult ones are left out.
    """

    image_id: str
    label: int
    size: tuple[int, int]
    boxes: np.ndarray


def true_boxes(dataset: ImageDataset) -> Iterator[TrueBoxes]:
    """Yield the true boxes of a data set that has read them (``load_targets``), in the order of its records.

    Raises:
        DataError: an image whose size nobody says cannot be read.
    """
    for index in range(len(dataset)):
        record = dataset.record(index)
        size = size_of(dataset, record)
        targets = dataset.targets(record, size)
        boxes = np.asarray(targets.boxes[~targets.difficult], np.float64)
        yield TrueBoxes(record["image_id"], record["labels"][0], size, boxes)


def size_of(dataset: ImageDataset, record: Record) -> tuple[int, int]:
    """Return (width, height) of an image, as the data says it or else as its file has it.

    Raises:
        DataError: the file cannot be read.
    """
    if record.get("size"):
        return record["size"]
    height, width = dataset.read_image(record).shape[-2:]
    return int(width), int(height)


def rate_boxes(
    boxes: Mapping[str, np.ndarray],
    truth: Iterable[TrueBoxes],
    source: str,
    selection: str = "none: boxes are final",
    name: str = "BoxAcc",
) -> Result:
    """Return BoxAcc of one box for each image; images without a true box are left out.

    Args:
        boxes: (4,) in pixels of the original image, by image name.
        truth: the true boxes.
        source: where the boxes are from, for the conventions.
        selection: how a threshold was chosen, for the conventions.
        name: what the result is called.

    Raises:
        DataError: an image has a true box and no predicted one, or none has a true box.
    """
    metric = BoxAcc()
    for each in truth:
        if not len(each.boxes):
            continue
        if each.image_id not in boxes:
            raise DataError(f"There is no box ({source}) for image {each.image_id!r}. Make boxes of the same split.")
        metric.update(each.image_id, boxes[each.image_id], each.boxes, each.label)
    found = metric.compute()
    said = {
        "threshold selection": selection,
        "box source": f"{source}, against its best true box",
        "resolution": "pixels of the original image, all of it visible",
    }
    return replace(found, metric=name, conventions={**found.conventions, **said})


def baseline_boxes(
    truth: Sequence[TrueBoxes], val: Sequence[TrueBoxes] | None
) -> Iterator[tuple[str, str, dict[str, np.ndarray]]]:
    """Yield name, how the threshold was chosen, and the boxes of every baseline.

    A baseline whose box depends on the threshold is cut where the val split has most hits, and left out without it.

    Args:
        truth: images to make boxes for.
        val: images of the val split with their true boxes.
    """
    extractor = LargestComponent()
    for name, draw in BASELINES.items():
        score_map = draw((SIDE, SIDE))
        found = extractor.sweep(score_map, THRESHOLDS)
        place, rule = 0, "none: the same box at any threshold"
        if len(np.unique(found, axis=0)) > 1:
            known = [each for each in val or () if len(each.boxes)]
            if not known:
                continue
            ious = [best_iou(in_image(found, score_map.shape, each.size), each.boxes) for each in known]
            place = choose_threshold(np.stack(ious))
            rule = f"{THRESHOLDS[place]:g}, most hits (IoU >= 0.5) on the boxes of the val split"
        boxes = {each.image_id: in_image(found[place : place + 1], score_map.shape, each.size)[0] for each in truth}
        yield name, rule, boxes


def rate_baselines(truth: Sequence[TrueBoxes], val: Sequence[TrueBoxes] | None) -> dict[str, list[Result]]:
    """Return BoxAcc of every baseline, by its name; see ``baseline_boxes``."""
    return {
        name: [rate_boxes(found, truth, "a box that does not look at the image", rule)]
        for name, rule, found in baseline_boxes(truth, val)
    }
