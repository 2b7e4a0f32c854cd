"""Scores a checkpoint on a split, with the threshold chosen on another one, beside the trivial baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import all_gather_object
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation import (
    BASELINES,
    ImageResult,
    Localization,
    boxes_at,
    classification,
    judge,
    localization,
    mean_average_precision,
)
from wsolkit.evaluation.rates import Rate, choose_threshold
from wsolkit.evaluation.summary import stacked_ious
from wsolkit.localizer import Localizer
from wsolkit.metrics import LocalizationMetric
from wsolkit.registry import METRICS, SCOPE

__all__ = ["Evaluation", "Row", "evaluate"]

MODEL = "model"
Advance = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Row:
    """One line of the table: the model or a baseline."""

    name: str
    classification: dict[str, Rate | float]
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
    """

    split: str
    selection: str
    images: int
    iou: float
    extractor: str
    rows: list[Row] = field(default_factory=list)
    average_precision: dict[str, tuple[float, int]] = field(default_factory=dict)


def evaluate(
    config: Config, model: Localizer, split: str = "test", select: str = "val", advance: Advance | None = None
) -> Evaluation:
    """Score a model on ``split`` at the threshold that is best on ``select``.

    Args:
        config: a resolved configuration with dataloaders and evaluators of both splits.
        model: the model, with its weights.
        split: ``test`` or ``val``.
        select: split the threshold is chosen on.
        advance: called with the split's name, batches done and batches in all.

    Returns:
        The evaluation, the same on every process of a distributed run.

    Raises:
        ConfigError: the configuration has no such split.
    """
    metric = split_metric(config, split)
    scored = run_split(config, model, split, metric, advance)
    selected = scored if split == select else None
    if split != select and config.get(f"{select}_dataloader") is not None:
        selected = run_split(config, model, select, split_metric(config, select), advance)
    results = scored[MODEL]
    has_boxes = bool(len(stacked_ious(results)))
    chosen_on_boxes = selected is not None and bool(len(stacked_ious(selected[MODEL])))
    table = Evaluation(
        split, select if chosen_on_boxes else "fixed", len(results), metric.iou, type(metric.extractor).__name__
    )
    table.average_precision = each_class(results, config.get("classes") or ())
    for name, images in scored.items():
        if name != MODEL and not has_boxes:
            continue
        found = None
        if has_boxes:
            if chosen_on_boxes and selected is not None:
                index = choose_threshold(stacked_ious(selected[name]), metric.iou)
            else:
                fixed = float(model.chosen_threshold)
                fixed = model.box_extractor.threshold if np.isnan(fixed) else fixed
                index = int(np.abs(np.array(metric.thresholds) - fixed).argmin())
            found = localization(images, metric.thresholds, index, metric.iou)
        table.rows.append(Row(name, classification(images), found))
    return table


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


def split_metric(config: Config, split: str) -> LocalizationMetric:
    """Return the split's ``LocalizationMetric``.

    Raises:
        ConfigError: the configuration names none.
    """
    evaluators = config.get(f"{split}_evaluator") or config.get("val_evaluator")
    for evaluator in evaluators if isinstance(evaluators, Sequence) else [evaluators]:
        metric = METRICS.build(evaluator) if evaluator else None
        if isinstance(metric, LocalizationMetric):
            return metric
    raise ConfigError(f"The configuration has no LocalizationMetric for {split!r}. Set {split}_evaluator.")


@torch.no_grad()
def run_split(
    config: Config, model: Localizer, split: str, metric: LocalizationMetric, advance: Advance | None = None
) -> dict[str, list[ImageResult]]:
    """Run model and baselines over a split; returns their results by name, in the data's order."""
    settings: Any = config.get(f"{split}_dataloader")
    if settings is None:
        raise ConfigError(f"The configuration has no {split}_dataloader, so there is nothing to evaluate on {split!r}.")
    with DefaultScope.overwrite_default_scope(SCOPE):
        loader = Runner.build_dataloader(settings, seed=0)
    check_classes(config, loader.dataset, split)
    results: dict[str, list[ImageResult]] = {name: [] for name in BASELINES}
    fixed: dict[tuple[str, tuple[int, int]], np.ndarray] = {}
    model.eval()
    for number, batch in enumerate(loader):
        predictions = model.test_step(batch)
        metric.process(batch, predictions)
        size = tuple(batch["inputs"].shape[-2:])
        labels, targets = batch["labels"], batch.get("targets") or [None] * len(predictions)
        for name, draw in BASELINES.items():
            if (name, size) not in fixed:
                fixed[name, size] = boxes_at(draw(size), metric.extractor, metric.thresholds)
            for label, target, prediction in zip(labels, targets, predictions, strict=True):
                present = [int(label)] if label.ndim == 0 else torch.nonzero(label > 0.5).flatten().tolist()
                boxes = dict.fromkeys(present, fixed[name, size])
                results[name].append(judge(prediction.image_id, None, label.numpy(), boxes, target))
        if advance is not None:
            advance(split, number + 1, len(loader))
    results = {MODEL: metric.results, **results}
    count = len(loader.dataset)
    shares = all_gather_object(results)  # one per process; a sampler deals image i to process i modulo their number
    return {
        name: [image for row in zip_longest(*(share[name] for share in shares)) for image in row if image is not None][
            :count
        ]
        for name in results
    }


def check_classes(config: Config, dataset: Any, split: str) -> None:
    """Compare the classes of a data set with those the model was trained on: labels are places in the list.

    Raises:
        DataError: they differ.
    """
    trained, there = list(config.get("classes") or ()), list(dataset.metainfo.get("classes") or ())
    if trained and there and trained != there:
        first = next(pair for pair in zip_longest(trained, there) if pair[0] != pair[1])
        raise DataError(
            f"The model was trained on {len(trained)} classes and the {split} data has {len(there)}, and they differ "
            f"(first: {first[0]!r} there, {first[1]!r} here). A label would mean another class. Set data_root to data "
            "with the same classes, or give the data set classes=[...] in the model's order."
        )


def as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain data for a JSON file, with its conventions."""

    def plain(value: Rate | float | None) -> Any:
        if isinstance(value, Rate):
            return {"percent": value.percent, "n": value.n, "low": value.low, "high": value.high}
        return value

    return {
        "split": evaluation.split,
        "images": evaluation.images,
        "conventions": {
            "hit": f"IoU >= {evaluation.iou}",
            "threshold": "chosen on val" if evaluation.selection == "val" else evaluation.selection,
            "class of the map": "true class",
            "box": f"best scored of {evaluation.extractor}",
            "comparison": "score > threshold * max",
            "averaging": "micro",
            "interval": "95 %, Wilson",
        },
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
                        "threshold": row.localization.threshold,
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
