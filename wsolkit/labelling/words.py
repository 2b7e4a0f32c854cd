"""What is said while photographs are labelled."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from wsolkit.errors import first_few, printable
from wsolkit.evaluation import Verdict
from wsolkit.evaluation.verdict import WORST
from wsolkit.labelling.cuts import CHECKED, FEWEST, Honest
from wsolkit.labelling.learn import Learnt
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import CHECKPOINT
from wsolkit.labelling.verified import counted

__all__ = ["cut_words", "estimate_words", "learnt_words", "next_words", "photographs_words", "verdict_words"]

BESIDE = 1.25
"""How much longer finding boxes, doubts and files make what the network takes."""

STEP_SECONDS = 20.0
"""About how long learning takes by itself."""


def photographs_words(photographs: Photographs) -> Iterator[str]:
    """Yield how the photographs were read and what was left out."""
    yield from photographs.lines
    for what, places in photographs.doubts.items():
        yield f"note: {what}: {printable(first_few(places))} ({len(places)})."
    unreadable = photographs.unreadable
    if unreadable:
        names = printable(first_few([each.image_id for each in unreadable]))
        left = "cannot be read and is" if len(unreadable) == 1 else "cannot be read and are"
        yield f"note: {len(unreadable)} {left} left out; failed.csv will say why: {names}."
    counts = Counter(index for found in photographs.labels.values() for index in found)
    few = [name for index, name in enumerate(photographs.classes) if 0 < counts[index] < 5]
    if few and len(photographs.classes) > 1:
        has = "class has" if len(few) == 1 else "classes have"
        yield f"note: {len(few)} {has} fewer than 5 photographs: {first_few(few)}."


def learnt_words(learnt: Learnt | None, new: int) -> str:
    """Say whether a map is learnt, and which photographs it has not seen."""
    if learnt is None:
        return ""
    known = f"done before, from {len(learnt.names)} photographs"
    if not new:
        return known
    return f"{known}; {counted(new, 'new photograph')} labelled with it (--retrain learns again from all)"


def estimate_words(each: float, count: int, learns: bool) -> str:
    """Say about how long everything takes, pictures aside.

    Args:
        each: seconds that the network takes for a photograph and its mirror image.
        count: how many photographs there are to do.
        learns: whether a map is learnt.

    >>> estimate_words(0.1, 1000, True)
    '1000 photographs and their mirror images, about 2 minutes for everything but pictures'
    """
    seconds = each * count * BESIDE + STEP_SECONDS * learns
    about = f"{max(round(seconds / 60), 1)} minutes" if seconds >= 90 else f"{max(round(seconds, -1), 10):.0f} seconds"
    return f"{count} photographs and their mirror images, about {about} for everything but pictures"


def cut_words(honest: Honest | None, checked: int, source: str) -> str:
    """Say whether checked photographs have chosen the cut, and why not.

    Args:
        honest: the number on what was looked at, or None where too few photographs were.
        checked: how many photographs are checked.
        source: where the threshold comes from.

    >>> cut_words(None, 3, "label-free")
    'the cut is label-free: 10 photographs with checked boxes choose another one, and 3 are checked'
    """
    if source == CHECKED:
        return f"the cut is {source}"
    if honest is None or honest.images < FEWEST:
        why = f"{FEWEST} photographs with checked boxes choose another one, and {checked} are checked"
    elif honest.kept == honest.checked:
        why = (
            f"all {honest.checked} checked boxes are as they were found, which does not tell where another cut would "
            "be; boxes that you have corrected in an annotation tool do"
        )
    else:
        why = f"no other one fits the boxes of {honest.images} checked photographs surely better"
    return f"the cut is {source}: {why}"


def verdict_words(verdict: Verdict | None, findings: Mapping[str, float]) -> list[str]:
    """Return the verdict in words, and what the maps of different beginnings say of each other."""
    lines = [] if verdict is None else [verdict.line]
    if (agreement := findings.get("agreement")) is not None:
        lines.append(f"The maps of different random beginnings correlate by {agreement:.2f} (1: they are the same).")
    if (share := findings.get("vote_margin")) is not None:
        lines.append(
            f"{100 * share:.0f} % of the photographs say which region is the object as all together do (50 %: a coin; "
            f"below {100 * (1 - WORST['vote against'][0]):.0f} % look whether the maps show the objects)."
        )
    return lines


def next_words(
    photos: Path, out: Path, options: Mapping[str, object], by_folder: bool = True, open_ones: bool = True
) -> list[str]:
    """Return the commands to go on with: the same again with what was checked, the map elsewhere, and its export.

    The first is left out where nothing is left to check.

    Args:
        photos: the folder of the photographs.
        out: the folder of the labels.
        options: what the run was called with, by the names of the command's options; what is None or False is left out.
        by_folder: whether folders tell the classes; a table of these photographs tells nothing of others.
        open_ones: whether there are photographs that nobody has looked at, or that were rejected.

    >>> next_words(Path("photos"), Path("labels"), {"background": "free", "seed": 0, "masks": True})[0]
    'wsolkit label photos --out labels --background free --seed 0 --masks --verified verdicts.json'
    """
    given = ((name, value) for name, value in options.items() if value is not None and value is not False)
    words = [word for name, value in given for word in (f"--{name}", value) if word is not True]
    model, classes = out / CHECKPOINT, ["--classes", "folder"] if by_folder else []
    commands: list[list[object]] = [
        ["wsolkit", "label", photos, "--out", out, *words, "--verified", "verdicts.json"],
        ["wsolkit", "predict", model, "MORE_PHOTOS", *classes, "--out", "found"],
        ["wsolkit", "export", model, "--to", "onnx"],
    ]
    return [printable(shlex.join(map(str, command))) for command in commands[not open_ones :]]
