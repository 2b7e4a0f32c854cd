"""What a split lacks of the classes that a model learns or is judged by, in words."""

from __future__ import annotations

from typing import Any

from wsolkit.datasets.wrapped import innermost
from wsolkit.errors import first_few

__all__ = ["coverage_remarks"]


def coverage_remarks(dataset: Any, split: str) -> list[str]:
    """Say that a split was cut to some of its images, and how many of its classes no image shows.

    Args:
        dataset: a data set, or one of mmengine's wrappers around some.
        split: what it is called.

    Returns:
        A sentence for each, nothing for a whole split that shows every class.
    """
    parts = innermost(dataset)
    if not all(hasattr(part, "record") and hasattr(part, "classes") for part in parts):
        return []
    used, there = sum(map(len, parts)), sum(getattr(part, "images_found", len(part)) for part in parts)
    found = [f"Of the {split} split {used} of {there} images are used (indices)."] if used < there else []
    shown = {label for part in parts for index in range(len(part)) for label in part.record(index)["labels"]}
    classes = parts[0].classes
    lacking = [name for place, name in enumerate(classes) if place not in shown]
    if lacking:
        found.append(
            f"No image of the {split} split shows {len(lacking)} of the {len(classes)} classes ({first_few(lacking)})."
        )
    return found
