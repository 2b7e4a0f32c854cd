"""Writes down what a training was made of: versions, machine, code, command, seed, data."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import wsolkit
from wsolkit.files import write_json
from wsolkit.training.loops import innermost
from wsolkit.versions import versions

__all__ = ["data_fingerprint", "git_state", "write_manifest"]

NAME = "manifest.json"


def machine() -> dict[str, Any]:
    """Return what the training runs on."""
    return {
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return the commit of a checkout and whether files were changed since, or None where it is no checkout."""
    if not (folder / ".git").exists():
        return None
    try:
        commit = git(folder, "rev-parse", "HEAD").strip()
        return {"commit": commit, "dirty": bool(git(folder, "status", "--porcelain").strip())}
    except (OSError, subprocess.SubprocessError):
        return None


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it says."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


def data_fingerprint(dataset: Any) -> dict[str, Any]:
    """Return the number of images of a data set and a hash of their names and labels, wherever they lie."""
    digest = hashlib.sha256()
    for part in innermost(dataset):
        if not hasattr(part, "record"):
            return {"images": len(dataset), "sha256": None}
        for index in range(len(part)):
            record = part.record(index)
            digest.update(f"{record['image_id']}\t{list(record['labels'])}\n".encode("utf-8", "surrogateescape"))
    return {"images": len(dataset), "sha256": digest.hexdigest()}


def write_manifest(
    work_dir: Path, config_text: str, seed: int | None, datasets: Mapping[str, Any], resumed_from: str | None = None
) -> dict[str, Any]:
    """Write ``manifest.json`` into a work folder; when a training is resumed, its earlier starts stay listed.

    Args:
        work_dir: the folder.
        config_text: the resolved configuration.
        seed: the seed of the training.
        datasets: by name of the split.
        resumed_from: the checkpoint it goes on from, or None.
    """
    start = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv,
        "git": git_state(Path(wsolkit.__file__).parent.parent),
        "resumed_from": resumed_from,
    }
    manifest = {
        "versions": versions(),
        "machine": machine(),
        "seed": seed,
        "config_sha256": hashlib.sha256(config_text.encode()).hexdigest(),
        "data": {split: data_fingerprint(dataset) for split, dataset in datasets.items()},
        "starts": [*(earlier_starts(work_dir / NAME) if resumed_from else []), start],
    }
    write_json(work_dir / NAME, manifest)
    return manifest


def earlier_starts(path: Path) -> list[Any]:
    """Return the starts an earlier manifest lists."""
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["starts"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
