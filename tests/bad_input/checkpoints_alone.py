"""Checkpoints that are used without a configuration."""

import torch

from tests.bad_input.case import Case


def stored(text):
    """Return what writes a checkpoint with a text for a configuration, and predicts with it."""

    def command(folder):
        meta = {} if text is None else {"wsolkit_config": text}
        torch.save({"state_dict": {}, "meta": meta}, folder / "m.pth")
        (folder / "photos").mkdir()
        return ["predict", folder / "m.pth", folder / "photos", "--out", folder / "out"]

    return command


HOSTILE = '{"format": 1, "config": {"model": {"type": "os.system", "x": "y"}}, "sources": {}, "imports": ["os"]}'
NO_CLASSES = """{"format": 1, "config": {"model": {"type": "Localizer",
    "backbone": {"type": "TimmBackbone", "name": "resnet10t"}, "head": {"type": "CAMHead", "num_classes": -1}}}}"""
FETCHED = '{"format": 1, "config": {"model": {"type": "Localizer", "backbone": {"name": " HF-hub:evil/net"}}}}'

CASES = [
    Case(
        "fewer classes than none", stored(NO_CLASSES), "num_classes.* should be .*at least 1, but got -1", always=True
    ),
    Case("no configuration in it", stored(None), "m.pth cannot be used alone: it holds no configur", always=True),
    Case("names a function", stored(HOSTILE), r"model.type is 'os.system'.*code of its author's own", always=True),
    Case(
        "names a network elsewhere",
        stored(FETCHED),
        r"was refused: model.backbone.name names.*not fetched",
        always=True,
    ),
    Case("no JSON", stored("{"), "The configuration in .*m.pth is damaged: JSONDecodeError"),
    Case("nested too deep", stored("[" * 10**5), "is damaged: RecursionError"),
    Case("a list", stored("[1]"), "is damaged: it has no format"),
    Case("no model", stored('{"format": 1, "config": {}}'), "Configuration unnamed has no model to predict with"),
    Case("not there", lambda folder: ["predict", "no.pth", ".", "--out", "o"], "There is no file of weights no.pth"),
    Case(
        "only a configuration",
        lambda folder: ["test", "cam_synthetic"],
        "A model needs a checkpoint, but got the configuration cam_synth",
    ),
    Case(
        "the configuration behind it",
        lambda folder: ["test", "best.pth", "config.py"],
        "'config.py' stands behind the checkpoint best.pth. Give CONFIG CHECKPOINT",
    ),
    Case("no images", lambda folder: ["predict", "cam_synthetic", "a.pth", "--out", "o"], "No images are given behind"),
]
