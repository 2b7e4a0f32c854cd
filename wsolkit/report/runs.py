"""Reads what an evaluation wrote: the numbers with their conventions, and what became of every trial."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wsolkit.errors import DataError
from wsolkit.evaluation.failures import FAILURES, Trial
from wsolkit.evaluation.results import ORACLE, Curve, Line, Result
from wsolkit.evaluation.scores import Score

__all__ = ["RESULTS", "Number", "Run", "numbers_of", "read_run", "run_of"]

RESULTS = "results.json"
MADE_BY = "wsolkit evaluate and wsolkit test write such files."


@dataclass(frozen=True)
class Run:
    """One evaluation.

    Attributes:
        name: what tables call it.
        path: where it was read from.
        split: the split that was scored.
        images: how many images.
        results: its numbers.
        version: the version of wsolkit that made it.
        command: the command line that made it.
        maps: where its score maps are, if known.
        image_root: where the images are, if known.
        classes: names of the classes, by index.
        trials: what became of every (image, class) pair.
        trials_at: the metric, threshold, selection and IoU of the trials.
    """

    name: str
    path: Path
    split: str
    images: int
    results: tuple[Result, ...]
    version: str = ""
    command: str = ""
    maps: str | None = None
    image_root: str | None = None
    classes: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()
    trials_at: Mapping[str, Any] = field(default_factory=dict)

    def class_name(self, label: int) -> str:
        """Return a class's name; its number where there is none."""
        if label < 0:
            return "no class"
        return self.classes[label] if label < len(self.classes) else f"class {label}"

    @property
    def trials_words(self) -> str:
        """What the trials were judged by, in words."""
        known = self.trials_at
        words = [str(known["metric"])] if known.get("metric") else []
        if known.get("threshold") is not None:
            words.append(f"threshold {known['threshold']:.3f} ({known.get('selection') or 'not said how chosen'})")
        if known.get("iou") is not None:
            words.append(f"a hit is IoU >= {known['iou']:g}")
        return ", ".join(words)


class Number(NamedTuple):
    """A number of a result: at the honest threshold and at the oracle's; without thresholds it is only honest."""

    name: str
    honest: Line | None
    oracle: Line | None

    @property
    def gap(self) -> float | None:
        """How many points choosing the threshold on the scored split itself would have added."""
        if self.honest is None or self.oracle is None:
            return None
        return self.oracle.score.percent - self.honest.score.percent


def numbers_of(result: Result) -> list[Number]:
    """Return the numbers of a result in its order, each with the oracle's beside the honest one.

    >>> score = Score(50.0, 4, 15.0, 85.0)
    >>> lines = (Line("A", score, 0.2, "fixed"), Line("A", score, 0.3, ORACLE), Line("B", score))
    >>> [(each.name, each.oracle is None, each.gap) for each in numbers_of(Result("m", lines))]
    [('A', False, 0.0), ('B', True, None)]
    """
    numbers: dict[str, list[Line | None]] = {}
    for line in result.lines:
        places = numbers.setdefault(line.name, [None, None])
        kind = int(line.selection == ORACLE)
        if places[kind] is None:
            places[kind] = line
    return [Number(name, honest, oracle) for name, (honest, oracle) in numbers.items()]


def read_run(path: str | Path) -> Run:
    """Read an evaluation.

    Args:
        path: a folder with ``results.json``, or the JSON file itself.

    Raises:
        DataError: it is missing, no JSON, or not the JSON of an evaluation.
    """
    path = Path(path)
    file = path
    if path.is_dir():
        file = path / RESULTS
        if not file.is_file():
            others = sorted(each.name for each in path.glob("*.json"))[:5]
            hint = f"Name one of its files instead: {', '.join(others)}." if others else MADE_BY
            raise DataError(f"Folder {path} has no {RESULTS}. {hint}")
    try:
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"Run {file} cannot be opened: {error.strerror or error}. Check the path.") from error
    except (ValueError, RecursionError) as error:  # no UTF-8 is a ValueError too
        raise DataError(f"{file} is no JSON: {error}. Name a run's folder or its {RESULTS}. {MADE_BY}") from error
    return run_of(content, file)


def run_of(content: Any, path: str | Path) -> Run:
    """Return the run of a JSON file's content.

    Args:
        content: what the file holds.
        path: its name, for errors and for a run without a name.

    Raises:
        DataError: it is not the content of an evaluation; the message says what is wrong with it.
    """
    path = Path(path)
    if not isinstance(content, Mapping) or not isinstance(content.get("results"), list):
        raise DataError(f'{path} is JSON, but no evaluation: it has no list "results". {MADE_BY}')
    folder = path.resolve().parent.name if path.suffix == ".json" else path.resolve().name
    place = ""
    try:
        results = []
        for number, each in enumerate(content["results"]):
            place = f"results[{number}]"
            results.append(result_of(each))
        trials = []
        for number, each in enumerate(content.get("trials") or ()):
            place = f"trials[{number}]"
            trials.append(trial_of(each))
        place = "the head of the file"
        at = dict(content.get("trials_at") or {})
        at |= {key: float(at[key]) for key in ("threshold", "iou") if at.get(key) is not None}
        return Run(
            name=str(content.get("name") or folder),
            path=path,
            split=str(content.get("split") or ""),
            images=int(content.get("images") or 0),
            results=tuple(results),
            version=str(content.get("wsolkit") or ""),
            command=str(content.get("command") or ""),
            maps=text_or_none(content.get("maps")),
            image_root=text_or_none(content.get("image_root")),
            classes=tuple(map(str, content.get("classes") or ())),
            trials=tuple(trials),
            trials_at=at,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, DataError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise DataError(f"{path} is not a whole evaluation: {place}: {what}. Make it again. {MADE_BY}") from error


def text_or_none(value: Any) -> str | None:
    """Return text, or None for nothing.

    >>> text_or_none(""), text_or_none("maps")
    (None, 'maps')
    """
    return str(value) if value else None


def number_of(value: Any) -> float:
    """Return a number of a JSON file; None, which stands for an undefined one, is NaN."""
    return math.nan if value is None else float(value)


def result_of(content: Mapping[str, Any]) -> Result:
    """Return the result whose ``as_dict`` this is.

    Raises:
        KeyError: an entry is missing.
        TypeError, ValueError, AttributeError: one is of another kind.
    """
    lines = []
    for line in content["lines"]:
        score = Score(
            percent=number_of(line["percent"]),
            n=int(line["n"]),
            low=number_of(line["low"]),
            high=number_of(line["high"]),
            macro=None if line.get("macro") is None else float(line["macro"]),
            interval=str(line.get("interval", "")),
        )
        threshold = None if line.get("threshold") is None else float(line["threshold"])
        lines.append(Line(str(line["name"]), score, threshold, text_or_none(line.get("selection"))))
    curves = {}
    for title, curve in (content.get("curves") or {}).items():
        x, y = (np.array([number_of(value) for value in curve[axis]]) for axis in ("x", "y"))
        if len(x) != len(y):
            raise ValueError(f"curve {title!r} has {len(x)} x and {len(y)} y")
        curves[title] = Curve(x, y, str(curve["x_label"]), str(curve["y_label"]))
    return Result(
        metric=str(content["metric"]),
        lines=tuple(lines),
        conventions={str(name): str(value) for name, value in (content.get("conventions") or {}).items()},
        curves=curves,
        each_class=classes_of(content.get("each_class")),
        more_each_class={str(name): classes_of(each) for name, each in (content.get("more_each_class") or {}).items()},
    )


def classes_of(content: dict[str, Any] | None) -> dict[int, float]:
    """Return the numbers of classes by their index; none where nothing is said.

    >>> classes_of({"3": 50.0, "4": None})
    {3: 50.0, 4: nan}
    """
    return {int(index): number_of(value) for index, value in (content or {}).items()}


def trial_of(content: dict[str, Any]) -> Trial:
    """Return a trial whose boxes are boxes.

    Raises:
        DataError: it is none.
    """
    trial = Trial.from_dict(content)
    boxes = (trial.box, *trial.truth)
    if not trial.truth or any(len(box) != 4 or not all(map(math.isfinite, box)) for box in boxes):
        raise DataError(f"the boxes of {trial.image_id!r} should be four numbers each, with at least one true box")
    if not isinstance(trial.image_id, str) or type(trial.label) is not int:
        raise DataError(f"image_id should be text and label a whole number: {trial.image_id!r}, {trial.label!r}")
    if not isinstance(trial.iou, int | float) or not 0 <= trial.iou <= 1 + 1e-6:
        raise DataError(f"the IoU of {trial.image_id!r} should be in [0, 1], but is {trial.iou!r}")
    if trial.outcome not in FAILURES:
        raise DataError(f"the outcome of {trial.image_id!r} should be one of {FAILURES}, but is {trial.outcome!r}")
    return trial
