"""C2AM (Xie et al., CVPR 2022): one map for all classes, by contrast between foreground and background."""

from wsolkit import Method, hookimpl
from wsolkit_c2am.contrast import negative_contrast, positive_contrast, rank_weights
from wsolkit_c2am.head import C2AMHead, region_embeddings
from wsolkit_c2am.logit_maps import C2AMLogitMaps
from wsolkit_c2am.loss import C2AMLoss
from wsolkit_c2am.paper import C2AM

__all__ = [
    "C2AMHead",
    "C2AMLogitMaps",
    "C2AMLoss",
    "negative_contrast",
    "positive_contrast",
    "rank_weights",
    "region_embeddings",
]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [C2AMHead, C2AMLogitMaps, C2AMLoss]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [C2AM]
