"""Background cues: from class-agnostic maps to saliency, and from saliency and CAMs to pseudo masks."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    from wsolkit_wsss.background_cues import BackgroundCues
    from wsolkit_wsss.pseudo_masks import PseudoMasks
    from wsolkit_wsss.saliency_cues import SaliencyCues
    from wsolkit_wsss.saliency_maps import SaliencyMaps
    from wsolkit_wsss.saliency_network import SaliencyNetwork
    from wsolkit_wsss.score_masks import ScoreMasks

    return [BackgroundCues, PseudoMasks, SaliencyCues, SaliencyMaps, SaliencyNetwork, ScoreMasks]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return [Method.from_card(Path(__file__).with_name(name)) for name in ("card.md", "poolnet.md")]
