"""Gradient maps: BP, Grad-CAM, Grad-CAM++, Smooth Grad-CAM++, XGrad-CAM, LayerCAM and Finer-CAM, at any place."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)

CARDS = ("card.md", "bp.md", "gradcampp.md", "smooth_gradcampp.md", "xgradcam.md", "layercam.md", "finercam.md")


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "CamMethod": [
            "wsolkit_gradients.finer_cam:FinerCAM",
            "wsolkit_gradients.weighed_channels:GradCAM",
            "wsolkit_gradients.weighed_channels:GradCAMPlusPlus",
            "wsolkit_gradients.weighed_channels:XGradCAM",
            "wsolkit_gradients.input_gradient:InputGradient",
            "wsolkit_gradients.weighed_cells:LayerCAM",
            "wsolkit_gradients.smooth_grad_cam:SmoothGradCAMPlusPlus",
        ]
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return [Method.from_card(Path(__file__).with_name(name)) for name in CARDS]
