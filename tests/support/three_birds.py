"""Three birds with known boxes, and ways to write their maps."""

import numpy as np
import pytest

from wsolkit.datasets.annotations import read_annotations

SIZE = (8, 6)  # width, height
BOXES = {"cat/a.jpg": (1, 1, 5, 4), "dog/b.jpg": (0, 0, 8, 6), "dog/c.jpg": (2, 3, 8, 6)}
LABELS = {"cat/a.jpg": 0, "dog/b.jpg": 1, "dog/c.jpg": 1}


def rectangle(box, size=SIZE, value=1.0):
    """Return a map (H, W) of zeros with a rectangle."""
    scores = np.zeros(size[::-1], np.float32)
    x0, y0, x1, y1 = box
    scores[y0:y1, x0:x1] = value
    return scores


def write_split(folder, boxes=BOXES, labels=LABELS, sizes=True):
    """Write a split in wsolevaluation's layout."""
    folder.mkdir(parents=True)
    (folder / "image_ids.txt").write_text("\n".join(labels))
    (folder / "class_labels.txt").write_text("\n".join(f"{name},{label}" for name, label in labels.items()))
    lines = [f"{name},{SIZE[0]},{SIZE[1]}" for name in labels] if sizes else []
    (folder / "image_sizes.txt").write_text("\n".join(lines))
    lines = [f"{name},{x0},{y0},{x1 - 1},{y1 - 1}" for name, (x0, y0, x1, y1) in boxes.items()]
    (folder / "localization.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture
def split(tmp_path):
    return write_split(tmp_path / "metadata" / "test")


@pytest.fixture
def truth(split):
    return read_annotations(split)


@pytest.fixture
def perfect():
    """The map of each image that is its box."""
    return {name: rectangle(box) for name, box in BOXES.items()}


@pytest.fixture
def write_npy(tmp_path):
    def write(maps, name="scoremaps"):
        for image_id, scores in maps.items():
            path = tmp_path / name / f"{image_id}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, scores)
        return tmp_path / name

    return write
