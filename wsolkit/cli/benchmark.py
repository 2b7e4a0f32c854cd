"""``wsolkit benchmark``: methods x backbones x data sets x seeds, run by one command that goes on where it stopped."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsolkit.cli.config_options import add_config_options
from wsolkit.cli.training_device import take_device

if TYPE_CHECKING:
    from rich.table import Table

    from wsolkit.benchmark.jobs import Job
__all__ = ["add_parser", "run"]

FAILED = 1
"""The exit status where a job failed and the others are done."""

DESCRIPTION = """\
Train and test every method of a file on every backbone, data set and seed, and write one table. What is done is
skipped; what was stopped or killed goes on where it was, with the same command. A training that several CAM methods or
box extractors have in common runs once. A job that fails is kept with its words and does not stop the others. A job
whose settings have changed is a new one; the earlier result stays.
"""

EPILOG = """\
a file, such as table.py:
  methods = {
      "CAM": dict(config="cam_synthetic"),
      "Grad-CAM": dict(config="cam_synthetic", cam_method="GradCAM"),       # trains nothing: CAM's network again
      "C2AM": dict(config="c2am_{data}", options={"optim_wrapper.optimizer.lr": 0.01}, only=["birds50"]),
      "PSOL": dict(pipeline="psol_maps", result="combined"),               # its stages, with their own budgets
  }
  backbones = {"resnet50": dict(options={"model.backbone.name": "resnet50"})}     # optional; {backbone} in names
  data = {"birds50": dict(root="data/birds50"), "voc": dict(root="data/voc")}     # optional; {data} in names
  seeds = [0, 1, 2]
  budget = dict(epochs=6)                     # of every method; one that has its own `budget` is marked in the table
  checkpoint = "last"                         # or "best", by each configuration's validation
  baseline = "CAM"                            # what the others are compared with
  processes = 4           # optional: of each training, which torchrun starts; each takes a share of every batch

with --search:
  search = dict(trials=30, metric="MaxBoxAccV2", seed=0)       # the defaults; every method has as many trials
  search = dict(sampler="optuna")       # draws each trial after the first 10 from those before; wsolkit[search]
  "ADL": dict(config=..., search={"optim_wrapper.optimizer.lr": "log 1e-5 1"})        # else what its card says

several processes share the folder by locks, on one machine or on shared storage:
  wsolkit benchmark table.py --out results --jobs 4                           # four processes here
  sbatch --array=1-8 --wrap 'wsolkit benchmark table.py --out results'        # whoever is free takes the next job
  wsolkit benchmark table.py --out results --job 3/8                          # a fixed share, where locks do not work

OUT holds jobs/NAME/ (job.json, results.json), trainings/NAME/ (an ordinary work folder each), features/ and the table.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "benchmark",
        help="train and test methods x backbones x data sets x seeds, and write one table",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="benchmark file, or the name of a shipped one")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="folder for everything (default: benchmarks/NAME OF THE FILE)"
    )
    parser.add_argument(
        "--only",
        metavar="METHOD",
        nargs="+",
        action="extend",
        default=[],
        help="run these methods alone; the table is of all, with what was done",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show the jobs, how far each is and what they share; nothing runs"
    )
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="processes to start here (default: 1)")
    parser.add_argument("--job", metavar="I/N", help="only the I-th of N shares of the jobs, such as 3/8")
    parser.add_argument(
        "--search",
        action="store_true",
        help="first search each method's hyper-parameters, with as many trials each, chosen on val; FILE says how",
    )
    add_config_options(parser, "seeds=[0] budget.epochs=1, which are variables of FILE")
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: a GPU if there is one)")
    parser.add_argument("--since", type=float, help=argparse.SUPPRESS)  # when the run began that started this process
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the jobs that are not done and write the table; returns the exit status."""
    from wsolkit.config.find import find_benchmark
    from wsolkit.config.parse import parse_options
    from wsolkit.errors import ConfigError, nearest, printable

    path = find_benchmark(args.file)
    options, part = parse_options(args.cfg_options), part_of(args.job)
    if args.jobs < 1:
        raise ConfigError(f"--jobs is how many processes to start, but got {args.jobs}.")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError(
            "Each process of a benchmark takes jobs of its own, but torchrun started several as one. Start it without "
            "torchrun: --jobs N for N jobs at a time, processes = N in the file for N processes in each training."
        )
    take_device(args.device)

    from rich.console import Console

    from wsolkit.benchmark.benchmark_file import read_benchmark
    from wsolkit.benchmark.jobs import Setting, jobs_of
    from wsolkit.benchmark.progress import is_done
    from wsolkit.benchmark.run import own_share, run_jobs
    from wsolkit.benchmark.search import chosen_options, run_trials, trial_records, undrawn
    from wsolkit.benchmark.state import claim_benchmark
    from wsolkit.benchmark.table import benchmark_table
    from wsolkit.benchmark.trials import trials_of, value_of
    from wsolkit.benchmark.workers import run_workers
    from wsolkit.report import print_benchmark, write_benchmark

    out = (args.out or Path("benchmarks") / path.stem).absolute()
    benchmark = read_benchmark(args.file, options)
    names = [method.name for method in benchmark.methods]
    for name in args.only:
        if name not in names:
            raise ConfigError(f"--only names {name!r}, which is no method of the file. {nearest(name, names)}")
    if args.search and part is not None and benchmark.search.sampler != "random":
        raise ConfigError(
            "--job gives each process its trials from the beginning, but search.sampler='optuna' draws them one after "
            "the other. Start the processes without --job: they share the folder by locks; or use --jobs N."
        )
    setting = Setting(out, shlex.join(["wsolkit", *sys.argv[1:]]), args.device)
    jobs = jobs_of(benchmark, setting)
    since = args.since = args.since or time.time()
    trials = trials_of(benchmark, setting, since=since) if args.search else []
    console = Console(width=None if sys.stdout.isatty() else 120)
    if args.dry_run:
        for each in filter(None, (chosen(trials, args.only), chosen(jobs, args.only))):
            console.print(plan_table(each))
            console.print(plan_words(each), soft_wrap=True, highlight=False, markup=False)
        if rest := undrawn(benchmark, trials):
            print(f"{rest} more trials are drawn by {benchmark.search.sampler} from what becomes of those.")
        return 0
    claim_benchmark(out, benchmark)

    def others() -> None:
        if args.jobs > 1:
            run_workers(arguments_of(args, out), args.jobs, out, say, benchmark.processes)

    try:
        if trials:
            metric = benchmark.search.metric
            first = [others]

            def run_some(new: Sequence[Job]) -> None:
                mine = own_share(chosen(new, args.only), part)
                run_jobs(mine, say, first.pop() if first else None, since, lambda trial: value_of(trial, metric))

            trials = run_trials(benchmark, setting, trials, since, run_some)
            ended = {job.place for job in trials if is_done(job.scoring)}  # by --only, others may have none
            known = [job for job in trials if not args.only or job.method in args.only or job.place in ended]
            jobs = jobs_of(benchmark, setting, chosen_options(known, metric))
        outcome = run_jobs(own_share(chosen(jobs, args.only), part), say, None if trials else others, since)
    except KeyboardInterrupt:
        print("What is done is kept; the same command goes on from there.", file=sys.stderr)
        raise
    table = benchmark_table(jobs, benchmark.baseline)
    print_benchmark(table, console)
    for path in write_benchmark(table, out, trial_records(trials, benchmark.search)):
        console.print(printable(str(path)), soft_wrap=True, highlight=False, markup=False)
    for job, failure in outcome.failed:
        print(f"failed: {job.title}: {failure.words}", file=sys.stderr)
    return FAILED if outcome.failed else 0


def arguments_of(args: argparse.Namespace, out: Path) -> list[str]:
    """Return the arguments of one of several processes that do what this one was asked for."""
    more = [(name, value) for name in ("job", "device", "since") if (value := getattr(args, name)) is not None]
    found = ["benchmark", args.file, "--out", str(out), *(f"--{name}={value}" for name, value in more)]
    found += ["--search"] * args.search
    for option in ("only", "cfg_options"):
        if given := getattr(args, option):
            found += [f"--{option.replace('_', '-')}", *given]
    return found


def part_of(text: str | None) -> tuple[int, int] | None:
    """Return which share of the jobs is asked for: its number from 0, and how many there are.

    Raises:
        ConfigError: it is written otherwise.

    >>> part_of("3/8"), part_of(None)
    ((2, 8), None)
    """
    from wsolkit.errors import ConfigError

    if text is None:
        return None
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise ConfigError(f"--job is which share of how many, from 1/8 to 8/8, but got {text!r}.")
    return int(number) - 1, int(count)


def chosen(jobs: Sequence[Job], only: Sequence[str]) -> list[Job]:
    """Return the jobs of some methods; all of them where none is named."""
    return [job for job in jobs if not only or job.method in only]


def say(text: str) -> None:
    """Print a line at once, so that it stands before what a training prints."""
    print(text, flush=True)


def plan_table(jobs: Sequence[Job]) -> Table:
    """Return the table of the jobs: how far each is, and whose training it tests."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from wsolkit.benchmark.progress import state_of_job

    table = Table(box=SIMPLE_HEAD)
    for heading in ("job", "state", "training", ""):
        table.add_column(heading, overflow="fold")
    first: dict[Path, str] = {}
    for job in jobs:
        state = state_of_job(job)
        owner = first.setdefault(job.shared, job.title)
        training = f"that of {owner}" if owner != job.title else "done" if state.trained else "its own"
        training = training if job.training is not None else "none"
        why = f"failed before: {state.failure.words}" if state.failure else state.changed
        table.add_row(escape(job.title), state.kind, escape(training), escape(why))
    return table


def plan_words(jobs: Sequence[Job]) -> str:
    """Say how much there is to do, and how long it may take as far as that was measured."""
    from wsolkit.benchmark.progress import estimate, is_done
    from wsolkit.progress import duration

    left = [job for job in jobs if not is_done(job.scoring)]
    trainings = {job.shared: job.training for job in left if job.training is not None}
    todo = sum(not is_done(training) for training in trainings.values())
    rest = estimate(jobs)
    time = "nothing was measured yet" if rest is None else f"about {duration(rest)} of work"
    counted = f"{len(jobs)} jobs, {len(jobs) - len(left)} of them done; {len(left)} to test, {todo} to train"
    return f"{counted}{f': {time}' if left else ''}."
