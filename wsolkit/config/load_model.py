"""Builds the model of a configuration with the weights of a checkpoint, and what prediction needs to know beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from mmengine.config import Config
from torch import Tensor, nn

from wsolkit.config.authors import authors_head, fill_head, with_authors_backbone
from wsolkit.config.load import config_name, load_config, prepare
from wsolkit.config.stored import from_data, other_network, stored_config
from wsolkit.config.training_free import check_training_free, warn_of_no_weights, without_training
from wsolkit.datasets.images import ImageDataset
from wsolkit.errors import CheckpointError, ConfigError
from wsolkit.files import hash_file
from wsolkit.model.device import choose_device
from wsolkit.model.localizer import BOXED_IMAGES, Localizer
from wsolkit.model.memory import within_memory
from wsolkit.model.threshold import THRESHOLD_SOURCE
from wsolkit.registry import DATASETS, MODELS
from wsolkit.weights.checkpoint import load_weights, read_checkpoint
from wsolkit.weights.files import SUFFIXES

__all__ = ["LoadedModel", "load_model", "load_network", "pipeline_of", "training_of"]

Kind = TypeVar("Kind", bound=nn.Module)


@dataclass
class LoadedModel:
    """A model and what its configuration and its checkpoint, where it has one, say about its use.

    Attributes:
        model: the model with its weights, in eval mode, on the device.
        config: the resolved configuration, which knows the classes.
        classes: names of the classes, or none where neither says.
        multi_label: whether several classes may be in one image.
        pipeline: the steps of the test pipeline.
        origin: which configuration and checkpoint these are, by name and by hash.
        training: how it was trained, see ``training_of``.
        background: names of classes whose images show none of the others.
    """

    model: Localizer
    config: Config
    classes: tuple[str, ...]
    multi_label: bool
    pipeline: list[Any]
    origin: dict[str, str]
    training: dict[str, Any] = field(default_factory=dict)
    background: tuple[str, ...] = ()


def load_model(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    device: str | torch.device | None = None,
) -> LoadedModel:
    """Build the model of a configuration and load a checkpoint into it; no data set is built or downloaded.

    ``load_model("best.pth")`` takes the configuration that training stored in the checkpoint, which is data: nothing
    that came with the file is run. A configuration in Python is code. A configuration alone is enough where the model
    has no trained parameters beside its backbone's, which keeps the weights that the configuration names.

    Args:
        config: name or path of a configuration, or a loaded one, which is not changed; or a checkpoint alone.
        checkpoint: file that training wrote.
        options: entries of the configuration to change, by dotted name.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.

    Raises:
        ConfigError: the configuration is unknown or has no model, it is alone and its model has trained parameters, or
            there is no such device.
        CheckpointError: the checkpoint cannot be read, is of another model, or holds no configuration and is alone.
    """
    place = choose_device(device)
    if checkpoint is None and not is_checkpoint(config):
        return training_free(*given_config(config, options), place)
    if checkpoint is not None:
        name, found = given_config(config, options)
        return assembled(name, found, read_checkpoint(checkpoint), Path(checkpoint), place)
    path = Path(str(config))
    stored = read_checkpoint(path)
    found = stored_config(stored, path)
    with from_data(path):
        found = prepare(found, options or {}, found.to_dict(), resolved=True)
        return assembled(config_name(found), found, stored, path, place)


def given_config(config: str | Path | Config, options: Mapping[str, Any] | None) -> tuple[str, Config]:
    """Return what a configuration is called in messages, and the configuration with the options in it."""
    if isinstance(config, (str, Path)):
        return str(config), load_config(config, options)
    found = prepare(config.copy(), options, config.to_dict()) if options else config.copy()
    return str(config.filename or "config"), found


def assembled(
    name: str, config: Config, stored: Mapping[str, Any], checkpoint: Path, place: torch.device
) -> LoadedModel:
    """Build the model of a resolved configuration with the weights of a checkpoint; see ``load_model``."""
    content = config.to_dict()
    if "model" not in content:
        raise ConfigError(f"Configuration {name} has no model to predict with. Add model=dict(...).")
    meta = stored.get("meta") or {}
    told = dict(meta.get("dataset_meta") or {})
    learnt = tuple(meta.get("classes") or told.get("classes") or ())
    classes = tuple(content.get("classes") or learnt)
    if classes != learnt and sorted(classes) == sorted(learnt):  # other names are a translation, another order is not
        raise ConfigError(
            f"Configuration {name} and checkpoint {checkpoint} name the same classes in another order, so every answer "
            "would get a wrong name. Use the config.py beside the checkpoint."
        )
    wanted = without_training(content["model"], classes)
    try:
        model = with_weights(wanted, Localizer, stored, checkpoint)
    except CheckpointError as error:
        if words := other_network(stored, wanted):
            raise CheckpointError(
                f"The checkpoint {checkpoint} was trained with another configuration than {name}: with {words}. Give "
                f"its own (config.py beside it), or the checkpoint alone. In detail: {error}"
            ) from error
        raise
    loaded = described(name, config, model.to(place), wanted, classes, told)
    loaded.origin |= {"checkpoint": checkpoint.name, "checkpoint_sha256": hash_file(checkpoint.expanduser())}
    loaded.training = facts_in(meta)
    return loaded


def training_free(name: str, config: Config, place: torch.device) -> LoadedModel:
    """Build the model of a resolved configuration that needs no training; see ``load_model``.

    Raises:
        ConfigError: it has no model, or one with trained parameters.
    """
    content = config.to_dict()
    classes = tuple(content.get("classes") or ())
    check_training_free(content.get("model") or {}, name)
    wanted = without_training(content["model"], classes, keep_weights=True)
    warn_of_no_weights(wanted.get("backbone"))
    with within_memory():
        model = MODELS.build(dict(wanted)).eval()
    return described(name, config, model.to(place), wanted, classes, {})


def described(
    name: str,
    config: Config,
    model: Localizer,
    wanted: Mapping[str, Any],
    classes: tuple[str, ...],
    told: Mapping[str, Any],
) -> LoadedModel:
    """Return a built model with what its configuration and its data set say about its use.

    Args:
        name: what the configuration is called.
        config: the resolved configuration, which is told the classes.
        model: the model in its place.
        wanted: what it was built of.
        classes: names of the classes.
        told: what a checkpoint says of the data it was trained on.
    """
    content = config.to_dict()
    steps, dataset = pipeline_of(content)
    text = json.dumps([wanted, classes, steps], sort_keys=True, default=str)
    config["classes"] = list(classes)
    return LoadedModel(
        model=model,
        config=config,
        classes=classes,
        multi_label=is_multi_label(content, told, dataset),
        pipeline=steps,
        origin={
            "config": str(content.get("experiment_name") or Path(name).stem),
            "config_sha256": hashlib.sha256(text.encode()).hexdigest(),
        },
        background=tuple(dataset.get("background") or ()),
    )


def training_of(checkpoint: str | Path) -> dict[str, Any]:
    """Return how the model of a checkpoint was trained: ``seed``, ``number_format``, ``boxes``, as far as it says.

    Raises:
        CheckpointError: it cannot be read.
    """
    return facts_in(read_checkpoint(checkpoint).get("meta") or {})


def facts_in(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint's meta data say of its training; older ones know the seed alone."""
    known = meta.get("training")
    found = dict(known) if isinstance(known, Mapping) else {"seed": meta.get("seed")}
    return {str(name): value for name, value in found.items() if isinstance(value, (str, int, float))}


def boxed_in(meta: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the images whose boxes a model was trained on, as a checkpoint's meta data say."""
    known = meta.get("training")
    names = known.get(BOXED_IMAGES) if isinstance(known, Mapping) else None
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def is_checkpoint(path: str | Path | Config) -> bool:
    """Whether a checkpoint is given instead of a configuration, by its name."""
    return isinstance(path, (str, Path)) and Path(path).suffix in SUFFIXES


def load_network(
    config: Mapping[str, Any], checkpoint: str | Path, kind: type[Kind], device: str | torch.device | None = None
) -> Kind:
    """Build the model of a configuration, which need be no localizer, and load a checkpoint into it.

    Args:
        config: a loaded configuration.
        checkpoint: file that training wrote, or a model of the authors' code that its head reads.
        kind: the class that the model has to be of.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.

    Returns:
        The model, in eval mode on the device.

    Raises:
        ConfigError: the model is of another class, or there is no such device.
        CheckpointError: the checkpoint cannot be read or is of another model.
    """
    place = choose_device(device)
    stored = read_checkpoint(checkpoint, bare=True)
    return with_weights(without_training(config.get("model") or {}), kind, stored, checkpoint).to(place)


def with_weights(model: Mapping[str, Any], kind: type[Kind], stored: Mapping[str, Any], source: str | Path) -> Kind:
    """Build a model and put the weights of a checkpoint into it; see ``load_network``."""
    with within_memory():
        built = MODELS.build(dict(model)) if model else None
    if not isinstance(built, kind):
        raise ConfigError(
            f"A {kind.__name__} is needed, but the model is a {type(built).__name__}. Take the configuration that the "
            "checkpoint was trained with."
        )
    check_finite(stored["state_dict"], source)
    theirs = authors_head(built, stored)
    if theirs is None:
        load_weights(built, stored, source)
        told = (stored.get("meta") or {}).get(THRESHOLD_SOURCE)
        if isinstance(built, Localizer) and isinstance(told, str):
            built.threshold_source = told
        if isinstance(built, Localizer):
            built.boxed_images = boxed_in(stored.get("meta") or {})
    else:
        built = MODELS.build(with_authors_backbone(model, source))
        fill_head(built.head, theirs, source)
    return built.eval()


def pipeline_of(config: Mapping[str, Any]) -> tuple[list[Any], Mapping[str, Any]]:
    """Return the steps of the test pipeline and the configuration of the data set it stands in.

    Taken from ``test_dataloader``, or from ``val_dataloader``; wrapped data sets are looked into. Where it has no
    steps, the class of the data set says how images from elsewhere become like its own.

    >>> pipeline_of({"val_dataloader": {"dataset": {"type": "CUB200", "pipeline": [{"type": "Resize"}]}}})[0]
    [{'type': 'Resize'}]
    """
    first: Mapping[str, Any] = {}
    for loader in ("test_dataloader", "val_dataloader"):
        waiting: list[Any] = [(config.get(loader) or {}).get("dataset")]
        while waiting:
            dataset = waiting.pop(0)
            if not isinstance(dataset, Mapping):
                continue
            if dataset.get("pipeline"):
                return list(dataset["pipeline"]), dataset
            if issubclass(kind := class_of(dataset), ImageDataset) and (steps := kind.steps_for_others(dataset)):
                return steps, dataset
            first = first or dataset
            waiting += [dataset.get("dataset"), *(dataset.get("datasets") or ())]
    return [], first


def is_multi_label(config: Mapping[str, Any], told: Mapping[str, Any], dataset: Mapping[str, Any]) -> bool:
    """Whether several classes may be in one image, as the configuration, the checkpoint or the data set says."""
    for source in (config, told):
        if "multi_label" in source:
            return bool(source["multi_label"])
    return bool(getattr(class_of(dataset), "multi_label", False))


def class_of(dataset: Mapping[str, Any]) -> type:
    """Return the class that the configuration of a data set names, or ``object`` where it names none that is known."""
    kind = dataset.get("type")
    found = DATASETS.get(kind) if DATASETS.knows(kind) else kind
    return found if isinstance(found, type) else object


def check_finite(state: Mapping[str, Any], name: str | Path) -> None:
    """Look for NaN and infinity in a checkpoint's weights; a single number that was never found may be NaN.

    Raises:
        CheckpointError: there are some.
    """
    broken = [
        key
        for key, value in state.items()
        if isinstance(value, Tensor) and value.ndim and value.is_floating_point() and not bool(value.isfinite().all())
    ]
    if broken:
        raise CheckpointError(
            f"The checkpoint {name} holds NaN or infinity in {len(broken)} of {len(state)} weights ({broken[0]} "
            "first): training has diverged. Take an earlier checkpoint."
        )
