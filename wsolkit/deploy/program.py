"""What an exported file computes: score maps and logits of photographs, of tensor operations alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsolkit.errors import ConfigError
from wsolkit.maps import between, extremes, resize_matrix
from wsolkit.model.localizer import Localizer

__all__ = ["MapProgram"]


class MapProgram(nn.Module):
    """A localizer from pixels to finished maps, which can be traced: no question is asked about a value on the way.

    Args:
        model: in eval mode on the CPU; from here on it computes in float32.
        size: (H, W) of the images.

    Attributes:
        outputs: names of what ``forward`` returns: ``maps``, and ``logits`` where the model classifies.

    Raises:
        ConfigError: the CAM method needs gradients, or has no maps of all classes.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, model: Localizer, size: tuple[int, int]) -> None:
        super().__init__()
        model.precision = "fp32"
        if hasattr(model.data_preprocessor, "channels_last"):
            model.data_preprocessor.channels_last = False  # the same numbers in fewer operations
        self.model = model
        with torch.no_grad():
            raw, logits = self.raw_maps(torch.zeros(1, *size, 3, dtype=torch.uint8))
        self.resizes = model.cam_method.resize != "none" and tuple(raw.shape[-2:]) != size
        self.outputs = ("maps",) if logits is None else ("maps", "logits")
        for name, cells, pixels in zip(("rows", "columns"), raw.shape[-2:], size, strict=True):
            mode = model.cam_method.resize if self.resizes else "bilinear"
            matrix = resize_matrix(cells, pixels, mode, torch.float32, torch.device("cpu"))
            self.register_buffer(name, matrix.clone())  # of a square image both are one, which no trace may share

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return maps in [0, 1], (B, K, H, W) or (B, 1, H, W), and logits (B, K), of images (B, H, W, 3) uint8 RGB."""
        maps, logits = self.raw_maps(images)
        if self.resizes:
            maps = self.rows @ maps @ self.columns.T
        maps = between(maps, *extremes(maps), self.model.cam_method.normalize)
        return (maps,) if logits is None else (maps, logits)

    def raw_maps(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the maps of every class before they are resized, and the logits."""
        inputs = self.model.data_preprocessor({"inputs": images.permute(0, 3, 1, 2)})["inputs"]
        activation = self.model.activate(inputs)
        method = self.model.cam_method
        maps = method.all_maps(self.model, inputs, activation)
        if maps is None:
            raise ConfigError(
                f"The CAM method {type(method).__name__} cannot be exported: its maps take gradients, or it does not "
                "say how to make those of all classes at once (all_maps). Take the head's maps, with "
                "model.cam_method=dict(type='HeadMaps') in the configuration."
            )
        return maps.float(), activation.logits
