"""``wsolkit test``: the numbers of a checkpoint, with an honest threshold and the trivial baselines beside it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from wsolkit.scoring.evaluate import Evaluation

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
        "--protocol",
        metavar="NAME",
        nargs="+",
        default=[],
        help="published protocols to compute as well (default: those that fit the data; a wrong name lists them)",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="JSON file for the numbers (default: SPLIT_results.json beside the checkpoint)",
    )
    parser.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write a page with curves, failures and pictures beside the numbers (default: yes)",
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
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: a GPU if there is one)")
    parser.add_argument(
        "--launcher", choices=("none", "pytorch"), default="none", help="pytorch: one of torchrun's processes"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score the checkpoint, print the table and write the numbers; returns the exit status."""
    from wsolkit.cli.given import check_given
    from wsolkit.config.parse import parse_options

    check_given(args.config, args.checkpoint)
    options = parse_options(args.cfg_options)

    from mmengine.dist import is_main_process
    from rich.console import Console

    from wsolkit import __version__
    from wsolkit.config.load_model import load_model
    from wsolkit.files import write_json
    from wsolkit.progress import progress_bars
    from wsolkit.scoring.evaluate import as_dict, evaluate
    from wsolkit.training.processes import process_group

    if args.amp is not None:
        options["model.precision"] = "bf16" if args.amp else "fp32"
    loaded = load_model(args.config, args.checkpoint, options, args.device)
    with process_group(args.launcher), progress_bars() as advance:
        evaluation = evaluate(loaded.config, loaded.model, args.split, advance=advance, protocols=args.protocol)
        if not is_main_process():
            return 0
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(results_table(evaluation))
    if evaluation.results:
        console.print(protocols_table(evaluation))
    out = args.out or args.checkpoint.resolve().parent / f"{args.split}_results.json"
    about = {
        "wsolkit": __version__,
        "name": args.checkpoint.resolve().parent.name,
        "command": " ".join(["wsolkit", *sys.argv[1:]]),
        "config": str(args.config),
        "checkpoint": str(args.checkpoint),
        "classes": list(loaded.classes),
        "maps": None,
    }
    content = {**about, **as_dict(evaluation)}
    write_json(out, content)
    console.print(f"Numbers in {out}; compare runs with: wsolkit compare FILE FILE", soft_wrap=True, highlight=False)
    if args.report and evaluation.results:
        from wsolkit.report.page import write_report

        page = write_report(out.parent / out.stem, content)
        console.print(f"Page: {page}", soft_wrap=True, highlight=False)
    return 0


def results_table(evaluation: Evaluation) -> Table:
    """Return the table of an evaluation: a column for the model and each baseline, percentages over their intervals."""
    from rich.table import Table

    chosen = "chosen on val" if evaluation.selection == "val" else "from the configuration"
    if evaluation.own_threshold:
        chosen = f"of the model: {evaluation.extractor} chooses one for each map; of the others: {chosen}"
    table = Table(
        title=f"{evaluation.split} split, {evaluation.images} images",
        caption=f"Percent, below it the 95 % interval (Wilson). Hit: IoU >= {evaluation.iou}, map of the true class. "
        f"Threshold {chosen}; the oracle's is chosen on these very boxes, for comparison only.",
        caption_justify="left",
    )
    table.add_column("")
    for row in evaluation.rows:
        table.add_column(row.name.replace(" (", "\n("), justify="right")
    model = evaluation.rows[0]
    for name in model.classification:
        table.add_row(name, *(show(row.classification.get(name)) for row in evaluation.rows))
    if model.localization is not None:
        found = [row.localization for row in evaluation.rows]
        table.add_row("GT-known", *(show(each and each.gt_known) for each in found))
        if model.localization.top1 is not None:
            table.add_row("top-1 loc", *(show(each and each.top1) for each in found))
            table.add_row("top-5 loc", *(show(each and each.top5) for each in found), end_section=True)
        cuts = [f"{each.threshold:.2f}" if each else "-" for each in found]
        table.add_row("threshold", *(["its own", *cuts[1:]] if evaluation.own_threshold else cuts))
        table.add_row("oracle GT-known", *(f"{each.oracle.percent:.1f}" if each else "-" for each in found))
        table.add_row("oracle gap", *(f"{each.gap:+.1f}" if each else "-" for each in found))
    return table


def protocols_table(evaluation: Evaluation) -> Table:
    """Return the table of the published protocols: the honest number, the test oracle's and the gap, of the model."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from wsolkit.evaluation.results import ORACLE

    selections = {line.selection for result in evaluation.results for line in result.lines} - {None, ORACLE}
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title="published protocols",
        caption="Percent, 95 % intervals. Micro averages over images or pixels, macro over classes; thresholds (at): "
        f"{', '.join(sorted(map(str, selections))) or ORACLE}. Conventions are in the JSON file.",
        caption_justify="left",
    )
    table.add_column("", no_wrap=True)
    for name in ("micro", "interval", "macro", "at", "oracle", "gap"):
        table.add_column(name, justify="right", no_wrap=True)
    seen: set[str] = set()
    for result in evaluation.results:
        oracles = {line.name: line for line in result.lines if line.selection == ORACLE}
        shown = [line for line in result.lines if line.selection != ORACLE] or list(oracles.values())
        for number, line in enumerate(shown):
            score, oracle = line.score, oracles.get(line.name)
            table.add_row(
                f"{result.metric}: {line.name}" if line.name in seen else line.name,
                f"{score.percent:.1f}",
                f"{score.low:.1f} - {score.high:.1f}",
                "" if score.macro is None else f"{score.macro:.1f}",
                "" if line.threshold is None else f"{line.threshold:.3f}",
                f"{oracle.score.percent:.1f}" if oracle else "",
                f"{oracle.score.percent - score.percent:+.1f}" if oracle and oracle is not line else "",
                end_section=number == len(shown) - 1,
            )
        seen |= {line.name for line in shown}
    return table


def show(value: Any) -> str:
    """Return a cell's text: the interval below a rate, a dash where a row has no such number."""
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else f"{value.percent:.1f}\n{value.low:.1f} - {value.high:.1f}"
