"""Scores a model on a split, with thresholds chosen on another one, on one process or on several."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import nan
from pathlib import Path
from typing import Any, TypeVar

import torch
from mmengine.config import Config
from mmengine.dist import all_gather_object, broadcast_object_list
from mmengine.evaluator import BaseMetric
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from wsolkit.config.seed_free import scoring_hash
from wsolkit.datasets.coverage import coverage_remarks
from wsolkit.datasets.shared_memory import fit_workers
from wsolkit.datasets.unseen import check_never_seen
from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation.box_protocols import BoxMAPProtocol
from wsolkit.evaluation.protocol import BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL, Protocol
from wsolkit.evaluation.protocols import choose_protocols
from wsolkit.evaluation.results import FIXED, VAL, Line, Result
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.evaluation.scores import Score
from wsolkit.features.frozen import checked_model
from wsolkit.features.loader import CacheOptions, loader_for_evaluation
from wsolkit.model.label_kind import is_multi_label, warn_of_maps
from wsolkit.model.localizer import Localizer
from wsolkit.model.precision import number_format
from wsolkit.model.threshold import choose_threshold
from wsolkit.registry import METRICS, SCOPE
from wsolkit.report.evaluation import Evaluation
from wsolkit.scoring.known_protocols import find_protocols
from wsolkit.scoring.localization_metric import LocalizationMetric
from wsolkit.scoring.outcome import cuts_chosen_on, fill
from wsolkit.scoring.predictions import scored_image
from wsolkit.scoring.protocol_metric import ProtocolMetric
from wsolkit.scoring.tally import SCORED, Rows, Tally, mean_box_of
from wsolkit.scoring.ten_crop_loader import crop_words, with_crop_scores

__all__ = ["Advance", "check_classes", "score_model"]

Advance = Callable[[str, int, int], None]
ALL = frozenset((BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL))
"""Whatever a protocol may need."""


@dataclass
class ScoredSplit:
    """What came out of a split.

    Attributes:
        tally: what the protocols kept.
        images: how many images there are.
        image_root: the folder their names are relative to.
        notes: conventions of every result.
        remarks: what the split lacks, in sentences.
    """

    tally: Tally
    images: int
    image_root: str | None
    notes: dict[str, str]
    remarks: list[str]


def score_model(
    config: Config,
    model: Localizer,
    split: str = "test",
    select: str = "val",
    advance: Advance | None = None,
    protocols: Sequence[str] = (),
    ten_crop: bool = False,
) -> Evaluation:
    """Score a model on ``split`` at the thresholds that are best on ``select``, beside the trivial baselines.

    The boxes are those of the model's own extractor; published protocols keep their own rule.

    Args:
        config: a resolved configuration with dataloaders of both splits.
        model: the model, with its weights.
        split: ``test`` or ``val``.
        select: split the thresholds are chosen on.
        advance: called with the split's name, batches done and batches in all.
        protocols: names of the protocols to compute; by default those that fit the data. Protocols and metrics that
            the configuration's evaluators name are computed as well.
        ten_crop: let the mean probabilities of ten crops say which class is in an image, as CSoA's paper does; maps and
            boxes stay those of the whole image. The conventions of the results say so.

    Returns:
        The evaluation, the same on every process of a distributed run.

    Raises:
        ConfigError: the configuration has no such split, or a protocol is unknown or needs what the data lacks.
    """
    find_protocols(protocols)
    metrics = evaluators(config, split)
    names = list(
        dict.fromkeys([*protocols, *(each.protocol.name for each in metrics if isinstance(each, ProtocolMetric))])
    )
    names = names if protocols else ["", *names]
    chosen: ScoredSplit | None = None
    cuts: dict[str, float] = {}
    if split != select and config.get(f"{select}_dataloader") is not None:
        chosen = tally_split(config, model, select, names, advance, choosing=True, ten_crop=ten_crop)
        cuts = cuts_chosen_on(chosen.tally)
    own = choose_threshold(model)[0]
    found = tally_split(
        config, model, split, names, advance, cuts or own, VAL if cuts else FIXED, metrics, ten_crop=ten_crop,
        mean_box=mean_box_of(None if chosen is None else chosen.tally),
    )  # fmt: skip
    lacking = [name for name in protocols if found.tally.seen(SCORED, name) is None]
    if lacking:
        needs = ", ".join(sorted(find_protocols(lacking)[lacking[0]].needs))
        raise ConfigError(
            f"Protocol {lacking[0]} can judge no image of split {split!r}: it needs {needs}. Leave it out, or add what "
            "is lacking."
        )
    evaluation = Evaluation(
        split=split,
        images=found.images,
        image_root=found.image_root,
        classes=tuple(config.get("classes") or ()),
        extractor=type(model.box_extractor).__name__,
        number_format=number_format(model.precision, next(model.parameters()).device),
        scoring_hash=scoring_hash(config, split, ten_crop=ten_crop, protocols=list(protocols)),
    )
    threshold = None if split == select else own
    fill(evaluation, found.tally, None if chosen is None else chosen.tally, threshold, {"split": split, **found.notes})
    evaluation.results += [metric_result(each, found.images) for each in metrics if not is_ours(each)]
    evaluation.remarks += [each for one in (chosen, found) if one is not None for each in one.remarks]
    evaluation.remarks += [
        f"The validation compared boxes of {type(each.extractor).__name__}, but the model's are those of "
        f"{evaluation.extractor}, which are judged here."
        for each in metrics
        if isinstance(each, LocalizationMetric) and type(each.extractor) is not type(model.box_extractor)
    ]
    return evaluation


def evaluators(config: Config, split: str) -> list[BaseMetric]:
    """Return the metrics that a split's evaluators name."""
    given = config.get(f"{split}_evaluator") or config.get("val_evaluator")
    listed = given if isinstance(given, Sequence) else [given]
    return [METRICS.build(each) for each in listed if each]


def is_ours(metric: BaseMetric) -> bool:
    """Whether the numbers of a metric are those of protocols."""
    return isinstance(metric, (LocalizationMetric, ProtocolMetric))


def metric_result(metric: BaseMetric, images: int) -> Result:
    """Return the numbers of a metric that is no protocol, without intervals."""
    numbers: Any = [getattr(metric, "numbers_found", {})]
    broadcast_object_list(numbers)
    lines = tuple(Line(name, Score(float(value), images, nan, nan, interval="")) for name, value in numbers[0].items())
    return Result(type(metric).__name__, lines, {"n": "images", "interval": "none: a metric, not a protocol"})


@torch.no_grad()
def tally_split(
    config: Config,
    model: Localizer,
    split: str,
    names: Sequence[str],
    advance: Advance | None = None,
    cuts: Mapping[str, float] | float | None = None,
    selection: str = FIXED,
    metrics: Sequence[BaseMetric] = (),
    choosing: bool = False,
    ten_crop: bool = False,
    mean_box: tuple[float, float, float, float] | None = None,
) -> ScoredSplit:
    """Run a model over a split and keep what the protocols need.

    Args:
        config: a resolved configuration.
        model: the model.
        split: name of the split.
        names: names of protocols; an empty one stands for all that fit the data.
        advance: see ``score_model``.
        cuts: where protocols that do not sweep cut, by the maps, or everywhere.
        selection: how that was chosen.
        metrics: metrics of the configuration; those that are no protocols are run as well.
        choosing: whether the split is one to choose thresholds on.
        ten_crop: see ``score_model``.
        mean_box: the mean box of the split thresholds were chosen on.
    """
    settings: Any = config.get(f"{split}_dataloader")
    if settings is None:
        raise ConfigError(f"The configuration has no {split}_dataloader, so there is nothing to evaluate on {split!r}.")
    with DefaultScope.overwrite_default_scope(SCOPE):
        loader = Runner.build_dataloader(settings, seed=0)
    told = fit_workers(loader)
    if told is not None:
        warnings.warn(told, stacklevel=2)
    check_classes(config, loader.dataset, split)
    check_never_seen(model.boxed_images, loader.dataset, split)
    notes: dict[str, str] = {}
    cache = CacheOptions.of(config.get("feature_cache"))
    if cache is not None and cache.evaluate and (cache.shared or cache.folder) and not ten_crop:
        model.eval()
        loader = loader_for_evaluation(cache, checked_model(model, cache.level), loader, Path()).loader
        notes["features"] = "cached in half precision"
    meta = loader.dataset.metainfo
    warn_of_maps(model.cam_method, is_multi_label(loader.dataset))
    others = [each for each in metrics if not is_ours(each)]
    tally: Tally | None = None
    kept: list[tuple[str, Rows]] = []
    model.eval()
    for number, batch in enumerate(with_crop_scores(loader, settings, model) if ten_crop else loader):
        if ten_crop:
            notes["class scores"] = crop_words((batch["inputs"].shape[-2], batch["inputs"].shape[-1]))
        predictions = model.test_step(batch)
        for metric in others:
            metric.process(data_batch=batch, data_samples=predictions)
        targets = batch.get("targets") or [None] * len(predictions)
        for label, target, prediction in zip(batch["labels"], targets, predictions, strict=True):
            image = scored_image(prediction, label.numpy(), target)
            tally = tally or make_tally(names, image, model, meta, cuts, selection, choosing, mean_box)
            kept.append((image.image_id, tally.rows(image)))
        if advance is not None:
            advance(split, number + 1, len(loader))
    model.head.end_pass()
    count = len(loader.dataset)
    for metric in others:
        metric.dataset_meta = meta
        metric.numbers_found = metric.evaluate(count)
    shares = all_gather_object((kept, tally, notes))
    whole = next((each for _, each, _ in shares if each is not None), None) or Tally((), 0)
    notes = next((each for _, _, each in shares if each), {})
    for image_id, rows in interleaved([share for share, _, _ in shares], count):
        whole.add(image_id, rows)
    remarks = coverage_remarks(loader.dataset, split)
    return ScoredSplit(whole, count, root_of(loader.dataset) if count else None, notes, remarks)


def make_tally(
    names: Sequence[str],
    image: ScoredImage,
    model: Localizer,
    meta: Mapping[str, Any],
    cuts: Mapping[str, float] | float | None,
    selection: str,
    choosing: bool,
    mean_box: tuple[float, float, float, float] | None,
) -> Tally:
    """Return an empty tally of the protocols that go with an image's kind of label."""
    protocols = [kind(model.box_extractor) for kind in fitting(names, image)]
    classes = len(meta.get("classes") or ())
    if isinstance(cuts, float):
        cuts = dict.fromkeys(Tally(protocols, classes).protocols, cuts)
    return Tally(protocols, classes, cuts, selection, choosing, mean_box)


def fitting(names: Sequence[str], image: ScoredImage) -> Iterator[type[Protocol]]:
    """Yield the protocols that go with an image's kind of label: the usual ones first where an empty name asks so."""
    other = MULTI_LABEL if image.single_label else SINGLE_LABEL
    given = [name for name in names if name]
    chosen = choose_protocols(given, ALL, find_protocols(given)) if given else []
    if "" in names:
        usual: list[type[Protocol]] = [
            *choose_protocols([], ALL),
            BoxMAPProtocol,
        ]  # a model has maps of the classes it predicts
        chosen = [*usual, *(each for each in chosen if each not in usual)]
    return (each for each in chosen if other not in each.needs)


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
