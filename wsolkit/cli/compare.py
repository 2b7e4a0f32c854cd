"""``wsolkit compare``: runs side by side, with paired tests and a warning where the table would not be a fair one."""

from __future__ import annotations

import argparse
from dataclasses import replace
from math import isfinite
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from wsolkit.report import Comparison, Evaluation

__all__ = ["add_parser", "numbers_table", "pairs_table", "run"]

NAME_WIDTH = 20
"""Letters in a line of a number's name, broken between words."""

EPILOG = """\
examples:
  wsolkit compare cam_run mine_run
  wsolkit compare cam_0 cam_1 cam_2 mine_0 mine_1 mine_2         # three seeds each: two methods
  wsolkit compare cam_run has_run mine_run --names CAM HaS Mine --out comparison --images data/CUB/images
  wsolkit compare bench                                          # what wsolkit benchmark wrote into bench/
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "compare",
        help="put evaluations side by side, with paired tests against the first",
        description="Put evaluations side by side. Runs that differ in nothing but their seed are one method: mean, "
        "spread and intervals are over its seeds. Every method is tested against the first on the (image, class) pairs "
        "that both have; what differs in data or conventions is named. Of a benchmark's folder the table is printed "
        "again.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="+",
        type=Path,
        help="folder with results.json, or the JSON file of an evaluation; or, alone, the folder of a benchmark",
    )
    parser.add_argument(
        "--names",
        metavar="NAME",
        nargs="+",
        help="what the methods (--by-run: the runs) are called, in their order",
    )
    parser.add_argument(
        "--by-run", action="store_true",
        help="keep every run for itself; else those that differ in nothing but their seed are one method",
    )  # fmt: skip
    parser.add_argument("--metric", metavar="NAME", help="show this metric, or this number, alone")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write compare.html, compare.json and table.md into this folder"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a comparison of other runs in DIR")
    parser.add_argument("--images", metavar="ROOT", type=Path, help="folder of the images, for the page's pictures")
    parser.add_argument(
        "--own-runs", action="store_true",
        help="the runs are mine: show score maps, and without --images photos, from where their files say they are",
    )  # fmt: skip
    parser.add_argument(
        "--masks", metavar="DIR", nargs="+", type=Path,
        help="a folder of class masks for each run (PNG files named after the images), to show them on the page",
    )  # fmt: skip
    parser.add_argument("--true-masks", metavar="DIR", type=Path, help="folder of the true masks, beside --masks")
    parser.add_argument("--note", metavar="TEXT", default="", help="a sentence for the top of the page")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the runs, print the tables and write what was asked for; returns the exit status."""
    from rich.console import Console
    from rich.text import Text

    from wsolkit.errors import ConfigError, DataError, printable
    from wsolkit.lock import locked
    from wsolkit.report import compare_runs, prepare_comparison_folder, read_evaluation, write_comparison
    from wsolkit.report.comparison_page import seeds_words
    from wsolkit.report.job_facts import is_benchmark
    from wsolkit.report.seed_groups import Group, group_runs, merged

    if len(args.runs) == 1 and is_benchmark(args.runs[0]):
        return print_again(args)
    if args.images is not None and not args.images.is_dir():
        raise DataError(f"--images should be the folder of the images, but there is no folder {args.images}.")
    if args.masks and len(args.masks) != len(args.runs):
        raise ConfigError(
            f"--masks should have a folder for each of the {len(args.runs)} runs, but got {len(args.masks)}."
        )
    if args.true_masks is not None and not args.masks:
        raise ConfigError(
            "--true-masks are shown beside the masks of the runs. Give these with --masks, one folder for each run."
        )
    if args.masks and args.out is None:
        raise ConfigError("--masks are shown on a page. Say where it is to be written with --out DIR.")
    if args.note and args.out is None:
        raise ConfigError("--note stands at the top of the page. Say where it is to be written with --out DIR.")
    each = [read_evaluation(path) for path in args.runs]
    groups = [Group(run.name, (run,)) for run in each] if args.by_run else group_runs(each)
    if len(groups) == 1 < len(each):
        raise ConfigError(
            f"The {len(each)} runs are seeds of one method, {groups[0].name}. Add --by-run to compare them with each "
            "other."
        )
    if args.masks and len(groups) < len(each):
        raise ConfigError("--masks are those of single runs, but some runs are seeds of one method. Add --by-run.")
    if args.names is not None and len(args.names) == len(each) > len(groups):
        raise ConfigError(
            f"--names has a name for each of the {len(each)} runs, but they are {len(groups)} methods of one or more "
            "seeds. Give a name for each method, or add --by-run."
        )
    runs = named([merged(group) for group in groups], args.names)
    if args.out is not None:
        prepare_comparison_folder(args.out, each, args.overwrite)
    comparison = compare_runs(runs, args.metric, [group.runs for group in groups])
    console = Console()
    console.print(numbers_table(comparison))
    console.print(pairs_table(comparison))
    for words in seeds_words(comparison):
        console.print(Text(printable(words)), soft_wrap=True)
    if comparison.warnings:
        console.print(Text("Not the same in all runs; a fair table needs the same everywhere:", style="bold yellow"))
        for warning in comparison.warnings:
            console.print(Text(printable(f"  {warning}"), style="yellow"), soft_wrap=True)
    if args.out is not None:
        with locked(args.out, "comparison", "--out"):
            prepare_comparison_folder(args.out, each, args.overwrite)  # once more: nobody can write to it now
            for path in write_comparison(
                args.out, comparison, args.images, args.own_runs, args.masks or (), args.true_masks, args.note
            ):
                console.print(Text(printable(str(path))), soft_wrap=True)
    return 0


def print_again(args: argparse.Namespace) -> int:
    """Print the table of a benchmark's folder, of what has run so far; returns the exit status.

    Raises:
        ConfigError: another option was given.
    """
    from rich.console import Console

    from wsolkit.errors import ConfigError
    from wsolkit.report import print_benchmark
    from wsolkit.report.benchmark.files import read_again

    given = {"--names": args.names, "--metric": args.metric, "--out": args.out, "--images": args.images,
             "--masks": args.masks, "--true-masks": args.true_masks, "--note": args.note, "--by-run": args.by_run,
             "--own-runs": args.own_runs, "--overwrite": args.overwrite}  # fmt: skip
    for option, value in given.items():
        if value:
            raise ConfigError(
                f"{args.runs[0]} is a benchmark, whose table is printed as it is: {option} does not go with it. Name "
                "folders of its jobs to compare these."
            )
    print_benchmark(read_again(args.runs[0]), Console())
    return 0


def named(runs: Sequence[Evaluation], names: Sequence[str] | None) -> list[Evaluation]:
    """Return the runs under the names that were asked for; else under their own.

    Where two are the same, they are called by the folders that their results lie in, or else numbered.

    Raises:
        ConfigError: there are not as many names as runs.
    """
    from wsolkit.errors import ConfigError

    if names is not None:
        if len(names) != len(runs):
            raise ConfigError(f"--names should have a name for each of the {len(runs)} runs, but got {len(names)}.")
        return [replace(each, name=name) for each, name in zip(runs, names, strict=True)]
    found: list[Evaluation] = []
    taken: set[str] = set()
    own = [each.name for each in runs]
    folders = [folder_of(each.path) if own.count(each.name) > 1 else each.name for each in runs]
    if len(set(folders)) == len(runs):
        return [replace(each, name=folder) for each, folder in zip(runs, folders, strict=True)]
    for each in runs:
        name, number = each.name, 2
        while name in taken:
            name, number = f"{each.name} ({number})", number + 1
        taken.add(name)
        found.append(replace(each, name=name))
    return found


def folder_of(path: Path) -> str:
    """Return the name of the folder of a run's results; of the folder around it, where it is that of ``wsolkit test``.

    >>> folder_of(Path("runs/cam_0/test/results.json")), folder_of(Path("runs/gradcam_0/results.json"))
    ('cam_0', 'gradcam_0')
    """
    folder = path.resolve().parent
    return folder.parent.name if folder.name == "test" else folder.name


def numbers_table(comparison: Comparison) -> Table:
    """Return the table of numbers: a row for each, honest before test-oracle, and a column for each run."""
    from rich.table import Table
    from rich.text import Text

    from wsolkit.errors import printable
    from wsolkit.report.comparison_page import row_name
    from wsolkit.report.page import percent

    table = Table(
        caption="Percent, below it "
        + ("the lowest and highest seed in brackets and " if comparison.several else "")
        + "the 95 % interval; the best run of a row is bold; behind the runs the trivial "
        "baselines. test-oracle: the threshold was chosen on the scored split itself, for comparison only.",
        caption_justify="left",
    )
    table.add_column("", no_wrap=True)  # so that narrow terminals take the room from the other columns
    for name in comparison.columns:
        table.add_column(Text(printable(name)), justify="right")
    for place, row in enumerate(comparison.rows):
        cells = []
        for number, line in enumerate(row.lines):
            if line is None:
                cells.append(Text("-"))
                continue
            cell = Text(percent(line.score.percent), style="bold" if number in row.best else "", justify="right")
            if line.spread is not None:
                cell.append(f"\n({percent(line.spread[0])} - {percent(line.spread[1])})", style="not bold dim")
            if isfinite(line.score.low):
                cell.append(f"\n{percent(line.score.low)} - {percent(line.score.high)}", style="not bold dim")
            cells.append(cell)
        last = place + 1 == len(comparison.rows) or comparison.rows[place + 1].metric != row.metric
        name = fill(printable(row_name(row)), NAME_WIDTH, break_long_words=False, break_on_hyphens=False)
        table.add_row(Text(name, style="dim" if row.oracle else ""), *cells, end_section=last)
    return table


def pairs_table(comparison: Comparison) -> Table:
    """Return the table of every run against the first."""
    from rich.table import Table
    from rich.text import Text

    from wsolkit.errors import printable
    from wsolkit.report.comparison_page import difference_words, p_words, pair_counts

    first = printable(comparison.names[0])
    judged = comparison.judged
    table = Table(
        title=Text(f"against {first}"),
        caption=Text(
            (
                "Difference in points of the means over seeds, on the shared trials, with an interval over images and "
                "seeds; counts are means over seeds; p of the exact sign-flip test over images, two-sided. "
                if comparison.several
                else "Difference in points on the shared trials, with a paired bootstrap interval over images; p of "
                "McNemar's exact test, two-sided, which is to be believed where few trials tell runs apart. "
            )
            + "Holm: corrected for the number of runs compared with the first."
            + (printable(f" Trials: {judged}.") if judged else "")
        ),
        caption_justify="left",
    )
    table.add_column("")
    for heading in ("shared", "only first hits", "only this hits", "difference", "p", "p (Holm)"):
        table.add_column(heading, justify="right")
    for pair in comparison.pairs:
        p = pair.paired.p if pair.paired else None
        counts = pair_counts(pair)
        table.add_row(
            Text(printable(pair.name)), *counts, Text(difference_words(pair)), p_words(p), p_words(pair.p_holm)
        )
    return table
