from .area_hiding import AreaHiding as AreaHiding, channel_scores as channel_scores, outside_peak as outside_peak
from .expected_pixels import (
    default_block_size as default_block_size,
    outside_squares as outside_squares,
    peak_pixels as peak_pixels,
    soft_argmax as soft_argmax,
    spatial_softmax as spatial_softmax,
)
