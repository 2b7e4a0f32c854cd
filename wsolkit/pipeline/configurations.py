"""The configuration a stage works with: loaded up front where that is possible, and the files it names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from wsolkit.config.load import load_config
from wsolkit.errors import ConfigError
from wsolkit.pipeline.placeholders import has_placeholder

__all__ = ["checked_options", "declared_configuration", "files_named", "outside_files"]


def checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a stage's ``options``: values by dotted name, as ``--cfg-options`` takes them.

    Raises:
        ConfigError: they are something else.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
        raise ConfigError(f"options should be {{'dotted.name': value}}, but got {options!r}.")
    return dict(options)


def declared_configuration(config: str, options: Mapping[str, Any]) -> Config | None:
    """Return the resolved configuration, or None for one that an earlier stage writes.

    Raises:
        ConfigError: there is no such configuration, or the options do not fit it.
    """
    return None if has_placeholder(config) else load_config(config, options)


def outside_files(config: Config | None, paths: Iterable[str | Path]) -> list[Path]:
    """Return the files from outside the pipeline: the given ones, and those that a configuration names."""
    given = [Path(path) for path in paths if not has_placeholder(str(path))]
    return [*given, *files_named(config.to_dict() if config is not None else {})]


def files_named(value: Any) -> list[Path]:
    """Return the files that texts of nested plain data name, such as pretrained weights; folders do not count.

    >>> files_named({"weights": None, "name": "resnet50"})
    []
    """
    return sorted({path for path in paths_in(value) if path.is_file()})


def paths_in(value: Any) -> Iterator[Path]:
    """Yield what may be a path among the texts: those with a separator or an ending."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from paths_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from paths_in(item)
    elif isinstance(value, str) and may_be_path(value):
        yield Path(value).absolute()


def may_be_path(text: str) -> bool:
    """Whether a text of a configuration may be the path of a file from outside.

    >>> may_be_path("weights/resnet50.pth"), may_be_path("resnet50"), may_be_path("{train}/best.pth")
    (True, False, False)
    """
    if not 0 < len(text) < 1000 or "\0" in text or "://" in text or has_placeholder(text):
        return False
    return os.sep in text or bool(Path(text).suffix)
