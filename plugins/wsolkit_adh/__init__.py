"""ADH (Zhang and Bui): areas around expected pixels are hidden, of the strongest channel and of the attention map."""

from wsolkit import Method, hookimpl
from wsolkit_adh.area_hiding import AreaHiding, channel_scores, outside_peak
from wsolkit_adh.expected_pixels import default_block_size, outside_squares, peak_pixels, soft_argmax, spatial_softmax
from wsolkit_adh.paper import ADH

__all__ = [
    "AreaHiding",
    "channel_scores",
    "default_block_size",
    "outside_peak",
    "outside_squares",
    "peak_pixels",
    "soft_argmax",
    "spatial_softmax",
]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [AreaHiding]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [ADH]
