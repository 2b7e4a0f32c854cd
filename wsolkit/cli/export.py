"""``wsolkit export``: a checkpoint as one ONNX or TorchScript file that other programs run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsolkit.cli.config_options import add_config_options
from wsolkit.cli.model_argument import CODE, add_model, folder_of, model_options, take_model

if TYPE_CHECKING:
    from wsolkit.deploy.export import Exported

__all__ = ["add_parser", "run"]

DESCRIPTION = f"""\
Write a trained model as one file that other programs run.

The file takes images (B, H, W, 3), uint8 RGB of the network's input size, in batches of any size. It gives `maps`,
(B, K, H, W) or (B, 1, H, W) in [0, 1] at that size, and `logits` (B, K) where the model classifies. Classes, threshold
and input size are in its metadata. It is compared with PyTorch before it appears; scores may differ by 1e-4 at most.

Beside model.onnx lies boxes.py, which finds the boxes of `wsolkit predict` with NumPy, ONNX Runtime and Pillow alone:
  python DIR/boxes.py PHOTO ... > boxes.csv
A TorchScript file is run by torch alone: maps, logits = torch.jit.load("model.pt")(images)

{CODE}
"""

EPILOG = """\
examples:
  wsolkit export best.pth --to onnx --out onnx
  wsolkit export best.pth --to torchscript --threshold 0.3
  wsolkit export cam_resnet50_cub best.pth --to onnx --out onnx --cfg-options model.box_extractor.threshold=0.3
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "export",
        help="write a model as one ONNX or TorchScript file, with a script that finds the same boxes",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model(parser)
    parser.add_argument("--to", choices=("onnx", "torchscript"), required=True, help="the format of the file")
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="folder for the files: new or empty (default: TO/ beside the checkpoint, or in work_dirs/NAME OF THE "
        "CONFIGURATION where there is none)",
    )
    parser.add_argument(
        "--threshold", metavar="T", type=float,
        help="cut maps at this fraction of their maximum (default: as chosen on the validation split)",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier export in DIR")
    add_config_options(parser, "model.cam_method.resize=bilinear")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files and say what they are; returns the exit status."""
    from wsolkit.cli.given import check_given

    model = take_model(args)
    check_given(args.config, args.checkpoint)
    options = model_options(args)

    from wsolkit.deploy.export import export_model

    out = args.out or folder_of(model, options) / args.to
    done = export_model(*model, args.to, out, args.threshold, options, args.overwrite)
    print("\n".join(summary_lines(done)))
    return 0


def summary_lines(done: Exported) -> list[str]:
    """Return what is said at the end."""
    from wsolkit.errors import printable

    facts = done.facts
    height, width = facts["input_size"]
    lines = [
        f"{len(facts['classes'])} class(es), images of {width} x {height} pixels, threshold {facts['threshold']:g} "
        f"({facts['threshold_source']}).",
        f"Scores are PyTorch's but for {done.difference:.1g} at most, in batches of 1, 2 and 5 drawn pictures.",
    ]
    return lines + [f"  {printable(str(path))}" for path in (done.path, done.script) if path is not None]
