"""RCAM (Zhang): softmax-weighted pooling, recombined maps, and a threshold for each image."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "CamMethod": ["wsolkit_rcam.recombined_maps:RecombinedMaps"],
        "Pooling": ["wsolkit_rcam.pooling:SoftmaxWeightedPooling"],
        "BoxExtractor": ["wsolkit_rcam.two_stage_box:TwoStageBox"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the thesis behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
