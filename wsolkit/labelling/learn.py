"""Learns the map of a folder of photographs with an ordinary training, and publishes it beside the labels."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config

from wsolkit.config.load import load_config
from wsolkit.config.stored import STORED, config_text
from wsolkit.errors import DataError
from wsolkit.files import whole_file, write_json, write_text
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import CHECKPOINT, CONFIG, TRAINING
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint

__all__ = ["Learnt", "learn", "learnt_before"]

STEPS = 60
"""Fewest steps of a training: few photographs are seen more often."""

FEWEST = 2
LEARNT = "wsolkit_label"
"""The entry of a checkpoint's ``meta`` that says what was learnt from, as JSON text."""

FROM = "photographs.json"
VALIDATION = ("val_dataloader", "val_cfg", "val_evaluator")


class Learnt(NamedTuple):
    """What a map was learnt from.

    Attributes:
        names: the names of the photographs.
        classes: the names of the classes.
        fresh: whether it was learnt just now.
    """

    names: frozenset[str]
    classes: tuple[str, ...]
    fresh: bool = False


def learnt_before(out: Path) -> Learnt | None:
    """Return what the map that lies beside labels was learnt from, or None where there is none yet.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        DataError: it is no checkpoint of ``wsolkit label``.
    """
    path = out / CHECKPOINT
    if not path.exists():
        return None
    try:
        found = json.loads(read_checkpoint(path)["meta"][LEARNT])
        return Learnt(frozenset(found["names"]), tuple(found["classes"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is no checkpoint of `wsolkit label`. Learn the map again with --retrain, or choose another --out."
        ) from error


def configured(name: str, photographs: Photographs, seed: int) -> Config:
    """Return the configuration of a training on all photographs.

    Raises:
        DataError: there are too few.
    """
    count = len(photographs.files) - len(photographs.unreadable)
    if count < FEWEST:
        raise DataError(
            f"There is {count} photograph that can be read, and the map is learnt from what photographs have in "
            f"common. Give {FEWEST} at least; 30 or more are better."
        )
    config = load_config(name, {"data_root": photographs.dataset["data_root"]})
    batch = min(config["train_dataloader"]["batch_size"], count)
    epochs = max(config["train_cfg"]["max_epochs"], math.ceil(STEPS / (count // batch)))
    options: dict[str, Any] = {
        "train_dataloader.batch_size": batch,
        "train_dataloader.num_workers": 0,
        "train_cfg.max_epochs": epochs,
        "randomness.seed": seed,
        "data_root": photographs.dataset["data_root"],
    }
    for number, loss in enumerate(config["model"]["losses"]):
        if "batch_size" in loss:
            options[f"model.losses.{number}.batch_size"] = batch
    return load_config(name, options)


def learn(name: str, photographs: Photographs, out: Path, seed: int = 0) -> Learnt:
    """Learn a map from all photographs, or go on with a training that was stopped, and publish it.

    Args:
        name: the configuration, by name or path.
        photographs: what to learn from.
        out: the folder of the labels; the training works in a folder inside.
        seed: seed of everything random.

    Raises:
        WsolkitError: the photographs are too few, or the training fails.
    """
    work = out / TRAINING
    config = configured(name, photographs, seed)
    begun = {"photographs": photographs.fingerprint(), "seed": seed, "config": name}
    same = read_plain(work / FROM) == begun
    alone = Config(config.to_dict(), cfg_text=" ", filename=config.filename)
    for key in VALIDATION:  # without boxes there is nothing to validate
        alone[key] = None
    alone["log_level"] = "WARNING"
    work.mkdir(parents=True, exist_ok=True)
    if not same:
        write_json(work / FROM, begun)
    train(alone, work, resume=same and (work / CHECKPOINT).exists(), overwrite=not same)
    publish(config, photographs, out)
    return Learnt(frozenset(photographs.labels), photographs.classes, fresh=True)


def publish(config: Config, photographs: Photographs, out: Path) -> None:
    """Write ``config.py`` and the checkpoint beside the labels, with the validation's data sets in them."""
    trained = read_checkpoint(out / TRAINING / CHECKPOINT)
    full = Config(config.to_dict(), cfg_text=" ", filename=str(out / CONFIG))
    full["classes"] = list(photographs.classes)
    learnt = {"names": list(photographs.labels), "classes": list(photographs.classes)}
    meta = {**trained["meta"], STORED: config_text(full), LEARNT: json.dumps(learnt)}
    write_text(out / CONFIG, full.pretty_text)
    with whole_file(out / CHECKPOINT) as temporary:
        torch.save({"state_dict": trained["state_dict"], "meta": meta}, temporary)


def read_plain(path: Path) -> Any:
    """Return what a JSON file holds, or None where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
