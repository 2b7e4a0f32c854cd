"""One pass over a split: model, trivial baselines and published protocols, on one process or on several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import all_gather_object
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from wsolkit.components.boxes import LargestComponent
from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation import BASELINES, boxes_at, judge
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.protocols import BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL, Protocol, choose_protocols
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.evaluation.trials import ImageResult
from wsolkit.model.localizer import Localizer
from wsolkit.registry import METRICS, SCOPE
from wsolkit.scoring.localization_metric import LocalizationMetric
from wsolkit.scoring.protocol_metric import scored_image

__all__ = ["ALL", "MODEL", "PROTOCOLS", "Advance", "Scored", "run_split", "split_metric"]

MODEL = "model"
Advance = Callable[[str, int, int], None]
ALL = frozenset((BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL))
"""Whatever a protocol may need."""

PROTOCOLS = ("MaxBoxAcc", "MaxBoxAccV2", "top-k-loc", "CorLoc", "point-mAP", "box-mAP", "box-mAP-given", "PxAP", "mIoU")
"""The protocols that are computed where the data has what they need."""


@dataclass
class Scored:
    """What came out of a split.

    Attributes:
        results: of the model and each baseline, the result on every image, in the data's order.
        accumulators: of each protocol the one that has seen every image; those without a trial are left out.
        image_root: folder the images' names are relative to; None where there is none.
    """

    results: dict[str, list[ImageResult]]
    accumulators: dict[str, Accumulator[Any]] = field(default_factory=dict)
    image_root: str | None = None


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
    config: Config,
    model: Localizer,
    split: str,
    metric: LocalizationMetric,
    advance: Advance | None = None,
    protocols: Sequence[str] = (),
    threshold: float = 0.2,
) -> Scored:
    """Run model, baselines and protocols over a split.

    Args:
        config: a resolved configuration.
        model: the model.
        split: name of the split.
        metric: the split's metric.
        advance: see ``evaluate``.
        protocols: see ``evaluate``.
        threshold: box threshold of the protocols that do not try every one.
    """
    settings: Any = config.get(f"{split}_dataloader")
    if settings is None:
        raise ConfigError(f"The configuration has no {split}_dataloader, so there is nothing to evaluate on {split!r}.")
    with DefaultScope.overwrite_default_scope(SCOPE):
        loader = Runner.build_dataloader(settings, seed=0)
    check_classes(config, loader.dataset, split)
    results: dict[str, list[ImageResult]] = {name: [] for name in BASELINES}
    fixed: dict[tuple[str, tuple[int, int]], np.ndarray] = {}
    wanted: list[Protocol] | None = None
    empty: dict[str, Accumulator[Any]] = {}
    rows: list[tuple[str, dict[str, Any]]] = []
    classes = len(loader.dataset.metainfo.get("classes") or ())
    model.eval()
    for number, batch in enumerate(loader):
        predictions = model.test_step(batch)
        metric.process(batch, predictions)
        size = tuple(batch["inputs"].shape[-2:])
        labels, targets = batch["labels"], batch.get("targets") or [None] * len(predictions)
        for name, draw in BASELINES.items():
            if (name, size) not in fixed:
                # Drawn maps come without features, which the model's extractor may need.
                fixed[name, size] = boxes_at(draw(size), LargestComponent(), metric.thresholds)
            for label, target, prediction in zip(labels, targets, predictions, strict=True):
                present = [int(label)] if label.ndim == 0 else torch.nonzero(label > 0.5).flatten().tolist()
                boxes = dict.fromkeys(present, fixed[name, size])
                results[name].append(judge(prediction.image_id, None, label.numpy(), boxes, target))
        for label, target, prediction in zip(labels, targets, predictions, strict=True):
            image = scored_image(prediction, label.numpy(), target)
            if wanted is None:
                wanted = fitting(protocols, image)
                empty = {each.name: each.make(classes) for each in wanted}
            rows.append(
                (image.image_id, {each.name: each.at(threshold).row(empty[each.name], image) for each in wanted})
            )
        if advance is not None:
            advance(split, number + 1, len(loader))
    count = len(loader.dataset)
    shares: list[Any] = all_gather_object(({MODEL: metric.results, **results}, rows))
    found = {name: interleaved([share[0][name] for share in shares], count) for name in shares[0][0]}
    for image_id, kept in interleaved([share[1] for share in shares], count):
        for name, row in kept.items():
            if row is not None:
                empty.setdefault(name, choose_protocols([name], ALL)[0].make(classes)).add(image_id, row)
    accumulators = {name: each for name, each in empty.items() if len(each)}
    return Scored(found, accumulators, root_of(loader.dataset) if count else None)


Item = TypeVar("Item")


def interleaved(shares: Sequence[Sequence[Item]], count: int) -> list[Item]:
    """Return the ``count`` items of a data set in its order, from the shares of several processes.

    A sampler deals item i to process i modulo their number, and begins anew with the first where the last round is not
    full.

    >>> interleaved([["a", "c", "e"], ["b", "d", "a"]], 5)
    ['a', 'b', 'c', 'd', 'e']
    """
    missing = object()
    dealt: Iterable[Any] = (item for turn in zip_longest(*shares, fillvalue=missing) for item in turn)
    return [item for item in dealt if item is not missing][:count]


def fitting(names: Sequence[str], image: ScoredImage) -> list[Protocol]:
    """Return the protocols that go with an image's kind of label."""
    other = MULTI_LABEL if image.single_label else SINGLE_LABEL
    return [each for each in choose_protocols(names or PROTOCOLS, ALL) if other not in each.needs]


def root_of(dataset: Any) -> str | None:
    """Return the folder that a data set's image names are relative to, file ending or not; None for no paths."""
    first = dataset.get_data_info(0)
    path, name = first.get("image_path"), first.get("image_id")
    for stem in (path, str(Path(path).with_suffix(""))) if path and name else ():
        if stem.endswith(name):
            return str(Path(stem[: -len(name)]).absolute())
    return None


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
