"""ex-CAM: later maps of a class may not see what earlier ones found; and three more ways to larger maps."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "CamMethod": ["wsolkit_excam.average_with_first:AverageWithFirst"],
        "MapModifier": [
            "wsolkit_excam.erase_found:EraseFound",
            "wsolkit_excam.importance_or_drop:ImportanceOrDrop",
            "wsolkit_excam.sequential_drop:SequentialDrop",
        ],
        "Loss": ["wsolkit_excam.exclusive_maps:ExclusiveMaps"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the dissertation behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
