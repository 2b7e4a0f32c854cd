"""The file that every evaluation leaves behind, ``results.json``, and the folder it lies in: written and read."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit import __version__
from wsolkit.errors import ConfigError, DataError, printable
from wsolkit.evaluation.failures import FAILURES, Trial
from wsolkit.evaluation.results import Curve, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.files import write_json
from wsolkit.folders import claim_folder
from wsolkit.report.evaluation import Evaluation

__all__ = [
    "PAGE",
    "RESULTS",
    "as_dict",
    "claim_results",
    "evaluation_of",
    "read_evaluation",
    "settings_of",
    "write_evaluation",
]

RESULTS = "results.json"
PAGE = "index.html"
"""The page beside the results, see ``wsolkit.report.page``."""

MADE_BY = "wsolkit evaluate and wsolkit test write such files."
TEXTS = ("config", "checkpoint", "maps", "image_root", "extractor", "number_format", "scoring_hash")
MADE_OF = ("name", "split", "command", *TEXTS)
"""What the head of the file holds as text."""

SHOWN_ONLY = frozenset(("out", "name", "report", "overwrite", "threads", "device", "launcher", "traceback", "run"))
"""Options of a command that do not decide what the numbers are."""


def claim_results(
    folder: str | Path,
    overwrite: bool = False,
    settings: Mapping[str, Any] | None = None,
    writer: str = "wsolkit evaluate",
) -> Path:
    """Check, before anything is computed, that results may and can be written to a folder; nothing is changed.

    Args:
        folder: a new or empty one, or one of an earlier evaluation.
        overwrite: whether earlier results may be replaced.
        settings: what is asked for, see ``settings_of``; results of the very same may be replaced in any case.
        writer: the command that writes such folders, for messages.

    Raises:
        ConfigError: the folder holds something else, or earlier results that may not be replaced, or cannot be
            written to.
    """

    def earlier(path: Path) -> str | None:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not {"wsolkit", "results"} <= content.keys():
            raise ValueError(f"{path} lacks what an evaluation writes")
        made_of, made_with = content.get("checkpoint"), dict(content.get("settings") or {})
        wanted = dict(settings or {})
        if made_of != wanted.get("checkpoint"):
            return f"the results of {made_of}" if made_of else "the results of an earlier run"
        if not made_with:  # of an earlier version
            return None if made_of else "the results of an earlier run"
        names = [name for name in {**made_with, **wanted} if made_with.get(name) != wanted.get(name)]
        changes = ", ".join(f"{name} was {made_with.get(name)!r} and is {wanted.get(name)!r} now" for name in names)
        return f"results of other settings: {changes}" if names else None

    claim_folder(folder, "results", RESULTS, earlier, overwrite, writer=writer)
    return Path(folder)


def settings_of(asked: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return what was asked for as plain data: absolute paths, and nothing that only says where or how it is shown.

    >>> settings_of({"split": "val", "out": Path("x"), "run": print, "size": (2, 3)}, threshold=0.2)
    {'split': 'val', 'size': [2, 3], 'threshold': 0.2}
    """
    named = {name: value for name, value in {**asked, **more}.items() if name not in SHOWN_ONLY}

    def plain(value: Any) -> Any:
        return str(value.resolve()) if isinstance(value, Path) else repr(value)

    return json.loads(printable(json.dumps(named, default=plain, ensure_ascii=False)))


def write_evaluation(folder: str | Path, evaluation: Evaluation, page: bool = True) -> list[Path]:
    """Write ``results.json``, and the page ``index.html`` that shows it, whole or not at all; returns their paths.

    A page of earlier results is removed first, so that none lies beside numbers it does not show.

    Args:
        folder: where to.
        evaluation: what was found.
        page: whether to write the page.

    Raises:
        ConfigError: the folder cannot be written to.
        DataError: the page cannot be written.
    """
    folder = Path(folder)
    path = folder / RESULTS
    try:
        (folder / PAGE).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder / PAGE}, the page of earlier results, cannot be removed: {error.strerror or error}. Choose "
            f"another --out; {RESULTS} was not changed."
        ) from error
    try:
        write_json(path, as_dict(evaluation))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}. Choose another --out.") from error
    if not page:
        return [path]
    from wsolkit.report.page import write_report

    return [path, write_report(folder, evaluation)]


def as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain data for a JSON file."""
    command = evaluation.command or " ".join(["wsolkit", *sys.argv[1:]])
    head: dict[str, Any] = {name: getattr(evaluation, name) for name in MADE_OF} | {"command": command}
    return {
        "wsolkit": evaluation.version or __version__,
        **{name: None if value is None else printable(str(value)) for name, value in head.items()},
        "images": evaluation.images,
        "classes": list(evaluation.classes),
        "results": [result.as_dict() for result in evaluation.results],
        "baselines": {name: [each.as_dict() for each in results] for name, results in evaluation.baselines.items()},
        "trials": [trial.as_dict() for trial in evaluation.trials],
        "baseline_hits": {name: "".join("01"[hit] for hit in hits) for name, hits in evaluation.baseline_hits.items()},
        "trials_at": dict(evaluation.trials_at),
        "remarks": list(evaluation.remarks),
        "details": dict(evaluation.details),
        "settings": dict(evaluation.settings),
        "training": dict(evaluation.training),
    }


def read_evaluation(path: str | Path) -> Evaluation:
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
            inside = sorted(each.parent.name for each in path.glob(f"*/{RESULTS}"))[:5]
            others = sorted(each.name for each in path.glob("*.json"))[:5]
            hint = f"Name one of its files instead: {', '.join(others)}." if others else MADE_BY
            hint = f"There are results in {', '.join(inside)} below it. Name one of these folders." if inside else hint
            raise DataError(f"Folder {path} has no {RESULTS}. {hint}")
    try:
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"Run {file} cannot be opened: {error.strerror or error}. Check the path.") from error
    except (ValueError, RecursionError) as error:  # no UTF-8 is a ValueError too
        raise DataError(f"{file} is no JSON: {error}. Name a run's folder or its {RESULTS}. {MADE_BY}") from error
    return evaluation_of(content, file)


def evaluation_of(content: Any, path: str | Path) -> Evaluation:
    """Return the evaluation of a JSON file's content.

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
        baselines = {}
        for name, each in (content.get("baselines") or {}).items():
            place = f"baselines[{name!r}]"
            baselines[str(name)] = [result_of(result) for result in each]
        trials = []
        for number, each in enumerate(content.get("trials") or ()):
            place = f"trials[{number}]"
            trials.append(trial_of(each))
        place = "baseline_hits"
        hits = {str(name): hits_of(each, len(trials)) for name, each in (content.get("baseline_hits") or {}).items()}
        place = "the head of the file"
        at = dict(content.get("trials_at") or {})
        at |= {key: float(at[key]) for key in ("threshold", "iou") if at.get(key) is not None}
        texts = {key: text_or_none(content.get(key)) for key in MADE_OF}
        return Evaluation(
            **{key: texts[key] for key in TEXTS},
            name=texts["name"] or folder,
            split=texts["split"] or "",
            command=texts["command"] or "",
            path=path,
            images=int(content.get("images") or 0),
            results=results,
            baselines=baselines,
            version=str(content.get("wsolkit") or ""),
            classes=tuple(map(str, content.get("classes") or ())),
            trials=trials,
            baseline_hits=hits,
            trials_at=at,
            remarks=[str(remark) for remark in content.get("remarks") or ()],
            details=dict(content.get("details") or {}),
            settings=dict(content.get("settings") or {}),
            training=dict(content.get("training") or {}),
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
        each_n={int(index): int(n) for index, n in (content.get("each_n") or {}).items()},
    )


def classes_of(content: dict[str, Any] | None) -> dict[int, float]:
    """Return the numbers of classes by their index; none where nothing is said.

    >>> classes_of({"3": 50.0, "4": None})
    {3: 50.0, 4: nan}
    """
    return {int(index): number_of(value) for index, value in (content or {}).items()}


def hits_of(letters: Any, trials: int) -> tuple[bool, ...]:
    """Return which trials are hit: a letter for each, 1 for a hit and 0 for none.

    Raises:
        DataError: there are not as many letters as trials, or others.

    >>> hits_of("10", 2)
    (True, False)
    """
    if not isinstance(letters, str) or len(letters) != trials or set(letters) - {"0", "1"}:
        raise DataError(f"a baseline's hits should be {trials} letters 0 or 1, one for each trial")
    return tuple(letter == "1" for letter in letters)


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
