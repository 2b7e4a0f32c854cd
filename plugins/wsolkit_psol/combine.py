"""Classifier and regressor put together, as a stage: localization numbers, predictions and a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from wsolkit import (
    ConfigError,
    DataError,
    Stage,
    choose_device,
    load_config,
    load_model,
    load_network,
    training_of,
    whole_file,
    write_json,
    write_text,
)
from wsolkit.evaluation import Result, TopKAccuracy
from wsolkit.formats import coco_box
from wsolkit.pipeline import (
    build_split,
    check_split,
    checked_options,
    declared_configuration,
    has_placeholder,
    outside_files,
)
from wsolkit.report import Evaluation, write_evaluation
from wsolkit_psol.box_file import read_boxes
from wsolkit_psol.box_localization import BoxLocalization
from wsolkit_psol.box_quality import TrueBoxes, rate_baselines, rate_boxes, true_boxes
from wsolkit_psol.class_scores import TenCrop, class_scores
from wsolkit_psol.regressed_boxes import regressed_boxes
from wsolkit_psol.regressor import BoxRegressor
from wsolkit_psol.result_table import result_table

__all__ = ["CombineBoxes"]

SHOWN_CLASSES = 5
"""How many classes of an image the predictions hold."""


class CombineBoxes(Stage):
    """Gives every image of a split its classes and one box, and scores both together (PSOL).

    The classifier names the class, the regressor draws the box; the box is the same for every class. The folder holds
    ``predictions.json`` (COCO's results, the five best classes of each image), ``results.json`` with the page
    ``index.html``, and ``table.md``: GT-known, top-1 and top-5 localization at IoU > .5, BoxAcc at .3, .5 and .7, top-1
    and top-5 classification, over images and over classes; beside them the baselines and, where ``pseudo_boxes`` names
    them, pseudo boxes of the same split.

    Args:
        classifier: name or path of the classifier's configuration, such as ``{classifier}/config.py``.
        classifier_checkpoint: its checkpoint.
        regressor: name or path of the regressor's configuration.
        regressor_checkpoint: its checkpoint.
        split: ``test`` or ``val``.
        ten_crop: average the class probabilities of ten crops: ``dict(resize=256, crop=224)``; one view of the whole
            image by default.
        pseudo_boxes: ``boxes.json`` of pseudo boxes of the same split, to be scored beside the regressor's.
        classifier_options: entries of the classifier's configuration to change, by dotted name.
        regressor_options: entries of the regressor's configuration to change, by dotted name.
        batch_size: images at once.
        num_workers: processes that read images.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.

    Raises:
        ConfigError: a choice is unknown, or a number is out of range.
    """

    def __init__(
        self,
        classifier: str,
        classifier_checkpoint: str,
        regressor: str,
        regressor_checkpoint: str,
        split: Literal["val", "test"] = "test",
        ten_crop: Mapping[str, Any] | None = None,
        pseudo_boxes: str | None = None,
        classifier_options: Mapping[str, Any] | None = None,
        regressor_options: Mapping[str, Any] | None = None,
        batch_size: Annotated[int, "at least 1"] = 32,
        num_workers: Annotated[int, "at least 0"] = 0,
        device: str | None = None,
    ) -> None:
        if device is not None:
            choose_device(device)
        self.configs = {"classifier": str(classifier), "regressor": str(regressor)}
        self.checkpoints = {"classifier": str(classifier_checkpoint), "regressor": str(regressor_checkpoint)}
        self.options = {
            "classifier": checked_options(classifier_options),
            "regressor": checked_options(regressor_options),
        }
        self.split = split
        self.crops = None if ten_crop is None else TenCrop(**ten_crop)
        self.pseudo_boxes = pseudo_boxes
        self.loading = {"batch_size": batch_size, "num_workers": num_workers}
        self.device = device

    def inputs(self) -> list[Path]:
        """Return checkpoints, box file and the files the configurations name, where no earlier stage writes them."""
        found = outside_files(None, [self.pseudo_boxes] if self.pseudo_boxes else [])
        for part, config in self.configs.items():
            found += outside_files(declared_configuration(config, self.options[part]), [self.checkpoints[part]])
        return found

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configurations, where no earlier stage writes them.

        Raises:
            ConfigError: one has no such split.
        """
        found = {}
        for part, name in self.configs.items():
            if not has_placeholder(name):
                config = load_config(name, self.options[part])
                check_split(config, self.split)
                found[part] = config.to_dict()
        return found

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Find classes and boxes, score them and write everything down; returns the numbers in percent.

        Raises:
            ConfigError: a configuration is of another kind of model.
            CheckpointError: a checkpoint cannot be read or is of another model.
            DataError: classifier and regressor see different images, or no image has a true box.
        """
        pseudo = None if self.pseudo_boxes is None else read_boxes(self.pseudo_boxes)
        config = load_config(self.configs["regressor"], self.options["regressor"])
        dataset = build_split(config, self.split, load_targets=True)
        if dataset.multi_label:
            raise ConfigError("PSOL has one class and one box for each image, but the data may show several classes.")
        names = [dataset.record(index)["image_id"] for index in range(len(dataset))]
        scores = kept(folder / "class_scores.npz", resume, self.scores_of_classes)
        boxes = kept(folder / "boxes.npz", resume, lambda: self.boxes_of(config))
        check_names(names, scores, "classifier")
        truth = list(true_boxes(dataset))
        results = self.scored(truth, scores, boxes)
        if pseudo is not None:
            found, info = pseudo
            rule = str(info.get("threshold chosen", "unknown"))
            results.append(rate_boxes(found, truth, "the pseudo box of the image", rule, "BoxAcc, pseudo boxes"))
        baselines = self.baselines(config, truth)
        write_json(folder / "predictions.json", predictions(names, scores, boxes))
        others = [replace(each, metric=f"{each.metric}, {name}") for name, (each,) in baselines.items()]
        write_text(folder / "table.md", result_table([*results, *others]))
        evaluation = Evaluation(folder.name, self.split, len(names), results, baselines)
        evaluation.classes, evaluation.command = tuple(dataset.classes), f"stage {folder.name!r} of a pipeline"
        evaluation.details = {"configs": self.configs, "checkpoints": self.checkpoints}
        evaluation.training = training_of(self.checkpoints["regressor"])
        write_evaluation(folder, evaluation)
        return summary([*results, *others])

    def scores_of_classes(self) -> dict[str, np.ndarray]:
        """Return the classifier's probabilities (K,) by image."""
        loaded = load_model(
            self.configs["classifier"], self.checkpoints["classifier"], self.options["classifier"], self.device
        )
        return class_scores(loaded.config, loaded.model, self.split, self.crops, **self.loading)

    def boxes_of(self, config: Any) -> dict[str, np.ndarray]:
        """Return the regressor's box (4,) by image."""
        model = load_network(config, self.checkpoints["regressor"], BoxRegressor, self.device)
        return regressed_boxes(config, model, self.split, **self.loading)

    def scored(
        self, truth: Sequence[TrueBoxes], scores: Mapping[str, np.ndarray], boxes: Mapping[str, np.ndarray]
    ) -> list[Result]:
        """Return localization, BoxAcc and classification of classifier and regressor."""
        both, accuracy = BoxLocalization(), TopKAccuracy()
        for each in truth:
            accuracy.update(each.image_id, scores[each.image_id], each.label)
            if len(each.boxes):
                both.update(each.image_id, boxes[each.image_id], each.boxes, scores[each.image_id], each.label)
        views = "one view of the whole image"
        if self.crops is not None:
            views = f"ten crops of {self.crops.crop} from {self.crops.resize}, averaged after softmax"
        found = accuracy.compute()
        named = replace(found, conventions={**found.conventions, "class source": views})
        return [both.compute(), rate_boxes(boxes, truth, "the regressor's one box"), named]

    def baselines(self, config: Any, truth: Sequence[TrueBoxes]) -> dict[str, list[Result]]:
        """Return BoxAcc of the baselines, at thresholds chosen on the val split."""
        other = self.split != "val" and config.get("val_dataloader") is not None
        val = list(true_boxes(build_split(config, "val", load_targets=True))) if other else None
        return rate_baselines(truth, truth if val is None else val)


def kept(path: Path, resume: bool, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return what an earlier run left in a file, or make it and leave it there; numbers are float32 either way."""
    if not (resume and path.exists()):
        found = make()
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file, names=np.array(list(found)), values=np.stack(list(found.values())).astype(np.float32)
            )
    with np.load(path, allow_pickle=False) as arrays:
        return dict(zip(arrays["names"].tolist(), arrays["values"], strict=True))


def check_names(names: Sequence[str], scores: Mapping[str, np.ndarray], what: str) -> None:
    """Look whether there are scores of exactly these images.

    Raises:
        DataError: there are not.
    """
    lacking = [name for name in names if name not in scores]
    if lacking or len(scores) != len(names):
        first = repr(lacking[0]) if lacking else repr(next(name for name in scores if name not in set(names)))
        raise DataError(
            f"The {what} sees {len(scores)} images and the regressor {len(names)}, and they differ (first: {first}). "
            "Give both configurations the same data."
        )


def predictions(
    names: Sequence[str], scores: Mapping[str, np.ndarray], boxes: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return COCO's results: the best classes of each image, every one with the image's one box.

    ``image_id`` is the image's number in the split from 1, ``file_name`` its name; category k + 1 is class k.
    """
    found = []
    for number, name in enumerate(names, start=1):
        for label in np.argsort(-scores[name], kind="stable")[:SHOWN_CLASSES].tolist():
            score = float(scores[name][label])
            found.append(coco_box(number, label, boxes[name], digits=2, file_name=name, score=score))
    return found


def summary(results: Sequence[Result]) -> dict[str, float]:
    """Return the numbers to show, in percent."""
    localization, boxes, classes = results[:3]
    numbers = {line.name: line for each in (localization, boxes, classes) for line in each.lines}
    numbers |= {f"BoxAcc@50{each.metric.removeprefix('BoxAcc')}": each.lines[1] for each in results[3:]}
    return {name: line.score.percent for name, line in numbers.items()}
