"""Background cues: from class-agnostic maps to saliency, and from saliency and CAMs to pseudo masks."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "Stage": [
            "wsolkit_wsss.background_cues:BackgroundCues",
            "wsolkit_wsss.pseudo_masks:PseudoMasks",
            "wsolkit_wsss.saliency_maps:SaliencyMaps",
            "wsolkit_wsss.score_masks:ScoreMasks",
        ],
        "BaseDataset": ["wsolkit_wsss.saliency_cues:SaliencyCues"],
        "BaseModel": ["wsolkit_wsss.saliency_network:SaliencyNetwork"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return [Method.from_card(Path(__file__).with_name(name)) for name in ("card.md", "poolnet.md")]
