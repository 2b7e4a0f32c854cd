"""Adapters: the CAM methods of pytorch-grad-cam and of torch-cam on any model of wsolkit."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "CamMethod": [
            "wsolkit_gradcam.pytorch_grad_cam:PytorchGradCAM",
            "wsolkit_gradcam.torch_cam:TorchCAM",
        ]
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return what stands for the libraries' methods."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
