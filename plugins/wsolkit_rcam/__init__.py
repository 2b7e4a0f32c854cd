"""RCAM (Zhang): softmax-weighted pooling, recombined maps, and a threshold for each image."""

from wsolkit import Method, hookimpl
from wsolkit_rcam.paper import RCAM
from wsolkit_rcam.pooling import SoftmaxWeightedPooling, softmax_weighted_average
from wsolkit_rcam.recombined_maps import RecombinedMaps, recombined_maps
from wsolkit_rcam.two_stage_box import TwoStageBox, extreme_cells, seed_variances

__all__ = [
    "RecombinedMaps",
    "SoftmaxWeightedPooling",
    "TwoStageBox",
    "extreme_cells",
    "recombined_maps",
    "seed_variances",
    "softmax_weighted_average",
]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [RecombinedMaps, SoftmaxWeightedPooling, TwoStageBox]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the thesis behind it."""
    return [RCAM]
