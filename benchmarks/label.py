"""What labelling costs beside one look at each photograph: the whole of ``wsolkit label`` against a bare forward pass.

    OMP_NUM_THREADS=1 python benchmarks/label.py [--photos FOLDER]

In one run and of the same photographs (drawn ones, unless a folder with one folder a class is given):
- bare: the backbone without folded norms, channels last, over the photographs and their mirror images in memory,
- pictures: reading, decoding and resizing every photograph once, and
- label: the command in a process of its own, from its start to its files, without pages of pictures.

CPU time of all processes counts, so that it also tells on a busy machine; wall time is printed beside it. The ratio is
(label - pictures) / bare. Aim: at most 2.0; starting Python and its libraries weighs less the more photographs there
are, and is printed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from wsolkit import load_config, load_plugins
from wsolkit.datasets.image_files import find_images
from wsolkit.datasets.loading import load_batches
from wsolkit.inference.geometry import build_pipeline
from wsolkit.model.folded import unfold_norms
from wsolkit.registry import MODELS

AIM = 2.0


def draw_photos(folder, count, width=500, height=375):
    """Smooth scenes with a bright blob in the middle, in two class folders."""
    for number in range(count):
        rng = np.random.default_rng(number)
        scene = cv2.resize(
            rng.integers(0, 180, (9, 12, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        cv2.circle(scene, (width // 2, height // 2), int(rng.integers(60, 120)), (40, 220, 240), -1)
        place = folder / ("one", "two")[number % 2]
        place.mkdir(exist_ok=True)
        noisy = (scene + rng.normal(0, 9, scene.shape)).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(place / f"{number:05d}.jpg"), noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])


def costs(work):
    """Return (CPU seconds of this process and its children, wall seconds)."""
    before, begun = sum(os.times()[:4]), time.perf_counter()
    work()
    return sum(os.times()[:4]) - before, time.perf_counter() - begun


def bare_pass(model, images, count):
    """Run the backbone over so many images, plain."""
    with torch.no_grad():
        for _ in range(0, count, len(images)):
            model.activate(images)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="your own; drawn ones by default")
    parser.add_argument("--images", type=int, default=256, help="how many are drawn")
    parser.add_argument("--batch-size", type=int, default=32, help="of the bare forward pass")
    args = parser.parse_args()
    load_plugins()
    config = load_config("label_objects", {})
    model = MODELS.build(config["model"]).eval()
    transform, size = build_pipeline(config["test_dataloader"]["dataset"]["pipeline"])
    with tempfile.TemporaryDirectory() as made:
        photos = args.photos or Path(made) / "photos"
        if args.photos is None:
            photos.mkdir()
            draw_photos(photos, args.images)
        images = find_images([photos])
        count = len(images)
        batch = model.data_preprocessor(
            {"inputs": torch.randint(0, 256, (args.batch_size, 3, *size), dtype=torch.uint8)}
        )["inputs"]
        bare_pass(model, batch, 1)
        unfold_norms(model.backbone)
        sums = {"bare": costs(lambda: bare_pass(model, batch, 2 * count))}
        groups = [range(begin, min(begin + 8, count)) for begin in range(0, count, 8)]
        sums["pictures"] = costs(lambda: list(load_batches(images, transform, size, groups)))
        command = [sys.executable, "-m", "wsolkit", "label", str(photos), "--out", f"{made}/labels", "--no-pictures"]
        sums["start"] = costs(lambda: subprocess.run([*command[:4], "--help"], check=True, stdout=subprocess.DEVNULL))
        sums["label"] = costs(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    print(f"{count} photographs at {size[1]} x {size[0]}, {torch.get_num_threads()} threads")
    for name, (cpu, wall) in sums.items():
        print(f"{name:9} CPU {cpu:7.1f} s  {1000 * cpu / count:6.1f} ms a photograph   wall {wall:7.1f} s")
    ratio = (sums["label"][0] - sums["pictures"][0]) / sums["bare"][0]
    fixed = sums["label"][1] / count * 1000 / 60
    print(f"ratio {ratio:.2f} (aim: at most {AIM:.1f}); 1,000 photographs at this pace: {fixed:.1f} minutes")


if __name__ == "__main__":
    main()
