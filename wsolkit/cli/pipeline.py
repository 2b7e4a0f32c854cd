"""``wsolkit pipeline``: runs stages that meet in files, and goes on where it was stopped."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wsolkit.cli.config_options import add_config_options
from wsolkit.progress import duration

if TYPE_CHECKING:
    from rich.table import Table

    from wsolkit.pipeline import Outcome
    from wsolkit.pipeline.states import State

__all__ = ["add_parser", "outcomes_table", "run", "states_table"]

DESCRIPTION = """\
Run the stages of a pipeline in order, each in WORK_DIR/NAME OF THE STAGE. What is done is skipped; a stage that was
stopped or killed goes on where it was, with the same command. A stage whose arguments, configuration, input files or
earlier stages have changed since is never mixed with the new: it is named, and left alone without --overwrite.
"""

EPILOG = """\
options of the configuration:
  data_root=photos                                a plain variable of the file; whatever the file makes of it follows
  stages.maps.split=val                           an argument of the stage called maps (or stages.0, by its place)
  stages.net.options.train_cfg.max_epochs=1       what follows `options` is one name, dots and all

examples:
  wsolkit pipeline my_pipeline.py --list
  wsolkit pipeline my_pipeline.py --work-dir work_dirs/first --until boxes
  wsolkit pipeline my_pipeline.py --cfg-options data_root=photos stages.net.options.train_cfg.max_epochs=1
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "pipeline",
        help="run stages that build on each other: training, maps, pseudo boxes, ...",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", help="pipeline configuration, or the name of a shipped one")
    parser.add_argument(
        "--work-dir",
        metavar="DIR",
        help="folder for everything (default: the configuration's work_dir, or work_dirs/NAME OF THE CONFIGURATION)",
    )
    add_config_options(parser)
    parser.add_argument("--until", metavar="STAGE", help="stop after this stage (default: run all)")
    parser.add_argument(
        "--overwrite", action="store_true", help="do stale stages again, and those that build on them; theirs is lost"
    )
    parser.add_argument("--list", action="store_true", help="show the stages and how far each is; nothing runs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run or list the stages; returns the exit status."""
    from wsolkit.cli.given import check_given
    from wsolkit.config.parse import parse_options

    check_given(args.config)
    options = parse_options(args.cfg_options)

    from rich.console import Console

    from wsolkit.pipeline import load_pipeline, run_pipeline
    from wsolkit.pipeline.states import states_of

    pipeline = load_pipeline(args.config, options, args.work_dir)
    console = Console(width=None if sys.stdout.isatty() else 120)
    if args.list:
        console.print(states_table(pipeline.name, states_of(pipeline.upto(args.until))))
        return 0
    try:
        outcomes = run_pipeline(pipeline, args.until, args.overwrite, tell=say)
    except KeyboardInterrupt:
        print("What is done is kept; the same command goes on from there.", file=sys.stderr)
        raise
    console.print(outcomes_table(pipeline.name, outcomes))
    console.print(f"Results in {pipeline.work_dir}", soft_wrap=True, highlight=False, markup=False)
    return 0


def say(text: str) -> None:
    """Print a line at once, so that it stands before what the stage prints."""
    print(text, flush=True)


def states_table(name: str, states: Sequence[State]) -> Table:
    """Return the table of the stages and how far each is."""
    from rich.markup import escape

    table = titled(name)
    for heading in ("stage", "type", "state", "why"):
        table.add_column(heading, overflow="fold")
    for state in states:
        step = state.step
        table.add_row(step.name, step.cls.__name__, state.kind, escape("; ".join(state.why)))
    return table


def outcomes_table(name: str, outcomes: Sequence[Outcome]) -> Table:
    """Return the table of what became of each stage."""
    from rich.markup import escape

    table = titled(name)
    table.add_column("stage", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("numbers")
    table.add_column("folder", overflow="fold")
    for each in outcomes:
        numbers = "\n".join(number_lines(each.numbers))
        table.add_row(each.name, each.state, duration(each.seconds), escape(numbers), escape(each.folder.name))
    return table


def titled(name: str) -> Table:
    """Return an empty table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, title=f"pipeline {name}", title_justify="left")


def number_lines(numbers: Mapping[str, float | None]) -> list[str]:
    """Return a line for each number.

    >>> number_lines({"images": 120.0, "GT-known": 61.25, "share": None})
    ['images 120', 'GT-known 61.25', 'share -']
    """
    return [f"{name} {'-' if value is None else f'{value:.6g}'}" for name, value in numbers.items()]
