"""Masks: formats that cannot hold them, and refiners that are none."""

import numpy as np

from tests.bad_input.case import Case


def boxes(classes, *formats):
    """Return a command that makes boxes with masks of a map of the first of so many classes."""

    def command(folder):
        (folder / "sizes.txt").write_text("a.jpg,64,48\n")
        (folder / "names.txt").write_text("".join(f"class {k}\n" for k in range(classes)))
        np.savez(folder / "maps.npz", **{"a.jpg/0": np.eye(8, dtype=np.float32)})
        found = ["boxes", "--maps", "maps.npz", "--sizes", "sizes.txt", "--out", "found", "--classes", "names.txt"]
        return [*found, "--format", *formats]

    return command


def trained(*options):
    """Return a command that would train with these options."""
    return lambda folder: ["train", "cam_synthetic", "--work-dir", "w", "--cfg-options", *options]


CASES = [
    Case(
        "more classes than 8 bits",
        boxes(255, "masks"),
        "hold at most 254 classes, but there are 255. Take --format coco",
    ),
    Case("a format that is nearly one", boxes(2, "mask"), "no format 'mask'. Did you mean 'masks'", always=True),
    Case("a refiner that is none", trained("model.refiner.type=GrabCut"), "Did you mean 'GrabCutRefiner'", always=True),
    Case(
        "an argument it does not take",
        trained("model.refiner.type=MapMasks", "model.refiner.sides=9"),
        "'sides'.*'side'",
    ),
    Case("too small a side", trained("model.refiner.type=MapMasks", "model.refiner.side=3"), "side.*at least 16"),
]
