"""Values of a configuration that are handed down: the data, its labels, the weights, the model's box extractor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from mmengine.config import Config, ConfigDict

from wsolkit.config.parts import takes
from wsolkit.errors import ConfigError
from wsolkit.registry import BACKBONES, DATASETS, METRICS

__all__ = [
    "LOADERS",
    "drop_seeds",
    "hand_down_extractor",
    "hand_down_labels",
    "hand_down_root",
    "hand_down_weights",
    "inner_configs",
    "placed_configs",
    "places_of_seeds",
]

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def hand_down_root(config: Config, before: Any, options: Mapping[str, Any], resolved: bool = False) -> None:
    """Give ``data_root`` to data sets that have none of their own, or that had it from the top before.

    Args:
        config: the configuration.
        before: what it was without the options.
        options: those that are in the configuration by now.
        resolved: whether this is the configuration of a training. What its file had made of ``data_root`` stands there
            written out, so paths below the old folder are moved as well.

    Raises:
        ConfigError: it was asked for, but every data set has one of its own.
    """
    root, asked, moved = config.get("data_root"), "data_root" in options, False
    if resolved and asked and isinstance(root, str) and isinstance(before, str) and before:
        old = before.rstrip("/") + "/"
        for loader in LOADERS:
            moved |= move_paths(config.get(loader), old, root.rstrip("/") + "/", loader, options)
    datasets = list(dataset_configs(config))
    taking = [(place, dataset) for place, dataset in datasets if takes(DATASETS, dataset, "data_root")]
    for _, dataset in taking if root else ():
        if not dataset.get("data_root") or dataset["data_root"] == before:
            dataset["data_root"] = root
    taken = moved or any(dataset.get("data_root") == root for _, dataset in taking)
    if root and asked and datasets and not taken:
        own = [f"{place}.data_root={dataset['data_root']!r}" for place, dataset in taking]
        why = (
            f"the data sets have their own. Change {' and '.join(own)}"
            if own
            else "no data set takes one. Leave it out"
        )
        raise ConfigError(f"data_root={root!r} would change nothing: {why}.")


def move_paths(node: Any, old: str, new: str, place: str, options: Mapping[str, Any]) -> bool:
    """Let texts that begin with ``old`` begin with ``new``, except at places that options name; say if there were any.

    >>> node = {"boxes": "a/boxes.json", "data_root": "a/val", "split": "val"}
    >>> move_paths(node, "a/", "b/", "val", {"val.data_root": "a/val"}), node["boxes"], node["data_root"]
    (True, 'b/boxes.json', 'a/val')
    """
    moved = False
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node or ())):
        where = f"{place}.{key}"
        if where in options:
            continue
        if isinstance(value, (dict, list)):
            moved |= move_paths(value, old, new, where, options)
        elif isinstance(value, str) and value.startswith(old):
            node[key], moved = new + value.removeprefix(old), True
    return moved


def hand_down_labels(config: Config, before: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Give the table of ``labels`` and the ``background`` to data sets without, or that had them from the top before.

    Args:
        config: the configuration.
        before: what it was without the options.
        options: those that are in the configuration by now.

    Raises:
        ConfigError: one was asked for, but no data set takes one.
    """
    datasets = [dataset for _, dataset in dataset_configs(config)]
    for name, what in (("labels", "table of labels"), ("background", "background classes")):
        given = config.get(name)
        taking = [dataset for dataset in datasets if takes(DATASETS, dataset, name)]
        for dataset in taking if given else ():
            if not dataset.get(name) or dataset[name] == before.get(name):
                dataset[name] = given
        if given and name in options and datasets and not any(each.get(name) == given for each in taking):
            kinds = ", ".join(sorted({str(dataset.get("type")) for dataset in datasets}))
            raise ConfigError(
                f"{name}={given!r} would change nothing: {kinds} takes no {what} of the top. Start from a "
                f"configuration of ImageFolder (those with _folder in their names), or set {name} of each data set."
            )


def hand_down_weights(config: Config, before: Any, options: Mapping[str, Any]) -> None:
    """Give ``weights`` to a backbone that has none of its own, or that had them from the top before.

    Raises:
        ConfigError: the backbone takes none, or has its own.
    """
    if config.get("weights") in ("", "none"):  # what "{{$WSOLKIT_WEIGHTS:none}}" gives where the variable is not set
        config["weights"] = None
    weights, place = config.get("weights"), "model.backbone.weights"
    backbone = (config.get("model") or {}).get("backbone")
    if not weights or not isinstance(backbone, dict):
        return
    if not takes(BACKBONES, backbone, "weights"):
        raise ConfigError(
            f"weights={weights!r} is for the backbone, but {backbone.get('type')} takes no weights. Leave it out."
        )
    own = backbone.get("weights")
    if place not in options and (not own or own == before):
        backbone["weights"] = weights
    elif "weights" in options and place not in options and own != weights:
        raise ConfigError(
            f"weights={weights!r} would change nothing: the backbone has its own. Change {place}={own!r}."
        )


def hand_down_extractor(config: Config, before: Any) -> None:
    """Give the model's box extractor to metrics that have none of their own, or that had the model's before.

    What the validation compares is then what the model predicts.
    """
    extractor = (config.get("model") or {}).get("box_extractor")
    for split in ("val", "test") if extractor else ():
        given = config.get(f"{split}_evaluator") or ()
        for metric in [given] if isinstance(given, dict) else given:
            if not isinstance(metric, dict) or not takes(METRICS, metric, "extractor"):
                continue
            if not metric.get("extractor") or metric["extractor"] == before:
                metric["extractor"] = deepcopy(extractor)


def dataset_configs(config: Config) -> Iterator[tuple[str, ConfigDict]]:
    """Yield the configurations of all data sets with their places, also of those inside wrappers."""
    for loader in LOADERS:
        yield from placed_configs((config.get(loader) or {}).get("dataset"), f"{loader}.dataset")


def placed_configs(dataset: Any, place: str) -> Iterator[tuple[str, ConfigDict]]:
    """Yield a data set's configuration and those it wraps, with their places."""
    if isinstance(dataset, dict):
        yield place, dataset
        yield from placed_configs(dataset.get("dataset"), f"{place}.dataset")
        for number, part in enumerate(dataset.get("datasets") or ()):
            yield from placed_configs(part, f"{place}.datasets.{number}")


def inner_configs(dataset: Any) -> Iterator[ConfigDict]:
    """Yield a data set's configuration and those it wraps."""
    yield from (inner for _, inner in placed_configs(dataset, ""))


def places_of_seeds(config: Config) -> set[str]:
    """Return where the training data sets are that have a seed of their own."""
    placed = placed_configs((config.get("train_dataloader") or {}).get("dataset"), "dataset")
    return {place for place, dataset in placed if "seed" in dataset}


def drop_seeds(config: Config, kept: set[str]) -> None:
    """Take the training's seed out of the data sets it was handed down to, so that another one reaches them again."""
    for place, dataset in placed_configs(config["train_dataloader"].get("dataset"), "dataset"):
        if place not in kept:
            dataset.pop("seed", None)
