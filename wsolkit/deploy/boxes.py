"""Boxes in photographs with the model.onnx beside this file, as `wsolkit predict` finds them.

pip install numpy onnxruntime pillow; python boxes.py PHOTO ... > boxes.csv
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps


def shrink(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize the first axis of uint8 pixels, to the very values of torchvision's antialiased Resize."""
    scale = len(pixels) / size
    away = np.abs(np.arange(len(pixels)) + 0.5 - (np.arange(size)[:, None] + 0.5) * scale)
    weights = np.maximum(0, 1 - away / max(scale, 1))  # (size, pixels)
    weights /= weights.sum(1, keepdims=True)
    unit = next(2.0**bits for bits in range(23) if bits == 22 or int(weights.max() * 2 ** (bits + 1) + 0.5) >= 2**15)
    rows = []
    for row in np.floor(weights * unit + 0.5):
        used = np.flatnonzero(row)
        rows.append(np.tensordot(row[used[0] : used[-1] + 1], pixels[used[0] : used[-1] + 1], 1) / unit)
    return np.floor(np.stack(rows) + 0.5).astype(np.uint8)


def components(inside: np.ndarray) -> np.ndarray:
    """Give each pixel of an 8-connected component the index of the component's first pixel; others get the size."""
    (height, width), size = inside.shape, inside.size
    numbers = np.where(inside, np.arange(size).reshape(height, width), size)
    while True:
        framed = np.pad(numbers, 1, constant_values=size)
        near = np.min([framed[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)
        lower = np.where(inside, np.append(near, size)[near], size)  # what the neighbour's first pixel is called
        if (lower == numbers).all():
            return numbers
        numbers = lower


def boxes_of(score_map: np.ndarray, facts: dict[str, Any]) -> list[tuple[float, tuple[int, int, int, int]]]:
    """Return score and x0 y0 x1 y1 of the largest component above the threshold, or of all of them, best first."""
    numbers = components(score_map > facts["threshold"] * float(score_map.max()))
    names, areas = np.unique(numbers[numbers < numbers.size], return_counts=True)
    largest = facts["boxes"] == "largest"
    kept = names[[areas.argmax()]] if largest and len(names) else names[areas >= facts["min_area"] * numbers.size]
    found = []
    for name in kept:
        y, x = np.nonzero(numbers == name)
        box = int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1
        inside = score_map[box[1] : box[3], box[0] : box[2]] if largest else score_map[y, x]
        found.append((float(inside.mean()), box))
    return sorted(found, key=lambda each: -each[0])[: facts["most_boxes"]]


def classes_of(logits: np.ndarray | None, facts: dict[str, Any]) -> list[tuple[int, float | None]]:
    """Return the classes of an image with their probabilities: the likeliest, or with several labels all above 0.5."""
    if logits is None:
        return [(0, None)]
    if facts["multi_label"]:
        probabilities = 1 / (1 + np.exp(-logits))
        return [(int(k), float(probabilities[k])) for k in np.argsort(-logits) if probabilities[k] > 0.5]
    probabilities = np.exp(logits - logits.max())
    return [(int(logits.argmax()), float(probabilities.max() / probabilities.sum()))]


def rows(session: Any, facts: dict[str, Any], path: str) -> Iterator[list[object]]:
    """Yield path, class, score and box in pixels of the photograph, EXIF applied."""
    photo = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    height, width = facts["input_size"]
    pixels = shrink(shrink(photo.swapaxes(0, 1), width).swapaxes(0, 1), height)
    outputs = dict(zip(facts["outputs"], session.run(facts["outputs"], {"images": pixels[None]}), strict=True))
    maps, scale = outputs["maps"][0], [photo.shape[1] / width, photo.shape[0] / height] * 2
    for index, probability in classes_of(outputs["logits"][0] if "logits" in outputs else None, facts):
        for score, box in boxes_of(maps[min(index, len(maps) - 1)], facts):
            sides = [round(side * by, 2) for side, by in zip(box, scale, strict=True)]
            yield [path, facts["classes"][index], score if probability is None else probability, *sides]


def main(photos: list[str]) -> None:
    """Print the boxes of photographs as CSV."""
    import onnxruntime

    session = onnxruntime.InferenceSession(Path(__file__).with_name("model.onnx"), providers=["CPUExecutionProvider"])
    facts = {key: json.loads(text) for key, text in session.get_modelmeta().custom_metadata_map.items()}
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["path", "class", "score", "x0", "y0", "x1", "y1"])
    for path in photos:
        table.writerows(rows(session, facts, path))


if __name__ == "__main__":
    main(sys.argv[1:])
