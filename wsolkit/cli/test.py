"""``wsolkit test``: the numbers of a checkpoint, with an honest threshold and the trivial baselines beside it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from wsolkit.runner.evaluate import Evaluation

__all__ = ["add_parser", "results_table", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "test",
        help="score a checkpoint on the test split, beside the trivial baselines",
        description="Score a checkpoint. The box threshold is chosen on the validation split; what choosing it on the "
        "test boxes would have given is printed beside it. Centre box, centred blob and whole image are always there.",
    )
    parser.add_argument("config", metavar="CONFIG", help="configuration file, or the name of a shipped one")
    parser.add_argument(
        "checkpoint", metavar="CHECKPOINT", type=Path, help="checkpoint of the training, such as best.pth"
    )
    parser.add_argument("--split", choices=("test", "val"), default="test", help="split to score (default: test)")
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="JSON file for the numbers (default: SPLIT_results.json beside the checkpoint)",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="entries of the configuration to change, such as data_root=photos",
    )
    parser.add_argument(
        "--amp",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="bf16 arithmetic (default: as the configuration says)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score the checkpoint, print the table and write the numbers; returns the exit status."""
    from rich.console import Console
    from rich.progress import Progress

    from wsolkit.files import write_json
    from wsolkit.predict.trained import load_trained
    from wsolkit.runner.config import load_config, parse_options
    from wsolkit.runner.evaluate import as_dict, evaluate

    options = parse_options(args.cfg_options)
    if args.amp is not None:
        options["model.precision"] = "bf16" if args.amp else "fp32"
    config = load_config(args.config, options)
    model = load_trained(config, args.checkpoint).model
    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def advance(split: str, done: int, total: int) -> None:
            if split not in tasks:
                tasks[split] = progress.add_task(f"{split} split", total=total)
            progress.update(tasks[split], completed=done)

        evaluation = evaluate(config, model, args.split, advance=advance)
    out = args.out or args.checkpoint.resolve().parent / f"{args.split}_results.json"
    write_json(out, {"config": str(args.config), "checkpoint": str(args.checkpoint), **as_dict(evaluation)})
    console = Console()
    console.print(results_table(evaluation))
    console.print(f"Numbers in {out}", soft_wrap=True, highlight=False)
    return 0


def results_table(evaluation: Evaluation) -> Table:
    """Return the table of an evaluation: percentages with their 95 % intervals."""
    from rich.table import Table

    chosen = "threshold chosen on val" if evaluation.selection == "val" else "threshold from the configuration"
    table = Table(
        title=f"{evaluation.split}: {evaluation.images} images",
        caption=f"Percent, [95 % interval, Wilson]. A hit is IoU >= {evaluation.iou}; map of the true class; {chosen}. "
        "Oracle: threshold chosen on these very boxes, for comparison only.",
        caption_justify="left",
    )
    table.add_column("")
    model = evaluation.rows[0]
    for name in model.classification:
        table.add_column(name, justify="right")
    if model.localization is not None:
        names = ["GT-known"]
        names += ["top-1 loc", "top-5 loc"] if model.localization.top1 is not None else []
        for name in [*names, "threshold", "oracle GT-known", "gap"]:
            table.add_column(name, justify="right")
    for row in evaluation.rows:
        cells = [show(row.classification.get(name)) for name in model.classification]
        found = row.localization
        if found is not None:
            cells += [str(found.gt_known)]
            if model.localization is not None and model.localization.top1 is not None:
                cells += [show(found.top1), show(found.top5)]
            cells += [f"{found.threshold:.2f}", f"{found.oracle.percent:.1f}", f"{found.gap:+.1f}"]
        table.add_row(row.name, *cells)
    return table


def show(value: Any) -> str:
    """Return a cell's text; a dash where a row has no such number."""
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
