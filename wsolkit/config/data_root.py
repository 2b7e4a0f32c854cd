"""Where the data of a configuration were looked for, and what said so: a file, an option or the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from wsolkit.errors import DataError

__all__ = ["naming_root", "where_from"]

FROM_VARIABLE = re.compile(r"""^data_root\s*=\s*["']\{\{\s*\$(\w+)\s*:\s*(\S*?)\s*\}\}([^"']*)["']""", re.MULTILINE)


def where_from(config: Config) -> str:
    """Say where a ``data_root`` that is not there came from, where that is an environment variable.

    Args:
        config: a loaded configuration.

    Returns:
        A sentence; nothing where the folder is there, or is written out or given as an option.

    >>> text = 'data_root = "{{$BIRDS:nowhere}}/birds"'
    >>> where_from(Config({"data_root": "nowhere/birds"}, cfg_text=text))
    "data_root is 'nowhere/birds' because the environment variable BIRDS is not set: set it to the folder above birds."
    """
    root = config.get("data_root")
    if not isinstance(root, str) or Path(root).exists():
        return ""
    for name, default, below in FROM_VARIABLE.findall(config.text or ""):
        above = os.environ.get(name)
        if root == (default if above is None else above) + below:
            folder = below.strip("/") or "the data"
            why = f"because the environment variable {name} is not set: set it to the folder above {folder}"
            if above is not None:
                why = f"because the environment variable {name} is {above!r}: it should be the folder above {folder}"
            return f"data_root is {root!r} {why}."
    return ""


@contextmanager
def naming_root(config: Config) -> Iterator[None]:
    """Add to errors about data whose folder is not there which environment variable named it.

    Args:
        config: a loaded configuration.

    Raises:
        DataError: one was raised inside.
    """
    try:
        yield
    except DataError as error:
        if told := where_from(config):
            raise DataError(f"{error} {told}", about=error.about) from error
        raise
