"""The methods of pytorch-grad-cam (pip install grad-cam)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from wsolkit import MapNormalize, MapResize
from wsolkit_gradcam.logits import LibraryMaps, Logits, library, method_of

__all__ = ["PytorchGradCAM"]

METHODS = (
    "AblationCAM",
    "EigenCAM",
    "EigenGradCAM",
    "FEM",
    "FullGrad",
    "GradCAM",
    "GradCAMElementWise",
    "GradCAMPlusPlus",
    "HiResCAM",
    "KPCA_CAM",
    "LayerCAM",
    "RandomCAM",
    "ScoreCAM",
    "ShapleyCAM",
    "XGradCAM",
)


class PytorchGradCAM(LibraryMaps):
    """Makes maps by a method of pytorch-grad-cam, image by class as that library works.

    Args:
        method: the name of its class, such as ``EigenCAM``, ``AblationCAM``, ``HiResCAM`` or ``FullGrad``.
        at: the module of the backbone; the level the head reads by default. FullGrad takes all.
        options: further arguments of the class, such as ``dict(ratio_channels_to_ablate=0.5)`` of AblationCAM.
        batch: how many ablated or masked images it runs at once, where it does.
        seed: of what the method draws, as RandomCAM does, for each image and class anew.
        resize: see ``CamMethod``; the library gives maps at the size of the image, in [0, 1].
        normalize: see ``CamMethod``.

    Raises:
        ConfigError: the library is not installed, or knows no such method.
    """

    draws = frozenset({"RandomCAM"})

    def __init__(
        self,
        method: str = "EigenCAM",
        at: str | None = None,
        options: Mapping[str, Any] | None = None,
        batch: Annotated[int, "at least 1"] = 32,
        seed: Annotated[int, "at least 0"] = 0,
        resize: MapResize = "bilinear",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(method, METHODS, at, seed, resize, normalize)
        self.options, self.batch = dict(options or {}), batch

    def library_maps(
        self, logits: Logits, module: nn.Module, transform: Any, images: Tensor, classes: list[int]
    ) -> Tensor:
        """Return the library's maps (B, H, W) in [0, 1]."""
        part = type(self).__name__
        methods = library("pytorch_grad_cam", "grad-cam", part)
        targets = library("pytorch_grad_cam.utils.model_targets", "grad-cam", part)
        kind = method_of(methods, self.method, part)
        gradients = [weight.grad for weight in logits.parameters()]
        layers = [] if self.method == "FullGrad" else [module]
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bars
            cam = kind(logits, layers, reshape_transform=transform, **self.options)
            cam.batch_size = self.batch
            try:
                found = cam(images, targets=[targets.ClassifierOutputTarget(label) for label in classes])
            finally:
                cam.activations_and_grads.release()
                for weight, gradient in zip(logits.parameters(), gradients, strict=True):
                    weight.grad = gradient  # it goes all the way back, to the weights too
        return torch.from_numpy(found)
