"""Commands that are printed to be pasted: every word quoted where a shell needs it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["command", "next_commands"]


def command(*words: object) -> str:
    """Return a command line of ``wsolkit`` that can be pasted.

    >>> command("test", Path("my runs/best.pth"))
    "wsolkit test 'my runs/best.pth'"
    """
    return shlex.join(["wsolkit", *map(str, words)])


def next_commands(config: Mapping[str, Any], work_dir: Path, checkpoint: Path) -> list[str]:
    """Return what to do with a trained model: score it, and predict the photographs it was trained on.

    Args:
        config: the configuration of the training.
        work_dir: its folder, whose ``config.py`` has the options of this training.
        checkpoint: the checkpoint to use.
    """
    from wsolkit.config.hand_down import placed_configs
    from wsolkit.config.parts import takes
    from wsolkit.datasets.image_folder import layout_of
    from wsolkit.datasets.layouts.image_table import TableLayout
    from wsolkit.registry import HEADS

    written = work_dir / "config.py"
    loader = config.get("train_dataloader") or {}
    folders, tables = [], []
    for _, dataset in placed_configs(loader.get("dataset"), ""):
        if dataset.get("type") == "ImageFolder" and dataset.get("data_root"):
            layout = layout_of(str(dataset["data_root"]), labels=dataset.get("labels"))
            tables += list(layout.tables.values()) if isinstance(layout, TableLayout) else []
            folders.append(str(layout.root if isinstance(layout, TableLayout) else dataset["data_root"]))
    head = (config.get("model") or {}).get("head") or {}
    knows_classes = not isinstance(head, Mapping) or takes(HEADS, head, "num_classes")
    by_folder = ["--classes", tables[0] if tables else "folder"] if folders and not knows_classes else []
    images = folders[0] if folders else "IMAGES"
    found = command("predict", written, checkpoint, images, *by_folder, "--out", work_dir / "predictions", "--draw")
    return [command("test", written, checkpoint), found]
