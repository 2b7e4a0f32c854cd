"""Pictures that hold their own score maps, and a model that reads them: numbers that are the same on every machine.

A picture is a grid of 32 x 32 cells with six planes of 0 to 15, one for each class: colour channel c holds class c in
its upper four bits and class c + 3 in its lower ones. Every number on the way is a whole one or a fraction of a power
of two, and images are enlarged and shrunk by whole factors without interpolation, so nothing is ever rounded.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from wsolkit import (
    BACKBONES,
    BOX_EXTRACTORS,
    CAM_METHODS,
    HEADS,
    Activation,
    ActivationHead,
    Backbone,
    BoxExtractor,
    CamMethod,
    ScoredBoxes,
)

SIDE = 32
CLASSES = ["ant", "bee", "cat", "dog", "eel", "fox"]
FACTORS = [(2, 2), (3, 2), (2, 3), (4, 3)]
"""By how much a grid is enlarged to become an image, horizontally and vertically."""

COUNTS = {"train": 8, "val": 18, "test": 30}
LARGEST = 15


@dataclass
class Picture:
    """One image: ``planes`` (6, 32, 32) of 0 to 15, ``boxes`` in cells with their classes, ``crowd`` for each."""

    number: int
    planes: np.ndarray
    boxes: list
    labels: list
    crowd: list

    @property
    def present(self):
        return sorted(set(self.labels))

    @property
    def name(self):
        return f"{CLASSES[self.labels[0]]}/{self.number:03d}.png"

    @property
    def factors(self):
        return FACTORS[self.number % len(FACTORS)]

    @property
    def size(self):
        return SIDE * self.factors[0], SIDE * self.factors[1]

    @property
    def scaled_boxes(self):
        x, y = self.factors
        return [(x * x0, y * y0, x * x1, y * y1) for x0, y0, x1, y1 in self.boxes]

    @property
    def pixels(self):
        packed = (16 * self.planes[:3] + self.planes[3:]).astype(np.uint8).transpose(1, 2, 0)
        return packed.repeat(self.factors[1], axis=0).repeat(self.factors[0], axis=1)

    @property
    def mask(self):
        inside = np.zeros(self.size[::-1], np.uint8)
        for x0, y0, x1, y1 in self.scaled_boxes:
            inside[y0:y1, x0:x1] = 255
        return inside

    @property
    def maps(self):
        """The score maps (6, 32, 32) that the model makes of it."""
        return self.planes.astype(np.float32) / 16

    @property
    def logits(self):
        """The class scores (6,) that the model gives it."""
        return self.planes.sum((1, 2)).astype(np.float32) / 1024 - 2


class Painter:
    """Draws blobs of nested rectangles from a stream of random numbers that Python keeps the same in every version."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def whole(self, low, high):
        """Return a whole number in [low, high]."""
        return low + int(self.random() * (high - low + 1))

    def blob(self, plane, strongest):
        """Draw a blob and return the box of what belongs to it, give or take two cells."""
        width, height = self.whole(8, 26), self.whole(8, 26)
        x0, y0 = self.whole(0, SIDE - width), self.whole(0, SIDE - height)
        x1, y1 = x0 + width, y0 + height
        box = [x0, y0, x1, y1]
        level = self.whole(1, 4)
        while level <= strongest and x1 - x0 > 1 and y1 - y0 > 1:
            plane[y0:y1, x0:x1] = np.maximum(plane[y0:y1, x0:x1], level)
            level += self.whole(1, 4)
            x0, y0, x1, y1 = x0 + self.whole(0, 2), y0 + self.whole(0, 2), x1 - self.whole(0, 3), y1 - self.whole(0, 3)
        return [min(max(edge + self.whole(-2, 2), 0), SIDE) for edge in box]

    def picture(self, number, multi_label):
        """Draw a picture: one object or more of each class in it, something weaker of most others."""
        planes = np.zeros((len(CLASSES), SIDE, SIDE), np.int64)
        labels = [number % len(CLASSES)]
        if multi_label:
            labels += [k for k in range(len(CLASSES)) if k not in labels and self.random() < 0.3]
        picture = Picture(number, planes, [], [], [])
        for k, plane in enumerate(planes):
            for _ in range(self.whole(1, 2)):
                self.blob(plane, self.whole(2, 12 if k in labels else 14))
            if k not in labels:
                continue
            for again in range(self.whole(1, 2)):
                picture.boxes.append(self.blob(plane, self.whole(9, LARGEST)))
                picture.labels.append(k)
                picture.crowd.append(multi_label and again == 1 and self.random() < 0.4)
        order = sorted(range(len(picture.labels)), key=lambda i: picture.labels[i] != labels[0])  # gives it its name
        for name in ("boxes", "labels", "crowd"):
            setattr(picture, name, [getattr(picture, name)[i] for i in order])
        return picture


def pictures(split, multi_label=False):
    """Return the pictures of a split."""
    start = {"train": 0, "val": 100, "test": 200}[split]
    return [
        Painter(1000 * multi_label + start + number).picture(start + number, multi_label)
        for number in range(COUNTS[split])
    ]


def write_lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_listed(root, masks=False):
    """Write the single-label data in the layout of wsolevaluation, with boxes or with masks as the truth."""
    for split in COUNTS:
        drawn, folder = pictures(split), root / "metadata" / split
        for each in drawn:
            write_image(root / "images" / each.name, each.pixels)
            if masks:
                write_image(root / "images" / f"{each.name}_mask.png", each.mask)
        write_lines(folder / "image_ids.txt", [each.name for each in drawn])
        write_lines(folder / "class_labels.txt", [f"{each.name},{each.labels[0]}" for each in drawn])
        write_lines(folder / "image_sizes.txt", [f"{each.name},{each.size[0]},{each.size[1]}" for each in drawn])
        boxes = [f"{each.name},{x0},{y0},{x1 - 1},{y1 - 1}" for each in drawn for x0, y0, x1, y1 in each.scaled_boxes]
        truth = [f"{each.name},{each.name}_mask.png," for each in drawn] if masks else boxes
        write_lines(folder / "localization.txt", truth)
    write_lines(root / "metadata" / "classes.txt", [f"{label},{name}" for label, name in enumerate(CLASSES)])
    return root


def write_coco(root):
    """Write the multi-label data in the layout of COCO, with outlines and crowds."""
    for split in COUNTS:
        images, annotations = [], []
        for each in pictures(split, multi_label=True):
            write_image(root / split / f"{each.number}.png", each.pixels)
            width, height = each.size
            images.append({"id": each.number, "file_name": f"{each.number}.png", "width": width, "height": height})
            for (x0, y0, x1, y1), label, crowd in zip(each.scaled_boxes, each.labels, each.crowd, strict=True):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": each.number,
                        "category_id": 10 + 2 * label,
                        "bbox": [x0, y0, x1 - x0, y1 - y0],
                        "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]],
                        "iscrowd": int(crowd),
                    }
                )
        categories = [{"id": 10 + 2 * label, "name": name} for label, name in enumerate(CLASSES)]
        path = root / "annotations" / f"instances_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return root


def image_id(picture, multi_label):
    """Return how a data set calls a picture: COCO's images are numbers."""
    return str(picture.number) if multi_label else picture.name


def write_npy(folder, split, own_class=False):
    """Write a .npy file for each single-label picture: the maps of all classes, or that of its own (H, W)."""
    for each in pictures(split):
        path = folder / f"{each.name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, each.maps[each.labels[0]] if own_class else each.maps)
    return folder


def write_npz(path, split, multi_label=False):
    """Write all maps of a split into one file."""
    np.savez_compressed(path, **{image_id(each, multi_label): each.maps for each in pictures(split, multi_label)})
    return path


def write_logits(path, multi_label=False):
    """Write the class scores of val and test into one file."""
    drawn = [each for split in ("val", "test") for each in pictures(split, multi_label)]
    np.savez(path, **{image_id(each, multi_label): each.logits for each in drawn})
    return path


@BACKBONES.register_module(force=True)
class PlanesBackbone(Backbone):
    """Takes the six planes out of the colours; whole numbers in float32."""

    def __init__(self):
        super().__init__()
        self.channels = {"planes": len(CLASSES)}
        self.strides = {"planes": 1}

    def forward(self, images):
        colours = torch.round(images * 255)
        upper = torch.floor(colours / 16)
        return {"planes": torch.cat([upper, colours - 16 * upper], 1)}


@HEADS.register_module(force=True)
class SumHead(ActivationHead):
    """Class scores are sums of planes. It has a weight to train, which changes nothing."""

    def __init__(self, channels, num_classes: int | None = None):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, levels, batch=None):
        planes = levels["planes"]
        logits = planes.sum((2, 3)) / 1024 - 2 + 0 * self.unused
        return Activation(planes.flip(1), logits, planes)  # maps of the wrong classes: PlaneMaps is to make the maps


@CAM_METHODS.register_module(force=True)
class PlaneMaps(CamMethod):
    """The score map of a class is its plane, in sixteenths."""

    def __init__(self):
        super().__init__(resize="none", normalize="none")

    def raw_maps(self, model, images, classes, activation=None):
        planes = (activation or model.activate(images)).features / 16
        index = classes if classes.ndim == 2 else classes[:, None]
        found = planes[torch.arange(len(planes))[:, None], index]
        return found if classes.ndim == 2 else found[:, 0]


def write_checkpoint(path: Path):
    """Write a checkpoint of the model, as training leaves one without a chosen threshold."""
    state = {"head.unused": torch.zeros(1), "chosen_threshold": torch.tensor(float("nan"))}
    torch.save({"state_dict": state, "meta": {"classes": CLASSES, "epoch": 1}}, path)
    return path


@BOX_EXTRACTORS.register_module(force=True)
class UpperHalf(BoxExtractor):
    """The box of all that is above half of the maximum, whatever threshold was chosen."""

    chooses_threshold = True

    def __call__(self, score_map, features=None):
        rows, columns = np.nonzero(score_map > score_map.max() / 2)
        if not len(rows):
            return ScoredBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return ScoredBoxes(np.array([box], np.float32), np.ones(1, np.float32))
