"""Which of the two regions is the object: a vote of all training images, kept with the weights.

The loss is the same for a map P and for 1 - P, so a training may end with either. Objects are rarely at the border of
a photograph: where P is, on average over many images, larger near the border than in the centre, P is the background.
"""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from wsolkit import one_of
from wsolkit_c2am.processes import sum_over_processes

__all__ = ["Polarity", "PolarityMode", "border_and_centre"]

PolarityMode = Literal["auto", "fg", "bg"]
ENOUGH = 512
"""Maps of an evaluation after which its vote is compared with that of the training, if it has not ended before."""

FEWEST = 32
"""Maps that a shorter evaluation needs for that."""


def border_and_centre(maps: Tensor) -> Tensor:
    """Return the sums over images of the mean near the border and of the mean in the centre, as (2,) float64.

    The centre is the middle half of each side, the border everything around it less the outermost cells: the zero
    padding of the 3x3 convolution pulls these towards the middle of the range, whatever they show. Maps with fewer than
    8 cells on a side keep them.

    Args:
        maps: (B, 1, h, w) in [0, 1].

    >>> maps = torch.zeros(1, 1, 4, 4)
    >>> maps[..., 1:3, 1:3] = 1
    >>> border_and_centre(maps).tolist()
    [0.0, 1.0]
    """
    maps = maps.detach().double()
    height, width = maps.shape[-2:]
    edge = 1 if min(height, width) >= 8 else 0
    top, left = height // 4, width // 4
    framed = maps[..., edge : height - edge, edge : width - edge]
    middle = maps[..., top : height - top, left : width - left]
    inside = middle.sum((1, 2, 3))
    around = max(framed[0].numel() - middle[0].numel(), 1)
    border = (framed.sum((1, 2, 3)) - inside) / around
    return torch.stack([border.sum(), (inside / middle[0].numel()).sum()])


class Polarity(nn.Module):
    """Turns P into a map of the object, by a vote over the images seen until the first evaluation.

    Votes are collected in training, over all processes, and closed when the model is first switched to evaluation: at
    the end of the first epoch in most trainings. Until then the running vote counts. Votes and decision are buffers, so
    a resumed training, a prediction and every process use the same. Every later evaluation votes again, and a
    contradiction gives a warning.

    Args:
        mode: ``auto``, or ``fg`` (P is the object) or ``bg`` (1 - P is the object) to decide it by hand.

    Attributes:
        votes: (3,) float64: sum of the border means, sum of the centre means, number of images.
        decided: 1 (P is the object), -1 (1 - P is), or 0 while the vote is open.

    Raises:
        ConfigError: the mode is unknown.
    """

    votes: Tensor
    decided: Tensor

    def __init__(self, mode: PolarityMode = "auto") -> None:
        super().__init__()
        self.mode = one_of("polarity", mode, get_args(PolarityMode))
        self.register_buffer("votes", torch.zeros(3, dtype=torch.float64))
        self.register_buffer("decided", torch.tensor(0, dtype=torch.int8))
        self._seen = torch.zeros(3, dtype=torch.float64)

    def train(self, mode: bool = True) -> Polarity:
        """Switch to training or evaluation; the first switch to evaluation closes the vote."""
        super().train(mode)
        if mode:
            self._compare(FEWEST)
        if not mode and self.votes[2] > 0 and self.decided == 0:
            self.decided.fill_(self.sign)
        self._seen = torch.zeros(3, dtype=torch.float64)
        return self

    @property
    def sign(self) -> int:
        """1 where P is the object, -1 where 1 - P is."""
        if self.mode != "auto":
            return 1 if self.mode == "fg" else -1
        if self.decided != 0:
            return int(self.decided)
        return sign_of(self.votes)

    def forward(self, maps: Tensor) -> Tensor:
        """Return P or 1 - P, (B, 1, h, w) in [0, 1], after counting the votes of these images."""
        if self.mode == "auto":
            self._count(maps)
        return maps if self.sign > 0 else 1 - maps

    @torch.no_grad()
    def _count(self, maps: Tensor) -> None:
        if self.training and self.decided == 0:
            ballot = torch.cat([border_and_centre(maps), maps.new_tensor([len(maps)], dtype=torch.float64)])
            self.votes += sum_over_processes(ballot)
        elif not self.training and self.decided != 0 and self._seen[2] < ENOUGH:
            self._seen[:2] += border_and_centre(maps).cpu()
            self._seen[2] += len(maps)
            self._compare(ENOUGH)

    def _compare(self, least: int) -> None:
        """Warn where the maps of this evaluation, if they are enough, contradict the vote of the training."""
        count = int(self._seen[2])
        if self.mode != "auto" or self.decided == 0 or count < least or sign_of(self._seen) == int(self.decided):
            return
        border, centre = (self._seen[:2] / count).tolist()
        warnings.warn(
            f"C2AM's foreground and background may be exchanged: training took {name_of(int(self.decided))} for the "
            f"object, but over {count} maps of this evaluation P is {border:.2f} near the border and {centre:.2f} in "
            "the centre. Look at some maps, and set polarity='fg' or 'bg' in the head.",
            stacklevel=2,
        )


def sign_of(votes: Tensor) -> int:
    """Return -1 where the border has the larger mean, else 1.

    >>> sign_of(torch.tensor([5.0, 3.0, 10.0])), sign_of(torch.tensor([0.0, 0.0, 0.0]))
    (-1, 1)
    """
    return -1 if votes[0] > votes[1] else 1


def name_of(sign: int) -> str:
    """Return what the object is called: P or 1 - P."""
    return "P" if sign > 0 else "1 - P"
