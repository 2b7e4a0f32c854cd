"""What the training data says of its classes, handed to the parts of the model that ask for it by an argument's name.

A head and a batch transform are told ``num_classes``; any part of the model whose ``__init__`` takes them is told
``class_names`` (K names) and ``class_groups`` (levels from coarse to fine, each with the group of every class).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from wsolkit.config.parts import CLASS_FACTS, home_of, takes
from wsolkit.errors import ConfigError
from wsolkit.registry import BATCH_TRANSFORMS, DATASETS, HEADS

__all__ = ["fill_classes", "with_class_facts"]

COUNTED = (HEADS, BATCH_TRANSFORMS)


def fill_classes(config: Config) -> Config:
    """Fill ``classes`` and what the model's parts ask about them from the training data, where they are missing.

    The data set is built once for that. A resolved configuration therefore knows its classes without the data.

    Raises:
        ConfigError: a part needs ``num_classes`` or the names, and no data set says them, or the head contradicts.
    """
    model = config.get("model")
    asked = {fact for _, _, fact in asking(model)} if isinstance(model, dict) else set()
    told: Mapping[str, Any] = {}
    if not config.get("classes") or "class_groups" in asked:
        told = facts_of_data(config)
        if told.get("classes") and not config.get("classes"):
            config["classes"] = list(told["classes"])
    names = config.get("classes")
    for place, node, fact in list(asking(model)) if isinstance(model, dict) else ():
        fill(place, node, fact, names, told.get("class_groups"))
    return config


def facts_of_data(config: Config) -> Mapping[str, Any]:
    """Return what the training data set says of itself; nothing where there is none."""
    dataset = (config.get("train_dataloader") or {}).get("dataset")
    built = DATASETS.build(dataset) if isinstance(dataset, dict) else None
    return getattr(built, "metainfo", None) or {}


def fill(place: str, node: dict[str, Any], fact: str, names: Sequence[str] | None, groups: Any) -> None:
    """Write one fact into a part's configuration, where it says nothing else.

    Raises:
        ConfigError: nobody knows the fact, or a head's ``num_classes`` contradicts the data.
    """
    given, kind = node.get(fact), node.get("type")
    if fact == "class_groups":
        if given is None and groups:
            node[fact] = [list(level) for level in groups]
        return
    if given is None and not names:
        raise ConfigError(
            f"{kind} needs {fact}, but the training data names no classes. Set {place}.{fact} or classes=[...]."
        )
    if given is None:
        node[fact] = len(names or ()) if fact == "num_classes" else [str(name) for name in names or ()]
    elif fact == "num_classes" and names and given != len(names):
        raise ConfigError(
            f"{place}.num_classes is {given}, but the training data has {len(names)} classes "
            f"({', '.join(map(str, names[:3]))}, ...). Leave num_classes out to follow the data."
        )


def asking(model: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the parts of a model that ask about the classes, with their places and what they ask for."""
    for place, node, home in parts_in(("model",), model):
        counted = home in COUNTED and len(place) == (2 if home is HEADS else 3)
        for fact in (*(("num_classes",) if counted else ()), *CLASS_FACTS):
            if takes(home, node, fact):
                yield ".".join(place), node, fact


def parts_in(place: tuple[str, ...], node: Any) -> Iterator[tuple[tuple[str, ...], dict[str, Any], Registry]]:
    """Yield the parts below a place of a configuration, the place itself included, with their registries."""
    if isinstance(node, dict):
        home = home_of(place, node) if "type" in node else None
        if home is not None:
            yield place, node, home
        for key, value in node.items():
            yield from parts_in((*place, str(key)), value)
    elif isinstance(node, (list, tuple)):
        for number, value in enumerate(node):
            yield from parts_in((*place, str(number)), value)


def with_class_facts(model: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    """Return a copy of a model's configuration whose parts know the classes they ask for and are not told yet.

    >>> with_class_facts({"head": {"type": "LinearHead"}}, ["owl", "wren"])
    {'head': {'type': 'LinearHead', 'num_classes': 2}}
    """
    copied: dict[str, Any] = copied_dicts(model)
    for place, node, fact in list(asking(copied)) if classes else ():
        if node.get(fact) is None:
            fill(place, node, fact, classes, None)
    return copied


def copied_dicts(node: Any) -> Any:
    """Return a configuration with dicts and lists of its own; parts that are built already stay the same."""
    if isinstance(node, Mapping):
        return {key: copied_dicts(value) for key, value in node.items()}
    return [copied_dicts(value) for value in node] if isinstance(node, list) else node
