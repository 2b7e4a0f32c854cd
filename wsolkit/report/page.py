"""The page of one evaluation: numbers with their conventions, curves, how boxes fail, and pictures of the failures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from wsolkit.errors import DataError, printable
from wsolkit.evaluation.failures import FAILURES, HIT, Trial, by_size, failure_shares, iou_histogram
from wsolkit.evaluation.results import Result
from wsolkit.files import whole_file
from wsolkit.report.charts import Chart, charts_of, histogram, series_of
from wsolkit.report.evaluation import Evaluation, numbers_of
from wsolkit.report.pictures import Card, PictureSource, best_trials, card_of, worst_trials

__all__ = ["MEANINGS", "PAGE", "Bar", "bar_of", "bars_by_size", "iou_chart", "percent", "write_page", "write_report"]

PAGE = "index.html"

MEANINGS = {
    "hit": "the box overlaps a true box enough",
    "part": "most of the box lies on the object, but it holds only part of it",
    "more": "the box holds most of the object, and much else",
    "multi-instance": "the box holds much of two or more objects",
    "miss": "the box touches no object",
    "other": "the box overlaps the object, but neither is mostly inside the other",
}


class Bar(NamedTuple):
    """How the trials of a group end: what the group is, how many trials, and the share of each outcome in percent."""

    name: str
    n: int
    shares: Mapping[str, float]


def write_report(folder: str | Path, run: Evaluation) -> Path:
    """Write ``index.html``, a page that needs no other file, and return its path.

    What cannot be shown, because the images or maps are gone or there are no trials, is left out and named on the page.

    Args:
        folder: where to.
        run: the evaluation.

    Raises:
        DataError: the page cannot be written.

    >>> import tempfile
    >>> write_report(tempfile.mkdtemp(), Evaluation("mine")).name
    'index.html'
    """
    folder = Path(folder)
    source = PictureSource(run.image_root, [run.maps])
    worst = [card_of([trial], run.class_name(trial.label), source) for trial in worst_trials(run.trials)]
    best = [card_of([trial], run.class_name(trial.label), source) for trial in best_trials(run.trials)]
    known = [trial for trial in run.trials if trial.right_class is not None]
    page = {
        "title": f"{run.name}: {run.split} split" if run.split else run.name,
        "facts": facts(run),
        "sections": [section(result, run) for result in run.results],
        "bars": [bar_of("all", run.trials), *bars_by_size(run.trials)] if run.trials else [],
        "ious": iou_chart({"trials": run.trials}, run.trials_at.get("iou")) if run.trials else None,
        "right": 100 * sum(bool(trial.right_class) for trial in known) / len(known) if known else None,
        "hits_right": sum(trial.outcome == HIT and bool(trial.right_class) for trial in known),
        "known": len(known),
        "trials": len(run.trials),
        "judged": run.trials_words,
        "worst": worst,
        "best": best,
        "outcomes": [(name, sum(shown(card) == name for card in worst)) for name in FAILURES if name != HIT],
        "has_maps": any(heat for card in [*worst, *best] for heat in card.heats),
        "notes": source.notes() if run.trials else [],
        "run_names": [run.name],
    }
    return write_page(folder / PAGE, "report.html.j2", page)


def write_page(path: Path, template: str, content: Mapping[str, Any]) -> Path:
    """Write a page, whole or not at all, and return its path.

    Args:
        path: the file.
        template: name of the template beside this module.
        content: what it shows; everything that is not ``Markup`` is escaped.

    Raises:
        DataError: the page cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else printable(str(value)),
    )
    environment.filters |= {"percent": percent, "breakable": breakable}
    environment.globals |= {"outcomes_in_order": FAILURES, "meanings": MEANINGS}
    text = environment.get_template(template).render(content)
    try:
        with whole_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}. Choose another folder.") from error
    return path


def percent(value: float | None, signed: bool = False) -> str:
    """Return a percentage as text, a dash for a missing or undefined one.

    >>> percent(12.345), percent(None), percent(0.5, signed=True)
    ('12.3', '-', '+0.5')
    """
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:+.1f}" if signed else f"{value:.1f}"


def shown(card: Card) -> str:
    """Return the outcome of a picture's first trial."""
    return card.trials[0].outcome


def facts(run: Evaluation) -> list[tuple[str, str]]:
    """Return what stands at the head of the page, as names and values."""
    found = [
        ("split", run.split),
        ("images", str(run.images or "")),
        ("maps", run.maps or ""),
        ("image folder", run.image_root or ""),
        ("checkpoint", run.checkpoint or ""),
        ("boxes of", run.extractor or ""),
        ("number format", run.number_format or ""),
        *((f"training: {name.replace('_', ' ')}", str(value)) for name, value in run.training.items()),
        ("wsolkit", run.version),
        ("command", run.command),
    ]
    return [(name, value) for name, value in found if value]


def section(result: Result, run: Evaluation) -> dict[str, Any]:
    """Return what the page says of one result."""
    charts = charts_of((title, series_of(title, curve, result.lines)) for title, curve in result.curves.items())
    numbers = numbers_of(result)
    honest = [number.honest for number in numbers if number.honest is not None]
    classes = sorted(result.each_class.items(), key=lambda item: (not math.isfinite(item[1]), item[1], item[0]))
    return {
        "metric": result.metric,
        "numbers": numbers,
        "swept": any(number.oracle for number in numbers),
        "oracle_only": bool(numbers) and not honest,
        "cuts": any(line.threshold is not None or line.selection is not None for line in honest),
        "label_free": any(number.label_free for number in numbers),
        "gaps": any(number.gap is not None for number in numbers),
        "macro": any(line.score.macro is not None for line in result.lines),
        "conventions": result.conventions,
        "baselines": baseline_rows(result, run),
        "intervals": list(dict.fromkeys(line.score.interval for line in result.lines if line.score.interval)),
        "charts": charts,
        "classes": [
            (run.class_name(index), [value, *(each.get(index, math.nan) for each in result.more_each_class.values())])
            for index, value in classes
        ],
        "by_class": [*(line.name for line in result.lines[:1]), *result.more_each_class],
    }


def baseline_rows(result: Result, run: Evaluation) -> list[tuple[str, list[str]]]:
    """Return each trivial baseline's numbers of a metric, in the order of the result's, as text."""
    names = [number.name for number in numbers_of(result)]
    rows = []
    for baseline, results in run.baselines.items():
        found = {n.name: n for each in results if each.metric == result.metric for n in numbers_of(each)}
        lines = [(found[name].honest or found[name].oracle) if name in found else None for name in names]
        if any(line is not None for line in lines):
            rows.append((baseline, [percent(None if line is None else line.score.percent) for line in lines]))
    return rows


def bar_of(name: str, trials: Sequence[Trial]) -> Bar:
    """Return how a group of trials ends.

    >>> bar_of("all", [])
    Bar(name='all', n=0, shares={})
    """
    counts = Counter(trial.outcome for trial in trials)
    shares = failure_shares(trials)
    return Bar(name, len(trials), {outcome: shares[outcome] for outcome in FAILURES if counts[outcome]})


def bars_by_size(trials: Iterable[Trial]) -> list[Bar]:
    """Return how trials end by the size of their largest object, as a share of the image; without empty sizes."""
    return [bar_of(f"object {size} of the image", each) for size, each in by_size(trials).items() if each]


def iou_chart(trials: Mapping[str, Sequence[Trial]], cut: float | None) -> Chart:
    """Return the histogram of the IoUs of each group of trials, with the IoU of a hit marked."""
    binned = {name: iou_histogram(each) for name, each in trials.items()}
    bounds = next(iter(binned.values()))[1]
    svg = histogram({name: counts for name, (counts, _) in binned.items()}, bounds, "IoU", "trials (%)", cut)
    return Chart("IoU of the boxes", svg, tuple(binned) if len(binned) > 1 else ())


def breakable(name: str) -> Markup:
    """Let a long path break behind its folders.

    >>> breakable("a<b/c.jpg")
    Markup('a&lt;b/<wbr>c.jpg')
    """
    return Markup("/<wbr>").join(printable(name).split("/"))
