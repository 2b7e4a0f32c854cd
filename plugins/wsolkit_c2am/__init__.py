"""C2AM (Xie et al., CVPR 2022): one map for all classes, by contrast between foreground and background."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "ActivationHead": ["wsolkit_c2am.head:C2AMHead"],
        "CamMethod": ["wsolkit_c2am.logit_maps:C2AMLogitMaps"],
        "Loss": ["wsolkit_c2am.loss:C2AMLoss"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
