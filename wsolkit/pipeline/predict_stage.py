"""Prediction as a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError
from wsolkit.formats.writers import FORMATS, check_formats
from wsolkit.inference.given_classes import is_table
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.to_folder import predict_to_folder
from wsolkit.pipeline.configurations import outside_files
from wsolkit.pipeline.model_stage import ModelStage
from wsolkit.pipeline.placeholders import has_placeholder
from wsolkit.progress import progress_bar

__all__ = ["Predict"]

FOUND = "predictions"
MARKS = frozenset("*?[")


class Predict(ModelStage):
    """Finds boxes in images as ``wsolkit predict`` does; the files lie in ``predictions/`` of the stage's folder.

    Args:
        config: name or path of the model's configuration, such as ``{train}/config.py``.
        checkpoint: file that training wrote, such as ``{train}/best.pth``; none for a model in which nothing is
            trained.
        sources: image files, folders, ``.txt`` lists and patterns; one or several.
        options: entries of the configuration to change, by dotted name.
        formats: any of coco, voc, yolo, csv, yolo-seg, masks.
        classes: ``predicted``, ``folder`` for the class that an image's folder is named after, or a table of labels.
        maps: write the score maps.
        draw: how many pictures to draw, the most doubtful first; -1 for every image.
        threshold: where maps are cut; as chosen on the val split by default.
        topk: most classes of an image.
        min_score: probability that a class has to exceed.
        batch_size: images at once.
        num_workers: processes that read images; chosen by the machine by default.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
        panels: beside each picture draw what the model's parts show of the image.
        masks: give every box a mask.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str | None = None,
        sources: str | Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        formats: Sequence[str] = ("coco",),
        classes: str = "predicted",
        maps: bool = False,
        draw: int = 0,
        threshold: float | None = None,
        topk: int | None = None,
        min_score: float | None = None,
        batch_size: int = 32,
        num_workers: int | None = None,
        device: str | None = None,
        panels: bool = False,
        masks: bool = False,
    ) -> None:
        super().__init__(config, checkpoint, options, device)
        self.sources = [sources] if isinstance(sources, str) else [str(source) for source in sources]
        if not self.sources:
            raise ConfigError("sources names no images. Give files, folders, .txt lists or patterns.")
        self.formats = check_formats([formats] if isinstance(formats, str) else formats)
        self.classes = classes
        self.maps = maps
        self.draw = draw
        self.panels = panels
        self.masks = masks
        self.found_by: dict[str, Any] = {"topk": topk, "min_score": min_score, "batch_size": batch_size}
        self.threshold = threshold
        self.num_workers = num_workers

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Predict; returns how many images there are and how many boxes they have."""
        predictor = Predictor.from_config(
            self.config, self.checkpoint, self.device, self.threshold, self.options, **self.found_by
        )
        summary = predict_to_folder(
            predictor,
            self.sources,
            folder / FOUND,
            classes=self.classes,
            formats=self.formats,
            maps=self.maps,
            draw=self.draw,
            num_workers=self.num_workers,
            shows=progress_bar,
            panels=self.panels,
            masks=self.masks,
        )
        if summary is None:
            return {}
        found = {"images": summary.images, "boxes": summary.boxes, "without box": summary.without_box}
        return {**found, **({"unreadable": summary.failed} if summary.failed else {})}

    def lacks(self, file: str, data: bool = False) -> str | None:
        """Say why there will be no such file: it lies elsewhere, or its format is not asked for.

        >>> Predict("cam", "x.pth", "photos").lacks("predictions/yolo/data.yaml")
        "'yolo' is not among its formats ('coco')"
        """
        folder, _, rest = file.partition("/")
        if folder != FOUND:
            return f"what is predicted lies in {FOUND}/"
        wanted = [name for name, kind in FORMATS.items() if rest.split("/")[0] in kind.outputs]
        if wanted and wanted[0] not in self.formats:
            return f"{wanted[0]!r} is not among its formats ({', '.join(map(repr, self.formats))})"
        return None

    def inputs(self) -> list[Path]:
        """Return the images, the checkpoint and the files the configuration names, where they are from outside."""
        plain = [source for source in self.sources if not MARKS & set(source) and not has_placeholder(source)]
        tables = [self.classes] if is_table(self.classes) and not has_placeholder(self.classes) else []
        return [*super().inputs(), *outside_files(None, [*plain, *tables])]
