"""Which of the two regions is the object: a vote of all training images, kept with the weights.

The loss is the same for a map P and for 1 - P, so a training may end with either. Objects are rarely at the border of
a photograph: where P is, on average over many images, larger near the border than in the centre, P is the background.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable
from typing import Literal, get_args

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from wsolkit import one_of
from wsolkit_c2am.processes import sum_over_processes

__all__ = ["Polarity", "PolarityMode", "border_and_centre"]

PolarityMode = Literal["auto", "fg", "bg"]

FEWEST = 8
"""Maps of a validation or a prediction from which on they are compared with the vote of the training."""

MEMORY = 0.25
"""How much the votes of earlier passes over the training images count when a new pass begins."""

THIN = 0.05
"""A margin below which a vote is called thin; with P around one half, trainings that went well have .2 and more."""


def border_and_centre(maps: Tensor) -> Tensor:
    """Return the mean near the border and the mean in the centre of each map, as (B, 2) or (B, M, 2) float64.

    The centre is the middle half of each side, the border everything around it less the outermost cells: the zero
    padding of the 3x3 convolution pulls these towards the middle of the range, whatever they show. Maps with fewer than
    8 cells on a side keep them. Maps without a cell that has others on two sides have no centre: both means are that of
    the map.

    Args:
        maps: (B, 1, h, w) in [0, 1], or (B, M, h, w).

    >>> maps = torch.zeros(1, 1, 4, 4)
    >>> maps[..., 1:3, 1:3] = 1
    >>> border_and_centre(maps).tolist()
    [[0.0, 1.0]]
    """
    maps = maps.detach().double()
    height, width = maps.shape[-2:]
    edge = 1 if min(height, width) >= 8 else 0
    top, left = margin_of(height), margin_of(width)
    framed = maps[..., edge : height - edge, edge : width - edge].flatten(2)
    middle = maps[..., top : height - top, left : width - left].flatten(2)
    around = framed.shape[2] - middle.shape[2]
    centre = middle.mean(2)
    border = (framed.sum(2) - middle.sum(2)) / around if around > 0 else centre
    means = torch.stack([border, centre], 2)  # (B, M, 2)
    return means[:, 0] if means.shape[1] == 1 else means


def margin_of(side: int) -> int:
    """Return how many cells of a side lie before its middle half, at least one where three or more leave a middle.

    >>> [margin_of(side) for side in (1, 2, 3, 4, 7, 8, 14)]
    [0, 0, 1, 1, 1, 2, 3]
    """
    return max(side // 4, 1) if side >= 3 else 0


def against(means: Tensor) -> Tensor:
    """Return how many maps are larger near the border than in the centre, (1,), or (M, 1) of M members."""
    return (means[..., 0] > means[..., 1]).sum(0)[..., None].to(means.dtype)


class Polarity(nn.Module):
    """Turns P into a map of the object, by a vote over the training images.

    Every training image votes in every pass over them, over all processes. When a pass begins, what was voted before
    counts a quarter, so that a training ends with the vote of its last pass and its last weights, and a checkpoint from
    within a pass does not hang on a few images. Votes and decision are buffers: a resumed training, a prediction and
    every process use the same. Maps of a validation or a prediction are compared with them, and a warning says where
    the majority contradicts.

    Args:
        mode: ``auto``, or ``fg`` (P is the object) or ``bg`` (1 - P is the object) to decide it by hand.
        members: how many maps vote, each for itself.

    Attributes:
        votes: (3,) float64: sum of the border means, sum of the centre means, number of images; (M, 3) for M members.
        decided: 1 (P is the object), -1 (1 - P is), or 0 before the first vote; (M,) for M members.
        shares: (M,) the share of images that agree with the vote, after a count of all; only with several members.

    Raises:
        ConfigError: the mode is unknown.
    """

    votes: Tensor
    decided: Tensor
    seen: Tensor
    shares: Tensor

    def __init__(self, mode: PolarityMode = "auto", members: int = 1) -> None:
        super().__init__()
        self.mode = one_of("polarity", mode, get_args(PolarityMode))
        several = () if members == 1 else (members,)
        self.register_buffer("votes", torch.zeros(*several, 3, dtype=torch.float64))
        self.register_buffer("decided", torch.zeros(several, dtype=torch.int8))
        if members > 1:
            self.register_buffer("shares", torch.zeros(members, dtype=torch.float64))
        # Of this evaluation: sums of border and centre, number of maps, of those with the border above the centre.
        self.register_buffer("seen", torch.zeros(*several, 4, dtype=torch.float64), persistent=False)
        self._news = False

    def train(self, mode: bool = True) -> Polarity:
        """Switch to training or evaluation; what an evaluation saw is compared when training goes on."""
        if mode and not self.training:
            self.compare()
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Polarity:
        """Move to where the rest of a model goes, but keep the number format: sums of many images need their digits."""
        return super()._apply(lambda tensor: tensor.to(fn(tensor).device), recurse)

    @property
    def signs(self) -> Tensor:
        """For each member 1 where P is the object, -1 where 1 - P is, (M,)."""
        decided = self.decided.view(-1)
        if self.mode != "auto":
            return torch.full_like(decided, 1 if self.mode == "fg" else -1)
        return torch.where(decided < 0, -1, 1)

    @property
    def sign(self) -> int:
        """1 where P is the object of the first member, -1 where 1 - P is."""
        return int(self.signs[0])

    @property
    def margin(self) -> float:
        """How much larger the chosen region is in the centre than near the border, a mean over the votes.

        Of several members it is the smallest.
        """
        return min(abs(centre - border) / count if count else 0.0 for border, centre, count in self._rows(self.votes))

    @staticmethod
    def _rows(buffer: Tensor) -> list[list[float]]:
        """Return the numbers of each member."""
        rows: list[list[float]] = buffer.view(-1, buffer.shape[-1]).tolist()
        return rows

    def decide(self, maps: Iterable[Tensor]) -> None:
        """Decide by the maps P (B, M, h, w) of all images alone, in the place of what was voted before."""
        counted = torch.zeros_like(self.seen)
        for some in maps:
            means = border_and_centre(some)
            counted += torch.cat([means.sum(0), torch.full_like(means[0, ..., :1], len(means)), against(means)], -1)
        self.seen.zero_()
        if counted[..., 2].sum() == 0:
            return
        self.votes.copy_(counted[..., :3])
        self._decide()
        share = counted[..., 3] / counted[..., 2]  # of the images that are larger near the border
        self.shares.copy_(torch.where(self.decided < 0, share, 1 - share))

    def forward(self, maps: Tensor, begins_pass: bool = False) -> Tensor:
        """Return P or 1 - P, (B, 1, h, w) in [0, 1], after counting the votes of these images.

        Args:
            maps: P, (B, 1, h, w), or (B, M, h, w) of M members.
            begins_pass: whether these are the first images of a pass over the training images.
        """
        if self.mode != "auto":
            return maps if self.mode == "fg" else 1 - maps
        if not torch.jit.is_tracing():  # an exported program counts nothing
            with torch.no_grad():
                self._count(maps, begins_pass)
        return torch.where(self.decided.view(-1, 1, 1) < 0, 1 - maps, maps)

    def _count(self, maps: Tensor, begins_pass: bool) -> None:
        if min(maps.shape[-2:]) < 3 > max(maps.shape[-2:]):
            return  # without a centre there is nothing to compare
        means = border_and_centre(maps)
        count = torch.full_like(means[0, ..., :1], len(means))  # (1,), or (M, 1)
        if not self.training:
            self.seen += torch.cat([means.sum(0), count, against(means)], -1)
            return
        if begins_pass:
            self.votes *= MEMORY
        self.votes += sum_over_processes(torch.cat([means.sum(0), count], -1))
        self._decide()

    def _decide(self) -> None:
        self.decided.copy_(torch.where(self.votes[..., 0] > self.votes[..., 1], -1, 1))
        self._news = True

    def say(self, more: str = "") -> None:
        """Write the training's vote into the log, with a warning where it is thin; once for each vote."""
        if not self._news:
            return
        self._news = False
        rows = self._rows(self.votes)
        words = "".join(
            f"C2AM{'' if len(rows) == 1 else f' (member {place + 1} of {len(rows)})'} takes {name_of(sign)} for the "
            f"object: over the training images, P is {border / count:.3f} near the border and {centre / count:.3f} in "
            "the centre. "
            for place, (sign, (border, centre, count)) in enumerate(zip(self.signs.tolist(), rows, strict=True))
        ).rstrip()
        print_log(words + more, logger="current", level=logging.INFO)
        if self.margin < THIN:
            said = words if len(rows) == 1 else "It is not clear which region is the object (C2AM)."
            warnings.warn(
                f"{said} A margin of {self.margin:.3f} is thin (below {THIN}): foreground and background may be "
                f"exchanged. {self.advice()} Longer training and more images make it clearer.",
                stacklevel=2,
            )

    def compare(self) -> None:
        """Warn where most maps seen in evaluation contradict the vote of the training, and forget them.

        Of several members most have to be contradicted.
        """
        rows, signs = self._rows(self.seen), self.signs.tolist()
        self.seen.zero_()
        contradict = [
            above if sign > 0 else count - above for sign, (_, _, count, above) in zip(signs, rows, strict=True)
        ]
        found = [number for number, row in zip(contradict, rows, strict=True) if 2 * number - row[2] > row[2] ** 0.5]
        border, centre, count, _ = rows[0]
        undecided = bool((self.decided == 0).any())
        if undecided or count < FEWEST or 2 * len(found) <= len(rows):  # as chance alone would have it
            return
        warnings.warn(
            f"C2AM's foreground and background may be exchanged: training took {name_of(self.sign)} for the object "
            f"(margin {self.margin:.3f}), but {found[0]:.0f} of {count:.0f} maps seen now say the opposite. Over all "
            f"of them P is {border / count:.3f} near the border and {centre / count:.3f} in the centre. "
            f"{self.advice()}",
            stacklevel=2,
        )

    def advice(self) -> str:
        """Say what to look at, and which option turns the maps round."""
        return (
            "Look at some maps; where they show the background, exchange the two with "
            f"model.head.polarity={'bg' if self.sign > 0 else 'fg'} (--cfg-options; with wsolkit label in a file of "
            "your own: docs/label.md)."
        )


def name_of(sign: int) -> str:
    """Return what the object is called: P or 1 - P."""
    return "P" if sign > 0 else "1 - P"
