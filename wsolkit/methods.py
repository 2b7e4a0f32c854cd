"""What a plugin says about the methods it implements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Method"]


@dataclass(frozen=True)
class Method:
    """A published method: where it comes from, what ships for it, what its paper reports.

    Attributes:
        name: the method's usual short name, such as ``CAM``.
        title: title of the paper.
        authors: authors of the paper, as cited.
        venue: where it appeared.
        year: when.
        summary: the method in one sentence.
        configs: names of the configurations that train it, without ``.py``.
        config_dir: folder of configurations a third-party plugin ships, or None.
        card: Markdown file with what differs from the paper and why, or None.
        reported: numbers the paper prints, by the name of the metric and data set.
    """

    name: str
    title: str
    authors: str
    venue: str
    year: int
    summary: str
    configs: tuple[str, ...] = ()
    config_dir: Path | None = None
    card: Path | None = None
    reported: Mapping[str, float] = field(default_factory=dict)
