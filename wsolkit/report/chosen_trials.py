"""Which trials a comparison shows: those on which the runs disagree most, and some on which they agree."""

from __future__ import annotations

from collections.abc import Iterable

from wsolkit.evaluation.failures import HIT, Trial
from wsolkit.report.contact_sheet import evenly
from wsolkit.report.pictures import in_turn

__all__ = ["agreements", "disagreements"]

PICTURES = 48
AGREED = 12


def disagreements(trials: Iterable[tuple[Trial, ...]], most: int = PICTURES) -> list[tuple[Trial, ...]]:
    """Return the trials on which the runs disagree most.

    Trials that some runs hit and others do not come first, in turn from each pattern of hits; then those whose IoUs
    are farthest apart.

    Args:
        trials: each trial as it ended in every run.
        most: how many are wanted.

    Returns:
        the largest difference of IoUs first.
    """

    def spread(each: tuple[Trial, ...]) -> float:
        overlaps = [trial.iou for trial in each]
        return max(overlaps) - min(overlaps)

    ranked = sorted(trials, key=lambda each: (-spread(each), each[0].image_id, each[0].label))
    patterns: dict[tuple[bool, ...], list[tuple[Trial, ...]]] = {}
    for each in ranked:
        patterns.setdefault(tuple(trial.outcome == HIT for trial in each), []).append(each)
    split = [group for pattern, group in sorted(patterns.items()) if len(set(pattern)) > 1]
    alike = [each for each in ranked if len({trial.outcome == HIT for trial in each}) == 1 and spread(each) > 0]
    chosen = in_turn(split, most)
    return sorted(chosen + alike[: most - len(chosen)], key=lambda each: -spread(each))


def agreements(trials: Iterable[tuple[Trial, ...]], most: int = AGREED) -> list[tuple[Trial, ...]]:
    """Return trials that all runs hit and that none hits, as many of each, spread over the runs' mean IoU.

    Args:
        trials: each trial as it ended in every run.
        most: how many are wanted.

    Returns:
        those that all hit first, each from the highest mean IoU down.
    """
    ranked = sorted(trials, key=lambda each: (-sum(trial.iou for trial in each), each[0].image_id, each[0].label))
    hit, missed = (
        [each for each in ranked if all((trial.outcome == HIT) == wanted for trial in each)] for wanted in (True, False)
    )
    shown = evenly(len(hit), max(most // 2, most - len(missed)))
    return [*(hit[place] for place in shown), *(missed[place] for place in evenly(len(missed), most - len(shown)))]
