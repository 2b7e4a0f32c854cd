"""The methods of torch-cam (pip install torchcam)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from torch import Tensor, nn

from wsolkit import MapNormalize, MapResize
from wsolkit_gradcam.logits import LibraryMaps, Logits, library, method_of

__all__ = ["TorchCAM"]

METHODS = ("FinerCAM", "GradCAM", "GradCAMpp", "ISCAM", "LayerCAM", "SSCAM", "ScoreCAM", "SmoothGradCAMpp", "XGradCAM")


class TorchCAM(LibraryMaps):
    """Makes maps by a method of torch-cam.

    Args:
        method: the name of its class, such as ``ISCAM`` or ``SSCAM``.
        at: the module of the backbone; the level the head reads by default.
        options: further arguments of the class, such as ``dict(num_samples=5)`` of SSCAM.
        seed: of what the method draws, as SSCAM and SmoothGradCAMpp do, for each image and class anew.
        resize: see ``CamMethod``; the library gives maps at the size of the module's.
        normalize: see ``CamMethod``.

    Raises:
        ConfigError: the library is not installed, or knows no such method.
    """

    draws = frozenset({"SSCAM", "SmoothGradCAMpp"})

    def __init__(
        self,
        method: str = "ISCAM",
        at: str | None = None,
        options: Mapping[str, Any] | None = None,
        seed: Annotated[int, "at least 0"] = 0,
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(method, METHODS, at, seed, resize, normalize)
        self.options = dict(options or {})

    def library_maps(
        self, logits: Logits, module: nn.Module, transform: Any, images: Tensor, classes: list[int]
    ) -> Tensor:
        """Return the library's maps (B, h, w)."""
        part = type(self).__name__
        kind = method_of(library("torchcam.methods", "torchcam", part), self.method, part)
        given = {} if transform is None else {"reshape_transform": transform}
        with kind(logits, module, **given, **self.options) as cam:
            scores = logits(images)
            found: Tensor = cam(classes, scores, normalized=False)[0]
        return found
