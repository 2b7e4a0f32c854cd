"""ex-CAM: later maps of a class may not see what earlier ones found; and three more ways to larger maps."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    from wsolkit_excam.average_with_first import AverageWithFirst
    from wsolkit_excam.erase_found import EraseFound
    from wsolkit_excam.exclusive_maps import ExclusiveMaps
    from wsolkit_excam.importance_or_drop import ImportanceOrDrop
    from wsolkit_excam.sequential_drop import SequentialDrop

    return [AverageWithFirst, EraseFound, ExclusiveMaps, ImportanceOrDrop, SequentialDrop]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the dissertation behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
