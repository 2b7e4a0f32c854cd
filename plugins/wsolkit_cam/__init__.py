"""CAM (Zhou et al., CVPR 2016): the smallest plugin, and the one to read first."""

from wsolkit import Method, hookimpl
from wsolkit_cam.head import CAMHead
from wsolkit_cam.paper import CAM

__all__ = ["CAMHead"]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [CAMHead]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [CAM]
