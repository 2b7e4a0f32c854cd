"""RCAM (Zhang): softmax-weighted pooling, recombined maps, and a threshold for each image."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    from wsolkit_rcam.pooling import SoftmaxWeightedPooling
    from wsolkit_rcam.recombined_maps import RecombinedMaps
    from wsolkit_rcam.two_stage_box import TwoStageBox

    return [RecombinedMaps, SoftmaxWeightedPooling, TwoStageBox]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the thesis behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
