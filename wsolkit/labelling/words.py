"""What is said while photographs are labelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wsolkit.errors import first_few, printable
from wsolkit.labelling.learn import Learnt
from wsolkit.labelling.photographs import Photographs

__all__ = ["learnt_words", "photographs_words"]


def photographs_words(photographs: Photographs) -> Iterator[str]:
    """Yield how the photographs were read and what was left out."""
    yield from photographs.lines
    for what, places in photographs.doubts.items():
        yield f"note: {what}: {printable(first_few(places))} ({len(places)})."
    unreadable = photographs.unreadable
    if unreadable:
        names = printable(first_few([each.image_id for each in unreadable]))
        yield f"note: {len(unreadable)} cannot be read and are left out; failed.csv will say why: {names}."
    counts = Counter(index for found in photographs.labels.values() for index in found)
    few = [name for index, name in enumerate(photographs.classes) if 0 < counts[index] < 5]
    if few and len(photographs.classes) > 1:
        yield f"note: {len(few)} classes have fewer than 5 photographs: {first_few(few)}."


def learnt_words(learnt: Learnt | None, new: int) -> str:
    """Say whether a map is learnt, and which photographs it has not seen."""
    if learnt is None:
        return ""
    known = f"done before, from {len(learnt.names)} photographs"
    if not new:
        return known
    return f"{known}; {new} new photographs are labelled with it (--retrain learns again from all)"
