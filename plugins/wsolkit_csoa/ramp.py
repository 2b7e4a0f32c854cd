"""A weight that grows with the training."""

from __future__ import annotations

__all__ = ["linear_ramp"]


def linear_ramp(progress: float, length: float) -> float:
    """Return min(1, progress / length), and 1 where the length is 0.

    Args:
        progress: how far the training is, in [0, 1].
        length: the share of the training after which the weight is 1.

    >>> [linear_ramp(progress, 0.5) for progress in (0.0, 0.125, 0.5, 0.9)]
    [0.0, 0.25, 1.0, 1.0]
    >>> linear_ramp(0.0, 0.0)
    1.0
    """
    return 1.0 if length <= 0 else min(1.0, progress / length)
