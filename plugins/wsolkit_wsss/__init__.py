"""Background cues: from class-agnostic maps to saliency, and from saliency and CAMs to pseudo masks."""

from wsolkit import Method, hookimpl
from wsolkit_wsss.background_cues import BackgroundCues
from wsolkit_wsss.paper import METHODS
from wsolkit_wsss.pseudo_masks import PseudoMasks
from wsolkit_wsss.saliency_cues import SaliencyCues
from wsolkit_wsss.saliency_maps import SaliencyMaps
from wsolkit_wsss.saliency_network import SaliencyNetwork
from wsolkit_wsss.score_masks import ScoreMasks

__all__ = ["BackgroundCues", "PseudoMasks", "SaliencyCues", "SaliencyMaps", "SaliencyNetwork", "ScoreMasks"]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [BackgroundCues, PseudoMasks, SaliencyCues, SaliencyMaps, SaliencyNetwork, ScoreMasks]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return list(METHODS)
