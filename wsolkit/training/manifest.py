"""Writes down what a training was made of: versions, plugins, machine, code, command, seed, first weights, data."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from torch import nn

import wsolkit
from wsolkit.datasets.wrapped import innermost
from wsolkit.files import write_json
from wsolkit.plugins.loading import load_plugins
from wsolkit.training.machine import machine
from wsolkit.versions import versions
from wsolkit.weights.hashes import hash_weights

__all__ = ["data_fingerprint", "git_state", "note_weights", "write_manifest"]

NAME = "manifest.json"


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return the commit of the checkout a folder lies in, and whether files were changed since; None without one."""
    try:
        commit = git(folder, "rev-parse", "HEAD").strip()
        return {"commit": commit, "dirty": bool(git(folder, "status", "--porcelain").strip())}
    except (OSError, subprocess.SubprocessError):
        return None


def wsolkit_state() -> dict[str, Any]:
    """Return wsolkit's version and, where it is run from its own checkout, that checkout's state."""
    root = Path(wsolkit.__file__).parent.parent
    return {"version": wsolkit.__version__, "git": git_state(root) if (root / ".git").exists() else None}


def plugin_versions() -> dict[str, str]:
    """Return the distribution and the version behind each plugin that describes a method or brings a part, by name."""
    loaded = load_plugins()
    sources = [*(part.source for part in loaded.components.values()), *(source for _, source in loaded.methods)]
    return {source.plugin: f"{source.distribution} {source.version}" for source in sorted(sources, key=str)}


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
        "folder": str(Path.cwd()),
        "git": git_state(Path.cwd()),
        "wsolkit": wsolkit_state(),
        "resumed_from": resumed_from,
    }
    earlier = read_manifest(work_dir / NAME) if resumed_from else {}
    manifest = {
        "versions": versions(),
        "plugins": plugin_versions(),
        "machine": machine(),
        "seed": seed,
        "config_sha256": hashlib.sha256(config_text.encode()).hexdigest(),
        "data": {split: data_fingerprint(dataset) for split, dataset in datasets.items()},
        "initial_weights_sha256": earlier.get("initial_weights_sha256"),
        "starts": [*earlier.get("starts", []), start],
    }
    write_json(work_dir / NAME, manifest)
    return manifest


def note_weights(work_dir: str | Path, model: nn.Module) -> None:
    """Write the hash of the weights that a training starts from into its manifest, on the main process."""
    path = Path(work_dir) / NAME
    if is_main_process() and path.exists():
        write_json(path, read_manifest(path) | {"initial_weights_sha256": hash_weights(model)})


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what an earlier manifest says; nothing where it is missing or no manifest."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return dict(found) if isinstance(found["starts"], list) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
