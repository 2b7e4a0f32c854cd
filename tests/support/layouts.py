"""Writes one and the same tiny data set in every layout: coloured noise with one rectangle in each image."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ["cat", "dog"]


@dataclass(frozen=True)
class Photo:
    name: str
    label: int
    box: tuple
    size: tuple = (48, 36)

    @property
    def folder(self):
        return CLASSES[self.label]

    @property
    def pixels(self):
        rng = np.random.default_rng(sum(map(ord, self.name)))
        coarse = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(coarse).resize(self.size, Image.BICUBIC))

    @property
    def inside(self):
        mask = np.zeros(self.size[::-1], dtype=bool)
        x0, y0, x1, y1 = self.box
        mask[y0:y1, x0:x1] = True
        return mask

    def save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(self.pixels).save(path, quality=95)


CONTENT = {
    "train": [
        Photo("a", 0, (1, 2, 20, 30)),
        Photo("b", 1, (0, 0, 48, 36)),
        Photo("c", 0, (5, 5, 6, 6)),
        Photo("d", 1, (3, 4, 30, 31), (40, 50)),
    ],
    "val": [Photo("e", 0, (7, 8, 17, 28)), Photo("f", 1, (10, 0, 48, 11))],
    "test": [Photo("g", 0, (2, 3, 4, 5)), Photo("h", 1, (20, 20, 40, 36)), Photo("i", 1, (0, 1, 2, 3))],
}


def write_lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(str(line) for line in lines), encoding="utf-8")  # no trailing newline, as wsolevaluation


def write_image_folder(root, boxes="csv"):
    everything = [(f"{split}/{p.folder}/{p.name}.jpg", p) for split, photos in CONTENT.items() for p in photos]
    for path, photo in everything:
        photo.save(root / path)
    if boxes == "csv":
        with (root / "boxes.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "x0", "y0", "x1", "y1"])
            writer.writerows([path, *photo.box] for path, photo in everything)
    elif boxes == "json":
        write_coco_json(root / "boxes.json", everything)
    elif boxes == "xml":
        for path, photo in everything:
            write_voc_xml((root / "xml" / path.split("/", 1)[1]).with_suffix(".xml"), photo)
    return {"boxes": {"csv": "boxes.csv", "json": "boxes.json", "xml": "xml"}[boxes]}


def write_wsol_metadata(root, masks=False):
    for split, photos in CONTENT.items():
        folder = root / "metadata" / split
        ids = [f"{p.folder}/{p.name}.jpg" for p in photos]
        for name, photo in zip(ids, photos, strict=True):
            photo.save(root / "images" / name)
            if masks:
                Image.fromarray(photo.inside.astype(np.uint8) * 255).save(root / "images" / f"{name}_mask.png")
        write_lines(folder / "image_ids.txt", ids)
        write_lines(folder / "class_labels.txt", [f"{i},{p.label}" for i, p in zip(ids, photos, strict=True)])
        sizes = [f"{i},{p.size[0]},{p.size[1]}" for i, p in zip(ids, photos, strict=True)]
        write_lines(folder / "image_sizes.txt", sizes)
        lines = [
            f"{i},{i}_mask.png," if masks else f"{i},{p.box[0]},{p.box[1]},{p.box[2] - 1},{p.box[3] - 1}"
            for i, p in zip(ids, photos, strict=True)
        ]
        write_lines(folder / "localization.txt", lines)
    write_lines(root / "metadata" / "classes.txt", [f"{label},{name}" for label, name in enumerate(CLASSES)])
    return {}


def write_cub200(root):
    root = root / "CUB_200_2011"
    photos = [(split, photo) for split in ("train", "test") for photo in CONTENT[split]]
    paths = [f"{p.label + 1:03d}.{p.folder}/{p.name}.jpg" for _, p in photos]
    for path, (_, photo) in zip(paths, photos, strict=True):
        photo.save(root / "images" / path)
        mask = (root / "segmentations" / path).with_suffix(".png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo.inside.astype(np.uint8) * 204).save(mask)
    numbered = list(enumerate(photos, start=1))
    write_lines(root / "images.txt", [f"{n} {path}" for n, path in enumerate(paths, start=1)])
    write_lines(root / "classes.txt", [f"{n} {n:03d}.{name}" for n, name in enumerate(CLASSES, start=1)])
    write_lines(root / "image_class_labels.txt", [f"{n} {p.label + 1}" for n, (_, p) in numbered])
    write_lines(root / "train_test_split.txt", [f"{n} {int(split == 'train')}" for n, (split, _) in numbered])
    boxes = [
        f"{n} {p.box[0]:.1f} {p.box[1]:.1f} {p.box[2] - p.box[0]:.1f} {p.box[3] - p.box[1]:.1f}"
        for n, (_, p) in numbered
    ]
    write_lines(root / "bounding_boxes.txt", boxes)
    return {"masks": True}


def write_voc_xml(path, photo, difficult=0, objects=None):
    corner = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
    objects = [(photo.folder, photo.box, difficult)] if objects is None else objects
    text = "".join(
        f"<object><name>{name}</name><difficult>{hard}</difficult>{corner.format(x0 + 1, y0 + 1, x1, y1)}</object>"
        for name, (x0, y0, x1, y1), hard in objects
    )
    size = f"<size><width>{photo.size[0]}</width><height>{photo.size[1]}</height></size>"
    write_lines(path, [f"<annotation>{size}{text}</annotation>"])


def write_pascal_voc(root, lists=True):
    for split, photos in CONTENT.items():
        write_lines(root / "ImageSets/Main" / f"{split}.txt", [p.name for p in photos])
        for label, name in enumerate(CLASSES if lists else []):
            lines = [f"{p.name} {1 if p.label == label else -1:2d}" for p in photos]
            write_lines(root / "ImageSets/Main" / f"{name}_{split}.txt", lines)
        for photo in photos:
            photo.save(root / "JPEGImages" / f"{photo.name}.jpg")
            write_voc_xml(root / "Annotations" / f"{photo.name}.xml", photo)
            value = {"cat": 8, "dog": 12}[photo.folder]
            mask = Image.fromarray(photo.inside.astype(np.uint8) * value)
            mask.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
            (root / "SegmentationClass").mkdir(exist_ok=True)
            mask.save(root / "SegmentationClass" / f"{photo.name}.png")
    return {"classes": CLASSES}


def write_coco_json(path, named_photos, **annotation):
    images, annotations = [], []
    for name, photo in named_photos:
        number = 100 + ord(photo.name)
        x0, y0, x1, y1 = photo.box
        images.append({"id": number, "file_name": name, "width": photo.size[0], "height": photo.size[1]})
        outline = [[x0, y0, x1, y0, x1, y1, x0, y1]]
        box = [x0, y0, x1 - x0, y1 - y0]
        category = {"cat": 17, "dog": 18}[photo.folder]
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": category,
                "bbox": box,
                "segmentation": outline,
                "iscrowd": 0,
                **annotation,
            }
        )
    categories = [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def write_coco(root):
    for split, photos in CONTENT.items():
        for photo in photos:
            photo.save(root / split / f"{photo.name}.jpg")
        named = [(f"{photo.name}.jpg", photo) for photo in photos]
        write_coco_json(root / "annotations" / f"instances_{split}.json", named)
    return {}


def change(path, old, new):
    """Replace text in a file that has to hold it."""
    path = Path(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
