"""Numbers that papers print, beside ours where they are of the same data."""

from __future__ import annotations

import re

from wsolkit.plugins.methods import Method
from wsolkit.report.benchmark.rows import Printed, Row

__all__ = ["printed_of"]

OURS = {
    "top-1 loc": "top-1 loc",
    "GT-known": "GT-known",
    "top-1 classification": "top-1",
    "MaxBoxAccV2": "MaxBoxAccV2",
    "pointwise localization mAP": "pointing mAP",
    "classification mAP": "mAP",
    "PxAP": "PxAP",
    "mIoU": "mIoU",
}
"""How cards call a number, and which column of ours is of its kind; errors are 100 less it."""


def printed_of(method: Method, row: Row, data: str) -> tuple[Printed, ...]:
    """Return what a method's paper prints of a data set, each beside our number of that kind.

    A card's number begins with its data set; a part of a data set, such as 50 of CUB's classes, is another one.

    Args:
        method: the method.
        row: its row of our table.
        data: our data set.
    """
    found = []
    for name, value in method.reported.items():
        if spelled(name.split()[0].rstrip(",")) != spelled(data):
            continue
        title = next((ours for words, ours in OURS.items() if words in name), None)
        cell = None if title is None else row.cells.get(title)
        error = re.search(r"\berror\b", name) is not None
        found.append(Printed(name, value, None if cell is None else 100 - cell.mean if error else cell.mean))
    return tuple(found)


def spelled(name: str) -> str:
    """Return a data set's name as cards and configurations both spell it.

    >>> spelled("VOC12"), spelled("voc2012"), spelled("CUB")
    ('voc12', 'voc12', 'cub')
    """
    return re.sub(r"20(\d\d)$", r"\1", re.sub(r"[^a-z0-9]", "", name.casefold()))
