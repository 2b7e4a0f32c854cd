"""Dropout and its family as localizers: plain, spatial, of maxima (Park and Kwak, ACCV 2016) and of blocks."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)

CARDS = ("card.md", "dropout.md", "spatial_dropout.md", "drop_block.md")


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {"MapModifier": ["wsolkit_dropout.max_drop:MaxDrop"]}


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return [Method.from_card(Path(__file__).with_name(name)) for name in CARDS]
