"""The picture of the site's first page: built-in scenes, and the maps and boxes that `wsolkit label` finds in them.

    python tools/front_picture.py --out docs/front.jpg

Paints 96 scenes of six classes, labels them as photographs of a user are labelled, and puts the pictures that labelling
draws of the first scene of four classes into one. Whatever was found is shown, misses too.
"""

import argparse
import tempfile
from pathlib import Path

from PIL import Image

SCENES = {"type": "SyntheticParts", "num_classes": 6, "image_size": 224, "object_size": (0.35, 0.65), "seed": 1}
"""The scenes of the demo."""

NUMBER, SHOWN, WIDTH = 96, 4, 420
"""How many scenes are painted, how many are shown, and how wide each picture is drawn, in pixels."""


def front_picture(out: Path, work: Path) -> None:
    """Label painted scenes in the folder ``work`` and write the picture of some of them."""
    from wsolkit import label
    from wsolkit.registry import DATASETS

    photos = work / "photos"
    scenes = DATASETS.build({**SCENES, "split": "train", "num_images": NUMBER, "indices": list(range(NUMBER))})
    scenes.export(photos, boxes=False, suffix=".jpg")
    label(photos, out=work / "labels", draw=-1)
    sheet(first_pictures(photos, work / "labels")).save(out, quality=70, optimize=True)


def first_pictures(photos: Path, labels: Path) -> list[Image.Image]:
    """Return what labelling drew of the first photograph of each of the classes that are shown."""
    first = [min(folder.iterdir()) for folder in sorted(photos.iterdir())][:SHOWN]
    return [Image.open(next((labels / "pictures").glob(f"*-{path.stem}-*.jpg"))) for path in first]


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures in two columns."""
    height = round(WIDTH * pictures[0].height / pictures[0].width)
    whole = Image.new("RGB", (2 * WIDTH, (len(pictures) + 1) // 2 * height), "white")
    for number, picture in enumerate(pictures):
        whole.paste(picture.resize((WIDTH, height)), (number % 2 * WIDTH, number // 2 * height))
    return whole


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/front.jpg"), metavar="FILE", help="the picture")
    with tempfile.TemporaryDirectory() as folder:
        front_picture(parser.parse_args().out, Path(folder))
