"""What ``wsolkit label`` makes of three kinds of photographs, judged by true boxes and masks that it never sees.

    python benchmarks/labelling.py DATA --sets birds50 voc tiles --seeds 3 --out label_runs

DATA holds birds50 (wsolevaluation's metadata), voc (a VOCdevkit) and tiles (class folders with COCO boxes and masks).
Labels go in as a table; nothing else of the data set is shown to the command. Judged are the photographs of the test
split alone, whatever else was labelled beside them. Features are computed once for a set and serve all seeds.

Beside ours stand a box in the centre of half the area and the whole photograph, on the same photographs.
A hit: the photograph's best box (the least doubtful) overlaps a true box by at least .3, .5, .7.
"""

import argparse
import csv
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from wsolkit import label
from wsolkit.evaluation import box_iou
from wsolkit.evaluation.baselines import CENTRE_SIDE
from wsolkit.progress import progress_bar

IOUS = (0.3, 0.5, 0.7)


class Truth:
    """What is known of the test photographs of a set: sizes, boxes and where masks are.

    Args:
        photos: folder that the names are relative to.
        labels: names and their labels, of all photographs that are labelled.
        boxes: true boxes (N, 4) of the judged photographs, x0 y0 x1 y1 half open; none: nothing is there.
        mask: gives the object's pixels (h, w) bool of a photograph and those that count, or None.
        options: more arguments of ``label``.
    """

    def __init__(self, photos, labels, boxes, mask=None, **options):
        self.photos, self.labels, self.boxes, self.mask, self.options = photos, labels, boxes, mask, options


def lines(path):
    return [line for line in path.read_text().splitlines() if line.strip()]


def birds50(data):
    folder = data / "birds50"
    test = folder / "metadata/test"
    names = lines(test / "image_ids.txt")
    boxes = {name: [] for name in names}
    for line in lines(test / "localization.txt"):
        name, *sides = line.rsplit(",", 4)
        x0, y0, x1, y1 = map(float, sides)
        boxes[name].append([x0, y0, x1 + 1, y1 + 1])
    return Truth(folder / "images", {name: [name.split("/")[0]] for name in names}, boxes)


def voc(data):
    import xml.etree.ElementTree as ET

    folder = data / "voc/VOCdevkit/VOC2012"
    ids = [name for split in ("train", "val", "test") for name in lines(folder / f"ImageSets/Main/{split}.txt")]
    labels = {}
    for name in ids:
        found = ET.parse(folder / f"Annotations/{name}.xml").findall("object")
        labels[f"{name}.jpg"] = sorted({each.findtext("name") for each in found})
    boxes = {}
    for line in lines(folder / "ImageSets/Main/single_test.txt"):
        name = line.split()[0]
        sides = ET.parse(folder / f"Annotations/{name}.xml").find("object/bndbox")
        x0, y0, x1, y1 = (float(sides.findtext(side)) for side in ("xmin", "ymin", "xmax", "ymax"))
        boxes[f"{name}.jpg"] = [[x0 - 1, y0 - 1, x1, y1]]

    def mask(name):
        found = np.asarray(Image.open(folder / f"SegmentationClass/{Path(name).stem}.png"))
        return found != 0, found != 255

    return Truth(folder / "JPEGImages", labels, boxes, mask)


def tiles(data):
    folder = data / "tiles"
    names = [str(path.relative_to(folder)) for split in ("train", "val", "test")
             for path in sorted((folder / split).rglob("*.jpg"))]  # fmt: skip
    found = json.loads((folder / "boxes_test.json").read_text())
    by_id = {each["id"]: each["file_name"] for each in found["images"]}
    boxes = {name: [] for name in names if name.startswith("test/")}
    for each in found["annotations"]:
        x, y, width, height = each["bbox"]
        boxes[by_id[each["image_id"]]].append([x, y, x + width, y + height])

    def mask(name):
        path = folder / "masks" / Path(name).with_suffix(".png")
        found = np.asarray(Image.open(path).convert("L")) > 127
        return found, np.ones_like(found)

    return Truth(folder, {name: [name.split("/")[1]] for name in names}, boxes, mask, background=["free"])


SETS = {"birds50": birds50, "voc": voc, "tiles": tiles}


def auroc(scores, wrong):
    """Share of pairs of a wrong and a right box whose scores stand in the right order, ties counted half."""
    wrong = np.asarray(wrong, bool)
    high, low = np.asarray(scores)[wrong][:, None], np.asarray(scores)[~wrong]
    return float(((high > low) + 0.5 * (high == low)).mean()) if high.size and low.size else float("nan")


def judge(truth, out):
    """Return the numbers of one run."""
    dataset = json.loads((out / "dataset.json").read_text())
    images = {each["id"]: each for each in dataset["images"]}
    found = {name: [] for name in truth.boxes}
    sizes = {each["file_name"]: (each["width"], each["height"]) for each in images.values()}
    for each in dataset["annotations"]:
        name = images[each["image_id"]]["file_name"]
        if name in found:
            x, y, width, height = each["bbox"]
            found[name].append((each.get("doubt", 0.0), [x, y, x + width, y + height], each.get("segmentation")))
    numbers, doubts, areas, wrong, overlaps, masks, alarms = {}, [], [], [], [], [], []
    centre, whole = [], []
    for name, true in truth.boxes.items():
        boxes = sorted(found[name], key=lambda each: each[0])
        if not true:
            alarms.append(bool(boxes))
            continue
        width, height = sizes[name]
        best = box_iou(np.array([boxes[0][1]]), np.array(true)).max() if boxes else 0.0
        overlaps.append(best)
        edge = (1 - CENTRE_SIDE) / 2
        middle = [width * edge, height * edge, width * (1 - edge), height * (1 - edge)]
        centre.append(box_iou(np.array([middle]), np.array(true)).max())
        whole.append(box_iou(np.array([[0, 0, width, height]]), np.array(true)).max())
        if boxes:
            x0, y0, x1, y1 = boxes[0][1]
            doubts.append(boxes[0][0])
            areas.append((x1 - x0) * (y1 - y0) / width / height)
            wrong.append(best < 0.5)
        if truth.mask is not None:
            inside, counted = truth.mask(name)
            drawn = np.zeros((height, width), bool)
            for each in boxes:
                drawn |= pixels_of(each[2], height, width)
            shared, union = (drawn & inside & counted).sum(), ((drawn | inside) & counted).sum()
            masks.append(shared / union if union else 1.0)
    for name, values in (("", overlaps), ("centre ", centre), ("whole ", whole)):
        for iou in IOUS:
            numbers[f"{name}hits at {iou}"] = 100 * float(np.mean(np.array(values) >= iou))
    numbers["mean IoU of boxes"] = 100 * float(np.mean(overlaps))
    if masks:
        numbers["mean IoU of masks"] = 100 * float(np.mean(masks))
    if alarms:
        numbers["false alarms on nothing"] = 100 * float(np.mean(alarms))
    numbers["AUROC of doubt"] = auroc(doubts, wrong)
    numbers["AUROC of the area"] = auroc(areas, wrong)
    return numbers


def pixels_of(segmentation, height, width):
    """Return the pixels of a COCO segmentation, polygons or run lengths."""
    from pycocotools import mask as coco

    if not segmentation:
        return np.zeros((height, width), bool)
    if isinstance(segmentation, list):
        runs = coco.merge(coco.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        runs = coco.frPyObjects(segmentation, height, width)
    else:
        runs = segmentation
    return coco.decode(runs).astype(bool)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("label_runs"))
    parser.add_argument("--masks", action="store_true", help="find masks too, where there are true ones")
    args = parser.parse_args()
    for kind in args.sets:
        truth = SETS[kind](args.data)
        folder = args.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows([name, *labels] for name, labels in truth.labels.items())
        rows = []
        masks = args.masks and kind != "birds50"
        for seed in range(args.seeds):
            began = time.perf_counter()
            run = label(
                truth.photos, folder / "labels", labels=folder / "labels.csv", seed=seed, retrain=seed > 0, draw=0,
                masks=masks, say=lambda line: print(line, flush=True), shows=progress_bar, **truth.options,
            )  # fmt: skip
            row = judge(truth, folder / "labels")
            row["minutes"] = (time.perf_counter() - began) / 60
            print(f"{kind}, seed {seed}: {run.boxes} boxes", json.dumps(row), flush=True)
            rows.append(row)
        print(f"\n{kind}: {len(truth.labels)} photographs, {len(truth.boxes)} judged, {args.seeds} seeds")
        for name in rows[0]:
            values = [row[name] for row in rows]
            print(f"  {name:26s} {statistics.mean(values):8.3f}   {' '.join(f'{value:.3f}' for value in values)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
