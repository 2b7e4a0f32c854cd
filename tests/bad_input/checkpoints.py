"""Files of weights and configurations that are hostile, damaged or of wrong types."""

import os

import cv2
import numpy as np
import torch

from tests.bad_input.case import Case


class Runs:
    """A pickle that runs a command when it is loaded."""

    def __reduce__(self):
        return os.system, ("touch ran",)


def predict(content, name="model.pth"):
    """Return what writes a file of weights and a photograph, and predicts with them."""

    def command(folder):
        torch.save(content(), folder / name)
        cv2.imwrite(str(folder / "a.png"), np.zeros((8, 8, 3), np.uint8))
        return ["predict", "cam_synthetic", folder / name, folder / "a.png", "--out", folder / "out"]

    return command


def train(text, name="mine.py", *options):
    """Return what writes a configuration and trains with it."""

    def command(folder):
        (folder / name).write_text(text)
        return ["train", folder / name, "--work-dir", folder / "work", *options]

    return command


def nested(depth):
    """Return lists whose text would be longer than any disk."""
    value = ["a"]
    for _ in range(depth):
        value = [value] * 10
    return value


BASE = '_base_ = ["wsolkit::cam_synthetic"]\n'
STATE = {"a": torch.zeros(2)}

CASES = [
    Case(
        "pickled code",
        predict(lambda: {"state_dict": STATE, "meta": Runs()}),
        "could run code: it asks for",
        always=True,
    ),
    Case(
        "a hundred thousand million numbers in four bytes",
        predict(lambda: {"state_dict": {"a": torch.zeros(1).expand(10**11)}}),
        r"names a tensor of 100000000000 numbers, but has \d+ bytes",
        always=True,
    ),
    Case(
        "no numbers at all",
        predict(lambda: {"state_dict": {"a": torch.empty(10**11, device="meta")}}),
        r"a tensor of the shape \(100000000000,\) that is no dense array",
    ),
    Case(
        "sparse numbers",
        predict(lambda: {"state_dict": {"a": torch.eye(9).to_sparse()}}),
        "is no dense array .*sparse_coo.*to_dense",
    ),
    Case(
        "meta is a list",
        predict(lambda: {"state_dict": STATE, "meta": [1]}),
        "meta of .* should be a dict, but is a list",
    ),
    Case(
        "classes are a bomb of lists",
        predict(lambda: {"state_dict": STATE, "meta": {"classes": nested(40)}}),
        r"meta\.classes of .* should be a list of names",
    ),
    Case(
        "classes of the data are a number",
        predict(lambda: {"state_dict": STATE, "meta": {"dataset_meta": {"classes": 3}}}),
        r"meta\.dataset_meta\.classes of .* should be a list of names, but is a int",
    ),
    Case(
        "weights are text",
        predict(lambda: {"state_dict": {"a": "b"}}),
        "should hold tensors by name, but 'a' is a str",
        always=True,
    ),
    Case("weights without names", predict(lambda: {"state_dict": {3: torch.zeros(1)}}), "should hold tensors by name"),
    Case("a list", predict(lambda: [1, 2]), "no checkpoint of a training: it has no state_dict, but a list"),
    Case("a configuration ends the program", train("raise SystemExit(0)\n"), r"mine\.py:1: SystemExit: 0", always=True),
    Case(
        "a configuration runs a command through a tag",
        train("a: !!python/object/apply:os.system [touch ran]\n", "mine.yaml"),
        r"mine\.yaml:1: .*is data",
        always=True,
    ),
    Case(
        "a configuration's part is a command",
        train("log_processor: {type: os.system, command: touch ran}\n", "mine.yaml"),
        "'os.system' is no part of a configuration",
    ),
    Case("a model is a list", train(BASE + "model = ['Localizer']\n"), "model should be a dict", always=True),
    Case("a loader is text", train(BASE + "train_dataloader = 'birds'\n"), "train_dataloader should be a dict"),
    Case(
        "YAML's 1e-3 is text",
        train("optim_wrapper: {optimizer: {type: SGD, lr: 1e-3}}\n", "mine.yaml"),
        r"optimizer\.lr should be a number, but is the text '1e-3'\. Write 0\.001",
    ),
]
