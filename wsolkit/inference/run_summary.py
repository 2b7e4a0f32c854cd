"""What a run of prediction did, in numbers: for the page, the command's last lines and Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wsolkit.datasets.image_walk import LeftOut

__all__ = ["RunSummary"]


@dataclass
class RunSummary:
    """What a run did.

    Attributes:
        folder: where the results are.
        total: images given.
        before: images that an earlier run had done.
        images: images that were read.
        failed: images that could not be read.
        without_box: images that were read and have no box.
        rejected: images whose boxes a person has rejected; what is written to train from is without them.
        boxes: boxes found.
        seconds: time spent on the images that were not done before, in this process.
        computed: how many these were.
        pictures: pictures on the page.
        files: files and folders written.
        verdict: what is said of the boxes as a whole, at the head of the page; nothing by default.
        sample: images that were drawn at random, in this order; what the page may show in it.
        next_steps: commands that the page offers.
        left_out: what in the given folders looks like an image and was not taken, and why.
    """

    folder: Path
    total: int = 0
    before: int = 0
    images: int = 0
    failed: int = 0
    without_box: int = 0
    rejected: int = 0
    boxes: int = 0
    seconds: float = 0.0
    computed: int = 0
    pictures: int = 0
    files: list[Path] = field(default_factory=list)
    verdict: str = ""
    sample: list[str] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
