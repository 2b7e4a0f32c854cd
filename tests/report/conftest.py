"""Contents of results.json, made by hand."""

import json

import cv2
import numpy as np
import pytest

TRUTH = [[0.25, 0.25, 0.75, 0.75]]


def trial(image_id, outcome, iou, label=0, **changes):
    """Return a trial as a file has it."""
    box = [0.0] * 4 if outcome == "miss" else [0.25, 0.25, 0.5, 0.75]
    return {
        "image_id": image_id, "label": label, "box": box, "truth": TRUTH, "iou": iou, "outcome": outcome,
        "right_class": None, **changes,
    }  # fmt: skip


def line(name, percent, threshold=None, selection=None, **changes):
    """Return a number as a file has it."""
    return {
        "name": name, "percent": percent, "macro": None, "low": percent - 5, "high": percent + 5, "interval": "Wilson",
        "n": 4, "threshold": threshold, "selection": selection, **changes,
    }  # fmt: skip


def result(metric="MaxBoxAcc", lines=None, **changes):
    """Return a result as a file has it."""
    lines = lines or [line("MaxBoxAcc@50", 50.0, 0.2, "chosen on val"), line("MaxBoxAcc@50", 75.0, 0.4, "test-oracle")]
    curve = {"x": [0.0, 0.2, 0.4, 0.6], "y": [25.0, 50.0, 75.0, None], "x_label": "threshold", "y_label": "hits (%)"}
    return {
        "metric": metric, "conventions": {"comparator": "IoU >=", "box source": "largest"}, "lines": lines,
        "curves": {"hits over threshold": curve}, "each_class": {"0": 100.0, "1": 25.0}, **changes,
    }  # fmt: skip


def run_content(name="mine", **changes):
    """Return what results.json holds."""
    trials = [trial("a.jpg", "hit", 0.9), trial("b.jpg", "part", 0.3), trial("c.jpg", "miss", 0.0, label=1)]
    return {
        "wsolkit": "0.2", "name": name, "split": "test", "images": 4, "command": "wsolkit evaluate", "maps": None,
        "image_root": None, "classes": ["cat", "dog"], "results": [result()],
        "trials": [*trials, trial("d.jpg", "hit", 0.6, label=1)],
        "trials_at": {"metric": "MaxBoxAcc", "threshold": 0.2, "selection": "chosen on val", "iou": 0.5}, **changes,
    }  # fmt: skip


@pytest.fixture
def make():
    """Return what makes contents, results, numbers and trials."""

    class Make:
        content = staticmethod(run_content)
        result = staticmethod(result)
        line = staticmethod(line)
        trial = staticmethod(trial)

    return Make


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a run's folder."""

    def write(folder, content):
        path = tmp_path / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / "results.json").write_text(json.dumps(content), "utf-8")
        return path

    return write


@pytest.fixture
def images(tmp_path):
    """Return a folder with the four images, red, and their score maps beside it."""
    root, maps = tmp_path / "images", tmp_path / "maps"
    root.mkdir()
    maps.mkdir()
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[..., 2] = 255
    score_map = np.zeros((7, 7), np.float32)
    score_map[3, 3] = 1
    for name in "abcd":
        cv2.imwrite(str(root / f"{name}.jpg"), picture)
        np.save(maps / f"{name}.jpg.npy", score_map)
    return root
