"""From images to boxes in their own pixels: the Python side of ``wsolkit predict``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsolkit.config.load_model import load_model
from wsolkit.errors import ConfigError, DataError, MapError, WsolkitError
from wsolkit.formats.found_boxes import TOP, FoundBox, ImageResult
from wsolkit.inference.geometry import build_pipeline, scale_boxes
from wsolkit.inference.loading import ImageBatch
from wsolkit.inference.pixels import batches_of
from wsolkit.interfaces import Activation
from wsolkit.model.classes import FolderClasses, as_column, choose_classes, class_names, given_classes, probabilities_of
from wsolkit.model.device import choose_device
from wsolkit.model.localizer import Localizer
from wsolkit.model.threshold import choose_threshold

__all__ = ["Predictor"]

MAPS_AT_ONCE = 256
"""How many score maps are held at a time, at most, where images have many classes."""

PREDICTED = "predicted"
FOLDER = "folder"
OBJECT = ("object",)

Asked = Callable[[ImageBatch], list[int]]
"""Tells the class of every image of a batch."""


class Predictor:
    """Finds boxes in images with a trained model.

    Args:
        model: the localizer.
        pipeline: the test pipeline: torchvision v2 transforms that do nothing to the geometry but a fixed resize.
        classes: names of the model's classes.
        multi_label: whether several classes may be in one image.
        threshold: where the box extractor cuts, as a fraction of the map's maximum; by default the one that was
            chosen on the validation split, or else the configuration's.
        topk: most classes of an image; see ``wsolkit.model.classes.choose_classes``.
        min_score: probability that a class has to exceed.
        device: where to compute; the first GPU if there is one.
        batch_size: images in a forward pass.
        keep_maps: put the score maps into the results.
        origin: what the model is, for the files.

    Attributes:
        threshold_source: where the threshold comes from, in words.
        input_size: (H, W) of the network's input.
        classifies: whether the model gives probabilities.
        class_agnostic: whether one map serves every class.

    Raises:
        ConfigError: the pipeline does more than a resize, or an option is out of range.
    """

    def __init__(
        self,
        model: Localizer,
        pipeline: Sequence[Any],
        classes: Sequence[str] = (),
        multi_label: bool = False,
        threshold: float | None = None,
        topk: int | None = None,
        min_score: float | None = None,
        device: str | torch.device | None = None,
        batch_size: int = 32,
        keep_maps: bool = False,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size is how many images go through the network at once, but got {batch_size}.")
        choose_classes(torch.zeros(1, 1), multi_label, topk, min_score)  # complains about a bad topk or min_score now
        self.transform, self.input_size = build_pipeline(pipeline)
        self.device = choose_device(device)
        self.model = model.eval().to(self.device)
        self.threshold, self.threshold_source = choose_threshold(model, threshold)
        self.box_extractor = copy(model.box_extractor)  # the model keeps its own threshold
        self.box_extractor.threshold = self.threshold
        self.multi_label = multi_label
        self.topk = topk
        self.min_score = min_score
        self.batch_size = batch_size
        self.keep_maps = keep_maps
        self.origin = dict(origin or {})
        activation = self._try_model()
        self.classifies = activation.logits is not None
        self.class_agnostic = activation.class_agnostic
        self.classes = class_names(classes, None if activation.logits is None else activation.logits.shape[1])

    @classmethod
    def from_config(
        cls,
        config: Any,
        checkpoint: str | Path,
        device: str | torch.device | None = None,
        threshold: float | None = None,
        cfg_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Predictor:
        """Build a predictor from a configuration (a name, a path or a loaded one) and a checkpoint.

        Args:
            config: the configuration the checkpoint was trained with.
            checkpoint: file that training wrote.
            device: where to compute; the first GPU if there is one.
            threshold: where the box extractor cuts; by default the one chosen on the validation split.
            cfg_options: entries of the configuration to change, by dotted name.
            options: more arguments of ``Predictor``.

        Raises:
            ConfigError: the configuration is unknown, or its test pipeline does more than a resize.
            CheckpointError: the checkpoint cannot be read or is of another model.
        """
        loaded = load_model(config, checkpoint, cfg_options, device)
        return cls(
            loaded.model,
            loaded.pipeline,
            loaded.classes,
            **{"multi_label": loaded.multi_label, "origin": loaded.origin, **options},
            threshold=threshold,
            device=device,
        )

    def __call__(self, images: Any, classes: str | Sequence[int | str] | None = None) -> list[ImageResult]:
        """Return the results of images, in order.

        Args:
            images: one image or several: paths (a folder stands for its images), (h, w, 3) or (h, w) uint8 arrays in
                RGB, (3, h, w) uint8 tensors, or PIL images.
            classes: None for the classes the model finds, ``"folder"`` for the class each file's folder is named
                after, or one class (index or name) for each image.

        Raises:
            DataError: an image cannot be read, or a class is unknown.
            MapError: the model's numbers are NaN or infinite.
        """
        return list(self.stream(images, classes))

    def stream(self, images: Any, classes: str | Sequence[int | str] | None = None) -> Iterator[ImageResult]:
        """Yield the results of images one by one, for any number of them; see ``__call__``."""
        asked: Asked | None
        if isinstance(classes, (str, type(None))):
            asked, names = self.class_source(classes), self.categories(classes)
        else:
            given = iter(given_classes(classes, self.classes))
            asked, names = (lambda batch: take(given, batch)), self.classes
        for _, results in self.run(batches_of(images, self.transform, self.batch_size), asked, names, self.min_score):
            yield from results

    def run(
        self, batches: Iterable[ImageBatch], asked: Asked | None, names: Sequence[str], min_score: float | None
    ) -> Iterator[tuple[ImageBatch, list[ImageResult]]]:
        """Yield each batch with its results; boxes of one batch are found while the next is in the network.

        Args:
            batches: batches of images.
            asked: tells the class of every image of a batch, or None where the model chooses.
            names: what classes are called; see ``categories``.
            min_score: probability that the class of an image has to exceed to get a box.
        """
        waiting: deque[tuple[ImageBatch, _Scored, list[Future[None]]]] = deque()
        with ThreadPoolExecutor(1) as pool:
            for batch in batches:
                scored = self._score(batch, None if asked is None else asked(batch), min_score)
                jobs: list[Future[None]] = []
                for first, maps in self._maps(scored):
                    jobs.append(pool.submit(self._find_boxes, scored, names, first, maps))
                    if len(jobs) > 2:
                        jobs[-3].result()
                waiting.append((batch, scored, jobs))
                if len(waiting) > 1:
                    yield _finished(*waiting.popleft())
            while waiting:
                yield _finished(*waiting.popleft())

    def class_source(self, classes: str | None) -> Asked | None:
        """Return what tells the classes of a batch of files, or None where the model chooses them.

        Raises:
            ConfigError: ``classes`` is neither ``predicted`` nor ``folder``, or the model cannot tell.
        """
        if classes == FOLDER:
            if self.topk is not None:
                raise ConfigError(f"topk={self.topk} does not go with classes='folder': an image is in one folder.")
            folders = FolderClasses(self.classes)
            return lambda batch: [folders.index(path) for path in batch.paths]
        if classes not in (None, PREDICTED):
            raise ConfigError(f"classes should be {PREDICTED!r} or {FOLDER!r}, but got {classes!r}.")
        if not (self.classifies or self.class_agnostic):
            raise ConfigError(
                "The model has a map for each class but does not classify, so it cannot say which class is in an "
                f"image. Use classes={FOLDER!r}, or give a class for each image."
            )
        return None

    def categories(self, classes: str | None = None) -> tuple[str, ...]:
        """Return the names of the classes that boxes can have: ``object`` alone where nothing tells classes apart."""
        return self.classes if self.classifies or classes == FOLDER else OBJECT

    # Not inference mode: gradient-based CAM methods record operations on what was computed here.
    @torch.no_grad()
    def _try_model(self) -> Activation:
        """Run an empty image through the network, to find misfits before any image is read."""
        inputs = torch.zeros(1, 3, *self.input_size, dtype=torch.uint8)
        return self.model.activate(self.model.data_preprocessor({"inputs": inputs})["inputs"])

    @torch.no_grad()
    def _score(self, batch: ImageBatch, asked: Sequence[int] | None, min_score: float | None) -> _Scored:
        """Run the network on a batch and choose the classes of each image."""
        results = [ImageResult(*named) for named in zip(batch.image_ids, batch.paths, batch.sizes, strict=True)]
        if not results:
            return _Scored(results)
        images = self.model.data_preprocessor({"inputs": batch.inputs})["inputs"]
        try:
            activation = self.model.activate(images)
        except torch.OutOfMemoryError as error:
            raise WsolkitError(
                f"The device has no memory for {len(images)} images at once. Lower batch_size."
            ) from error
        probabilities = None
        if activation.logits is not None:
            self._check_finite(activation.logits, results)
            probabilities = probabilities_of(activation.logits, self.multi_label)
            top = probabilities.topk(min(TOP, probabilities.shape[1]), dim=1)
            rows = zip(results, probabilities.cpu().numpy(), top.indices.tolist(), top.values.tolist(), strict=True)
            for result, row, indices, values in rows:
                result.probabilities = row
                result.top = list(zip(indices, values, strict=True))
        if asked is not None:
            classes, counts = as_column(asked, images.device)
        elif probabilities is not None:
            classes, counts = choose_classes(probabilities, self.multi_label, self.topk, min_score)
        else:
            classes, counts = as_column([0] * len(results), images.device)
        if asked is not None and probabilities is not None and min_score is not None:
            counts = (probabilities.gather(1, classes)[:, 0] > min_score).int().tolist()
        return _Scored(results, images, activation, classes, counts)

    @torch.no_grad()
    def _maps(self, scored: _Scored) -> Iterator[tuple[int, np.ndarray]]:
        """Yield score maps (B, t, H, W) of a few columns of the classes at a time, with the first column's number."""
        if not scored.results or scored.activation is None or not max(scored.counts):
            return
        step = max(1, MAPS_AT_ONCE // len(scored.results))
        for first in range(0, scored.classes.shape[1], step):
            classes = scored.classes[:, first : first + step].contiguous()
            try:
                maps = self.model.cam_method(self.model, scored.images, classes, scored.activation)
            except MapError:
                self._name_culprit(scored, classes)
                raise
            yield first, maps.float().cpu().numpy()

    def _find_boxes(self, scored: _Scored, names: Sequence[str], first: int, maps: np.ndarray) -> None:
        """Find the boxes in maps (B, t, H, W) and put them into the results."""
        height, width = maps.shape[-2:]
        features = scored.features()
        classes = scored.classes.tolist()
        for row, result in enumerate(scored.results):
            for column in range(first, min(first + maps.shape[1], scored.counts[row])):
                index = classes[row][column]
                score_map = maps[row, column - first]
                found = self.box_extractor(score_map, None if features is None else features[row])
                boxes = scale_boxes(found.boxes, (width, height), result.size).tolist()
                for box, map_score in zip(boxes, found.scores.tolist(), strict=True):
                    score = map_score if result.probabilities is None else float(result.probabilities[index])
                    result.boxes.append(FoundBox(tuple(box), index, names[index], score, map_score))
                if self.keep_maps:
                    result.maps[index] = score_map.copy()

    @staticmethod
    def _check_finite(logits: Tensor, results: Sequence[ImageResult]) -> None:
        """Name the first image whose logits are NaN or infinite."""
        finite = torch.isfinite(logits).all(1)
        if not bool(finite.all()):
            image_id = results[int((~finite).nonzero()[0])].image_id
            raise MapError(
                f"The model's logits for image {image_id} hold NaN or infinity: the model has diverged. "
                "Take an earlier checkpoint, or precision='fp32'."
            )

    def _name_culprit(self, scored: _Scored, classes: Tensor) -> None:
        """Make the maps of a batch again, image by image, and name the first one that has none."""
        for row, result in enumerate(scored.results):
            try:
                self.model.cam_method(self.model, scored.images[row : row + 1], classes[row : row + 1])
            except MapError as error:
                raise MapError(f"Image {result.image_id}: {error}") from error


def take(given: Iterator[int], batch: ImageBatch) -> list[int]:
    """Take the classes of a batch's images off the given ones.

    Raises:
        DataError: there are fewer classes than images.
    """
    found = list(islice(given, len(batch.image_ids)))
    if len(found) < len(batch.image_ids):
        raise DataError(
            f"There is no class for {batch.image_ids[len(found)]} and what follows. Give one for each image."
        )
    return found


@dataclass
class _Scored:
    """A batch between the network and the boxes."""

    results: list[ImageResult]
    images: Tensor = field(default_factory=lambda: torch.empty(0))
    activation: Activation | None = None
    classes: Tensor = field(default_factory=lambda: torch.empty(0, 0, dtype=torch.long))
    counts: list[int] = field(default_factory=list)

    def features(self) -> np.ndarray | None:
        """The last features (B, C, h, w) in float32."""
        if self.activation is None or self.activation.features is None:
            return None
        return self.activation.features.float().cpu().numpy()


def _finished(batch: ImageBatch, scored: _Scored, jobs: Sequence[Future[None]]) -> tuple[ImageBatch, list[ImageResult]]:
    """Wait for a batch's boxes."""
    for job in jobs:
        job.result()
    return batch, scored.results
