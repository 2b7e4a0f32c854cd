"""CAM (Zhou et al., CVPR 2016): the smallest plugin, and the one to read first."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

# dir() stays as it is: the hooks below are found in it
__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {"ActivationHead": ["wsolkit_cam.head:CAMHead"]}


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
