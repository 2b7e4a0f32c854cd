"""Attention blocks behind any module: SE (Hu et al. 2018), CBAM (Woo et al. 2018), dual attention (Fu et al. 2019)."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)

CARDS = ("card.md", "cbam.md", "dual_attention.md")


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "MapModifier": [
            "wsolkit_attention.dual:DualAttention",
            "wsolkit_attention.gates:CBAM",
            "wsolkit_attention.gates:SqueezeExcite",
        ]
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return [Method.from_card(Path(__file__).with_name(name)) for name in CARDS]
