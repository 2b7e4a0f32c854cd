"""From what was kept of a split to its evaluation: numbers at honest thresholds, the baselines', and the trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.failures import HIT
from wsolkit.evaluation.mean_box import MEAN_BOX
from wsolkit.evaluation.protocol import BOXES, Protocol
from wsolkit.evaluation.protocols import PROTOCOLS
from wsolkit.evaluation.results import FIXED, LABEL_FREE, ORACLE, OWN, VAL, Line, Result
from wsolkit.report.evaluation import Evaluation
from wsolkit.scoring.tally import SCORED, LabelFreeProtocol, MeanBoxProtocol, Tally, chosen_cut, label_free_cut

__all__ = ["HIT_IOU", "cuts_chosen_on", "fill"]

ANY_CUT = 0.5
"""Where a map of zeros and ones is cut."""

HIT_IOU = 0.5
"""What a trial has to reach to be a hit in the list of failures."""


def cuts_chosen_on(val: Tally) -> dict[str, float]:
    """Return where the largest component's box hits most on the validation split, by the maps and each baseline."""
    found = {name: chosen_cut(val, name) for name in val.protocols}
    return {name: each[0] for name, each in found.items() if each is not None}


def fill(
    evaluation: Evaluation,
    scored: Tally,
    val: Tally | None,
    threshold: float | None,
    notes: Mapping[str, str] | None = None,
) -> Evaluation:
    """Put numbers, baselines and trials of a split into its evaluation.

    Args:
        evaluation: what is known of the run.
        scored: what was kept of the scored split.
        val: what was kept of the split thresholds are chosen on; None where there is none.
        threshold: fixed threshold of every protocol that tries all, where ``val`` has none; None for the oracle's.
        notes: conventions of every result.

    Returns:
        The same evaluation.
    """
    for name, protocols in scored.protocols.items():
        results: list[Result] = []
        free = None if name == MEAN_BOX else label_free_cut(name, val, scored)
        for key, protocol in protocols.items():
            own = scored.seen(name, key)
            if own is None or isinstance(protocol, (LabelFreeProtocol, MeanBoxProtocol)):
                continue
            result = protocol.result(own, honest(val, name, key, threshold))
            if free is not None:
                result = with_label_free(result, protocol, own, free)
            results.append(replace(result, conventions={**result.conventions, **(notes or {})}))
        if name == SCORED:
            evaluation.results = results
        elif results:
            evaluation.baselines[name] = [without_curves(result) for result in results]
    add_trials(evaluation, scored, val, threshold)
    return evaluation


def honest(val: Tally | None, name: str, key: str, threshold: float | None) -> float | Accumulator[Any] | None:
    """Return what a protocol's threshold comes from: the validation split, or a fixed number.

    The mean box is a map of zeros and ones, the same at every threshold.
    """
    if name == MEAN_BOX:
        return ANY_CUT
    chosen = None if val is None else val.seen(name, key)
    return threshold if chosen is None else chosen


def with_label_free(result: Result, protocol: Protocol, own: Accumulator[Any], threshold: float) -> Result:
    """Return a result with its numbers at a threshold that was chosen from the maps alone, each before the oracle's.

    Metrics that judge no boxes, try no thresholds, have no number of the oracle or let the extractor choose stay as
    they are.
    """
    if BOXES not in protocol.needs or not protocol.sweeps or getattr(own, "own", False):
        return result
    free = {line.name: line for line in protocol.result(own, threshold).lines if line.selection == FIXED}
    lines: list[Line] = []
    for line in result.lines:
        if line.selection == ORACLE and line.name in free:
            lines.append(replace(free[line.name], selection=LABEL_FREE))
        lines.append(line)
    if len(lines) == len(result.lines):
        return result
    said = [result.conventions.get("threshold selection"), f"{LABEL_FREE} (from the maps alone)"]
    chosen = "; ".join(filter(None, said))
    return replace(result, lines=tuple(lines), conventions={**result.conventions, "threshold selection": chosen})


def without_curves(result: Result) -> Result:
    """Return a baseline's result: its numbers alone."""
    return replace(result, curves={}, each_class={}, more_each_class={}, each_n={})


def add_trials(evaluation: Evaluation, scored: Tally, val: Tally | None, threshold: float | None) -> None:
    """Add what became of each box, by the first protocol that can say so, at the threshold of its first number.

    First is who stands first in ``PROTOCOLS``, whatever was asked for first, so that runs can be compared. Of the
    trivial baselines, each at its own threshold, it is kept which trials they hit: those are the pairs that a method is
    tested on.
    """
    order = list(PROTOCOLS)
    for key in sorted(scored.protocols[SCORED], key=lambda key: order.index(key) if key in order else len(order)):
        own: Any = scored.seen(SCORED, key)
        if not hasattr(own, "trials"):
            continue
        at, selection = cut_of(own, honest(val, SCORED, key, threshold))
        evaluation.trials = list(own.trials(0.0 if at is None else at, iou=HIT_IOU))
        evaluation.trials_at = {
            "metric": key,
            "threshold": None if at is None else float(at),
            "selection": selection,
            "iou": HIT_IOU,
        }
        places = [(trial.image_id, trial.label) for trial in evaluation.trials]
        for name in scored.protocols:
            drawn: Any = None if name == SCORED else scored.seen(name, key)
            if drawn is None:
                continue
            found = drawn.trials(cut_of(drawn, honest(val, name, key, threshold))[0] or 0.0, iou=HIT_IOU)
            if [(trial.image_id, trial.label) for trial in found] == places:
                evaluation.baseline_hits[name] = tuple(trial.outcome == HIT for trial in found)
        return


def cut_of(own: Any, source: Any) -> tuple[float | None, str]:
    """Return the threshold of an accumulator's trials and how it was chosen; None where each map has its own."""
    if getattr(own, "own", False):
        return None, OWN
    if source is None:
        return own.best_threshold(), ORACLE
    if isinstance(source, float):
        return source, FIXED
    return source.best_threshold(), VAL
