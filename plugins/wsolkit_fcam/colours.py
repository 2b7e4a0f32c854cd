"""The CRF loss: pixels of one colour that are near each other should be of one kind."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, Loss
from wsolkit_fcam.decoder import PIXEL_LOGITS

__all__ = ["ColourAffinity", "affinities", "pairwise_energy"]


def affinities(image: Tensor, reach: float, colour: float) -> Tensor:
    """Return how much two cells of an image belong together, (N, N) in [0, 1], 0 on the diagonal.

    exp(-|p_i - p_j|^2 / 2 reach^2 - |I_i - I_j|^2 / 2 colour^2) over the N = h w cells, the bilateral kernel of the
    dense CRF.

    Args:
        image: (3, h, w).
        reach: standard deviation in cells.
        colour: standard deviation in the image's own units.

    >>> affinities(torch.zeros(3, 1, 2), reach=1.0, colour=1.0).log().tolist()
    [[-inf, -0.5], [-0.5, -inf]]
    """
    height, width = image.shape[-2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, device=image.device), torch.arange(width, device=image.device), indexing="ij"
    )
    places = torch.stack([rows, columns]).flatten(1).T / reach  # (N, 2)
    features = torch.cat([places, image.flatten(1).T / colour], 1)
    found = torch.exp(-0.5 * torch.cdist(features, features).square())
    return found.fill_diagonal_(0)


def pairwise_energy(probabilities: Tensor, kernel: Tensor) -> Tensor:
    """Return the mean affinity of pairs that are of different kinds: sum_k S_k^T W (1 - S_k) / sum W (F-CAM, eq. 5).

    Args:
        probabilities: (L, N), of each of L kinds at each cell.
        kernel: (N, N), W.
    """
    different = (probabilities @ kernel * (1 - probabilities)).sum()
    return different / kernel.sum().clamp_min(torch.finfo(kernel.dtype).tiny)


class ColourAffinity(Loss):
    """The energy of a dense CRF under the map of a ``PixelDecoder``: its edges follow those of the image (F-CAM).

    Image and map are reduced to a grid, on which every pair of cells counts, exactly. It needs no labels.

    Args:
        side: cells of the longer side of the grid.
        reach: standard deviation of the places, as a share of the longer side; 100 pixels of 224 in the paper.
        colour: standard deviation of the colours, in the units of normalised images; 15 of 255 is .26 where images
            were divided by a standard deviation of .225.
    """

    def __init__(
        self,
        side: Annotated[int, "at least 2"] = 28,
        reach: Annotated[float, "above 0"] = 0.45,
        colour: Annotated[float, "above 0"] = 0.26,
    ) -> None:
        super().__init__()
        self.side = side
        self.reach = reach
        self.colour = colour

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over the batch.

        Raises:
            ConfigError: the head makes no logits of pixels.
        """
        logits = activation.need(PIXEL_LOGITS, self)
        height, width = batch.images.shape[-2:]
        scale = self.side / max(height, width)
        size = [max(1, round(height * scale)), max(1, round(width * scale))]
        images = F.interpolate(batch.images.float(), size=size, mode="area")
        kinds = F.interpolate(logits.softmax(1), size=size, mode="bilinear", align_corners=False, antialias=True)
        energies = [
            pairwise_energy(kind.flatten(1), affinities(image, self.reach * self.side, self.colour))
            for kind, image in zip(kinds, images, strict=True)
        ]
        return torch.stack(energies).mean()
