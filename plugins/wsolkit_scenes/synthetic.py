"""A data set that needs no download: scenes generated on the fly in which a small part tells the class.

A network trained on the labels looks at the part and misses the body, which is the problem of weakly supervised
localization. Boxes and masks are exact.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from wsolkit import ConfigError, DataError, Targets, is_untouched, nearest
from wsolkit.datasets import ImageDataset, Record
from wsolkit.formats import coco_box, coco_image, run_lengths, write_instances
from wsolkit_scenes.creatures import CLASS_NAMES
from wsolkit_scenes.scenes import Scene, SceneOptions, object_labels, render_scene

__all__ = ["SyntheticParts", "export_folder"]

SPLITS = {"train": 0, "val": 1, "test": 2}
IMAGE_SIZE = 128


class SyntheticParts(ImageDataset):
    """Creatures in landscapes: bodies are shared by all classes, a small crest on the head tells the class.

    A scene follows from the seed, the split and its number alone; splits share no scene, and a larger ``num_images``
    only adds scenes. Labels are known without rendering.

    Args:
        split: ``train``, ``val`` or ``test``.
        num_images: number of scenes.
        num_classes: number of classes, up to 12.
        image_size: side of the images in pixels, or (width, height).
        multi_label: several objects of several classes in an image; otherwise one, and the classes are balanced.
        objects: fewest and most objects of a multi-label image; (2, 4) where nothing is said.
        object_size: smallest and largest longer side of an object, as a fraction of the image's shorter side. Where
            several objects do not fit beside each other, they shrink until they do.
        clutter: in [0, 1], how many stones and bushes in the colours of the bodies lie about.
        context: in [0, 1], the probability that the background is the one tied to the class (of one of the objects).
        seed: seed of the scenes, and of everything random about the samples.
        pipeline: see ``ImageDataset``.
        load_targets: see ``ImageDataset``.
        transform_targets: see ``ImageDataset``.
        test_mode: see ``ImageDataset``.
        indices: see ``ImageDataset``.

    Raises:
        ConfigError: an option is out of range.

    >>> dataset = SyntheticParts(num_images=4, num_classes=2, image_size=64, load_targets=True)
    >>> sample = dataset[0]
    >>> tuple(sample["inputs"].shape), sample["image_ids"], sample["targets"].boxes.shape
    ((3, 64, 64), 'train/00000', (1, 4))
    >>> dataset.classes
    ('ring-red', 'star-blue')
    """

    def __init__(
        self,
        split: str = "train",
        num_images: int = 1000,
        num_classes: int = 8,
        image_size: int | Sequence[int] = IMAGE_SIZE,
        multi_label: bool = False,
        objects: Sequence[int] | None = None,
        object_size: Sequence[float] = (0.4, 0.8),
        clutter: float = 0.5,
        context: float = 0.0,
        seed: int = 0,
        pipeline: Sequence[Any] = (),
        load_targets: bool = False,
        transform_targets: bool = False,
        test_mode: bool = False,
        indices: int | Sequence[int] | None = None,
    ) -> None:
        if split not in SPLITS:
            raise ConfigError(f"SyntheticParts has no split {split!r}. {nearest(str(split), SPLITS)}")
        if num_images < 1 or seed < 0:
            raise ConfigError(
                f"num_images should be 1 or more and seed 0 or more, but got num_images={num_images}, seed={seed}."
            )
        if objects is not None and not multi_label:
            raise ConfigError(f"objects={objects!r} needs multi_label=True: a single-label image has one object.")
        self.options = SceneOptions(
            num_classes=num_classes,
            size=size_of(image_size),
            objects=pair(objects or (2, 4), "objects") if multi_label else (1, 1),
            object_size=pair(object_size, "object_size"),
            clutter=clutter,
            context=context,
        )
        self.num_images = num_images
        self.multi_label = multi_label
        self._last: tuple[str, Scene] | None = None  # image and targets of a sample come from one rendering
        super().__init__(
            split=split,
            pipeline=pipeline,
            load_targets=load_targets,
            transform_targets=transform_targets,
            seed=seed,
            test_mode=test_mode,
            indices=indices,
        )

    @classmethod
    def steps_for_others(cls, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the step that brings an image to the size of the scenes.

        >>> SyntheticParts.steps_for_others({"image_size": (96, 64)})
        [{'type': 'Resize', 'size': (64, 96), 'antialias': True}]
        """
        width, height = size_of(settings.get("image_size", IMAGE_SIZE))
        return [{"type": "Resize", "size": (height, width), "antialias": True}]

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the labels of every scene, not rendered yet."""
        number = SPLITS[self.split]
        records = [
            Record(
                image_id=f"{self.split}/{index:05d}",
                image_path="",
                labels=sorted(set(object_labels(self.seed, number, index, self.options))),
                size=self.options.size,
            )
            for index in range(self.num_images)
        ]
        return records, list(CLASS_NAMES[: self.options.num_classes])

    def scene(self, index: int) -> Scene:
        """Return the scene of one sample, with all that is known of it (crest boxes, background, clutter)."""
        return self._render(self.record(index))

    def _render(self, record: Record) -> Scene:
        """Return the scene of a record; the last one is kept."""
        image_id = record["image_id"]
        if self._last is None or self._last[0] != image_id:
            number = int(image_id.rpartition("/")[2])
            self._last = image_id, render_scene(self.seed, SPLITS[self.split], number, self.options)
        return self._last[1]

    def read_image(self, record: Record) -> torch.Tensor:
        """Return the rendered image as (3, H, W) uint8."""
        return torch.from_numpy(self._render(record).image.transpose(2, 0, 1).copy())

    def read_mask(self, record: Record) -> np.ndarray:
        """Return the (H, W) uint8 class mask."""
        return self._render(record).mask.copy()

    def targets(self, record: Record, size: tuple[int, int]) -> Targets:
        """Return the boxes and the mask of the rendered image."""
        scene = self._render(record)
        return Targets(
            size=size,
            boxes=scene.boxes.copy(),
            box_labels=scene.labels.copy(),
            difficult=np.zeros(len(scene.labels), dtype=bool),
            mask=self.read_mask(record),
        )

    def export(self, folder: str | Path, boxes: bool | None = None, suffix: str = ".png") -> Path:
        """Write the images as files, and their boxes and masks as COCO JSON; see ``export_folder``."""
        return export_folder(self, folder, boxes, suffix)


def size_of(image_size: int | Sequence[int]) -> tuple[int, int]:
    """Return (width, height) of a side or of the two."""
    return pair((image_size, image_size) if isinstance(image_size, int) else image_size, "image_size")


def pair(values: Sequence[Any], name: str) -> tuple[Any, Any]:
    """Return two values as a tuple.

    Raises:
        ConfigError: there are not two.

    >>> pair([96, 64], "image_size")
    (96, 64)
    """
    if not isinstance(values, Sequence) or len(values) != 2:
        raise ConfigError(f"{name} should be two values, but got {values!r}.")
    return values[0], values[1]


def export_folder(dataset: SyntheticParts, folder: str | Path, boxes: bool | None = None, suffix: str = ".png") -> Path:
    """Write a data set as image files, in folders named by class, and its boxes and masks as COCO JSON.

    Single-label images go to ``folder/<class name>/<number>.png``, multi-label images to ``folder/images``. The folder
    appears when everything is written, or not at all.

    Args:
        dataset: what to write.
        folder: where to; it is made, and should not hold anything yet.
        boxes: write ``boxes.json``, file names relative to the folder, masks as RLE; where nothing is said, for
            multi-label data (which has its labels there) and data with ``load_targets``.
        suffix: ``.png``, or ``.jpg`` for smaller files that are not exact.

    Returns:
        The folder.

    Raises:
        ConfigError: multi-label data without boxes, or another suffix.
        DataError: the folder holds something.
    """
    folder = Path(folder)
    with_boxes = dataset.load_targets or dataset.multi_label if boxes is None else boxes
    if dataset.multi_label and not with_boxes:
        raise ConfigError("The labels of multi-label images are written with the boxes: leave out boxes=False.")
    if suffix not in (".png", ".jpg"):
        raise ConfigError(f"suffix should be '.png' or '.jpg', but got {suffix!r}.")
    if not is_untouched(folder):
        raise DataError(f"{folder} holds something already. Empty it or choose another folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        names: list[str] = []
        objects: list[dict[str, Any]] = []
        for index in range(len(dataset)):
            names.append(write_image(dataset, index, draft, suffix))
            objects += coco_boxes(dataset.scene(index), index + 1) if with_boxes else []
        if with_boxes:
            images = [coco_image(number, name, dataset.options.size) for number, name in enumerate(names, start=1)]
            write_instances(draft / "boxes.json", images, objects, dataset.classes)
        if folder.exists():
            folder.rmdir()
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return folder


def write_image(dataset: SyntheticParts, index: int, folder: Path, suffix: str) -> str:
    """Write one image and return its name relative to the folder."""
    record = dataset.record(index)
    where = "images" if dataset.multi_label else dataset.classes[record["labels"][0]]
    name = f"{where}/{record['image_id'].rpartition('/')[2]}{suffix}"
    done, data = cv2.imencode(suffix, dataset.scene(index).image[:, :, ::-1])
    if not done:
        raise DataError(f"Image {record['image_id']} cannot be encoded as {suffix}.")
    (folder / where).mkdir(exist_ok=True)
    data.tofile(folder / name)
    return name


def coco_boxes(scene: Scene, image: int) -> list[dict[str, Any]]:
    """Return what COCO says of each object of a scene: the box and the outline, by the image's number."""
    found = []
    for number, (label, box) in enumerate(zip(scene.labels.tolist(), scene.boxes.tolist(), strict=True), 1):
        inside = scene.instances == number
        found.append(coco_box(image, label, box, area=int(inside.sum()), segmentation=run_lengths(inside)))
    return found
