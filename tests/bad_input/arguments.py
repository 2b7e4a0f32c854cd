"""Paths and options on the command line."""

from tests.bad_input.case import Case

CASES = [
    Case("images are missing", lambda folder: ["data", "check", folder / "nowhere"], "nowhere", always=True),
    Case("no format", lambda folder: ["predict", "a.pth", "a.jpg", "--out", "o", "--format", ","], "names no format"),
]
