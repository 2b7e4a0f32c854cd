"""Learns the map of a folder of photographs with an ordinary training, and publishes it beside the labels."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from wsolkit.config.classes import fill_classes
from wsolkit.config.load import load_config, unfreeze_random
from wsolkit.config.load_model import load_model, pipeline_of
from wsolkit.config.stored import STORED, config_text, stored_document
from wsolkit.errors import ConfigError, DataError, first_few
from wsolkit.files import hash_file, whole_file, write_json, write_text
from wsolkit.formats.writer import remove
from wsolkit.inference.predictor import Predictor
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import CHECKPOINT, CONFIG, TRAINING
from wsolkit.model.threshold import MAPS_ALONE, THRESHOLD_SOURCE
from wsolkit.registry import MODELS
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint
from wsolkit.weights.plain_copy import plain_copy

__all__ = [
    "Learnt",
    "configured",
    "handed_down",
    "learnt_before",
    "publish",
    "republish",
    "train_map",
    "trained",
    "untrained",
]

STEPS = 60
"""Fewest steps of a training: few photographs are seen more often."""

FEWEST = 2
LEARNT = "wsolkit_label"
"""The entry of a checkpoint's ``meta`` that says what was learnt from, as JSON text."""

HANDED_DOWN = ("data_root", "labels", "background")
"""What the data set of a configuration takes from its top."""

FROM = "photographs.json"
VALIDATION = ("val_dataloader", "val_cfg", "val_evaluator")


class Learnt(NamedTuple):
    """What a map was learnt from.

    Attributes:
        names: the names of the photographs.
        classes: the names of the classes.
        cut: where its maps are cut as they say alone, whatever checked photographs have chosen since; None where the
            extractor chooses for each map, and in checkpoints that do not say.
    """

    names: frozenset[str]
    classes: tuple[str, ...]
    cut: float | None = None


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
        cut = found.get("cut")
        return Learnt(frozenset(found["names"]), tuple(found["classes"]), None if cut is None else float(cut))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is no checkpoint of `wsolkit label`. Learn the map again with --retrain, or choose another --out."
        ) from error


def handed_down(photographs: Photographs) -> dict[str, Any]:
    """Return what the top of a configuration tells of photographs to its data sets."""
    return {key: photographs.dataset[key] for key in HANDED_DOWN if key in photographs.dataset}


def configured(name: str, photographs: Photographs, seed: int, features: dict[str, Any] | None = None) -> Config:
    """Return the configuration of a training on all photographs.

    Args:
        name: the configuration, by name or path.
        photographs: what to learn from.
        seed: seed of everything random.
        features: where features are kept and how many, as ``feature_cache`` of a configuration; None for none.

    Raises:
        ConfigError: its model learns nothing.
        DataError: there are too few photographs.
    """
    count = len(photographs.files) - len(photographs.unreadable)
    if count < FEWEST:
        raise DataError(
            f"There is {count} photograph that can be read, and the map is learnt from what photographs have in "
            f"common. Give {FEWEST} at least; 30 or more are better."
        )
    data = handed_down(photographs)
    config = load_config(name, data)
    if not config["model"].get("losses"):
        raise ConfigError(
            f"wsolkit label learns a map, and the model of {name} has no losses to learn one with. Find boxes with it "
            f"as it is: wsolkit predict {name} PHOTOS --classes folder --out DIR --draw."
        )
    batch = min(config["train_dataloader"]["batch_size"], count)
    epochs = max(config["train_cfg"]["max_epochs"], math.ceil(STEPS / (count // batch)))
    options: dict[str, Any] = {
        "train_dataloader.batch_size": batch,
        "train_dataloader.num_workers": 0,
        "train_cfg.max_epochs": epochs,
        "randomness.seed": seed,
        **data,
    }
    for number, loss in enumerate(config["model"]["losses"]):
        if "batch_size" in loss:
            options[f"model.losses.{number}.batch_size"] = batch
    found = load_config(name, options)
    if features is not None and found["model"].get("freeze"):
        found["feature_cache"] = features
    return fill_classes(found)


def untrained(config: Config, photographs: Photographs, device: str | None = None) -> Predictor:
    """Return a predictor of a map that has learnt nothing yet, for its backbone."""
    config = Config(config.to_dict())
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel("WARNING")  # that weights fit is said where they do not
    try:
        unfreeze_random(config)
        model = MODELS.build(config["model"])
    finally:
        logger.setLevel(level)
    return Predictor(
        model, pipeline_of(config.to_dict())[0], photographs.classes,
        multi_label=photographs.multi_label, device=device, keep_maps=True,
    )  # fmt: skip


def trained(
    source: Path, config: Config | None, photographs: Photographs, threshold: float | None, device: str | None
) -> Predictor:
    """Return a predictor of a learnt map.

    Args:
        source: its checkpoint.
        config: its configuration, or None for the one in the checkpoint.
        photographs: what it is used on: they name the classes.
        threshold: where maps are cut, or None for what the configuration says.
        device: where to compute.

    Raises:
        DataError: there is a class that the map does not know.
    """
    loaded = load_model(source, device=device) if config is None else load_model(config, source, device=device)
    predictor = Predictor(
        loaded.model, loaded.pipeline, loaded.classes, multi_label=photographs.multi_label, threshold=threshold,
        device=device, keep_maps=True, origin={**loaded.origin, "config": CONFIG}, background=loaded.background,
    )  # fmt: skip
    if predictor.classifies or not predictor.class_agnostic:
        strange = [name for name in photographs.classes if name not in predictor.classes]
        if strange or predictor.classes != photographs.classes:
            what = f"does not know {first_few(strange)}" if strange else "knows other classes"
            raise DataError(
                f"The map was learnt from {first_few(predictor.classes)} and {what}. Add --retrain to learn it again "
                "from the photographs there are now."
            )
    predictor.classes = photographs.classes
    return predictor


def train_map(name: str, config: Config, photographs: Photographs, out: Path) -> Path:
    """Learn a map from all photographs, or go on with a training that was stopped, and return its checkpoint.

    Args:
        name: the configuration, by name or path.
        config: what ``configured`` made of it.
        photographs: what to learn from.
        out: the folder of the labels; the training works in a folder inside.

    Raises:
        WsolkitError: the training fails.
    """
    work = out / TRAINING
    begun = {"photographs": photographs.fingerprint(), "seed": config["randomness"]["seed"], "config": name}
    if Path(name).is_file():
        begun["hash"] = hash_file(Path(name))
    same = read_plain(work / FROM) == begun
    alone = Config(config.to_dict(), cfg_text=" ", filename=config.filename)
    for key in VALIDATION:  # without boxes there is nothing to validate
        alone[key] = None
    alone["log_level"] = "WARNING"
    if not same:
        remove(
            work
        )  # before it is said to be of these photographs: a training that is stopped here is none to go on with
        work.mkdir(parents=True)
        write_json(work / FROM, begun)
    train(alone, work, resume=same and (work / CHECKPOINT).exists(), overwrite=not same)
    return work / CHECKPOINT


def publish(config: Config, photographs: Photographs, out: Path, cut: float | None) -> None:
    """Write ``config.py`` and the checkpoint beside the labels, with the validation's data sets and the cut in them.

    The cut is one that was chosen from the maps alone; ``Learnt`` keeps it when ``republish`` writes another.
    """
    learnt = {"names": list(photographs.labels), "classes": list(photographs.classes), "cut": cut}
    full = Config(config.to_dict(), cfg_text=" ", filename=str(out / CONFIG))
    full.pop("feature_cache", None)
    full["classes"] = list(photographs.classes)
    write_map(out, full, read_checkpoint(out / TRAINING / CHECKPOINT), cut, MAPS_ALONE, json.dumps(learnt))


def republish(out: Path, cut: float, chosen: str) -> None:
    """Write another cut, and how it was chosen, into the configuration and the checkpoint beside the labels."""
    stored = read_checkpoint(out / CHECKPOINT)
    config = Config(stored_document(stored, out / CHECKPOINT)["config"])  # config.py is code, which nobody runs here
    write_map(out, config, stored, cut, chosen, stored["meta"][LEARNT])


def write_map(
    out: Path, config: Config, stored: Mapping[str, Any], cut: float | None, chosen: str, learnt: str
) -> None:
    """Write a configuration and a checkpoint that holds it, the checkpoint last, and its copy without a pickle."""
    meta, state = {**stored["meta"], LEARNT: learnt}, dict(stored["state_dict"])
    if cut is not None:
        config["model"]["box_extractor"]["threshold"] = cut
        state["chosen_threshold"] = torch.full_like(state["chosen_threshold"], cut)
        meta[THRESHOLD_SOURCE] = chosen
    meta[STORED] = config_text(config)
    write_text(out / CONFIG, config.pretty_text)
    with whole_file(out / CHECKPOINT) as temporary:
        torch.save({"state_dict": state, "meta": meta}, temporary)
    plain_copy(out / CHECKPOINT)


def read_plain(path: Path) -> Any:
    """Return what a JSON file holds, or None where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
