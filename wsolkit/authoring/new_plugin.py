"""A distribution for a plugin of one's own, written from templates: parts that work, their tests, card and packaging.

The templates are files beside this one: ``parts`` holds an example of each kind of part, ``tests`` its test.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wsolkit import __version__
from wsolkit.errors import ConfigError, one_of
from wsolkit.files import path_below, write_text

__all__ = ["DEFAULT", "KINDS", "Kind", "write_plugin"]

GROUP = "wsolkit"
PREFIX = "wsolkit_"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40
TEMPLATES = Path(__file__).with_name("templates")
ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=False,  # Python and Markdown
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class Kind:
    """A kind of part that a plugin can begin with.

    Attributes:
        interface: the class that it derives from.
        suffix: how the name of the example ends.
        check: the function of ``wsolkit.testing`` that holds its contract; empty where there is none.
        does: what the example does, as a sentence of the card.
    """

    interface: str
    suffix: str
    check: str
    does: str


KINDS: dict[str, Kind] = {
    "modifier": Kind("MapModifier", "Noise", "check_modifier", "scales every channel by a random factor in training"),
    "loss": Kind("Loss", "Smoothness", "check_loss", "asks for maps that change little from cell to cell"),
    "head": Kind("ActivationHead", "Head", "check_head", "a 1 x 1 convolution gives a map of each class"),
    "pooling": Kind("Pooling", "Pooling", "check_pooling", "the mean of the average and the largest cell"),
    "cam_method": Kind("CamMethod", "Maps", "check_cam_method", "weighs class maps by the strength of the features"),
    "box_extractor": Kind("BoxExtractor", "Box", "check_box_extractor", "the box around the component of the peak"),
    "backbone": Kind("Backbone", "Backbone", "check_backbone", "two small stages of convolutions"),
    "batch_transform": Kind("BatchTransform", "Brightness", "check_batch_transform", "scales each image at random"),
    "refiner": Kind("Refiner", "Masks", "check_refiner", "the cells of a box where the map is above the cut"),
    "stage": Kind("Stage", "Strengths", "", "writes how strong the score maps of an earlier stage are"),
    "protocol": Kind("Protocol", "Pointing", "", "the pointing game: a map's maximum lies in a true box"),
}
"""The kinds of parts by the word that names them, which is the example's file too."""

DEFAULT = ("modifier", "loss")

AROUND_A_MODEL = {"refiner", "stage", "protocol"}
"""Kinds that no model is made of, so that the configuration of one does not name them."""


def write_plugin(name: str, parts: Sequence[str] = DEFAULT, into: str | Path = ".") -> Path:
    """Write a distribution that installs, and whose tests pass, at once; return its folder.

    The folder is called as the plugin is; the import package in it ``wsolkit_NAME``. It appears when it is whole.

    Args:
        name: the plugin's name: a word of a-z, 0-9 and _.
        parts: the kinds of parts that it begins with, out of ``KINDS``.
        into: the folder that it is written into.

    Raises:
        ConfigError: the name is none, or taken by an installed plugin; a kind is unknown; the folder exists.
    """
    check_name(name)
    kinds = {kind: KINDS[one_of("A part of a new plugin", kind, tuple(KINDS))] for kind in dict.fromkeys(parts)}
    if not kinds:
        raise ConfigError(f"A plugin has a part at least, but got none. Choose some of {', '.join(KINDS)}.")
    check_free(name)
    into = Path(into)
    if not into.is_dir():
        raise ConfigError(f"{into} is no folder, so {name} cannot be written into it. Make it, or choose another.")
    target = path_below(into, name)
    if os.path.lexists(target):
        raise ConfigError(f"{target} exists already; nothing was changed. Choose another name, or another folder.")
    half = into / f".{name}.{os.getpid()}.part"
    try:
        for path, text in plugin_files(name, kinds).items():
            file = half / path
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, text)
        half.rename(target)
    except BaseException:
        with suppress(OSError):
            shutil.rmtree(half)
        raise
    return target


def check_name(name: str) -> None:
    """Refuse what cannot name a plugin.

    Raises:
        ConfigError: it is no word of a-z, 0-9 and _, too long, or begins with ``wsolkit_``.

    >>> check_name("My-Plugin")
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: A plugin's name is a word of a-z, 0-9 and _, ... got 'My-Plugin'. Try 'my_plugin'.
    """
    offer = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")
    offer = offer.removeprefix(PREFIX)[:LONGEST].strip("_") or "mine"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise ConfigError(
            f"A plugin's name is a word of a-z, 0-9 and _, {LONGEST} letters at most, but got {name!r}. Try {offer!r}."
        )
    if f"{name}_".startswith(PREFIX):
        raise ConfigError(f"The package of a plugin is called {PREFIX}NAME already, but got {name!r}. Try {offer!r}.")


def check_free(name: str) -> None:
    """Refuse the name of something that is installed.

    Raises:
        ConfigError: a plugin has that name, or a module would have that of the package.
    """
    for point in metadata.entry_points(group=GROUP):
        if point.name == name or point.value.partition(":")[0].partition(".")[0] == PREFIX + name:
            home = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown distribution"
            raise ConfigError(f"A plugin {point.name!r} is installed already, of {home}. Choose another name.")
    if find_spec(PREFIX + name) is not None:
        raise ConfigError(f"There is a module {PREFIX}{name} already. Choose another name.")


def plugin_files(name: str, kinds: Mapping[str, Kind]) -> dict[str, str]:
    """Return the texts of a plugin by their paths."""
    title = "".join(word.capitalize() for word in name.split("_"))
    package = PREFIX + name
    parts = [part_of(name, title, file, kind) for file, kind in kinds.items()]
    known = {"name": name, "title": title, "package": package, "parts": parts, "year": date.today().year}
    known["version"] = __version__
    known["has"] = {each["file"]: each["called"] for each in parts}
    known["in_model"] = not set(kinds) <= AROUND_A_MODEL
    found = {
        ".gitignore": text_of("gitignore.j2", known),
        "pyproject.toml": text_of("pyproject.toml.j2", known),
        "README.md": text_of("README.md.j2", known),
        f"{package}/__init__.py": text_of("package.py.j2", known),
        f"{package}/py.typed": "",
        f"{package}/card.md": text_of("card.md.j2", known),
        f"{package}/configs/{name}_synthetic.py": text_of("config.py.j2", known),
        "tests/test_plugin.py": text_of("tests/plugin.py.j2", known),
    }
    if "stage" in kinds:
        found[f"{package}/configs/{name}_pipeline.py"] = text_of("pipeline.py.j2", known)
    for part in parts:
        found[f"{package}/{part['file']}.py"] = text_of(f"parts/{part['file']}.py.j2", {**known, **part})
        found[f"tests/test_{part['file']}.py"] = text_of(f"tests/{part['file']}.py.j2", {**known, **part})
    return found


def part_of(name: str, title: str, file: str, kind: Kind) -> dict[str, Any]:
    """Return what the templates know of a part: a configuration calls it by its class, a command line a protocol."""
    own, place = f"{title}{kind.suffix}", f"{PREFIX}{name}.{file}:{title}{kind.suffix}"
    called = f"{name}_{kind.suffix.lower()}" if kind.interface == "Protocol" else own
    place = place if called == own else f"{called}={place}"
    return {"file": file, "class": own, "called": called, "place": place, "kind": kind, "interface": kind.interface}


def text_of(template: str, known: Mapping[str, Any]) -> str:
    """Return a template with its places filled in."""
    return ENVIRONMENT.get_template(template).render(known)
