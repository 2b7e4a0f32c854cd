"""WILDCAT (Durand et al., CVPR 2017): several maps per class, pooled over the strongest and the weakest cells."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "MapModifier": ["wsolkit_wildcat.scale_gradient:ScaleGradient"],
        "Pooling": ["wsolkit_wildcat.pooling:WildcatPooling"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
