"""From images to boxes in their own pixels: the Python side of ``wsolkit predict``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from wsolkit.config.load_model import load_model
from wsolkit.datasets.decode import read_shrunk
from wsolkit.datasets.loading import ImageBatch
from wsolkit.datasets.reading import reduced
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.found_boxes import TOP, FoundBox, ImageResult
from wsolkit.formats.found_masks import FoundMask
from wsolkit.inference.geometry import build_pipeline
from wsolkit.inference.given_classes import FOLDER, PREDICTED, Classes, given_by, is_table
from wsolkit.inference.photos import refine_boxes
from wsolkit.inference.pixels import batches_of
from wsolkit.inference.scale_boxes import scale_boxes
from wsolkit.interfaces import Activation
from wsolkit.model.classes import (
    Chosen,
    choose_classes,
    class_names,
    given_choice,
    given_classes,
    one_class_each,
    probabilities_of,
)
from wsolkit.model.device import choose_device
from wsolkit.model.label_kind import warn_of_maps
from wsolkit.model.localizer import Localizer
from wsolkit.model.scored_batch import ScoredBatch, activate_images, score_batch
from wsolkit.model.threshold import choose_threshold
from wsolkit.threads import in_order

__all__ = ["Predictor"]

AHEAD = 3
"""Parts of batches that wait for their boxes while the network goes on."""

OBJECT = ("object",)

Asked = Callable[[ImageBatch], list[list[int]]]
"""Tells the classes of every image of a batch."""


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
        masks: give every box a mask, by the model's refiner.
        origin: what the model is, for the files.
        background: folders, or labels of a table, of images that show none of the classes: they get no box.

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
        masks: bool = False,
        background: Sequence[str] = (),
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
        warn_of_maps(model.cam_method, multi_label)
        self.multi_label = multi_label
        self.topk = topk
        self.min_score = min_score
        self.batch_size = batch_size
        self.keep_maps = keep_maps
        self.masks = masks
        self.origin = dict(origin or {})
        self.background = tuple(background)
        activation = self._try_model()
        self.classifies = activation.logits is not None
        self.class_agnostic = activation.class_agnostic
        self.classes = class_names(classes, None if activation.logits is None else activation.logits.shape[1])

    @classmethod
    def from_config(
        cls,
        config: Any,
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        threshold: float | None = None,
        cfg_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Predictor:
        """Build a predictor from a configuration (a name, a path or a loaded one) and a checkpoint.

        Args:
            config: the configuration the checkpoint was trained with; or a checkpoint alone, which holds its own as
                data, so that no code is run; or a configuration alone in which nothing is trained.
            checkpoint: file that training wrote.
            device: where to compute; the first GPU if there is one.
            threshold: where the box extractor cuts; by default the one chosen on the validation split.
            cfg_options: entries of the configuration to change, by dotted name.
            options: more arguments of ``Predictor``.

        Raises:
            ConfigError: the configuration is unknown, or alone though its model has trained parameters, or its test
                pipeline does more than a resize.
            CheckpointError: the checkpoint cannot be read or is of another model.
        """
        loaded = load_model(config, checkpoint, cfg_options, device)
        return cls(
            loaded.model,
            loaded.pipeline,
            loaded.classes,
            **{
                "multi_label": loaded.multi_label,
                "origin": loaded.origin,
                "background": loaded.background,
                **options,
            },
            threshold=threshold,
            device=device,
        )

    def __call__(self, images: Any, classes: str | Sequence[int | str] | None = None) -> list[ImageResult]:
        """Return the results of images, in order.

        Args:
            images: one image or several: paths (a folder stands for its images), (h, w, 3) or (h, w) uint8 arrays in
                RGB, (3, h, w) uint8 tensors, or PIL images.
            classes: None for the classes the model finds, ``"folder"`` for the class each file's folder is named
                after, the path of a table of labels (``labels.csv``), or one class (index or name) for each image.

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
            asked, names = (lambda batch: [[index] for index in take(given, batch)]), self.classes
        batches = batches_of(images, self.transform, self.input_size, self.batch_size, self.photo_side)
        for _, results in self.run(batches, asked, names, self.min_score):
            yield from results
        self.model.head.end_pass()

    def run(
        self, batches: Iterable[ImageBatch], asked: Asked | None, names: Sequence[str], min_score: float | None
    ) -> Iterator[tuple[ImageBatch, list[ImageResult]]]:
        """Yield each batch with its results; boxes of one batch are found while the next is in the network.

        Args:
            batches: batches of images.
            asked: tells the classes of every image of a batch, or None where the model chooses.
            names: what classes are called; see ``categories``.
            min_score: probability that the class of an image has to exceed to get a box.
        """

        def parts() -> Iterator[Part]:
            for batch in batches:
                results = [ImageResult(*named) for named in zip(batch.image_ids, batch.paths, batch.sizes, strict=True)]
                if results:
                    scored = self._score(batch, None if asked is None else asked(batch), min_score, results)
                    for first, maps in scored.maps():
                        yield Part(batch, results, scored, first, maps.float().cpu().numpy())
                yield Part(batch, results)

        for part in in_order(lambda part: self._find_boxes(part, names), parts(), threads=1, ahead=AHEAD):
            if part.scored is None:
                yield part.batch, part.results

    @property
    def photo_side(self) -> int | None:
        """The longest side at which batches have to hold the photographs, or None where they need not."""
        return self.model.refiner.side if self.masks else None

    def class_source(self, classes: Classes) -> Asked | None:
        """Return what tells the classes of a batch of files, or None where the model chooses them.

        Args:
            classes: ``predicted``, ``folder``, a table, or the classes of each image by its name.

        Raises:
            ConfigError: ``classes`` is neither ``predicted``, ``folder`` nor a table, or the model cannot tell.
            DataError: the table cannot be read, or has a class that the model does not know.
        """
        given = given_by(classes, self.classes, self.background)
        if given is not None:
            if self.topk is not None:
                why = "an image is in one folder" if classes == FOLDER else "the table names the classes of an image"
                raise ConfigError(f"topk={self.topk} does not go with classes={classes!r}: {why}.")
            tell = given.of
            return lambda batch: [tell(*each) for each in zip(batch.paths, batch.image_ids, strict=True)]
        if classes not in (None, PREDICTED):
            raise ConfigError(
                f"classes should be {PREDICTED!r}, {FOLDER!r} or the path of a table such as 'labels.csv', but got "
                f"{classes!r}."
            )
        if not (self.classifies or self.class_agnostic):
            raise ConfigError(
                "The model has a map for each class but does not classify, so it cannot say which class is in an "
                f"image. Use classes={FOLDER!r}, or give a class for each image."
            )
        return None

    def categories(self, classes: Classes = None) -> tuple[str, ...]:
        """Return the names of the classes that boxes can have: ``object`` alone where nothing tells classes apart."""
        told = classes == FOLDER or is_table(classes) or isinstance(classes, Mapping)
        return self.classes if self.classifies or told else OBJECT

    def _try_model(self) -> Activation:
        """Run an empty image through the network, to find misfits before any image is read."""
        inputs = torch.zeros(1, 3, *self.input_size, dtype=torch.uint8)
        found = activate_images(self.model, inputs, ["of zeros"])[1]
        self.model.head.end_pass()  # nothing is known of images yet
        return found

    def _score(
        self, batch: ImageBatch, asked: list[list[int]] | None, min_score: float | None, results: Sequence[ImageResult]
    ) -> ScoredBatch:
        """Run the network on a batch, choose the classes of each image, and put the probabilities into the results."""

        def choose(activation: Activation) -> Chosen:
            probabilities = None
            if activation.logits is not None:
                probabilities = probabilities_of(activation.logits, self.multi_label)
                add_probabilities(results, probabilities)
            if asked is not None:
                return given_choice(asked, self.device, probabilities, min_score)
            if probabilities is None:
                return one_class_each([0] * len(results), self.device)
            return choose_classes(probabilities, self.multi_label, self.topk, min_score)

        return score_batch(self.model, batch.inputs, batch.image_ids, choose)

    def _find_boxes(self, part: Part, names: Sequence[str]) -> Part:
        """Find the boxes in the maps of a part and put them into the results."""
        scored = part.scored
        if scored is None:
            return part
        height, width = part.maps.shape[-2:]
        features = scored.features()
        classes = scored.classes.tolist()
        for row, result in enumerate(part.results):
            for column in range(part.first, min(part.first + part.maps.shape[1], scored.counts[row])):
                index = classes[row][column]
                score_map = part.maps[row, column - part.first]
                found, notes = self.box_extractor.with_notes(score_map, None if features is None else features[row])
                if notes:
                    result.notes[index] = notes
                boxes = scale_boxes(found.boxes, (width, height), result.size)
                masks: Sequence[FoundMask | None] = [None] * len(boxes)
                if self.masks and len(boxes):
                    photo = self._photo(part.batch, row)
                    boxes, masks = refine_boxes(
                        self.model.refiner, photo, result.size, score_map, found, self.box_extractor.threshold
                    )
                for box, map_score, mask in zip(boxes.tolist(), found.scores.tolist(), masks, strict=True):
                    score = map_score if result.probabilities is None else float(result.probabilities[index])
                    result.boxes.append(FoundBox(tuple(box), index, names[index], score, map_score, mask=mask))
                if self.keep_maps:
                    result.maps[index] = score_map.copy()
        return part

    def _photo(self, batch: ImageBatch, row: int) -> np.ndarray:
        """Return the photograph of a batch's image for the refiner, read again where the batch does not hold it."""
        if batch.photos:
            return batch.photos[row]
        pixels, _ = read_shrunk(batch.paths[row], (self.model.refiner.side,) * 2)
        return reduced(pixels, self.model.refiner.side)


class Part(NamedTuple):
    """Maps (B, t, H, W) of some columns of a batch's classes on their way to the boxes; the last part has none."""

    batch: ImageBatch
    results: list[ImageResult]
    scored: ScoredBatch | None = None
    first: int = 0
    maps: np.ndarray = np.empty((0, 0, 0, 0), np.float32)


def add_probabilities(results: Sequence[ImageResult], probabilities: Tensor) -> None:
    """Put the probabilities (B, K) and the likeliest classes into the results."""
    top = probabilities.topk(min(TOP, probabilities.shape[1]), dim=1)
    rows = zip(results, probabilities.cpu().numpy(), top.indices.tolist(), top.values.tolist(), strict=True)
    for result, row, indices, values in rows:
        result.probabilities = row
        result.top = list(zip(indices, values, strict=True))


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
