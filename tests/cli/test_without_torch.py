"""Scores and boxes of plain arrays never import torch: the commands start in a moment."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.support import layouts
from tests.support.layouts import CONTENT

CODE = """
import sys
from wsolkit.cli.main import main
code = main(sys.argv[1:])
assert "torch" not in sys.modules, "torch was imported"
sys.exit(code)
"""


def run(folder, *argv):
    done = subprocess.run([sys.executable, "-c", CODE, *argv], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["wsol", "coco", "voc"])
def data(request, tmp_path):
    """Return the arguments that name data with perfect maps in ``maps/``."""
    photos = CONTENT["test"]
    if request.param == "wsol":
        layouts.write_wsol_metadata(tmp_path)
        names, argv = [f"{p.folder}/{p.name}.jpg" for p in photos], ["--metadata", "metadata/test"]
    elif request.param == "coco":
        layouts.write_coco(tmp_path)
        content = json.loads((tmp_path / "annotations" / "instances_test.json").read_text())
        names = [image["file_name"] for image in content["images"]]
        argv = ["--metadata", "annotations/instances_test.json", "--images", "test"]
    else:
        layouts.write_pascal_voc(tmp_path)
        names, argv = [p.name for p in photos], ["--metadata", ".", "--split", "test", "--classes", "cat", "dog"]
    for name, photo in zip(names, photos, strict=True):
        (tmp_path / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
        maps = np.zeros((2, *photo.size[::-1]), np.float32)
        maps[photo.label] = photo.inside
        np.save(tmp_path / "maps" / f"{name}.npy", maps)
    return ["--maps", "maps", *argv, "--size", "map"]


def test_evaluate(data, tmp_path):
    assert "split, 3 images" in run(tmp_path, "evaluate", *data, "--threshold", "0.5", "--out", "out")
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize("extractor", ["LargestComponent", "AllComponents"])
@pytest.mark.parametrize("data", ["wsol"], indirect=True)
def test_boxes(data, tmp_path, extractor):
    formats = ["--format", "coco", "voc", "yolo", "csv"]
    assert "3 boxes in 3 images" in run(tmp_path, "boxes", *data, "--out", "out", "--extractor", extractor, *formats)
