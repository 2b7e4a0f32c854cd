"""Dual hiding: takes away the areas around the pixels one expects in the strongest channel and in all, in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor

from wsolkit import ConfigError, MapModifier, Panel, ShapeError, normalize_maps
from wsolkit.components import hide, spare_whole
from wsolkit_adh.expected_pixels import default_block_size, outside_squares, peak_pixels, soft_argmax, spatial_softmax

__all__ = ["AreaHiding", "channel_scores", "outside_peak"]


@torch.no_grad()
def channel_scores(maps: Tensor, kind: str = "softmax_weighted", temperature: float = 1.0) -> Tensor:
    """Return a score of each channel by which the strongest one is found, (B, C) float32 (ADH, eq. 14).

    With s the spatial softmax of the activations a of a channel:

    - ``softmax_weighted``: sum over cells of s a, as in the pooling of RCAM;
    - ``act_mean``: mean over cells of a;
    - ``peak_prob``: the largest s;
    - ``literal``: mean over cells of s, as equation 14 is printed; 1 / (h w) for every channel, up to rounding.

    Args:
        maps: a, (B, C, h, w).
        kind: one of these names.
        temperature: of the softmax.

    >>> maps = torch.tensor([[[[2.0, 2.0]], [[0.0, 3.0]]]])
    >>> [int(channel_scores(maps, kind).argmax()) for kind in ("act_mean", "softmax_weighted", "peak_prob")]
    [0, 1, 1]
    """
    if kind == "act_mean":
        return maps.mean((2, 3), dtype=torch.float32)
    softmax = spatial_softmax(maps, temperature)
    if kind == "softmax_weighted":
        with torch.autocast(maps.device.type, enabled=False):  # which would sum in bf16, where channels tie
            return torch.einsum("bcp,bcp->bc", softmax.flatten(2), maps.float().flatten(2))
    return softmax.amax((2, 3)) if kind == "peak_prob" else softmax.mean((2, 3))


def outside_peak(attention: Tensor, threshold: float) -> Tensor:
    """Tell the cells below threshold times the maximum of their map; all cells of a map without a positive one.

    >>> outside_peak(torch.tensor([[[5.0, 4.0, 3.0]], [[-1.0, -2.0, -3.0]]]), 0.8).tolist()
    [[[False, False, True]], [[True, True, True]]]
    """
    highest = attention.amax((1, 2), keepdim=True)
    return ~((attention >= threshold * highest) & (highest > 0))


class AreaHiding(MapModifier):
    """Hides the peak of the attention map and squares around the expected pixels of two branches (ADH).

    A cell is kept where all three keep it:

    - the peak: cells below ``threshold`` times the maximum of the attention map, the mean over channels;
    - the spatial branch: cells outside the square around the pixel expected under the attention map's softmax, and with
      ``spatial_points`` the squares around further ones, each expected outside of the squares before it;
    - the channel branch: cells outside the squares around the pixels expected in the ``top_k`` strongest channels.

    An image of which nothing would be left, as one whose attention is the same everywhere, keeps all. Each of the three
    can be left out. No gradient flows through the choice of cells. ``AttentionSelection(hide=...)`` applies it to
    the images that need it alone, as the thesis does.

    Args:
        threshold: of the peak, in (0, 1]: 0.8 for VGG and 0.9 for ResNet-50 in the thesis; None leaves it out.
        spatial: whether the spatial branch hides.
        channel: whether the channel branch hides.
        block_size: odd side of the squares in cells; by default the largest odd number up to a quarter of the map's
            shorter side: 7 for 28 x 28 and 3 for 14 x 14 cells.
        channel_score: what the strongest channel has most of: "softmax_weighted", "act_mean", "peak_prob" or "literal".
        top_k: number of channels of the channel branch.
        locate: "soft_argmax" for the expected pixel or "argmax" for the strongest cell.
        temperature: of the spatial softmax in both branches.
        rescale: scale what an image keeps by its number of cells over that of its kept ones.
        spatial_points: number of expected pixels of the spatial branch.

    Raises:
        ConfigError: an argument is out of range.

    >>> modifier = AreaHiding(threshold=None, spatial=False, block_size=3, locate="argmax")
    >>> maps = torch.ones(1, 1, 2, 5)
    >>> maps[0, 0, 0, 4] = 9.0
    >>> modifier(maps).tolist(), round(modifier.scalars()["hidden"], 3)
    ([[[[1.0, 1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0, 0.0]]]], 0.4)
    """

    def __init__(
        self,
        threshold: Annotated[float, "in (0, 1]"] | None = 0.8,
        spatial: bool = True,
        channel: bool = True,
        block_size: int | None = None,
        channel_score: Literal["softmax_weighted", "act_mean", "peak_prob", "literal"] = "softmax_weighted",
        top_k: Annotated[int, "at least 1"] = 1,
        locate: Literal["soft_argmax", "argmax"] = "soft_argmax",
        temperature: Annotated[float, "above 0"] = 1.0,
        rescale: bool = False,
        spatial_points: Annotated[int, "at least 1"] = 1,
    ) -> None:
        super().__init__()
        if threshold is None and not spatial and not channel:
            raise ConfigError(
                "AreaHiding hides nothing with threshold=None, spatial=False and channel=False. Set one of them, or "
                "leave the modifier out."
            )
        if block_size is not None and (block_size < 1 or block_size % 2 != 1):
            raise ConfigError(f"block_size of AreaHiding is an odd number of cells, but got {block_size}.")
        self.threshold = threshold
        self.spatial = spatial
        self.channel = channel
        self.block_size = block_size
        self.channel_score = channel_score
        self.top_k = top_k
        self.locate = locate
        self.temperature = temperature
        self.rescale = rescale
        self.spatial_points = spatial_points

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with the hidden cells of each image at 0."""
        return hide(maps, self.kept_cells(maps), rescale="image" if self.rescale else None)

    @torch.no_grad()
    def kept_cells(self, maps: Tensor) -> Tensor:
        """Return the cells that all branches keep, (B, h, w) bool, of maps (B, C, h, w).

        Noted are the part of the cells that is ``hidden`` and how far the pixels lie from the maps' centres, a mean
        over images, in parts of the way to a corner: where a softmax is nearly uniform, the expected pixel is the
        centre of every map, and the distance near 0.

        Raises:
            ShapeError: ``block_size`` covers the whole map.
        """
        maps = maps.detach()
        size = (maps.shape[2], maps.shape[3])
        block_size = self.block_size or default_block_size(size)
        if (self.spatial or self.channel) and block_size > 1 and block_size // 2 >= max(size) - 1:
            raise ShapeError(
                f"AreaHiding has block_size={block_size}, which hides maps of {size[0]} x {size[1]} cells whole, "
                f"wherever its centre lies. Take a smaller one, such as {default_block_size(size)}, or leave it out.",
                about=type(self).__name__,
            )
        keep = torch.ones(len(maps), *size, dtype=torch.bool, device=maps.device)
        pixels: dict[str, Tensor] = {}
        if self.threshold is not None or self.spatial:
            attention = maps.mean(1, dtype=torch.float32)
            if self.threshold is not None:
                keep = outside_peak(attention, self.threshold)
            if self.spatial:
                pixels["spatial"] = self.spatial_pixels(attention, block_size)
        if self.channel:
            pixels["channel"] = self.pixels(self.strongest(maps))
        for name, found in pixels.items():
            keep &= outside_squares(found, size, block_size)
            self.note(**{f"{name}_off_centre": distance_from_centre(found, size).mean()})
        keep = spare_whole(keep)
        self.note(hidden=1 - keep.float().mean())
        return keep

    def panels(self, maps: Tensor, label: int) -> Sequence[Panel]:
        """Return the attention map and what is left of the image (figure 19)."""
        attention = normalize_maps(maps.mean(1, dtype=torch.float32))[0].cpu().numpy()
        return Panel("attention map", attention), Panel("left", self.kept_cells(maps)[0].cpu().numpy())

    def pixels(self, maps: Tensor) -> Tensor:
        """Return the rows and columns (B, P, 2) of the pixels to hide the areas around, of maps (B, P, h, w)."""
        if self.locate == "argmax":
            return peak_pixels(maps)
        return soft_argmax(spatial_softmax(maps, self.temperature))

    def spatial_pixels(self, attention: Tensor, block_size: int) -> Tensor:
        """Return the expected pixels (B, P, 2) of attention maps (B, h, w), each outside of the squares before it.

        A softmax expects one pixel. For the next one the cells of the squares are taken out of it; where nothing is
        left, the pixel of the whole map counts again.
        """
        found = self.pixels(attention[:, None])
        size = (attention.shape[1], attention.shape[2])
        for _ in range(1, self.spatial_points):
            free = outside_squares(found, size, block_size)
            free |= ~free.any(2).any(1)[:, None, None]
            rest = attention.masked_fill(~free, -torch.inf)
            found = torch.cat([found, self.pixels(rest[:, None])], 1)
        return found

    def strongest(self, maps: Tensor) -> Tensor:
        """Return the strongest channels (B, P, h, w) of each image; all of them where ``top_k`` is more."""
        scores = channel_scores(maps, self.channel_score, self.temperature)
        best = scores.topk(min(self.top_k, scores.shape[1]), dim=1).indices  # (B, P)
        return maps[torch.arange(len(maps), device=maps.device)[:, None], best]


def distance_from_centre(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Return how far pixels (B, P, 2) lie from the centre of a map (h, w), (B, P): 0 there and 1 in a corner.

    >>> distance_from_centre(torch.tensor([[[0.0, 0.0], [1.5, 2.0]]]), (4, 5)).tolist()
    [[1.0, 0.0]]
    """
    centre = torch.tensor([(side - 1) / 2 for side in size], device=pixels.device)
    return (pixels - centre).norm(dim=-1) / centre.norm().clamp(min=0.5)
