"""The configuration in a checkpoint: JSON text that training puts there, so that a model is used without running code.

A configuration file in Python is code. What is stored here is what came of it: plain values, which name parts of
wsolkit and of plugins. Reading it imports nothing that the installed plugins do not bring.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from mmengine.config import Config

from wsolkit import registry
from wsolkit.config.data_only import data_only
from wsolkit.errors import CheckpointError, shortened
from wsolkit.finder import find_parts
from wsolkit.plugins.loading import load_plugins
from wsolkit.registry import SCOPE, ComponentRegistry
from wsolkit.weights.checkpoint import read_checkpoint

__all__ = [
    "STORED",
    "NotPlainError",
    "config_text",
    "from_data",
    "holds_config",
    "other_network",
    "plain",
    "stored_config",
]

STORED = "wsolkit_config"
"""The entry of a checkpoint's ``meta`` that holds the text."""

FORMAT = 1
LEFT_OUT = ("work_dir", "load_from", "resume", "launcher", "model_wrapper_cfg", "track")
"""What says where and how a training ran, and nothing about its model."""

USED: dict[str, tuple[type, ...]] = {
    "model": (dict,),
    "classes": (list,),
    "multi_label": (bool,),
    "data_root": (str,),
    "labels": (str,),
    "background": (list,),
    "experiment_name": (str,),
    "randomness": (dict,),
    **{f"{split}_dataloader": (dict,) for split in ("val", "test")},
    **{f"{split}_evaluator": (dict, list) for split in ("val", "test")},
}
"""What is read to use a model, and of which type it is; the rest is for training."""

ENGINE_PARTS = frozenset(
    (
        "BaseDataPreprocessor",
        "ClassBalancedDataset",
        "ConcatDataset",
        "DefaultSampler",
        "ImgDataPreprocessor",
        "InfiniteSampler",
        "RepeatDataset",
        "default_collate",
        "pseudo_collate",
    )
)
"""Parts of mmengine that may be named; others read pickled files, write files or import what they are told."""


ELSEWHERE = re.compile(r"\s*(hf[-_]hub|local-dir):", re.IGNORECASE)
"""Networks that timm would fetch from the Hugging Face hub or read from a folder."""


class NotPlainError(ValueError):
    """A value is neither text nor number, list nor dictionary of such."""


def config_text(config: Config) -> str:
    """Return a resolved configuration as JSON text for a checkpoint.

    Where it holds something that is no plain value, such as a class, the text says so instead.
    """
    content = {key: value for key, value in config.to_dict().items() if key not in LEFT_OUT}
    document: dict[str, Any] = {"format": FORMAT}
    try:
        document["config"] = plain(content)
    except NotPlainError as error:
        document["lacking"] = str(error)
    else:
        imports = (content.get("custom_imports") or {}).get("imports") or ()
        document["imports"] = [imports] if isinstance(imports, str) else list(imports)
        document["sources"] = sources_of(set(types_in(content)))
    return json.dumps(document)


def plain(node: Any, place: str = "") -> Any:
    """Return a value as JSON has it.

    Raises:
        NotPlainError: something in it is no plain value; with its place.

    >>> plain({"size": (224, 224)})
    {'size': [224, 224]}
    """
    if node is None or isinstance(node, (str, bool, int, float)):
        return node
    if isinstance(node, PurePath):
        return str(node)
    if isinstance(node, (list, tuple)):
        return [plain(value, f"{place}.{number}") for number, value in enumerate(node)]
    if not isinstance(node, Mapping):
        raise NotPlainError(f"{place.removeprefix('.')} is of the type {type(node).__name__}")
    for key in node:
        if not isinstance(key, str):
            raise NotPlainError(f"{place.removeprefix('.')} has the name {key!r}, which is no text")
    return {key: plain(value, f"{place}.{key}") for key, value in node.items()}


def types_in(node: Any) -> Iterator[str]:
    """Yield the names of the parts in a configuration."""
    for value in node.values() if isinstance(node, Mapping) else node:
        if isinstance(value, (Mapping, list, tuple)):
            yield from types_in(value)
    if isinstance(node, Mapping) and isinstance(node.get("type"), str):
        yield node["type"].removeprefix(f"{SCOPE}.")


def sources_of(names: set[str]) -> dict[str, str]:
    """Return which plugin brings each part, in words."""
    components = load_plugins().components.values()
    written = [(name, each.source) for each in components for name in (each.name, each.long_name)]
    return {name: str(source) for name, source in written if name in names}


def holds_config(path: str | PurePath) -> bool:
    """Whether a checkpoint holds a configuration, so that ``load_model(path)`` needs no other file.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    meta = read_checkpoint(str(path)).get("meta")
    return isinstance(meta, Mapping) and isinstance(meta.get(STORED), str)


def stored_config(checkpoint: Mapping[str, Any], source: object) -> Config:
    """Return the configuration in a checkpoint, as far as it is needed to use the model; nothing of it is run.

    Args:
        checkpoint: what ``read_checkpoint`` returned.
        source: where it came from, for messages.

    Raises:
        CheckpointError: there is none in it, it is damaged, or it names parts that no installed plugin brings.
    """
    document = stored_document(checkpoint, source)
    content = {key: value for key, value in document["config"].items() if key in USED and value is not None}
    for key, value in content.items():
        if not isinstance(value, USED[key]):
            raise damaged(source, f"{key} is a {type(value).__name__}")
    if isinstance(content.get("model"), dict):
        content["model"].pop("init_cfg", None)
    check_parts(content, document, source)
    return Config({**content, "default_scope": SCOPE})


def other_network(checkpoint: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Say in which words for the backbone and the head a checkpoint's configuration and another model differ.

    Args:
        checkpoint: what ``read_checkpoint`` returned.
        model: the configuration of the other model.

    Returns:
        Such as "the backbone TimmBackbone 'resnet50' and not TimmBackbone 'vgg16'", the checkpoint's first; nothing
        where they name the same or the checkpoint holds no configuration.
    """
    try:
        theirs = stored_document(checkpoint, "")["config"].get("model")
    except CheckpointError:
        return ""
    differing = []
    for part in ("backbone", "head"):
        names = [named(each.get(part)) if isinstance(each, Mapping) else "" for each in (theirs, model)]
        if all(names) and names[0] != names[1]:
            differing.append(f"the {part} {names[0]} and not {names[1]}")
    return ", ".join(differing)


def named(part: Any) -> str:
    """Return what a part of a configuration is called: its type and, of a backbone that has one, its name."""
    if not isinstance(part, Mapping) or not part.get("type"):
        return ""
    name = f" {str(part['name'])!r}" if part.get("name") else ""
    return shortened(f"{str(part['type']).rpartition('.')[2]}{name}")


@contextmanager
def from_data(source: object) -> Iterator[None]:
    """Build something from a stored configuration: no Python is read meanwhile, and what does not fit is said in words.

    Raises:
        CheckpointError: a value is of the wrong kind.
    """
    try:
        with data_only():
            yield
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        raise damaged(source, f"{type(error).__name__}: {shown(str(error))}") from error


def stored_document(checkpoint: Mapping[str, Any], source: object) -> dict[str, Any]:
    """Return what training put into a checkpoint.

    Raises:
        CheckpointError: there is nothing, or something else.
    """
    meta = checkpoint.get("meta")
    text = meta.get(STORED) if isinstance(meta, Mapping) else None
    advice = (
        "Name the configuration it was trained with before it, such as the config.py that training left beside it; a "
        "Python configuration is code, so take one only from whom you trust"
    )
    if not isinstance(text, str):
        raise CheckpointError(
            f"{source} cannot be used alone: it holds no configuration, as checkpoints of earlier versions and of "
            f"other programs. {advice}, or train again."
        )
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(source, type(error).__name__) from None
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise damaged(source, "it has no format")
    if document["format"] != FORMAT:
        raise CheckpointError(
            f"The configuration in {source} has the format {document['format']}, and this version reads {FORMAT}. "
            f"Install a newer wsolkit. Or: {advice[0].lower()}{advice[1:]}."
        )
    if isinstance(document.get("lacking"), str):
        raise CheckpointError(
            f"{source} cannot be used alone: its configuration is no plain data ({shown(document['lacking'])}). "
            f"{advice}."
        )
    if not isinstance(document.get("config"), dict):
        raise damaged(source, "it holds no settings")
    return document


def damaged(source: object, reason: str) -> CheckpointError:
    """Return the error for a configuration that is none."""
    return CheckpointError(
        f"The configuration in {source} is damaged: {reason}. Download or copy the checkpoint again, or name the "
        "configuration it was trained with before it."
    )


def check_parts(content: dict[str, Any], document: Mapping[str, Any], source: object) -> None:
    """Look whether everything that a stored configuration names is a part of wsolkit or of an installed plugin.

    Raises:
        CheckpointError: something else is named.
    """
    known, missing = known_parts(), []
    waiting: list[tuple[str, Any]] = list(content.items())
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, str) and node.strip().lower().endswith(".py"):
            raise CheckpointError(
                f"The configuration in {source} was refused: {place} names {shown(node)}, and a Python file is code. "
                "Get the model from whom you trust, with its config.py, and name that before it."
            )
        if isinstance(node, str) and ELSEWHERE.match(node):
            raise CheckpointError(
                f"The configuration in {source} was refused: {place} names {shown(node)}, and what lies elsewhere is "
                "not fetched for a checkpoint alone. Name the configuration it was trained with before it, if you "
                "trust both."
            )
        if isinstance(node, list):
            waiting += [(f"{place}.{number}", value) for number, value in enumerate(node)]
        if not isinstance(node, dict):
            continue
        waiting += [(f"{place}.{key}", value) for key, value in node.items()]
        if "type" in node and not (isinstance(node["type"], str) and node["type"].removeprefix(f"{SCOPE}.") in known):
            missing.append((f"{place}.type", node["type"]))
        if node.get("_scope_", SCOPE) not in (SCOPE, "mmengine"):
            missing.append((f"{place}._scope_", node["_scope_"]))
    if missing:
        raise CheckpointError(missing_words(sorted(missing, key=str), document, source))


def known_parts() -> frozenset[str]:
    """Return the names of all parts that a stored configuration may name."""
    names = set(ENGINE_PARTS)
    for home in vars(registry).values():
        if isinstance(home, ComponentRegistry):
            home.import_from_location()
            names |= {*home.module_dict, *find_parts().every_name(home.name)}
    return frozenset(names)


def missing_words(missing: list[tuple[str, Any]], document: Mapping[str, Any], source: object) -> str:
    """Say which parts are missing, which plugin brought each, and what to do."""
    sources, imports = document.get("sources"), document.get("imports")
    told, plugins = [], set()
    for place, name in {str(name): (place, name) for place, name in reversed(missing)}.values():
        brought = sources.get(str(name).removeprefix(f"{SCOPE}.")) if isinstance(sources, dict) else None
        plugins |= {shown(brought)} if brought else set()
        told.append(f"{place} is {shown(name)}" + (f", of {shown(brought)}" if brought else ""))
    start = f"{source} names parts that are not installed: {'; '.join(told[:4])}."
    remark = find_parts().remark().strip()
    if plugins:
        advice = f"Install what is missing ({', '.join(sorted(plugins))}), best in the version named here."
    else:
        files = f" ({', '.join(map(shown, imports))})" if isinstance(imports, list) and imports else ""
        advice = (
            f"They came from code of its author's own{files}, which is not run for a checkpoint alone. Name the "
            "configuration it was trained with before it, if you trust that code."
        )
    return " ".join(part for part in (start, advice, remark) if part)


def shown(value: Any) -> str:
    """Return what a stranger wrote as one short line that does nothing to a terminal.

    >>> shown("caf" + chr(233)) == repr("caf" + chr(92) + "xe9").replace(chr(92) * 2, chr(92))
    True
    """
    return shortened(ascii(value), 100)
