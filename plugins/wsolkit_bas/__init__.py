"""BAS (Wu, Zhai and Cao, CVPR 2022): a foreground map that leaves the background nothing of the class's activation."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "ActivationHead": ["wsolkit_bas.head:SuppressionHead"],
        "Loss": ["wsolkit_bas.suppression:BackgroundSuppression"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
