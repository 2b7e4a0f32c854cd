"""What `wsolkit export` is given wrongly."""

import torch

from tests.bad_input.case import Case


def export(*options, content=None, name="model.pth"):
    """Return what writes a file of weights and exports it with a shipped configuration."""

    def command(folder):
        torch.save({"state_dict": {"a": torch.zeros(2)}} if content is None else content, folder / name)
        return ["export", "cam_synthetic", folder / name, *options]

    return command


def into_a_stranger(folder):
    (folder / "out").mkdir()
    (folder / "out" / "diary.txt").write_text("mine")
    return export("--to", "onnx", "--out", "out")(folder)


def over_an_earlier_one(folder):
    (folder / "out").mkdir()
    (folder / "out" / "model.onnx").write_bytes(b"x")
    return export("--to", "onnx", "--out", "out")(folder)


def without_a_configuration(folder):
    torch.save({"state_dict": {"a": torch.zeros(2)}}, folder / "model.pth")
    return ["export", "model.pth", "--to", "onnx"]


CASES = [
    Case("no format", export(), "the following arguments are required: --to", always=True),
    Case("a format that nobody knows", export("--to", "tflite"), "invalid choice: 'tflite'"),
    Case(
        "no checkpoint",
        lambda folder: ["export", "cam_synthetic", "--to", "onnx"],
        "A model needs a checkpoint, but got the configuration cam_synthetic only: the head",
    ),
    Case("a checkpoint that is not there", lambda folder: ["export", "best.pth", "--to", "onnx"], "no file of weights"),
    Case("a checkpoint without a configuration", without_a_configuration, "cannot be used alone", always=True),
    Case("a folder of somebody else", into_a_stranger, "out is not empty and holds no exports of ours", always=True),
    Case("a folder with an export", over_an_earlier_one, "holds an earlier export.*--overwrite; nothing was changed"),
    Case("something behind the checkpoint", export("more", "--to", "onnx"), "unrecognized arguments: more"),
]
