from .hide_and_seek import (
    HideAndSeek as HideAndSeek,
    grid_mask as grid_mask,
)
