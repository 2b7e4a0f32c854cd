"""What a comparison is written as: a page with pictures, a table for a paper in Markdown, and the numbers in JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError, DataError, printable
from wsolkit.evaluation.failures import HIT, Trial, by_size
from wsolkit.files import write_text
from wsolkit.report.charts import charts_of, series_of
from wsolkit.report.chosen_trials import agreements, disagreements
from wsolkit.report.compared import Pair, Row
from wsolkit.report.comparison import Comparison, shared_trials
from wsolkit.report.comparison_folder import NUMBERS
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.mask_pictures import mask_cards
from wsolkit.report.page import bar_of, iou_chart, percent, write_page
from wsolkit.report.pictures import PictureSource, card_of

__all__ = ["difference_words", "markdown", "p_words", "write_comparison"]

PAGE, TABLE = "compare.html", "table.md"


def write_comparison(
    folder: str | Path,
    comparison: Comparison,
    images: str | Path | None = None,
    own_runs: bool = False,
    masks: Sequence[str | Path] = (),
    true_masks: str | Path | None = None,
    note: str = "",
) -> list[Path]:
    """Write ``compare.html``, ``compare.json`` and ``table.md`` and return their paths.

    The page carries its pictures in itself. What it shows is taken from places that the caller names, not from those
    that a run's file names, which may be a stranger's.

    Args:
        folder: where to.
        comparison: what ``compare_runs`` found.
        images: folder of the images; photos are left out without one.
        own_runs: whether the runs are the caller's own, so that their score maps, and their images where no folder is
            given, may be opened where their files say.
        masks: for each run the folder of its class masks, to show them beside each other; see ``mask_cards``.
        true_masks: folder of the true masks.
        note: what is said at the top of the page.

    Raises:
        ConfigError: there is not a folder of masks for each run.
        DataError: the folders share no mask, or a file cannot be written.
    """
    folder = Path(folder)
    content = {**page_content(comparison, images, own_runs, masks, true_masks), "note": printable(note)}
    numbers = printable(json.dumps(comparison.as_dict(), indent=2, ensure_ascii=False)) + "\n"
    try:
        write_text(folder / NUMBERS, numbers)  # first: by it a folder is known as one of ours
        write_text(folder / TABLE, printable(markdown(comparison)))
    except OSError as error:
        raise DataError(f"{folder} cannot be written to: {error.strerror or error}. Choose another folder.") from error
    page = write_page(folder / PAGE, "compare.html.j2", content)
    return [page, folder / NUMBERS, folder / TABLE]


def p_words(p: float | None) -> str:
    """Return a p value as text.

    >>> p_words(0.0123), p_words(1e-9), p_words(1.0), p_words(None)
    ('0.012', '< 0.001', '1', '-')
    """
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.9995 else "1"


def difference_words(pair: Pair) -> str:
    """Return a difference in points with its interval as text, a dash without shared trials."""
    found = pair.paired
    return "-" if found is None else f"{found.difference:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


def markdown(comparison: Comparison) -> str:
    """Return the table in Markdown: best numbers in bold, test-oracle rows in italics, then differences and notes."""
    names = [escaped(name) for name in comparison.names]
    columns = [escaped(name) for name in comparison.columns]
    rows = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    rows += [f"| {escaped(row_name(row))} | {' | '.join(cells(row))} |" for row in comparison.rows]
    rows += [
        "",
        "Percent [95 % interval]; the best in bold, where all have as many trials. Rows marked test-oracle chose the "
        "threshold on the scored split itself, for comparison only.",
        "",
    ]
    rows += [
        f"| against {names[0]} | shared trials | only {names[0]} hits | only this hits | difference in points | "
        f"p ({'sign-flip' if comparison.several else 'McNemar'}) | p (Holm) |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for pair in comparison.pairs:
        counts = pair_counts(pair)
        rows.append(
            f"| {escaped(pair.name)} | {' | '.join(counts)} | {difference_words(pair)} | "
            f"{p_words(pair.paired.p if pair.paired else None)} | {p_words(pair.p_holm)} |"
        )
    judged = comparison.judged
    rows += ["", f"Trials: {escaped(judged)}. " if judged else "", test_words(comparison), ""]
    rows += [f"- {escaped(words)}" for words in seeds_words(comparison)] + [""] * comparison.several
    if comparison.warnings:
        rows += ["Not the same in all runs:", "", *(f"- {escaped(each)}" for each in comparison.warnings), ""]
    for metric, conventions in conventions_of(comparison).items():
        rows.append(f"{escaped(metric)}: {escaped('; '.join(f'{key}: {value}' for key, value in conventions.items()))}")
        rows.append("")
    return "\n".join(rows)


TEST_WORDS = (
    "Differences are paired: rate of the run minus rate of the first on the trials both have, with a bootstrap "
    "interval over images. p: McNemar's exact test, two-sided; Holm: corrected for how many runs are compared with the "
    "first. Of few trials that tell runs apart the interval says too much, and the exact p value is to be believed."
)


SEEDS_WORDS = (
    "Runs that differ in nothing but their seed are one method: numbers are means over its seeds (lowest to highest), "
    "intervals are over images and seeds (Student's t). Differences are those of the means on the trials and the seeds "
    "both have; counts are means over a seed of each; p: the exact sign-flip test over images, two-sided (McNemar's "
    "for one seed); Holm: corrected for how many are compared with the first. Curves are means; what becomes of single "
    "trials is that of each first seed."
)


def test_words(comparison: Comparison) -> str:
    """Return how the runs were compared, in words."""
    return SEEDS_WORDS if comparison.several else TEST_WORDS


def seeds_words(comparison: Comparison) -> list[str]:
    """Return which runs stand for several seeds, in words."""
    return [
        f"{run.name}: {len(seeds)} seeds ({', '.join(each.name for each in seeds)})"
        for run, seeds in zip(comparison.runs, comparison.seeds, strict=False)
        if len(seeds) > 1
    ]


def escaped(name: str) -> str:
    r"""Return text that Markdown shows as it is, also in a table.

    >>> print(escaped("a|b_c\n<i>"))
    a\|b\_c &lt;i&gt;
    """
    flat = " ".join(name.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + letter if letter in r"\`*_[]|" else letter for letter in flat)


def row_name(row: Row) -> str:
    """Return what a row is called: the metric where the number's own name does not say it, and the oracle."""
    name = row.name if row.name.startswith(row.metric) else f"{row.metric}: {row.name}"
    return f"{name} (test-oracle)" if row.oracle else name


def cells(row: Row) -> list[str]:
    """Return the cells of a row in Markdown."""
    found = []
    for place, line in enumerate(row.lines):
        if line is None:
            found.append("-")
            continue
        mark = "**" * (place in row.best) + "*" * row.oracle
        number = f"{mark}{percent(line.score.percent)}{mark}"
        interval = f" \\[{percent(line.score.low)}, {percent(line.score.high)}\\]" if isfinite(line.score.low) else ""
        spread = "" if line.spread is None else f" ({percent(line.spread[0])}-{percent(line.spread[1])})"
        found.append(number + spread + interval)
    return found


def pair_counts(pair: Pair) -> tuple[str, str, str]:
    """Return how many trials are shared, and how many of them only the first run or only the other hits, as text."""
    found = pair.paired
    if found is None:
        return "0", "0", "0"
    first, second = (
        f"{count:.1f}" if isinstance(count, float) else str(count) for count in (found.only_first, found.only_second)
    )
    return str(found.n), first, second


def conventions_of(comparison: Comparison) -> dict[str, dict[str, str]]:
    """Return the conventions of each shown metric that all runs which have it share."""
    shared: dict[str, dict[str, str]] = {}
    shown = {row.metric for row in comparison.rows}
    for run in comparison.runs:
        for result in run.results:
            if result.metric in shown:
                mine = dict(result.conventions)
                known = shared.setdefault(result.metric, mine)
                shared[result.metric] = {key: value for key, value in known.items() if mine.get(key) == value}
    return {metric: conventions for metric, conventions in shared.items() if conventions}


def pictures_of(runs: Sequence[Evaluation], images: str | Path | None, own_runs: bool) -> PictureSource:
    """Return what opens photos and score maps; see ``write_comparison``."""
    named = [run.image_root for run in runs if run.image_root]
    if own_runs:
        root = images or next((each for each in named if Path(each).is_dir()), named[0] if named else None)
        return PictureSource(root, [run.maps for run in runs])
    source = PictureSource(images, inside=True)
    source.readers = [None] * len(runs)
    if named and images is None:
        source.missing = ["Photos are left out: give the folder of the images with --images."]
    if (named and images is None) or any(run.maps for run in runs):
        source.missing.append(
            "The places that the runs' own files name are not opened; where the runs are yours, --own-runs shows their "
            "score maps, and their images without --images."
        )
    return source


def page_content(
    comparison: Comparison,
    images: str | Path | None,
    own_runs: bool,
    masks: Sequence[str | Path] = (),
    true_masks: str | Path | None = None,
) -> dict[str, Any]:
    """Return what the page shows; see ``write_comparison``."""
    runs = comparison.runs
    shared = shared_trials(runs)
    source = pictures_of(runs, images, own_runs)
    apart = disagreements(shared)
    alike = [each for each in agreements(shared) if each not in apart]
    groups = [("Where the runs disagree most", apart), ("Some on which all agree", alike)]
    cards = [
        (title, [card_of(each, runs[0].class_name(each[0].label), source) for each in chosen])
        for title, chosen in groups
        if chosen
    ]
    pictures = [card for _, group in cards for card in group]
    if masks and len(masks) != len(runs):
        raise ConfigError(f"masks should be a folder for each of the {len(runs)} runs, but got {len(masks)}.")
    mask_rows = mask_cards(masks, true_masks, source) if masks else []
    having = [run for run in runs if run.trials]
    cuts = {run.trials_at.get("iou") for run in having}
    return {
        "title": f"{' / '.join(comparison.names)}: comparison",
        "runs": runs,
        "names": comparison.names,
        "columns": comparison.columns,
        "rows": [(row, row_name(row)) for row in comparison.rows],
        "pairs": [(pair, pair_counts(pair), difference_words(pair)) for pair in comparison.pairs],
        "p_words": p_words,
        "test_words": test_words(comparison),
        "seeds_words": seeds_words(comparison),
        "warnings": comparison.warnings,
        "conventions": conventions_of(comparison),
        "charts": charts(comparison),
        "ious": iou_chart({run.name: run.trials for run in having}, cuts.pop() if len(cuts) == 1 else None)
        if having
        else None,
        "bars": failure_groups(having),
        "patterns": sorted(Counter(pattern_of(each) for each in shared).items(), reverse=True),
        "shared": len(shared),
        "cards": cards,
        "masks": mask_rows,
        "maps": [
            (place, name)
            for place, name in enumerate(comparison.names)
            if any(card.heats[place] is not None for card in pictures)
        ],
        "notes": source.notes() if pictures or mask_rows else [],
    }


def pattern_of(trials: Sequence[Trial]) -> tuple[bool, ...]:
    """Return which runs hit a trial."""
    return tuple(trial.outcome == HIT for trial in trials)


def charts(comparison: Comparison) -> list[tuple[str, list[Any]]]:
    """Return the charts of each metric, a curve of one title with those of all runs."""
    found = []
    for metric in dict.fromkeys(row.metric for row in comparison.rows):
        having = [(run, result) for run in comparison.runs for result in run.results if result.metric == metric]
        titles = dict.fromkeys(title for _, result in having for title in result.curves)
        drawn = []
        for title in titles:
            curves = [
                (title, series_of(run.name, result.curves[title], result.lines))
                for run, result in having
                if title in result.curves
            ]
            drawn += charts_of(curves)
        if drawn:
            found.append((metric, drawn))
    return found


def failure_groups(runs: Sequence[Evaluation]) -> list[tuple[str, list[Any]]]:
    """Return how the runs' trials end, over all and by the size of the object."""
    groups = [("all objects", [bar_of(run.name, run.trials) for run in runs])] if runs else []
    sizes = [by_size(run.trials) for run in runs]
    for size in sizes[0] if sizes else ():
        bars = [bar_of(run.name, each[size]) for run, each in zip(runs, sizes, strict=True)]
        if any(bar.n for bar in bars):
            groups.append((f"object {size} of the image", bars))
    return groups
