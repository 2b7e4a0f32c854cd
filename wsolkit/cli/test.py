"""``wsolkit test``: the numbers of a checkpoint, with an honest threshold and the trivial baselines beside it."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsolkit.cli.chosen_threshold import chosen_by
from wsolkit.cli.config_options import add_config_options
from wsolkit.cli.model_argument import CODE, add_model, folder_of, model_options, take_model

if TYPE_CHECKING:
    from wsolkit.report.evaluation import Evaluation

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "test",
        help="score a checkpoint on the test split, beside the trivial baselines",
        description="Score a checkpoint. The box threshold is chosen on the validation split; what choosing it on the "
        "test boxes would have given is printed beside it. Centre box, centred blob and whole image are always there. "
        + CODE,
    )
    add_model(parser)
    parser.add_argument("--split", choices=("test", "val"), default="test", help="split to score (default: test)")
    parser.add_argument(
        "--protocol",
        metavar="NAME",
        nargs="+",
        default=[],
        help="protocols to compute (default: those that fit the data; see wsolkit list protocols)",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="folder for results.json and the page (default: SPLIT/ or SPLIT-ten-crop/ beside the checkpoint, or in "
        "work_dirs/NAME OF THE CONFIGURATION where there is none)",
    )
    parser.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write a page with curves, failures and pictures beside the numbers (default: yes)",
    )
    parser.add_argument(
        "--ten-crop",
        action="store_true",
        help="classify by the mean probabilities of ten crops; maps and boxes stay those of the whole image",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results of another checkpoint in DIR")
    add_config_options(parser, "data_root=photos")
    parser.add_argument(
        "--amp",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="bf16 arithmetic (default: as the configuration says)",
    )
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: a GPU if there is one)")
    parser.add_argument(
        "--launcher", choices=("none", "pytorch"), default="none", help="pytorch: one of torchrun's processes"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score the checkpoint, print the table and write the numbers; returns the exit status."""
    from wsolkit.cli.given import check_given
    from wsolkit.lock import locked
    from wsolkit.progress import first_process
    from wsolkit.scoring.known_protocols import find_protocols

    model = take_model(args)
    check_given(args.config, args.checkpoint)
    options = model_options(args)
    find_protocols(args.protocol or ())  # a misspelt name is refused before the network is built
    if args.amp is not None:
        options["model.precision"] = "bf16" if args.amp else "fp32"
    out = args.out or folder_of(model, options) / (f"{args.split}-ten-crop" if args.ten_crop else args.split)
    alone = args.launcher == "none" or first_process()
    with locked(out, "test", "--out") if alone else nullcontext():
        return score(args, model, options, out)


def score(args: argparse.Namespace, model: tuple[str | Path, Path | None], options: dict[str, Any], out: Path) -> int:
    """Do what ``run`` says, in a folder that nobody else writes to."""
    from mmengine.dist import is_main_process
    from rich.console import Console

    from wsolkit.config.data_root import naming_root
    from wsolkit.config.find import find_config
    from wsolkit.config.load_model import load_model
    from wsolkit.errors import printable
    from wsolkit.model.threshold import choose_threshold
    from wsolkit.progress import progress_bars
    from wsolkit.report.evaluation_file import claim_results, settings_of, write_evaluation
    from wsolkit.report.tables import evaluation_table
    from wsolkit.scoring.from_model import score_model
    from wsolkit.training.processes import process_group

    checkpoint = None if args.checkpoint is None else args.checkpoint.resolve()
    config = None if args.config is None else find_config(args.config)
    asked = {"checkpoint": checkpoint, "config": config, "split": args.split, "options": options}
    settings = settings_of(asked, protocols=args.protocol, ten_crop=args.ten_crop)
    loaded = load_model(*model, options, args.device)
    folder = claim_results(out, args.overwrite, settings, "wsolkit test")
    with process_group(args.launcher), naming_root(loaded.config), progress_bars() as advance:
        evaluation = score_model(
            loaded.config,
            loaded.model,
            args.split,
            advance=advance,
            protocols=args.protocol,
            ten_crop=args.ten_crop,
        )
        if not is_main_process():
            return 0
    evaluation.name = loaded.origin["config"] if checkpoint is None else checkpoint.parent.name
    evaluation.settings, evaluation.training = settings, loaded.training
    if (boxes := str(loaded.training.get("boxes") or "none")) != "none":
        evaluation.remarks.append(f"The model was trained with boxes ({boxes}): it is not weakly supervised.")
    evaluation.config = args.config or "stored in the checkpoint"
    evaluation.checkpoint = None if checkpoint is None else str(checkpoint)
    console = Console(width=None if sys.stdout.isatty() else 120)
    if evaluation.results:
        console.print(evaluation_table(evaluation))
    if not evaluation.baselines:
        print(without_targets(evaluation), file=sys.stderr)
    for remark in evaluation.remarks:
        print(f"warning: {remark}", file=sys.stderr)
    for path in write_evaluation(folder, evaluation, page=args.report):
        console.print(printable(str(path)), soft_wrap=True, highlight=False, markup=False)
    used, source = choose_threshold(loaded.model)
    if (chosen := chosen_by(evaluation, used)) is not None:
        print(f"wsolkit predict cuts at {used:g} ({source}); add --threshold {chosen:g} to it for what is chosen here.")
    console.print("Compare runs with: wsolkit compare DIR DIR", soft_wrap=True, highlight=False)
    return 0


def without_targets(evaluation: Evaluation) -> str:
    """Say why nothing is said of localization, and what to do."""
    split, bare = evaluation.split, "" if evaluation.results else ", and the model names no classes that could be"
    return (
        f"note: no image of the {split} split has boxes or masks, so localization cannot be judged{bare}. Name boxes "
        f"with --cfg-options {split}_dataloader.dataset.boxes=FILE, or take data that has them."
    )
