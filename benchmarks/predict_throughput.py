"""How much of the bare forward pass's throughput prediction keeps: boxes included, pictures excluded.

    OMP_NUM_THREADS=2 python benchmarks/predict_throughput.py

Compares images/s of
- unfolded: backbone and head on a normalised batch that lies in memory, nothing else, every norm a pass of its own,
- bare: the same with the norms folded into the convolutions, as models do by themselves where they are evaluated,
- arrays: ``Predictor`` from decoded images of their own size to boxes in their pixels, and
- files: ``predict_to_folder`` from JPEG files on disk to COCO files.

The four alternate, each several times; the ratio is that of the medians. Decoding and forward pass share the cores.
CPU time is printed beside it (worker processes included): with OMP_NUM_THREADS=1 it also tells on a busy machine.
Aims on a CPU at 224 pixels: at least 85 % of bare with resnet18, and at least 1.2 times unfolded.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import torch

from wsolkit import load_plugins
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.to_folder import predict_to_folder
from wsolkit.model.folded import unfold_norms
from wsolkit.model.localizer import Localizer

AIM = 0.85
AIM_UNFOLDED = 1.2


def build_predictor(args):
    load_plugins()
    torch.manual_seed(0)
    model = Localizer(
        backbone={"type": "TimmBackbone", "name": args.backbone, "output_stride": args.output_stride},
        head={"type": "LinearHead", "num_classes": 200},
        precision=args.precision,
    )
    pipeline = [{"type": "Resize", "size": (args.size, args.size), "antialias": True}]
    return Predictor(model, pipeline, batch_size=args.batch_size, device=args.device)


def make_photo(number, width=500, height=375):
    """A smooth scene with some grain: about 55 kB as a JPEG, as photos of that size have."""
    rng = np.random.default_rng(number)
    scene = cv2.resize(
        rng.integers(0, 255, (9, 12, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return (scene + rng.normal(0, 9, scene.shape)).clip(0, 255).astype(np.uint8)


def write_photos(folder, count):
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:05d}.jpg"), make_photo(number % 64), [cv2.IMWRITE_JPEG_QUALITY, 90])


def time_bare(model, images, count):
    with torch.no_grad():
        begun = time.perf_counter()
        for _ in range(0, count, len(images)):
            model.activate(images)
        if images.device.type == "cuda":
            torch.cuda.synchronize()
    return count / (time.perf_counter() - begun)


def time_arrays(predictor, photos, count):
    begun = time.perf_counter()
    found = sum(1 for _ in predictor.stream(photos[number % len(photos)] for number in range(count)))
    assert found == count
    return count / (time.perf_counter() - begun)


def time_files(predictor, folder, count, workers):
    out = Path(tempfile.mkdtemp()) / "out"
    begun = time.perf_counter()
    summary = predict_to_folder(predictor, [folder], out, num_workers=workers)
    seconds = time.perf_counter() - begun
    assert summary.images == count
    shutil.rmtree(out.parent)
    return count / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=512, help="images in each measurement")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--output-stride", type=int, default=None)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--num-workers", type=int, default=None)
    args = parser.parse_args()
    predictor = build_predictor(args)
    inputs = torch.randint(0, 256, (args.batch_size, 3, args.size, args.size), dtype=torch.uint8)
    batch = predictor.model.data_preprocessor({"inputs": inputs})["inputs"]
    unfolded = deepcopy(predictor.model)
    unfold_norms(unfolded.backbone)
    photos = [make_photo(number) for number in range(32)]
    with tempfile.TemporaryDirectory() as folder:
        write_photos(Path(folder), args.images)
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / args.images
        print(f"{args.backbone}, {args.size} pixels, {torch.get_num_threads()} threads, JPEGs of {size / 1000:.0f} kB")
        timers = {
            "unfolded": lambda: time_bare(unfolded, batch, args.images),
            "bare": lambda: time_bare(predictor.model, batch, args.images),
            "arrays": lambda: time_arrays(predictor, photos, args.images),
            "files": lambda: time_files(predictor, folder, args.images, args.num_workers),
        }
        rates = {name: [] for name in timers}
        costs = {name: [] for name in timers}
        for repeat in range(args.repeats + 1):
            for name, timer in timers.items():
                before = sum(os.times()[:4])
                rate = timer()
                if repeat:  # the first round warms up
                    rates[name].append(rate)
                    costs[name].append(1000 * (sum(os.times()[:4]) - before) / args.images)
    bare = statistics.median(rates["bare"])
    least = min(costs["bare"])
    for name, found in rates.items():
        middle = statistics.median(found)
        print(
            f"{name:9} {middle:8.1f} images/s  {middle / bare:6.1%}  (from {min(found):.1f} to {max(found):.1f})   "
            f"CPU {min(costs[name]):6.2f} ms/image  {least / min(costs[name]):6.1%}"
        )
    print(f"aim: {AIM:.0%} of the bare forward pass, {AIM_UNFOLDED} times the unfolded one")
    plain, slowest = statistics.median(rates["unfolded"]), min(costs["unfolded"])
    for name in ("bare", "arrays", "files"):
        print(f"{name:9} {statistics.median(rates[name]) / plain:.2f} times, by CPU {slowest / min(costs[name]):.2f}")


if __name__ == "__main__":
    main()
