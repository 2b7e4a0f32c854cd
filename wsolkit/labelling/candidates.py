"""The candidates side by side: every method learns from the same photographs, and those that are checked choose."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from wsolkit.formats.found_boxes import ImageResult
from wsolkit.formats.writer import remove
from wsolkit.labelling.checked import Checked
from wsolkit.labelling.cuts import results_with_maps
from wsolkit.labelling.learn import learnt_before
from wsolkit.labelling.learnt_map import AUTO, Options, Steps, configuration_of, learnt_map
from wsolkit.labelling.methods import METHODS, Method, MethodScore, score_methods
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.sheet import SHOWN, write_method_sheet
from wsolkit.labelling.state import CANDIDATES, CHECKPOINT, CONFIG, FEATURES, SHEET
from wsolkit.progress import Shows
from wsolkit.report.contact_sheet import evenly

__all__ = ["FEWEST", "Compared", "candidates_of", "chosen_candidate", "compare_methods"]

FEWEST = 10
"""Checked photographs that choose the method at least; fewer say nothing."""


class Compared(NamedTuple):
    """What a comparison of methods found.

    Attributes:
        sheet: the picture of the same photographs under each method.
        scores: how well each fits the checked photographs, best first; none where too few are checked.
        best: the method that fits best, or None without scores.
    """

    sheet: Path
    scores: list[MethodScore]
    best: str | None


def candidates_of(photographs: Photographs) -> list[Method]:
    """Return the methods that can learn from photographs: ``parts`` takes no photographs of several labels."""
    several = any(len(labels) > 1 for labels in photographs.labels.values())
    return [method for method in METHODS if method != "parts" or not several]


def compare_methods(
    out: Path,
    photographs: Photographs,
    checked: Checked,
    options: Options,
    steps: Steps,
    shows: Shows,
    methods: Sequence[str] | None = None,
) -> Compared:
    """Learn every method's map, each in a folder of its own below ``out``, and show the same photographs under each.

    What was learnt before is not learnt again. The methods share the gigabytes of features in equal parts.

    Args:
        out: the folder of the labels.
        photographs: what to learn from.
        checked: the photographs that a person has checked.
        options: how to learn.
        steps: says what happens.
        shows: gives a progress display for a task's name and number of images.
        methods: the methods, or configurations; all that can learn from these photographs by default.
    """
    unreadable = {each.image_id for each in photographs.unreadable}
    readable = [number for number, image in enumerate(photographs.files) if image.image_id not in unreadable]
    names = {image.image_id: number for number, image in enumerate(photographs.files)}
    shown = [readable[place] for place in evenly(len(readable), SHOWN)]
    wanted = list(dict.fromkeys([*shown, *(names[name] for name in checked)]))
    results: dict[str, dict[str, ImageResult]] = {}
    compared = methods or candidates_of(photographs)
    share = options.cache_gb / len(compared)
    for method in compared:
        folder = folder_of(out, method)
        steps.say(f"candidate {method}:")
        own = replace(options, method=method, threshold=None, cache_gb=share)
        predictor, seen = learnt_map(folder, photographs, learnt_before(folder), own, steps, shows)
        found = results_with_maps(predictor, photographs, seen, wanted)
        results[method] = {each.image_id: each for each in found}
    pictured = [photographs.files[number].image_id for number in shown]
    both = [name for name in pictured if all(name in own for own in results.values())]
    write_method_sheet(out / SHEET, {method: [own[name] for name in both] for method, own in results.items()})
    if len(checked) < FEWEST:
        return Compared(out / SHEET, [], None)
    boxes = {method: {name: each.boxes for name, each in own.items()} for method, own in results.items()}
    scores = score_methods(boxes, {name: each.boxes for name, each in checked.items()})
    return Compared(out / SHEET, scores, scores[0].method)


def folder_of(out: Path, method: str) -> Path:
    """Return where a candidate learns."""
    return out / CANDIDATES / Path(method).stem


def chosen_candidate(
    out: Path, photographs: Photographs, checked: Checked, options: Options, steps: Steps, shows: Shows
) -> None:
    """Compare the methods, and put what the best has learnt in the place of the folder's own map; see the others.

    Where too few photographs are checked, it is the method that fits the labels.
    """
    compared = compare_methods(out, photographs, checked, options, steps, shows)
    for score in compared.scores:
        steps.say(score.line)
    best, why = compared.best, f"fits the {len(checked)} checked photographs best"
    if best is None:
        best = Path(configuration_of(AUTO, photographs)[0]).stem.removeprefix("label_")
        why = f"fits the labels; {FEWEST} checked photographs choose (--verified)"
    steps.say(f"method {best}: {why}. {compared.sheet} shows all of them; take another with --retrain --method NAME.")
    take_candidate(out, best)


def take_candidate(out: Path, method: str) -> None:
    """Put what a candidate has learnt in the place of the folder's own map and features, its checkpoint last.

    Then the features of the others are removed; their maps stay.
    """
    source = folder_of(out, method)
    if (source / FEATURES).is_dir():
        remove(out / FEATURES)
        shutil.move(source / FEATURES, out / FEATURES)
    shutil.copyfile(source / CONFIG, out / CONFIG)
    shutil.copyfile(source / CHECKPOINT, out / CHECKPOINT)
    for folder in (out / CANDIDATES).iterdir():
        remove(folder / FEATURES)
