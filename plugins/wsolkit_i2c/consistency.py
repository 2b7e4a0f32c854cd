"""The features of the object's surest cells, in two images of a class and over the whole data set."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsolkit import Activation, Batch, Loss
from wsolkit.components import below, logits_and_labels, map_of_present, pool_regions

__all__ = ["ObjectConsistency", "draw_partners", "draw_seeds"]


def draw_partners(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each image that has another of its class in the batch one of these, drawn at random.

    Args:
        labels: (B,) class indices.

    Returns:
        The images that have one, (P,), and their partners, (P,).

    >>> images, partners = draw_partners(torch.tensor([7, 2, 7, 5]))
    >>> images.tolist(), partners.tolist()
    ([0, 2], [2, 0])
    """
    alike = (labels[:, None] == labels) & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    images = alike.any(1).nonzero()[:, 0]
    if not len(images):
        return images, images
    return images, torch.multinomial(alike[images].float(), 1)[:, 0]


def draw_seeds(features: Tensor, seeds: Tensor, count: int) -> Tensor:
    """Return the features of cells drawn at random, with repetition, from the seeds of each image.

    Args:
        features: (B, C, h, w).
        seeds: (B, 1, h, w), 1 where a cell may be drawn; at least one in each image.
        count: N cells of each image.

    Returns:
        (B, N, C).
    """
    drawn = torch.multinomial(seeds.flatten(1).float(), count, replacement=True)  # (B, N)
    cells = features.flatten(2).mT  # (B, h * w, C)
    return cells.gather(1, drawn[:, :, None].expand(-1, -1, cells.shape[2]))


class ObjectConsistency(Loss):
    """Draws the features of an object's surest cells together, in images of one class (I2C, 2020).

    Cells of which the class map is sure, from ``threshold`` of its range on, are seeds. Two terms, named in the log:

    - ``pairs``: each image has a partner of its class in the batch; ``cells`` seeds of each are drawn, whose features
      should be alike: the mean of (f_i - f_j)^2. Images without a partner do not count.
    - ``centres``: the mean features of an image's seeds should be near those of its class, which are followed through
      the training: the mean of (f - m_k)^2, where m_k moves to the mean of the batch by ``momentum``.

    The centres are kept with the weights. With several processes each follows those of its own images.

    Args:
        pairs: weight of the first term.
        centres: weight of the second.
        threshold: of the map of the class, in [0, 1] by its minimum and maximum.
        cells: seeds drawn of each image.
        momentum: the share of the new mean.
    """

    takes_labels = "one"
    indexes_labels = True

    def __init__(
        self,
        pairs: Annotated[float, "at least 0"] = 0.01,
        centres: Annotated[float, "at least 0"] = 0.01,
        threshold: Annotated[float, "in (0, 1]"] = 0.7,
        cells: Annotated[int, "at least 1"] = 16,
        momentum: Annotated[float, "in (0, 1]"] = 0.1,
    ) -> None:
        super().__init__()
        self.pairs = pairs
        self.centres = centres
        self.threshold = threshold
        self.cells = cells
        self.momentum = momentum
        self.centre: Tensor
        self.seen: Tensor
        self.register_buffer("centre", torch.zeros(0, 0))  # (K, C), as soon as both are known
        self.register_buffer("seen", torch.zeros(0, dtype=torch.bool))  # (K,)

    def forward(self, activation: Activation, batch: Batch) -> dict[str, Tensor]:
        """Return both terms; labels are (B,), or (B, K) with one class each.

        Raises:
            HeadError: the head gives no features or scores.
            ShapeError: the batch has no labels.
        """
        logits, labels = logits_and_labels(self, activation, batch)
        features = activation.need("features", self).float()
        labels = labels if labels.ndim == 1 else labels.argmax(1)
        found = map_of_present(activation.maps, labels)
        found = torch.where(found.amax((2, 3), keepdim=True) > 0, found, 1.0)  # a flat map is as sure of every cell
        seeds = 1 - below(found, self.threshold, "none")
        images, partners = draw_partners(labels)
        drawn = draw_seeds(features, seeds, self.cells)  # (B, N, C)
        means = pool_regions(features, seeds)[:, 0]  # (B, C)
        nothing = features.sum() * 0
        apart = (drawn[images] - drawn[partners]).square().mean() if len(images) else nothing
        self.make_room(logits.shape[1], means)
        known = self.seen[labels]
        far = (means - self.centre[labels])[known].square().mean() if bool(known.any()) else nothing
        if self.training:
            self.follow(means.detach(), labels)
        return {"pairs": self.pairs * apart, "centres": self.centres * far}

    def make_room(self, classes: int, means: Tensor) -> None:
        """Make the centres of as many classes and channels as there are, where they are of other sizes."""
        if self.centre.shape != (classes, means.shape[1]):
            self.centre = means.new_zeros(classes, means.shape[1])
            self.seen = torch.zeros(classes, dtype=torch.bool, device=means.device)

    @torch.no_grad()
    def follow(self, means: Tensor, labels: Tensor) -> None:
        """Move the centres of the classes of a batch to its means (B, C); a class's first is its centre."""
        for k in labels.unique():
            mean = means[labels == k].mean(0)
            share = torch.where(self.seen[k], self.momentum, 1.0)
            self.centre[k] += share * (mean - self.centre[k])
            self.seen[k] = True
