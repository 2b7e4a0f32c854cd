"""Reads the configuration of a pipeline, with the options of a command line.

A plain variable (``data_root=photos``) has its new value while the file is read, so that whatever the file makes of it
follows. ``work_dir=DIR`` sets the folder. ``stages.NAME.ARGUMENT=VALUE`` (or the stage's number) sets an argument of a
stage; nested arguments follow with dots. What follows ``options`` is one name, dots and all:
``stages.regressor.options.train_cfg.max_epochs=1``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsolkit.config.find import find_config
from wsolkit.config.read import check_computed, read_config
from wsolkit.errors import ConfigError, nearest

__all__ = ["read_pipeline"]

STAGES = "stages"
WORK_DIR = "work_dir"
OPTIONS = "options"


def read_pipeline(name_or_path: str | Path, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the configuration of a pipeline as plain data.

    Args:
        name_or_path: a file, or the name of a shipped configuration.
        options: values by dotted name, as the module says.

    Raises:
        ConfigError: there is no such file, it is no pipeline, or an option leads nowhere.
    """
    options = dict(options or {})
    path = find_config(name_or_path)
    content = read_config(path).to_dict()
    check_top(content, path)
    content = with_variables(content, path, {key: value for key, value in options.items() if is_variable(key)})
    for option, value in options.items():
        if option == WORK_DIR:
            content[WORK_DIR] = value
        elif not is_variable(option):
            set_in_stage(content[STAGES], option, value)
    return content


def is_variable(option: str) -> bool:
    """Whether an option sets a plain variable of the file, and nothing in a stage."""
    return option != WORK_DIR and option.partition(".")[0] != STAGES


def check_top(content: Mapping[str, Any], path: Path) -> None:
    """Look for the stages.

    Raises:
        ConfigError: there are none, or an entry is misspelt.
    """
    for wanted in (STAGES, WORK_DIR):
        close = difflib.get_close_matches(wanted, list(content), n=1, cutoff=0.85)
        if wanted not in content and close:
            raise ConfigError(f"{path} sets {close[0]!r}, which nothing reads. Did you mean {wanted!r}?")
    if STAGES not in content:
        train = " It is a training: run it with `wsolkit train`." if "model" in content else ""
        raise ConfigError(
            f"{path} is no pipeline: it has no {STAGES}.{train} Write stages = [dict(name='maps', type='Train', ...), "
            "...]."
        )
    stages = content[STAGES]
    if not isinstance(stages, (list, tuple)) or not stages or not all(isinstance(stage, dict) for stage in stages):
        raise ConfigError(f"{STAGES} of {path} should be a list of dict(name=..., type=..., ...), but got {stages!r}.")


def with_variables(content: dict[str, Any], path: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Read the configuration again with other values of its plain variables.

    Raises:
        ConfigError: it has no such variable, computes it, or fails with that value.
    """
    if not values:
        return content
    for name in values:
        if name not in content:
            known = [*content, *(f"{STAGES}.{number}" for number in range(len(content[STAGES])))]
            raise ConfigError(f"The option {name} leads nowhere: {path} has no such variable. {nearest(name, known)}")
    changed = read_config(path, values).to_dict()
    check_computed(values, changed, path)
    check_top(changed, path)
    return changed


def set_in_stage(stages: list[dict[str, Any]], option: str, value: Any) -> None:
    """Set one argument of a stage.

    Raises:
        ConfigError: the option leads nowhere; with the nearest names.

    >>> stages = [{"name": "net", "type": "Train", "config": "cam", "parts": [{"size": 1}]}]
    >>> set_in_stage(stages, "stages.net.options.train_cfg.max_epochs", 2)
    >>> set_in_stage(stages, "stages.0.parts.0.size", 3)
    >>> stages[0]["options"], stages[0]["parts"]
    ({'train_cfg.max_epochs': 2}, [{'size': 3}])
    """
    _, _, below = option.partition(".")
    which, _, rest = below.partition(".")
    names = [str(stage.get("name")) for stage in stages]
    if which.isdigit() and int(which) < len(stages):
        node: Any = stages[int(which)]
    elif which in names:
        node = stages[names.index(which)]
    else:
        raise ConfigError(f"The option {option} leads nowhere: there is no stage {which!r}. {nearest(which, names)}")
    if not rest:
        raise ConfigError(f"The option {option} names a stage. Add the argument, such as {option}.config=NAME.")
    segments = rest.split(".")
    if segments[0] == OPTIONS and len(segments) > 1:
        node[OPTIONS] = {**(node.get(OPTIONS) or {}), ".".join(segments[1:]): value}
        return
    for depth, segment in enumerate(segments[:-1]):
        node = step_into(node, segment, option, ".".join(segments[:depth]) or f"stage {which!r}")
    if isinstance(node, list):
        step_into(node, segments[-1], option, ".".join(segments[:-1]))
        node[int(segments[-1])] = value
    elif isinstance(node, dict):
        node[segments[-1]] = value
    else:
        raise ConfigError(f"The option {option} leads nowhere: {'.'.join(segments[:-1])} is {node!r}, without parts.")


def step_into(node: Any, segment: str, option: str, place: str) -> Any:
    """Return what lies under one segment of an option.

    Raises:
        ConfigError: there is nothing.
    """
    if isinstance(node, list) and segment.isdigit() and int(segment) < len(node):
        return node[int(segment)]
    if isinstance(node, dict) and segment in node:
        return node[segment]
    known = node if isinstance(node, dict) else [str(number) for number in range(len(node))] if node else []
    raise ConfigError(f"The option {option} leads nowhere: no {segment!r} in {place}. {nearest(segment, known)}")
