"""``wsolkit train``: trains a model as a configuration says, and can be stopped and resumed at any moment."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsolkit.cli.config_options import add_config_options
from wsolkit.cli.model_argument import CODE
from wsolkit.cli.next_commands import command, next_commands
from wsolkit.cli.training_device import take_device

if TYPE_CHECKING:
    from wsolkit.training.train import Training

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "train",
        help="train a model",
        description="Train as a configuration says. Checkpoints (last.pth, best.pth), logs, the resolved config.py and "
        "a manifest.json go to the work folder. A training that was stopped or killed goes on exactly with --resume. "
        + CODE,
    )
    parser.add_argument("config", metavar="CONFIG", help="configuration file, or the name of a shipped one")
    parser.add_argument(
        "--work-dir",
        metavar="DIR",
        type=Path,
        help="folder for everything (default: work_dirs/NAME OF THE CONFIGURATION)",
    )
    add_config_options(parser, "data_root=photos train_cfg.max_epochs=3")
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        metavar="CHECKPOINT",
        help="go on with the training in the work folder (from its last.pth), or from CHECKPOINT",
    )
    parser.add_argument("--overwrite", action="store_true", help="lose the earlier training in the work folder")
    parser.add_argument(
        "--amp",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="bf16 arithmetic with float32 weights (default: as the configuration says, else where it is fast)",
    )
    parser.add_argument("--compile", action="store_true", help="compile the backbone; pays off in long fp32 trainings")
    parser.add_argument(
        "--launcher",
        choices=("none", "pytorch"),
        default="none",
        help="pytorch: one of several processes, started by torchrun (default: none)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="seed of everything random (default: as the configuration says)"
    )
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: a GPU if there is one)")
    parser.add_argument("--deterministic", action="store_true", help="the same bits every time, also on GPUs; slower")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and print where the results are; returns the exit status."""
    from wsolkit.cli.given import check_given
    from wsolkit.config.parse import parse_options
    from wsolkit.errors import ConfigError
    from wsolkit.interrupts import exit_code, mind_no_lost_children
    from wsolkit.progress import first_process

    check_given(args.config)
    options = parse_options(args.cfg_options)
    for name in ("resume", "launcher"):  # mmengine's settings, which the options of the command replace
        if options.get(name) not in (None, False, "none"):
            raise ConfigError(f"The option {name}={options[name]} changes nothing. Use --{name} (see train --help).")
    take_device(args.device, args.launcher)

    from wsolkit.config.load import load_config

    if args.amp is not None:
        options["model.precision"] = "bf16" if args.amp else "fp32"
    if args.compile:
        options["model.compile"] = True
    config = load_config(args.config, options)

    from wsolkit.training.train import default_work_dir, train

    work_dir = args.work_dir or default_work_dir(config)
    try:
        training = train(
            config,
            work_dir,
            resume=args.resume,
            seed=args.seed,
            deterministic=args.deterministic,
            launcher=args.launcher,
            overwrite=args.overwrite,
        )
    except KeyboardInterrupt as stop:
        if first_process():
            print(interrupted(work_dir), file=sys.stderr)
        mind_no_lost_children()
        return exit_code(stop)
    if first_process():
        print(summary(training, config))
    return 0


def interrupted(work_dir: Path) -> str:
    """Say what is kept of a stopped training and how to go on: with its own config.py, which holds all options."""
    last = work_dir / "last.pth"
    if not last.exists():
        return f"\nStopped before the first checkpoint was written; nothing to resume in {work_dir}."
    again = ["train", work_dir / "config.py", "--work-dir", work_dir, "--resume"]
    processes = os.environ.get("WORLD_SIZE", "1")
    if processes == "1":
        return f"\nStopped. {last} is kept. Go on with:\n  {command(*again)}"
    started = f"torchrun --nproc-per-node {processes} -m {command(*again)} --launcher pytorch"
    return f"\nStopped. {last} is kept. Go on with as many processes, such as:\n  {started}"


def summary(training: Training, config: Mapping[str, Any]) -> str:
    """Say where the results are and, where the model is usable by itself, what to do with them."""
    lines = ["Training is done."]
    if training.last is not None:
        lines.append(f"  last: {training.last}")
    if training.best is not None:
        score = "" if training.score is None else f" ({training.metric} {training.score:.4g})"
        lines.append(f"  best: {training.best}{score}")
    chosen = training.best or training.last
    if chosen is not None and (config.get("model") or {}).get("type") == "Localizer":
        lines += ["Next:", *(f"  {line}" for line in next_commands(config, training.work_dir, chosen))]
    return "\n".join(lines)
