"""Which number of a validation decides about the best weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsolkit.errors import ConfigError, nearest

__all__ = ["MONITORED", "find_score"]

MONITORED = ("top1_loc", "MaxBoxAccV2", "MaxBoxAcc", "GT-known", "PxAP", "IoU", "top1", "mAP", "accuracy")
"""What is monitored where a configuration does not say: the first of these that the metrics contain."""


def find_score(metrics: Mapping[str, Any], monitor: str | None) -> tuple[str, float] | None:
    """Return the monitored metric's name and value, or None where nothing is named and nothing known is there.

    Raises:
        ConfigError: ``monitor`` is not among the metrics.

    >>> find_score({"val/top1": 0.5, "loss": 2.0}, None)
    ('val/top1', 0.5)
    """
    numbers = {key: float(value) for key, value in metrics.items() if is_number(value)}
    for wanted in (monitor,) if monitor else MONITORED:
        if wanted in numbers:
            return wanted, numbers[wanted]
        for key, value in numbers.items():
            if key.rpartition("/")[2] == wanted:
                return key, value
    if monitor:
        raise ConfigError(f"The validation returns no metric {monitor!r} to monitor. {nearest(monitor, numbers)}")
    return None


def is_number(value: Any) -> bool:
    """Whether a metric is one number."""
    try:
        float(value)
    except (TypeError, ValueError, RuntimeError):
        return False
    return not isinstance(value, str)
