"""Data sets inside those that wrap them."""

from __future__ import annotations

from typing import Any

__all__ = ["innermost"]


def innermost(dataset: Any) -> list[Any]:
    """Return the datasets inside mmengine's wrappers (concatenated, repeated, sliced), or the dataset itself."""
    inner = list(getattr(dataset, "datasets", ())) or [
        getattr(dataset, name) for name in ("dataset", "_dataset") if hasattr(dataset, name)
    ]
    return [found for part in inner for found in innermost(part)] if inner else [dataset]
