"""LOST (Simeoni et al., BMVC 2021): an object grows from the cell that is like fewest others, without a training."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {"CamMethod": ["wsolkit_lost.lost_maps:LOSTMaps"]}


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
