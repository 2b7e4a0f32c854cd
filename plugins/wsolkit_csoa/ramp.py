"""A weight that grows with the training."""

from __future__ import annotations

from wsolkit import ConfigError

__all__ = ["checked_share", "linear_ramp"]


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


def checked_share(part: str, name: str, share: float) -> float:
    """Return a share of the training as it is.

    Raises:
        ConfigError: it is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"{name} of {part} is a share of the training in [0, 1], but got {share}.")
    return share
