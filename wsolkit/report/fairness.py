"""What differs between runs although a fair table needs it to be the same, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wsolkit.evaluation.results import ORACLE
from wsolkit.report.compared import Pair
from wsolkit.report.evaluation import Evaluation

__all__ = ["convention_warnings", "head_warnings", "seed_warnings", "training_warnings", "trial_warnings"]

NO_BOXES = "none"
"""What a training with image labels alone says of its boxes."""
RESIZED = re.compile(r";? *\d+ of \d+ resized(?: \(([^()]*)\))?")


def differing(what: str, values: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return a sentence that names what differs and how; nothing where all values are the same.

    >>> differing("split", ["val", "test", "val"], ["A", "B", "C"])
    ['split: "val" (A, C), "test" (B)']
    """
    groups: dict[str, list[str]] = {}
    for value, name in zip(values, names, strict=True):
        groups.setdefault(value, []).append(name)
    if len(groups) < 2:
        return []
    words = ", ".join(f'"{value}" ({", ".join(members)})' for value, members in groups.items())
    return [f"{what}: {words}"]


def head_warnings(runs: Sequence[Evaluation]) -> list[str]:
    """Return what differs in the runs' heads."""
    names = [run.name for run in runs]
    found = differing("split", [run.split or "not said" for run in runs], names)
    if len({run.classes for run in runs if run.classes}) > 1:
        found.append("classes: the runs list different classes, so a class's number may mean another in each")
    return found


def training_warnings(runs: Sequence[Evaluation]) -> list[str]:
    """Return what differs in how the runs' models were trained and computed: boxes beside labels alone, above all.

    Runs that do not say how they were trained, such as those of other programs' maps, are named.
    """
    boxes = {run.name: str(run.training["boxes"]) for run in runs if run.training.get("boxes")}
    found = [
        f"training: {name} was trained with boxes ({which}), {labels_alone(runs, boxes)}. It is no weakly supervised "
        "run unless these boxes were found without people"
        for name, which in boxes.items()
        if which != NO_BOXES and any(boxes.get(run.name) in (None, NO_BOXES) for run in runs)
    ]
    having = [run for run in runs if run.number_format]
    return found + differing("number format", [str(run.number_format) for run in having], [run.name for run in having])


def labels_alone(runs: Sequence[Evaluation], boxes: Mapping[str, str]) -> str:
    """Return in words which runs were trained with image labels alone, and which do not say."""
    alone = [run.name for run in runs if boxes.get(run.name) == NO_BOXES]
    silent = [run.name for run in runs if run.name not in boxes]
    words = [f"{', '.join(alone)} with image labels alone"] if alone else []
    words += [f"{', '.join(silent)} without saying with what"] if silent else []
    return ", ".join(words)


def seed_warnings(name: str, runs: Sequence[Evaluation]) -> list[str]:
    """Return what differs between the seeds of one method, which should be scored alike.

    Args:
        name: the method.
        runs: its runs, named after their seeds.
    """
    if len(runs) < 2:
        return []
    metrics = dict.fromkeys(result.metric for run in runs for result in run.results)
    found = [*head_warnings(runs), *convention_warnings(runs, list(metrics))]
    return [f"{name}, between its seeds: {each}" for each in found]


def convention_warnings(runs: Sequence[Evaluation], metrics: Sequence[str]) -> list[str]:
    """Return which conventions of the shown metrics differ between the runs that have them, and which counts.

    How many maps were resized is no convention, and of n the number counts, not the words beside it.
    """
    found: dict[str, list[str]] = {}
    for metric in dict.fromkeys(metrics):
        having = [(run, result) for run in runs for result in run.results if result.metric == metric]
        names = [run.name for run, _ in having]
        keys = dict.fromkeys(key for _, result in having for key in result.conventions)
        values = {key: [result.conventions.get(key, "not said") for _, result in having] for key in keys}
        if len(set(values.get("threshold selection", ()))) < 2:  # the lines know it too
            values["threshold selection"] = [
                " and ".join(dict.fromkeys(line.selection for line in result.lines if line.selection)) or "none"
                for _, result in having
            ]
        if "score maps" in values:
            values["score maps"] = without_counts(values["score maps"])
        values["n"] = [str(max((line.score.n for line in result.lines), default=0)) for _, result in having]
        for key, each in values.items():
            for words in differing(key, each, names):
                found.setdefault(words, []).append(metric)
    return [f"{', '.join(metrics)}: {words}" for words, metrics in found.items()]


def without_counts(values: Sequence[str]) -> list[str]:
    """Return what runs say of their score maps without how many were resized; how stays where it is not always so.

    >>> without_counts(["at 224 x 224; 0 of 702 resized", "at 224 x 224; 702 of 702 resized (cubic)"])
    ['at 224 x 224', 'at 224 x 224']
    >>> without_counts(["at 9 x 9; 3 of 5 resized (linear)", "at 9 x 9; 5 of 5 resized (cubic)"])
    ['at 9 x 9; resized (linear)', 'at 9 x 9; resized (cubic)']
    """
    ways = {found[1] for value in values for found in RESIZED.finditer(value) if found[1]}

    def said(found: re.Match[str]) -> str:
        return f"; resized ({found[1]})" if found[1] and len(ways) > 1 else ""

    return [RESIZED.sub(said, value) for value in values]


def trial_warnings(runs: Sequence[Evaluation], pairs: Sequence[Pair]) -> list[str]:
    """Return what keeps the trials of the runs from being the same."""
    having = [run for run in runs if run.trials]
    names = [run.name for run in having]
    found = []
    for key, what in (("metric", "metric"), ("iou", "IoU of a hit"), ("selection", "threshold selection")):
        values = [str(run.trials_at.get(key) if run.trials_at.get(key) is not None else "not said") for run in having]
        found += differing(f"trials, {what}", values, names)
    oracle = [run.name for run in having if run.trials_at.get("selection") == ORACLE]
    if oracle:
        found.append(
            f"trials: the threshold of {', '.join(oracle)} was chosen on the scored split itself, so the paired test "
            "is one of test-oracle numbers"
        )
    without = [run.name for run in runs if not run.trials]
    if without:
        found.append(f"trials: {', '.join(without)} kept none, so no paired test is possible there")
    for pair in pairs:
        if pair.paired and (pair.only_first or pair.only_other):
            found.append(
                f"trials: {pair.paired.n} are shared by {runs[0].name} and {pair.name} and compared; {pair.only_first} "
                f"are only in {runs[0].name}, {pair.only_other} only in {pair.name}"
            )
        elif pair.paired is None and runs[0].trials and pair.name in names:
            found.append(f"trials: {runs[0].name} and {pair.name} share none, so no paired test is possible")
        if pair.moved:
            found.append(f"trials: {pair.moved} have other true boxes in {pair.name} than in {runs[0].name}")
    return found
