"""CAM methods of the core."""

from wsolkit.cams.head_maps import HeadMaps

__all__ = ["HeadMaps"]
