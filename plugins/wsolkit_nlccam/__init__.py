"""NL-CCAM (Yang et al., WACV 2020): all classes' maps are combined, and non-local blocks look across the image."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "CamMethod": ["wsolkit_nlccam.combined_maps:CombinedMaps"],
        "MapModifier": ["wsolkit_nlccam.non_local:NonLocal"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
