"""``wsolkit predict``: boxes, maps and pictures for images without any."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from wsolkit.cli.config_options import add_config_options
from wsolkit.cli.export_options import add_export_options, export_of
from wsolkit.cli.model_argument import CODE, add_model, model_options, take_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsolkit.inference.predictor import Predictor
    from wsolkit.inference.run_summary import RunSummary

__all__ = ["add_parser", "run", "summary_lines"]

DESCRIPTION = f"""\
Find boxes in images with a trained model. Boxes are in pixels of the original image, upright (EXIF applied).

The same command goes on where it was stopped, and predicts images that were added since. Started by torchrun, the
processes share the images. Images that cannot be read are left out and listed; the exit status is 0 as long as one
image was read.

{CODE}
"""

EPILOG = """\
examples:
  wsolkit predict best.pth photos --out found
  wsolkit predict cam_resnet50_cub best.pth photos --out found
  wsolkit predict my_training_free_config.py photos --out found
  wsolkit predict my_config.py best.pth photos --out found --classes folder --format yolo --draw 200
  torchrun --nproc-per-node 8 -m wsolkit predict my_config.py best.pth list.txt --out found
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "predict",
        help="find boxes in images: COCO, VOC, YOLO or CSV files, score maps, and a page of pictures",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model(parser)
    parser.add_argument(
        "images", metavar="IMAGE|FOLDER|LIST", nargs="+",
        help="image files, folders (with their subfolders), .txt lists with a path in each line, or 'patterns*'",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", required=True, help="folder for the results: new, or of the same run")
    found = parser.add_argument_group("what is found")
    found.add_argument(
        "--classes", metavar="predicted|folder|TABLE", default="predicted",
        help="whose boxes: the classes the model predicts (default), the class the image's folder is named after (the "
        "outermost folder that is a class, as in training), or those that a table such as labels.csv names",
    )  # fmt: skip
    found.add_argument("--topk", metavar="N", type=int, help="boxes for the N likeliest classes of an image")
    found.add_argument(
        "--min-score", metavar="P", type=float,
        help="boxes for classes with a probability above P (default: 0.5 for multi-label models, else the likeliest)",
    )  # fmt: skip
    found.add_argument(
        "--threshold", metavar="T", type=float,
        help="cut maps at this fraction of their maximum (default: as chosen on the validation split)",
    )  # fmt: skip
    written = parser.add_argument_group("what is written")
    written.add_argument(
        "--format", metavar="NAME", action="append", default=None,
        help="coco (default), voc, yolo, yolo-seg (outlines), masks (PNG, VOC's colours), csv, labelstudio or cvat; "
        "several with commas or by repeating the option",
    )  # fmt: skip
    written.add_argument(
        "--masks", action="store_true",
        help="find the mask of every box, and boxes that fit them, by the model's refiner (`wsolkit list Refiner`): in "
        "coco, yolo-seg and masks, which ask for them by themselves",
    )  # fmt: skip
    written.add_argument("--maps", action="store_true", help="write the score maps, as compressed float16 arrays")
    written.add_argument(
        "--draw", metavar="N", nargs="?", type=int, const=-1, default=0,
        help="draw pictures and a page of them: of all images, or of the N most doubtful",
    )  # fmt: skip
    written.add_argument(
        "--panels",
        action="store_true",
        help="with --draw: beside each picture what the parts of the model show, such as masks, branches, candidates",
    )
    add_export_options(written)
    written.add_argument("--overwrite", action="store_true", help="remove earlier results from DIR and begin anew")
    computed = parser.add_argument_group("how it is computed")
    computed.add_argument("--device", help="cpu, cuda or cuda:N (default: a GPU if there is one)")
    computed.add_argument("--batch-size", metavar="N", type=int, default=32, help="images at once (default: 32)")
    computed.add_argument("--num-workers", metavar="N", type=int, help="processes that read images")
    add_config_options(computed)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict into the folder and say what was done; returns the exit status."""
    from wsolkit.cli.given import check_given
    from wsolkit.errors import ConfigError
    from wsolkit.formats.writers import check_formats

    formats = check_formats(name for names in args.format or ["coco"] for name in names.split(",") if name)
    if not formats:
        raise ConfigError("--format names no format. Leave it out for coco.")
    if args.panels and not args.draw:
        raise ConfigError("--panels draws beside pictures, but none are asked for. Add --draw, or --draw N.")
    export = export_of(args)
    model = take_model(args)
    check_given(args.config, args.checkpoint, args.images)
    options = model_options(args)

    from wsolkit.inference.predictor import Predictor
    from wsolkit.inference.to_folder import predict_to_folder
    from wsolkit.progress import progress_bar

    predictor = Predictor.from_config(
        *model,
        device=args.device,
        threshold=args.threshold,
        cfg_options=options,
        topk=args.topk,
        min_score=args.min_score,
        batch_size=args.batch_size,
    )
    try:
        summary = predict_to_folder(
            predictor,
            args.images,
            args.out,
            classes=args.classes,
            formats=formats,
            maps=args.maps,
            draw=args.draw,
            overwrite=args.overwrite,
            num_workers=args.num_workers,
            shows=progress_bar,
            panels=args.panels,
            export=export,
            masks=args.masks,
        )
    except KeyboardInterrupt:
        print("What is done is kept; the same command goes on from there.", file=sys.stderr)
        raise
    if summary is not None:
        print("\n".join(summary_lines(summary, predictor.threshold, predictor.threshold_source)))
        for remark in remarks(predictor, args):
            print(f"note: {remark}", file=sys.stderr)
    return 0


def remarks(predictor: Predictor, args: argparse.Namespace) -> Iterator[str]:
    """Yield what somebody who looks at the boxes should know."""
    from wsolkit.cli.chosen_threshold import chosen_by_test

    if args.classes == "predicted" and predictor.class_agnostic and not predictor.classifies:
        yield (
            'the model does not tell classes apart, so every box is named "object". With --classes folder boxes are '
            "named after the folders of their images, with --classes labels.csv as a table says."
        )
    asked = args.threshold is not None or predictor.box_extractor.chooses_threshold
    if not asked and args.checkpoint is not None and (told := chosen_by_test(args.checkpoint, predictor.threshold)):
        yield f"the threshold is {predictor.threshold:g}, {predictor.threshold_source}. {told}"


def summary_lines(summary: RunSummary, threshold: float, source: str) -> list[str]:
    """Return what is said at the end of a run."""
    from wsolkit.errors import printable
    from wsolkit.progress import pace

    lines = []
    if summary.before:
        lines.append(f"{summary.before} of {summary.total} images were done before.")
    if summary.computed:
        rate = pace(summary.computed, summary.seconds, "images")
        lines.append(f"{summary.computed} images in {summary.seconds:.1f} s, {rate}.")
    lines.append(f"{summary.boxes} boxes in {summary.images} images, threshold {threshold:g} ({source}).")
    if summary.without_box:
        lines.append(f"{summary.without_box} images have no box; they are in without_box.csv.")
    if summary.failed:
        lines.append(f"{summary.failed} images could not be read; failed.csv says why.")
    reasons = Counter(each.why for each in summary.left_out)
    lines += [f"{count} left out of the folders: {why}." for why, count in reasons.items()]
    lines += [f"  {printable(str(path))}" for path in summary.files]
    return lines
