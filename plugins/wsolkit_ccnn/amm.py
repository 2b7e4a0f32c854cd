"""AMM, the attention modulation module: two Gaussian gates that favour middling responses over extreme ones."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsolkit import MapModifier, ShapeError, in_float32

__all__ = ["AMM", "gaussian_gate"]

Stats = Literal["sample", "batch"]
GateNormalize = Literal["density", "peak"]


def gaussian_gate(
    values: Tensor, stats: Stats = "sample", normalize: GateNormalize = "density", eps: float = 1e-6
) -> Tensor:
    """Return the Gaussian of values around their own mean (CCNN report, listing 4.1).

    G(z) = exp(-(z - mean)^2 / (2 std^2)), divided by sqrt(2 pi) std for the density. Mean and std take no gradients;
    std divides by n - 1, as ``torch.std`` does. Where the values do not differ there is nothing to favour: the gate is
    1. That covers single values and constant ones.

    Args:
        values: z, (B, ...), float32.
        stats: mean and std over each ``sample``, or over the whole ``batch``.
        normalize: ``density``, which is not bounded by 1 (std < 0.399 amplifies), or ``peak``, whose maximum is 1.
        eps: the least std, relative to the larger of 1 and the mean, at which values differ.

    Returns:
        The gate, of the shape of ``values``.

    >>> gaussian_gate(torch.tensor([[-1.0, 0.0, 1.0]]), normalize="peak")
    tensor([[0.6065, 1.0000, 0.6065]])
    >>> gaussian_gate(torch.tensor([[-1.0, 0.0, 1.0], [5.0, 5.0, 5.0]]))
    tensor([[0.2420, 0.3989, 0.2420],
            [1.0000, 1.0000, 1.0000]])
    """
    dims = tuple(range(0 if stats == "batch" else 1, values.ndim))
    known = values.detach()
    mean = known.mean(dims, keepdim=True)
    count = values.numel() // mean.numel()
    std = ((known - mean).square().sum(dims, keepdim=True) / max(count - 1, 1)).sqrt()
    differ = std > eps * mean.abs().clamp(min=1)
    std = torch.where(differ, std, 1)  # an unused branch must not make NaN gradients
    gate = torch.exp((values - mean).square() / (-2 * std.square()))
    if normalize == "density":
        gate = gate / (math.sqrt(2 * math.pi) * std)
    return torch.where(differ, gate, 1)


class AMM(MapModifier):
    """Attention modulation module: a channel gate, then a spatial gate (CCNN report, eq. 7 and listing 4.1).

    The channel gate is the Gaussian of an MLP of the average-pooled channels. The spatial gate is the Gaussian of the
    batch norm of a 7x7 convolution of the maximum and the mean over channels. Both multiply the maps, in evaluation as
    well. Statistics and gates are computed in float32.

    Args:
        channels: C.
        reduction: the MLP has C / reduction hidden units, at least one.
        stats: what the Gaussians' mean and std are taken over: each ``sample``, or the whole ``batch`` as in the
            report, where the gates of an image depend on the other images, in evaluation too.
        normalize: ``density`` as in the report, or ``peak`` for gates of at most 1.
        eps: the least std at which values count as different.
        train_gates: ``False`` trains the 7x7 convolution alone, which is what the report's optimizer was given: the
            MLP keeps its random weights, the batch norm its scale and shift (its statistics still follow the data).

    Raises:
        ConfigError: an argument is out of range.

    >>> modifier = AMM(channels=32).eval()
    >>> modifier(torch.rand(2, 32, 7, 7)).shape
    torch.Size([2, 32, 7, 7])
    """

    train_only: ClassVar[bool] = False

    def __init__(
        self,
        channels: Annotated[int, "at least 1"],
        reduction: Annotated[int, "at least 1"] = 16,
        stats: Stats = "sample",
        normalize: GateNormalize = "density",
        eps: Annotated[float, "above 0"] = 1e-6,
        train_gates: bool = True,
    ) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.channels = channels
        self.stats = stats
        self.normalize = normalize
        self.eps = eps
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(1, momentum=0.01)
        nn.init.normal_(self.conv.weight, std=math.sqrt(2 / 49))
        self.mlp.requires_grad_(train_gates)
        self.norm.requires_grad_(train_gates)

    def modify(self, maps: Tensor) -> Tensor:
        """Multiply maps (B, C, h, w) by both gates.

        Raises:
            ShapeError: the maps have another number of channels.
        """
        if maps.ndim != 4 or maps.shape[1] != self.channels:
            raise ShapeError(
                f"AMM was built for maps of {self.channels} channels, (B, {self.channels}, h, w), but got "
                f"{tuple(maps.shape)}. Set channels={maps.shape[1] if maps.ndim == 4 else 'C'}.",
                about=type(self).__name__,
            )
        with torch.autocast(maps.device.type, enabled=False):
            maps = maps * self.channel_gate(maps).to(maps.dtype)
            return maps * self.spatial_gate(maps).to(maps.dtype)

    def channel_gate(self, maps: Tensor) -> Tensor:
        """Return the gate (B, C, 1, 1) of maps (B, C, h, w), in float32."""
        pooled = maps.mean((2, 3), dtype=torch.float32)  # (B, C)
        return self._gate(in_float32(self.mlp, pooled))[:, :, None, None]

    def spatial_gate(self, maps: Tensor) -> Tensor:
        """Return the gate (B, 1, h, w) of maps (B, C, h, w), in float32."""
        largest, mean = maps.amax(1, keepdim=True).float(), maps.mean(1, keepdim=True, dtype=torch.float32)
        scores = in_float32(self.conv, torch.cat([largest, mean], 1))  # (B, 1, h, w)
        if self.training and scores.numel() == 1:  # a single value has no batch statistics
            norm = self.norm
            scores = F.batch_norm(scores, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
        else:
            scores = in_float32(self.norm, scores)
        return self._gate(scores)

    def _gate(self, values: Tensor) -> Tensor:
        return gaussian_gate(values, self.stats, self.normalize, self.eps)
