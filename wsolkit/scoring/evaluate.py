"""Scores a checkpoint on a split, with the thresholds chosen on another one, beside the trivial baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from mmengine.config import Config

from wsolkit.errors import ConfigError
from wsolkit.evaluation import classification, localization, mean_average_precision
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.failures import Trial
from wsolkit.evaluation.max_box_acc import MaxBoxAcc
from wsolkit.evaluation.protocols import choose_protocols
from wsolkit.evaluation.results import FIXED, VAL, Result
from wsolkit.evaluation.scores import Score
from wsolkit.evaluation.summary import Localization, stacked_ious
from wsolkit.evaluation.thresholds import choose_threshold
from wsolkit.evaluation.trials import ImageResult
from wsolkit.model.localizer import Localizer
from wsolkit.scoring.from_model import ALL, MODEL, Advance, run_split, split_metric

__all__ = ["Evaluation", "Row", "evaluate"]


@dataclass(frozen=True)
class Row:
    """One line of the table: the model or a baseline."""

    name: str
    classification: dict[str, Score | float]
    localization: Localization | None


@dataclass
class Evaluation:
    """The numbers of a split.

    Attributes:
        split: the split that was scored.
        selection: how the threshold was chosen: ``val``, or ``fixed`` where the validation split has no boxes.
        images: how many images the split has.
        iou: overlap that makes a hit.
        extractor: the box extractor whose best-scored box was compared.
        rows: the model first, then the baselines.
        average_precision: of multi-label data, each class's average precision in percent and its number of images.
        results: the numbers of the published protocols, of the model.
        trials: what became of every map at the threshold of MaxBoxAcc.
        trials_at: that threshold, and how it was chosen.
        image_root: folder the images' names are relative to; None where there is none.
        own_threshold: whether the extractor chooses a threshold for each map of the model.
    """

    split: str
    selection: str
    images: int
    iou: float
    extractor: str
    rows: list[Row] = field(default_factory=list)
    average_precision: dict[str, tuple[float, int]] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    trials_at: dict[str, Any] = field(default_factory=dict)
    image_root: str | None = None
    own_threshold: bool = False


def evaluate(
    config: Config,
    model: Localizer,
    split: str = "test",
    select: str = "val",
    advance: Advance | None = None,
    protocols: Sequence[str] = (),
) -> Evaluation:
    """Score a model on ``split`` at the thresholds that are best on ``select``.

    Args:
        config: a resolved configuration with dataloaders and evaluators of both splits.
        model: the model, with its weights.
        split: ``test`` or ``val``.
        select: split the thresholds are chosen on.
        advance: called with the split's name, batches done and batches in all.
        protocols: names of the published protocols to compute; by default those of
            ``split_pass.PROTOCOLS`` that fit the data.

    Returns:
        The evaluation, the same on every process of a distributed run.

    Raises:
        ConfigError: the configuration has no such split, or a protocol is unknown or needs what the data lacks.
    """
    metric = split_metric(config, split)
    choose_protocols(protocols, ALL)
    selected = None
    cut = fixed_threshold(model)
    if split != select and config.get(f"{select}_dataloader") is not None:
        selected = run_split(config, model, select, split_metric(config, select), advance, protocols, cut)
        ious = stacked_ious(selected.results[MODEL])
        if len(ious) and not metric.extractor.chooses_threshold:
            cut = float(metric.thresholds[choose_threshold(ious, metric.iou)])
    scored = run_split(config, model, split, metric, advance, protocols, cut)
    if split == select:
        selected = scored
    results = scored.results[MODEL]
    has_boxes = bool(len(stacked_ious(results)))
    chosen_on_boxes = selected is not None and bool(len(stacked_ious(selected.results[MODEL])))
    table = Evaluation(
        split, select if chosen_on_boxes else "fixed", len(results), metric.iou, type(metric.extractor).__name__
    )
    table.own_threshold = metric.extractor.chooses_threshold
    table.image_root = scored.image_root
    table.average_precision = each_class(results, config.get("classes") or ())
    for name, images in scored.results.items():
        if name != MODEL and not has_boxes:
            continue
        found = None
        if has_boxes:
            if chosen_on_boxes and selected is not None:
                index = choose_threshold(stacked_ious(selected.results[name]), metric.iou)
            else:
                index = int(np.abs(np.array(metric.thresholds) - cut).argmin())
            found = localization(images, metric.thresholds, index, metric.iou)
        table.rows.append(Row(name, classification(images), found))
    others = {} if selected is None or selected is scored else selected.accumulators
    for name in protocols:
        if name not in scored.accumulators:
            needs = ", ".join(sorted(choose_protocols([name], ALL)[0].needs))
            raise ConfigError(
                f"Protocol {name} can judge no image of split {split!r}: it needs {needs}. Leave it out, or add what "
                "is lacking."
            )
    add_protocols(table, scored.accumulators, others, cut)
    return table


def fixed_threshold(model: Localizer) -> float:
    """Return the threshold that was chosen in training, or else the configuration's."""
    chosen = float(model.chosen_threshold)
    own = np.isnan(chosen) or model.box_extractor.chooses_threshold
    return model.box_extractor.threshold if own else chosen


def add_protocols(
    table: Evaluation, scored: dict[str, Accumulator[Any]], selected: dict[str, Accumulator[Any]], cut: float
) -> None:
    """Put the numbers of the protocols into the evaluation, at the thresholds of the other split's accumulators.

    Where the other split has none of a protocol, its threshold is ``cut``; on the selecting split itself there is only
    the oracle's.
    """
    for name, accumulator in scored.items():
        chosen = bool(selected) and not table.own_threshold
        protocol = choose_protocols([name], ALL)[0].at(cut, VAL if chosen else FIXED)
        honest: Any = None if table.split == table.selection else selected.get(name, cut)
        result = protocol.result(accumulator, honest)
        taken = {each.metric for each in table.results}
        metric = name if result.metric in taken else result.metric  # two protocols may share an accumulator
        conventions = {**result.conventions, "split": table.split}
        table.results.append(replace(result, metric=metric, conventions=conventions))
        if name == "MaxBoxAcc" and isinstance(accumulator, MaxBoxAcc):
            line = table.results[-1].lines[0]
            table.trials = accumulator.trials(line.threshold or 0.0, table.iou)
            table.trials_at = {
                "metric": line.name, "threshold": line.threshold, "selection": line.selection, "iou": table.iou
            }  # fmt: skip


def each_class(results: Sequence[ImageResult], names: Sequence[str]) -> dict[str, tuple[float, int]]:
    """Return average precision and number of images of each class of multi-label data; nothing for other data."""
    scores = [result.scores for result in results if result.scores is not None]
    labels = [result.labels for result in results if result.labels is not None]
    if not scores:
        return {}
    table = np.stack(labels)
    _, each = mean_average_precision(np.stack(scores), table)
    known = names or [str(number) for number in range(len(each))]
    return {
        name: (float(value), int((column == 1).sum())) for name, value, column in zip(known, each, table.T, strict=True)
    }


def as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain data for a JSON file, with its conventions."""
    own = evaluation.own_threshold

    def plain(value: Score | float | None) -> Any:
        if isinstance(value, Score):
            return {"percent": value.percent, "n": value.n, "low": value.low, "high": value.high}
        return value

    threshold = "chosen on val" if evaluation.selection == "val" else evaluation.selection
    if own:
        threshold = f"of the model chosen for each map by {evaluation.extractor}, of others {threshold}"
    return {
        "split": evaluation.split,
        "images": evaluation.images,
        "conventions": {
            "hit": f"IoU >= {evaluation.iou}",
            "threshold": threshold,
            "class of the map": "true class",
            "box": f"best scored of {evaluation.extractor}",
            "comparison": "score > threshold * max",
            "averaging": "micro",
            "interval": "95 %, Wilson",
        },
        "results": [result.as_dict() for result in evaluation.results],
        "trials": [trial.as_dict() for trial in evaluation.trials],
        "trials_at": evaluation.trials_at,
        "image_root": evaluation.image_root,
        "average precision": {
            name: {"percent": None if np.isnan(value) else value, "images": images}
            for name, (value, images) in evaluation.average_precision.items()
        },
        "rows": [
            {
                "name": row.name,
                **{name: plain(value) for name, value in row.classification.items()},
                **(
                    {
                        "GT-known": plain(row.localization.gt_known),
                        "top1_loc": plain(row.localization.top1),
                        "top5_loc": plain(row.localization.top5),
                        "threshold": None if own and row.name == MODEL else row.localization.threshold,
                        "GT-known, test-oracle threshold": plain(row.localization.oracle),
                        "oracle threshold": row.localization.oracle_threshold,
                        "gap": row.localization.gap,
                    }
                    if row.localization
                    else {}
                ),
            }
            for row in evaluation.rows
        ],
    }
