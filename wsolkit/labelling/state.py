"""What a folder of labels was made with: kept in ``label.json``, by which the folder is known as one of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError
from wsolkit.files import write_json
from wsolkit.folders import check_no_links, claim_folder
from wsolkit.formats.writer import remove
from wsolkit.inference.run_folder import OURS as RESULTS

__all__ = [
    "CANDIDATES",
    "CHECKPOINT",
    "CONFIG",
    "FEATURES",
    "MARKER",
    "NEXT",
    "SAMPLE",
    "SHEET",
    "TRAINING",
    "VERIFIED",
    "claim_labels",
    "forget_map",
]

MARKER = "label.json"
CONFIG = "config.py"
CHECKPOINT = "last.pth"
TRAINING = "training"
FEATURES = "features"
CANDIDATES = "candidates"
SHEET = "sheet.jpg"
NEXT = "next.txt"
SAMPLE = "sample.txt"
VERIFIED = "verified.jsonl"
FOLDERS = (TRAINING, FEATURES, CANDIDATES, "parts", "maps", "pictures")
FOUND = {"photographs", "beside"}
"""Two ways to say where the photographs are: one of them has to hold, for folders are moved."""


def claim_labels(
    out: Path, photos: Path, settings: Mapping[str, Any], retrain: bool = False, overwrite: bool = False
) -> None:
    """Make a folder ready for labels, or go on in it; everything that lies in it stays, unless ``overwrite`` is set.

    Args:
        out: the folder.
        photos: the folder of the photographs.
        settings: what decides what is learnt; plain JSON.
        retrain: forget what was learnt before the settings are written, so that other ones will do.
        overwrite: remove what is there.

    Raises:
        ConfigError: the folder holds something else, or labels of other photographs or settings.
    """
    wanted = {
        "photographs": str(photos.resolve()),
        "beside": os.path.relpath(photos.resolve(), out.resolve()),
        **json.loads(json.dumps(settings)),
    }

    def lost(path: Path) -> str | None:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
        if not found.keys() >= FOUND:
            raise ValueError("no labels")
        keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
        moved = FOUND & set(keys) != FOUND
        other = [key for key in keys if key not in FOUND]
        if not moved:
            return f"labels of other photographs, in {found['photographs']}"
        if not other or retrain:
            return None
        changes = ", ".join(f"{key} was {found.get(key)!r} and is {wanted.get(key)!r} now" for key in other)
        return f"labels made with other settings: {changes} (--retrain learns with the new ones)"

    claim_folder(out, "labels", MARKER, lost, overwrite, writer="wsolkit label")
    check_no_links(out, FOLDERS)
    if overwrite:
        for name in (*RESULTS, TRAINING, FEATURES, CANDIDATES, SHEET, CONFIG, CHECKPOINT, NEXT, SAMPLE, VERIFIED):
            remove(out / name)
    if retrain:
        forget_map(out)
    try:
        write_json(out / MARKER, wanted)
    except OSError as error:
        raise ConfigError(f"{out} cannot be written to: {error.strerror or error}. Choose another --out.") from error


def forget_map(out: Path) -> None:
    """Remove what was learnt, so that it is learnt again; features and earlier labels stay."""
    for name in (CHECKPOINT, CONFIG, TRAINING, CANDIDATES, SHEET):
        remove(out / name)
