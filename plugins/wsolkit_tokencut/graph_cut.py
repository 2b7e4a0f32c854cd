"""The normalised cut of a graph of an image's cells, whose edges are the similarities of their features."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["foreground_of", "second_eigenvector", "similarity_graph"]


def similarity_graph(features: Tensor, tau: float = 0.2, epsilon: float = 1e-5) -> Tensor:
    """Return the edges between the cells of each image (TokenCut, eq. 5): 1 where alike, nearly 0 elsewhere.

    Args:
        features: (B, C, h, w).
        tau: the least cosine of two cells that are alike.
        epsilon: the weight of the other edges, so that the graph hangs together.

    Returns:
        (B, h * w, h * w), float64.

    >>> features = torch.tensor([[[[1.0, 2.0, 0.0]], [[0.0, 0.1, 1.0]]]])
    >>> similarity_graph(features, epsilon=0.5).tolist()
    [[[1.0, 1.0, 0.5], [1.0, 1.0, 0.5], [0.5, 0.5, 1.0]]]
    """
    cells = F.normalize(features.double().flatten(2), dim=1)  # (B, C, n)
    cosines = cells.transpose(1, 2) @ cells
    return torch.full_like(cosines, epsilon).masked_fill(cosines >= tau, 1.0)


def second_eigenvector(graph: Tensor) -> Tensor:
    """Return y of (D - W) y = lambda D y with the second smallest lambda (Shi and Malik 2000; TokenCut, eq. 3).

    With z = D^(1/2) y this is an eigenvector of the symmetric D^(-1/2) (D - W) D^(-1/2).

    Args:
        graph: W, (B, n, n), symmetric with positive row sums; n is 2 at least.

    Returns:
        (B, n), of unit length in z; its sign means nothing.
    """
    root = graph.sum(-1).rsqrt()  # (B, n)
    ones = torch.eye(graph.shape[-1], dtype=graph.dtype, device=graph.device)
    laplacian = ones - root[:, :, None] * graph * root[:, None, :]
    _, vectors = torch.linalg.eigh(laplacian)
    return root * vectors[:, :, 1]


def foreground_of(vector: Tensor) -> tuple[Tensor, Tensor]:
    """Split cells at the mean of their eigenvector, with the part positive that holds the largest absolute value.

    Args:
        vector: (B, n).

    Returns:
        Values (B, n), above 0 in the foreground, and the seeds (B,): the cells of the largest absolute values.

    >>> values, seeds = foreground_of(torch.tensor([[0.1, 0.1, -0.8], [0.0, 0.5, 0.1]]))
    >>> (values > 0).tolist(), seeds.tolist()
    ([[False, False, True], [False, True, False]], [2, 1])
    """
    values = vector - vector.mean(-1, keepdim=True)
    seeds = vector.abs().argmax(-1)
    side = values.gather(1, seeds[:, None])
    return torch.where(side < 0, -values, values), seeds
