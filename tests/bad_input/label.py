"""What `wsolkit label` can be given wrongly, before anything is learnt."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bad_input.case import Case


def photographs(folder, count=3, name="bird"):
    """Make a folder of photographs of one class."""
    inside = folder / "photos" / name
    inside.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(np.full((16, 16, 3), 40 * number, np.uint8)).save(inside / f"{number}.png")


def labelled(*options, count=3, before=None):
    """Return a command that labels some photographs, after something else was done to the folder."""

    def command(folder):
        photographs(folder, count)
        if before is not None:
            before(folder)
        return ["label", "photos", "--out", "labels", *options]

    return command


def strangers(folder):
    """Put something of somebody else where labels are to go."""
    (folder / "labels").mkdir()
    (folder / "labels" / "thesis.txt").write_text("three years of work")


def predictions(folder):
    """Put a run of predictions where labels are to go."""
    (folder / "labels").mkdir()
    (folder / "labels" / "run.json").write_text("{}")


def labels_of(**settings):
    """Return what puts labels of other settings where labels are to go."""

    def before(folder):
        place = str((folder / "photos").resolve())
        found = {"photographs": place, "beside": "../photos", "method": "auto", "seed": 0, "labels": None, **settings}
        (folder / "labels").mkdir()
        (folder / "labels" / "label.json").write_text(json.dumps(found))

    return before


def linked(folder):
    """Make a link of the folder of the features."""
    labels_of()(folder)
    (folder / "elsewhere").mkdir()
    (folder / "labels" / "features").symlink_to(folder / "elsewhere")


def broken(folder):
    """Break every photograph."""
    for path in (folder / "photos").rglob("*.png"):
        path.write_bytes(b"no picture")


def inside(folder: Path):
    """Return a command whose labels lie among the photographs."""
    photographs(folder)
    return ["label", "photos", "--out", "photos/labels"]


def around(folder: Path):
    """Return a command whose labels lie around the photographs."""
    photographs(folder)
    return ["label", "photos", "--out", "."]


CASES = [
    Case("no folder of photographs", lambda _: ["label", "photos"], "in photos, .* is no such folder", always=True),
    Case("a file for the photographs", lambda _: ["label", __file__], "but there is a file"),
    Case("labels among the photographs", inside, "share a folder. Choose a folder beside"),
    Case("labels around the photographs", around, "share a folder. Choose a folder beside"),
    Case("a stranger's folder for the labels", labelled(before=strangers), "holds no labels of ours .no label.json"),
    Case("a run of predictions for the labels", labelled(before=predictions), "holds no labels of ours"),
    Case("labels of another seed", labelled(before=labels_of(seed=4)), "seed was 4 and is 0 now .--retrain learns"),
    Case("labels of other photographs", labelled(before=labels_of(photographs="/a", beside="../b")), "labels of other"),
    Case("a label.json of somebody else", labelled(before=labels_of(photographs=[], beside=[])), "labels of other"),
    Case("a link in the folder of labels", labelled(before=linked), "features is a link, and nothing is written"),
    Case("a background that is no class", labelled("--background", "freee"), "'freee' is no class"),
    Case("an unknown method", labelled("--method", "object"), "no method 'object'.* Did you mean 'objects'"),
    Case("an unknown format of labels", labelled("--format", "coko"), "There is no format 'coko'"),
    Case("no format of labels", labelled("--format", ","), "--format names no format. Leave it out"),
    Case("fewer pictures than none", labelled("--draw", "-7"), "--draw is how many pictures to draw, but got -7"),
    Case("pictures and no pictures", labelled("--draw", "7", "--no-pictures"), "not allowed with argument"),
    Case("photographs that are none", labelled(before=broken), "None of the 3 photographs can be read. The first"),
    Case("a table of labels that is missing", labelled("--labels", "labels.csv"), "labels.csv"),
    Case("checked boxes that are missing", labelled("--verified", "checked.json"), "checked.json"),
    Case("negative room for features", labelled("--cache-gb", "-1"), "cache_gb .*at least 0"),
]  # fmt: skip
