"""DANet (Xue et al., ICCV 2019): maps of a hierarchy of classes, several of each class that have to differ."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "ActivationHead": ["wsolkit_danet.head:DivergentHead"],
        "Loss": ["wsolkit_danet.losses:DiscrepantMaps", "wsolkit_danet.losses:GroupCrossEntropy"],
        "CamMethod": ["wsolkit_danet.fused_maps:FusedMaps"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
