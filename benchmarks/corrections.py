"""What checking photographs is worth: corrections simulated from true boxes, in the order of next.txt and at random.

    python benchmarks/corrections.py METADATA --images FOLDER [--seeds 0 1 2] [--counts 20 50 100 200] [--most N]

METADATA is a split with one true box a photograph and one class each (wsolevaluation's lists, COCO, ...). For each seed
`wsolkit label` finds boxes without seeing a true one; then the first so many photographs of an order are checked, and
their true boxes given back with --verified. Printed are mean IoU and hits at .5 and .7, of all photographs and of the
unchecked ones alone, each as mean [least, most] over the seeds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit.datasets.annotations import read_annotations
from wsolkit.evaluation.overlap import box_iou
from wsolkit.formats.coco import coco_box, coco_image, corners, read_instances, write_instances
from wsolkit.labelling.run import label

HEAD = ("checked", "order", "IoU", "hits .5", "hits .7", "unchecked: IoU", "hits .5", "hits .7")


def linked(
    metadata: Path, images: Path, folder: Path, most: int | None
) -> dict[str, tuple[tuple[int, int], np.ndarray]]:
    """Link the photographs of a split into class folders, and return the size and the true boxes (N, 4) of each."""
    found = read_annotations(metadata, images=images)
    truth = {}
    for each in list(found)[:most]:
        assert isinstance(each.label, int)
        assert each.size is not None
        assert each.targets is not None
        path = folder / found.classes[each.label] / Path(each.path).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(each.path)
        truth[path.relative_to(folder).as_posix()] = (each.size, each.targets.boxes.astype(float))
    return truth


def write_checked(path: Path, names: Sequence[str], truth: Mapping[str, Any]) -> Path:
    """Write the true boxes of some photographs as a person would give them back."""
    classes = sorted({name.split("/")[0] for name in truth})
    images = [coco_image(number, name, truth[name][0]) for number, name in enumerate(names, start=1)]
    boxes = [
        coco_box(number, classes.index(name.split("/")[0]), box)
        for number, name in enumerate(names, start=1)
        for box in truth[name][1]
    ]
    write_instances(path, images, boxes, classes)
    return path


def numbers(out: Path, truth: Mapping[str, Any], checked: Sequence[str] = ()) -> list[float]:
    """Return mean IoU and hits at .5 and .7 in percent, of all photographs and of the unchecked ones."""
    path = out / "dataset.json"
    read = read_instances(path)
    overlaps = {}
    for number, image in read.images.items():
        boxes = np.array([corners(each, path) for each in read.annotations.get(number, [])]).reshape(-1, 4)
        overlaps[image["file_name"]] = float(box_iou(boxes, truth[image["file_name"]][1]).max(initial=0))
    rest = [overlap for name, overlap in overlaps.items() if name not in set(checked)]
    parts = [np.array(list(overlaps.values())), np.array(rest)]
    return [100 * float(value) for part in parts for value in (part.mean(), (part >= 0.5).mean(), (part >= 0.7).mean())]


def to_check(folder: Path) -> list[str]:
    """Return the names of the photographs to check, the most doubtful first."""
    return [line.partition("\t")[2] for line in (folder / "next.txt").read_text().splitlines()]


def of_seed(
    photos: Path, work: Path, truth: Mapping[str, Any], seed: int, counts: Sequence[int]
) -> dict[Any, list[float]]:
    """Return the numbers of one seed by (how many are checked, in which order)."""
    first = work / f"labels{seed}"
    options: dict[str, Any] = {"formats": ("coco",), "draw": 0, "seed": seed}
    label(photos, first, **options)
    found = {(0, "-"): numbers(first, truth)}
    drawn = np.random.default_rng(seed).permutation(sorted(truth)).tolist()
    for order, names in (("next.txt", to_check(first)), ("random", drawn)):
        for count in counts:
            out = work / "checked"
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(first, out, copy_function=os.link)
            label(photos, out, verified=write_checked(work / "checked.json", names[:count], truth), **options)
            found[count, order] = numbers(out, truth, names[:count])
    return found


def main() -> None:
    """Run the simulation and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metadata", type=Path)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--counts", type=int, nargs="+", default=[20, 50, 100, 200])
    parser.add_argument("--most", type=int, help="use the first so many photographs")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        truth = linked(args.metadata, args.images.absolute(), work / "photos", args.most)
        runs = [of_seed(work / "photos", work, truth, seed, args.counts) for seed in args.seeds]
    print(f"{len(truth)} photographs, seeds {args.seeds}\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for key in runs[0]:
        cells = [
            f"{np.mean(each):.1f} [{min(each):.1f}, {max(each):.1f}]"
            for each in zip(*(run[key] for run in runs), strict=True)
        ]
        print(f"| {key[0]} | {key[1]} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
