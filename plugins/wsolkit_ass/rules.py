"""What to do with each image of a batch: leave it, hide its peak, or hide peak and background, by its attention map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from wsolkit import Checked
from wsolkit_ass.dispersion import component_counts, coordinate_variance, uniform_variance

__all__ = ["CLUTTER", "HIDE", "PASS", "SelectionRule", "at_least", "attention_maps"]

PASS, HIDE, CLUTTER = 0, 1, 2
"""The three answers of the rule."""

DISPERSION = 40.0
"""The dispersion of the thesis, in cells squared, found on maps of 28 x 28 cells."""


@torch.no_grad()
def attention_maps(maps: Tensor) -> Tensor:
    """Return the mean over channels of maps (B, C, h, w), (B, h, w) float32 without gradient (ASS, eq. 10).

    >>> attention_maps(torch.tensor([[[[1.0, 0.0]], [[3.0, 2.0]]]])).tolist()
    [[[2.0, 1.0]]]
    """
    return maps.detach().mean(1, dtype=torch.float32)


def at_least(attention: Tensor, alpha: float) -> Tensor:
    """Tell the cells of at least alpha times the maximum of their map (ASS, eq. 11).

    Args:
        attention: (B, h, w).
        alpha: part of each map's own maximum.

    Returns:
        (B, h, w) bool.

    >>> at_least(torch.tensor([[[4.0, 2.0, 1.0]]]), 0.5).tolist()
    [[[True, True, False]]]
    """
    return attention >= alpha * attention.amax((1, 2), keepdim=True)


@dataclass(frozen=True)
class SelectionRule(Checked):
    """Decides by an attention map what to do with its image (ASS, algorithm 1).

    With a cells of at least ``alpha_fg`` times the maximum (the peak), d cells of at least ``alpha_object`` times the
    maximum (the object) and b cells in all, the answer is

    - ``CLUTTER`` where the peak has ``min_cells`` cells or more and the dispersion
      variance_weight (Var(X) + Var(Y)) + component_weight P of its cells is at least ``dispersion``, P being the number
      of their 8-connected pieces;
    - else ``PASS`` where d / b < ``small_object`` or a / d > ``peak_share``;
    - else ``HIDE``.

    A map without a positive cell is passed.

    Args:
        alpha_fg: threshold of the peak, in (0, 1].
        alpha_object: threshold of the object, in (0, 1].
        dispersion: least dispersion of clutter; by default 40, or 40 / 130.5 where it is normalised.
        min_cells: least number of cells of a peak that can be clutter.
        small_object: an object on less than this part of the map is small.
        peak_share: a peak of more than this part of its object shows the object already.
        variance_weight: mu 1, not negative.
        component_weight: mu 2, not negative; pieces are only counted where it is not 0.
        normalize_dispersion: divide the variances by those of all cells of the map, so that one ``dispersion`` serves
            maps of every size; the number of pieces is not divided.

    Raises:
        ConfigError: a number is out of range.
    """

    alpha_fg: Annotated[float, "in (0, 1]"] = 0.8
    alpha_object: Annotated[float, "in (0, 1]"] = 0.3
    dispersion: Annotated[float, "at least 0"] | None = None
    min_cells: Annotated[int, "at least 0"] = 4
    small_object: Annotated[float, "in [0, 1]"] = 0.2
    peak_share: Annotated[float, "in [0, 1]"] = 0.3
    variance_weight: Annotated[float, "at least 0"] = 1.0
    component_weight: Annotated[float, "at least 0"] = 0.0
    normalize_dispersion: bool = False

    @property
    def least_dispersion(self) -> float:
        """The dispersion from which on a peak is clutter."""
        if self.dispersion is not None:
            return self.dispersion
        return DISPERSION / uniform_variance(28, 28) if self.normalize_dispersion else DISPERSION

    def dispersions(self, peak: Tensor) -> Tensor:
        """Return the dispersion (B,) of peaks (B, h, w) bool (eq. 12)."""
        found = coordinate_variance(peak) * self.variance_weight
        if self.normalize_dispersion:
            found = found / max(uniform_variance(peak.shape[1], peak.shape[2]), 1e-6)
        if self.component_weight:
            found = found + self.component_weight * component_counts(peak)
        return found

    def __call__(self, attention: Tensor, peak: Tensor) -> Tensor:
        """Return ``PASS``, ``HIDE`` or ``CLUTTER`` for each image, (B,).

        Args:
            attention: (B, h, w).
            peak: its cells of at least ``alpha_fg`` times the maximum, (B, h, w) bool.
        """
        a = peak.sum((1, 2)).float()
        d = at_least(attention, self.alpha_object).sum((1, 2)).float()
        b = attention.shape[1] * attention.shape[2]
        clutter = (self.dispersions(peak) >= self.least_dispersion) & (a >= self.min_cells)
        shown = (d / b < self.small_object) | (a / d.clamp(min=1) > self.peak_share)
        answer = torch.full_like(a, HIDE, dtype=torch.long).masked_fill(shown, PASS).masked_fill(clutter, CLUTTER)
        return answer.masked_fill(~(attention.amax((1, 2)) > 0), PASS)
