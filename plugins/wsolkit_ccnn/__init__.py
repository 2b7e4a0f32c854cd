"""CCNN (Wang): a second last stage with attention modulation, concatenated with stages 3 and 4."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "MapModifier": ["wsolkit_ccnn.amm:AMM"],
        "Backbone": ["wsolkit_ccnn.backbone:CCNNBackbone"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the report behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
