"""Divides names into splits by their hash alone: the same on every machine, whatever the order or the seed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from wsolkit.errors import ConfigError

__all__ = ["hash_order", "split_by_hash"]


def hash_order(names: Sequence[str]) -> list[str]:
    """Return the names in an order that looks random and depends on nothing but the names.

    >>> hash_order(["a", "b", "c"]) == hash_order(["c", "a", "b"])
    True
    """
    return sorted(names, key=lambda name: (hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest(), name))


def split_by_hash(names: Sequence[str], fractions: Sequence[float]) -> list[list[str]]:
    """Divide names into disjoint parts of the given fractions; each part is sorted.

    Sizes are rounded so that together they are all names, the largest remainders first.

    Args:
        names: distinct names.
        fractions: one per part, each at least 0, together 1.

    Raises:
        ConfigError: the fractions are negative or do not add up to 1.

    >>> [len(part) for part in split_by_hash([str(i) for i in range(10)], (0.8, 0.1, 0.1))]
    [8, 1, 1]
    """
    if any(fraction < 0 for fraction in fractions) or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise ConfigError(f"split_fractions should be 0 or more and add up to 1, but got {tuple(fractions)}.")
    wanted = [fraction * len(names) for fraction in fractions]
    sizes = [math.floor(size + 1e-9) for size in wanted]
    by_remainder = sorted(range(len(sizes)), key=lambda part: (sizes[part] - wanted[part], part))
    for part in by_remainder[: len(names) - sum(sizes)]:
        sizes[part] += 1
    ordered, begin, parts = hash_order(names), 0, []
    for size in sizes:
        parts.append(sorted(ordered[begin : begin + size]))
        begin += size
    return parts
