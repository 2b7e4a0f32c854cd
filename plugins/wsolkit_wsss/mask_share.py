"""How much of the images masks mark: a recipe that marks nearly all or nearly nothing has told nothing apart."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from wsolkit import DataError

__all__ = ["check_share"]

DOUBTFUL = (0.02, 0.8)
"""Mean shares of the images' pixels outside of which a warning is given."""

USELESS = (0.002, 0.98)
"""Mean shares outside of which masks of several images separate nothing."""

SEVERAL = 8
"""Images from which on that is no accident."""


def check_share(shares: Sequence[float], what: str, advice: str, refuse: bool = False) -> float:
    """Return the mean share of marked pixels in per cent, and say where it is nearly all or nearly nothing.

    Args:
        shares: marked part of each image, in [0, 1].
        what: what marks them, for the words.
        advice: what to change.
        refuse: whether masks that separate nothing are an error.

    Raises:
        DataError: they separate nothing, and ``refuse`` is set.

    >>> check_share([0.25, 0.35], "the cues", "")
    30.0
    """
    mean = float(np.mean(shares)) if len(shares) else 0.0
    if len(shares) and not DOUBTFUL[0] <= mean <= DOUBTFUL[1]:
        much = "nearly everything" if mean > DOUBTFUL[1] else "nearly nothing"
        full = sum(share > USELESS[1] for share in shares)
        empty = sum(share < USELESS[0] for share in shares)
        words = (
            f"Of {len(shares)} images {what} mark {much} as foreground: {100 * mean:.1f} % of the pixels on average, "
            f"{full} images whole and {empty} nowhere. {advice}"
        )
        if refuse and len(shares) >= SEVERAL and not USELESS[0] <= mean <= USELESS[1]:
            raise DataError(words)
        warnings.warn(words, stacklevel=2)
    return round(100 * mean, 10)
