"""CAM methods of the core."""

from wsolkit.cams.head_maps import HeadMaps
from wsolkit.cams.multi_scale import MultiScaleMaps

__all__ = ["HeadMaps", "MultiScaleMaps"]
