"""Names that lead out of a folder, and folders that results must not be written to."""

import json

import numpy as np
import torch

from tests.bad_input.case import Case
from wsolkit.config.load import load_config
from wsolkit.registry import MODELS


def boxes(name, *formats, sizes=True):
    """Return a command that makes boxes of one map of an image with this name."""

    def command(folder):
        (folder / "sizes.txt").write_text(f"{name},64,48\n")
        np.savez(folder / "maps.npz", **{name: np.eye(8, dtype=np.float32)})
        return ["boxes", "--maps", "maps.npz", "--sizes", "sizes.txt", "--out", "found", "--format", *formats]

    return command


def tested_again(**before):
    """Return a command that tests a checkpoint into a folder that holds the results of ``before``."""

    def command(folder):
        config = load_config("cam_synthetic", {"model.head.num_classes": 6})
        state = MODELS.build(config.model).state_dict()
        torch.save({"state_dict": state, "meta": {"classes": list("abcdef")}}, folder / "best.pth")
        (folder / "out").mkdir()
        (folder / "out" / "results.json").write_text(json.dumps({"wsolkit": "0", "results": [], **before}))
        checkpoint = str(folder.resolve() / "best.pth")
        if before.get("checkpoint") == "the same":
            text = (folder / "out" / "results.json").read_text().replace("the same", checkpoint)
            (folder / "out" / "results.json").write_text(text)
        return ["test", "cam_synthetic", "best.pth", "--out", "out", "--cfg-options", "model.head.num_classes=6"]

    return command


def settings_of_a_run(content):
    """Return a command that makes boxes into a folder whose run.json holds this."""

    def command(folder):
        arguments = boxes("x", "coco")(folder)
        (folder / "found").mkdir()
        (folder / "found" / "run.json").write_text(content)
        return arguments

    return command


LEADS_OUT = r"The image id .* is no name for a file below a folder: .*leads out of"

CASES = [
    Case("VOC files above the folder", boxes("../../../x", "voc"), LEADS_OUT, always=True),
    Case("YOLO files above the folder", boxes("../../../x", "yolo"), LEADS_OUT),
    Case("files somewhere else", boxes("/home/u/x", "voc", "yolo"), LEADS_OUT),
    Case("files above the folder in Windows", boxes("..\\..\\x", "voc"), LEADS_OUT),
    Case("files of another drive of Windows", boxes("C:\\x", "yolo"), LEADS_OUT),
    Case("a folder for a file", boxes("a/..", "voc"), LEADS_OUT),
    Case("a name that is too long", boxes("x" * 254, "voc"), "is too long for a file below"),
    Case(
        "results of another checkpoint",
        tested_again(checkpoint="/runs/last.pth"),
        "out holds the results of /runs/last.pth. Choose another --out, or add --overwrite",
        always=True,
    ),
    Case(
        "results of other options",
        tested_again(checkpoint="the same", settings={"split": "val"}),
        "out holds results of other settings: split was 'val' and is 'test' now",
    ),
    Case(
        "a share of images that is none",
        lambda folder: [*boxes("x", "yolo")(folder), "--val-share", 2],
        r"hold out for validation should be in \[0, 1\), but got 2.0",
    ),
    Case("settings that are a list", settings_of_a_run("[1]"), "run.json cannot be read .it should hold settings"),
    Case("settings that are nested too deep", settings_of_a_run("[" * 100_000), "run.json cannot be read"),
    Case("names do not matter in a table", boxes("../../../x", "coco", "csv"), "0 images have no box|1 boxes in", 0),
]
