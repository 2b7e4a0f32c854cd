"""The whole job in a few minutes, without data: train CAM on drawn scenes, predict boxes for image files, evaluate."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from wsolkit.cli.main import main

CONFIG = "cam_synthetic"
SHOWN = 48


def demo(folder: Path) -> int:
    """Run the demo into ``folder`` and print a table and where the files are; returns the exit status."""
    from rich.console import Console

    from wsolkit.config.load import load_config
    from wsolkit.registry import DATASETS

    began = time.perf_counter()
    console = Console(soft_wrap=True, highlight=False)
    run, photos, found = folder / "run", folder / "photos", folder / "found"
    for part in (photos, found):
        shutil.rmtree(part, ignore_errors=True)
    console.rule("train: image labels only")
    status = main(["train", CONFIG, "--work-dir", str(run), "--overwrite"])
    if status:
        return status
    console.rule("predict: boxes for image files")
    scenes = load_config(CONFIG).test_dataloader.dataset
    DATASETS.build({**scenes, "num_images": SHOWN}).export(photos, suffix=".jpg")
    config, checkpoint = str(run / "config.py"), str(run / "last.pth")  # CAM localizes best before it can classify
    status = main(["predict", config, checkpoint, str(photos), "--out", str(found), "--format", "coco,voc", "--draw"])
    if status:
        return status
    console.rule("test: threshold chosen on val, trivial baselines beside")
    status = main(["test", config, checkpoint])
    console.print(f"\nDone in {time.perf_counter() - began:.0f} s.")
    console.print(f"Boxes (COCO):      {found / 'boxes.json'}")
    console.print(f"Page of pictures:  {found / 'index.html'}")
    return status


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="folder for everything (default: demo)"
    )
    sys.exit(demo(parser.parse_args().out))
