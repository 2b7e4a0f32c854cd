"""The two uses of the dense CRF here, with the papers' numbers: on label maps and on probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from wsolkit import ConfigError, in_range
from wsolkit.crf import BilateralKernel, GaussianKernel, crf_label_energy, crf_probability_energy, dense_crf

__all__ = ["CrfSettings", "crf_settings", "refine_labels", "refine_probabilities"]


@dataclass(frozen=True)
class CrfSettings:
    """Numbers of a dense CRF.

    Attributes:
        iterations: mean field steps.
        gaussian: standard deviation in pixels and weight of the kernel that smooths.
        bilateral: standard deviations in pixels and in colour (0 to 255) and weight of the kernel that follows edges.
        gt_prob: how much a label map is believed; unused with probabilities.
    """

    iterations: int = 10
    gaussian: tuple[float, float] = (3, 3)
    bilateral: tuple[float, float, float] = (50, 5, 10)
    gt_prob: float = 0.7


ON_LABELS = CrfSettings()
"""As C2AM makes its cues."""

ON_PROBABILITIES = CrfSettings(bilateral=(80, 13, 10))


def crf_settings(given: bool | Mapping[str, Any], default: CrfSettings) -> CrfSettings | None:
    """Return the settings of a stage's ``crf`` argument, or None for no CRF.

    Args:
        given: True for the default, False for no CRF, or the entries that differ from the default.
        default: the default.

    Raises:
        ConfigError: an entry is unknown or out of range.

    >>> crf_settings({"iterations": 3}, ON_LABELS)
    CrfSettings(iterations=3, gaussian=(3, 3), bilateral=(50, 5, 10), gt_prob=0.7)
    >>> crf_settings(False, ON_LABELS) is None
    True
    """
    if isinstance(given, bool):
        return default if given else None
    known = [field.name for field in fields(CrfSettings)]
    if not isinstance(given, Mapping) or set(given) - set(known):
        raise ConfigError(f"crf should be True, False or a dict with some of {', '.join(known)}, but got {given!r}.")
    found = CrfSettings(
        iterations=given.get("iterations", default.iterations),
        gaussian=numbers(given.get("gaussian", default.gaussian), 2, "gaussian=(pixels, weight)"),
        bilateral=numbers(given.get("bilateral", default.bilateral), 3, "bilateral=(pixels, colour, weight)"),
        gt_prob=given.get("gt_prob", default.gt_prob),
    )
    if not isinstance(found.iterations, int) or found.iterations < 1:
        raise ConfigError(f"crf needs 1 or more iterations, but got {found.iterations!r}. Set crf=False for no CRF.")
    in_range("gt_prob of the crf", found.gt_prob, "in (0.5, 1)")
    return found


def numbers(given: Any, count: int, what: str) -> Any:
    """Return so many positive numbers as a tuple.

    Raises:
        ConfigError: they are not.
    """
    if not isinstance(given, Sequence) or len(given) != count or not all(number > 0 for number in given):
        raise ConfigError(f"crf needs {what}, all positive, but got {given!r}.")
    return tuple(given)


def refine_labels(image: np.ndarray, labels: np.ndarray, classes: int, settings: CrfSettings) -> np.ndarray:
    """Return a label map whose borders follow those of the image.

    Args:
        image: (H, W, 3) uint8, RGB.
        labels: (H, W) whole numbers below ``classes``.
        classes: how many labels there are.
        settings: numbers of the CRF.

    Returns:
        (H, W) uint8.
    """
    return run_crf(image, crf_label_energy(labels, classes, settings.gt_prob), settings).argmax(0).astype(np.uint8)


def refine_probabilities(image: np.ndarray, probabilities: np.ndarray, settings: CrfSettings) -> np.ndarray:
    """Return the likeliest label of each pixel, (H, W) uint8, after a CRF on probabilities (L, H, W)."""
    return run_crf(image, crf_probability_energy(probabilities), settings).argmax(0).astype(np.uint8)


def run_crf(image: np.ndarray, energies: np.ndarray, settings: CrfSettings) -> np.ndarray:
    """Return probabilities (L, H, W) of energies (L, H, W)."""
    sxy, srgb, compat = settings.bilateral
    return dense_crf(
        image,
        energies.astype(np.float32),
        iterations=settings.iterations,
        gaussian=GaussianKernel(sxy=settings.gaussian[0], compat=settings.gaussian[1]),
        bilateral=BilateralKernel(sxy=sxy, srgb=srgb, compat=compat),
    )
