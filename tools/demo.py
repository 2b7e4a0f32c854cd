"""The whole job in three minutes, without data: paint labelled pictures, train CAM and C2AM on them, compare the boxes.

Both learn from the folders alone; boxes are only read to choose the threshold (val) and to judge (test).
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from wsolkit.cli.main import main

IMAGES = {"train": range(240), "val": range(48), "test": range(48, 144)}
SCENES = {"type": "SyntheticParts", "num_classes": 6, "image_size": 224, "object_size": (0.35, 0.65), "seed": 1}
STEPS = "[dict(type='Resize', size=(224, 224), antialias=True), dict(type='RandomHorizontalFlip')]"
FROZEN = ["model.freeze=['model']", f"train_dataloader.dataset.pipeline={STEPS}", "optim_wrapper.optimizer.lr=0.5"]
WHOLE = [
    "train_dataloader.dataset.split=train",
    "model.backbone.levels=['blocks.4','final']",
    "model.head.levels=['final','blocks.4']",
]
CONFIGS = {"CAM": ("cam_folder", 20, FROZEN), "C2AM": ("label_objects", 4, WHOLE)}
"""What is trained, for how many epochs, and with which options; features are computed once, for nothing is unfrozen."""

LESSON = (
    "All creatures share their bodies; only the small crest on the head tells the classes apart. CAM is the map of a "
    "classifier, so it lights the crest: cut high, its box holds a part; cut low, it runs into the background. C2AM "
    "learns from the same pictures, without the labels, what is object and what is background, so its box holds the "
    "whole. Which is right depends on what is to be found: a defect that only the label tells, or the object."
)
NEXT = """
Next, with photographs of your own in photos/CLASS/*.jpg:

  wsolkit label photos --out labels                           # boxes, and labels/index.html to check them
  wsolkit label photos --out labels --verified verdicts.json  # what you checked there goes into every file
  wsolkit predict labels/last.pth more --classes folder --out found --draw  # other photographs"""


def demo(folder: Path) -> int:
    """Run the demo into ``folder``, print the table and where the page is; returns the exit status."""
    from rich.console import Console

    from wsolkit.registry import DATASETS

    began, worked = time.perf_counter(), time.process_time()
    console = Console(soft_wrap=True, highlight=False)
    for part in ("photos", *CONFIGS, "comparison"):
        shutil.rmtree(folder / part, ignore_errors=True)
    console.rule("paint: pictures in folders named after their classes")
    photos = folder / "photos"
    for split, numbers in IMAGES.items():
        scenes = DATASETS.build({**SCENES, "split": split, "num_images": numbers.stop, "indices": list(numbers)})
        scenes.export(photos / split, boxes=split != "train", suffix=".jpg")
    status = 0
    for name, (config, epochs, options) in CONFIGS.items():
        console.rule(f"{name}: train with image labels only, find boxes, judge them")
        status = status or judged(config, [*options, *schedule(epochs)], photos, folder / name)
    console.rule("CAM and C2AM side by side, the trivial baselines beside them")
    runs = [str(folder / name / "numbers") for name in CONFIGS]
    page = ["--own-runs", "--images", str(photos / "test"), "--out", str(folder / "comparison"), "--note", LESSON]
    status = status or main(["compare", *runs, "--names", *CONFIGS, *page])
    if not status:
        spent = f"{time.perf_counter() - began:.0f} s, {time.process_time() - worked:.0f} s of one core"
        console.print(f"\nDone in {spent}.\nOpen {folder / 'comparison' / 'compare.html'}: both maps and boxes.")
        console.print(NEXT, markup=False)
    return status


def schedule(epochs: int) -> list[str]:
    """Return the options of so many epochs on kept features, with one look at val at the end."""
    return [f"train_cfg.max_epochs={epochs}", f"train_cfg.val_interval={epochs}", "feature_cache.most_gb=1.0"]


def judged(config: str, options: list[str], photos: Path, work: Path) -> int:
    """Train a configuration on ``photos/train``, find boxes in the other splits and score them."""
    status = main(["train", config, "--work-dir", str(work), "--cfg-options", f"data_root={photos}", *options])
    for split in ("val", "test"):
        found = ["--classes", "folder", "--maps", "--out", str(work / split)]
        status = status or main(["predict", str(work / "last.pth"), str(photos / split), *found])
    val = ["--val-maps", str(work / "val"), "--val-metadata", str(photos / "val")]
    test = ["--maps", str(work / "test"), "--metadata", str(photos / "test"), "--images", str(photos / "test")]
    return status or main(
        ["evaluate", *test, *val, "--protocol", "localization", "MaxBoxAccV2", "--out", str(work / "numbers")]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="folder for everything (default: demo)"
    )
    sys.exit(demo(parser.parse_args().out))
