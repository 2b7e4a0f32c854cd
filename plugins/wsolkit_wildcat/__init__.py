"""WILDCAT (Durand et al., CVPR 2017): several maps per class, pooled over the strongest and the weakest cells."""

from wsolkit import Method, hookimpl
from wsolkit_wildcat.paper import WILDCAT
from wsolkit_wildcat.pooling import WildcatPooling, region_count, top_and_bottom_mean
from wsolkit_wildcat.scale_gradient import ScaleGradient

__all__ = ["ScaleGradient", "WildcatPooling", "region_count", "top_and_bottom_mean"]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [ScaleGradient, WildcatPooling]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [WILDCAT]
