"""Paths and options on the command line."""

from tests.bad_input.case import Case

CASES = [
    Case("images are missing", lambda folder: ["data", "check", folder / "nowhere"], "nowhere", always=True),
    Case("no format", lambda folder: ["predict", "a.pth", "a.jpg", "--out", "o", "--format", ","], "names no format"),
    Case(
        "a checkpoint to resume from among the options",
        lambda folder: ["train", "cam_synthetic", "--work-dir", "w", "--cfg-options", "resume=last.pth"],
        r"The option resume=last.pth changes nothing. Use --resume",
        always=True,
    ),
]
