"""Curves over the box threshold, seeds together: their mean, and the band from the lowest to the highest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wsolkit.evaluation.results import Curve
from wsolkit.report.evaluation import Evaluation

__all__ = ["Band", "bands_of"]

POINTS = 101
"""At how many thresholds a band is kept."""


class Band(NamedTuple):
    """A curve over seeds: (n,) mean, lowest and highest over x, and what the axes are."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    x_label: str
    y_label: str


def bands_of(evaluations: Sequence[Evaluation], metric: str) -> dict[str, Band]:
    """Return the curves over thresholds that all seeds have of a metric, by their titles.

    Args:
        evaluations: one for each seed.
        metric: the metric.
    """
    results = [next((each for each in run.results if each.metric == metric), None) for run in evaluations]
    if not results or any(each is None for each in results):
        return {}
    found = {}
    for title, first in results[0].curves.items():  # type: ignore[union-attr]
        curves = [each.curves[title] for each in results if each is not None and title in each.curves]
        if "threshold" in first.x_label and len(curves) == len(results) and len(first.x) > 1:
            found[title] = band_of(curves)
    return found


def band_of(curves: Sequence[Curve]) -> Band:
    """Return the mean, lowest and highest of curves at the thresholds of the first, thinned out.

    >>> one, two = (Curve(np.array([0.0, 1.0]), np.array([y, 0.0]), "threshold", "hits (%)") for y in (40.0, 60.0))
    >>> band = band_of([one, two])
    >>> [each.tolist() for each in (band.mean, band.low, band.high)]
    [[50.0, 0.0], [40.0, 0.0], [60.0, 0.0]]
    """
    first = curves[0]
    places = np.unique(np.linspace(0, len(first.x) - 1, min(POINTS, len(first.x))).round().astype(int))
    x = np.sort(first.x)[places]
    rows = []
    for curve in curves:
        order = np.argsort(curve.x, kind="stable")
        rows.append(np.interp(x, curve.x[order], curve.y[order]))
    values = np.stack(rows)
    return Band(x, values.mean(0), values.min(0), values.max(0), first.x_label, first.y_label)
