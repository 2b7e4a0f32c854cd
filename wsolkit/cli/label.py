"""``wsolkit label``: from labelled photographs to boxes to check, in one command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsolkit.cli.export_options import add_export_options, export_of

if TYPE_CHECKING:
    from wsolkit.labelling.run import LabelRun

__all__ = ["add_parser", "closing_lines", "run"]

DESCRIPTION = """\
Find boxes in photographs of which only the classes are known: one folder of photographs for each class, and no boxes.

Reads and checks the photographs, learns a map of the objects from them, finds their boxes, and writes them with a page
to check them. The same command goes on where it was stopped, and labels photographs that were added since with the map
it has learnt; --retrain learns again. Photographs that cannot be read are listed and left out.
"""

EPILOG = """\
examples:
  wsolkit label photos --out labels
  wsolkit label photos --out labels --format coco,yolo,voc,csv --copy-images
  wsolkit label photos --labels labels.csv --out labels
  wsolkit label photos --out labels --verified verdicts.json   # what you have checked on the page, or elsewhere
  wsolkit label photos --out labels --classifier resnet18 --weights mine.pth --classes names.txt
  wsolkit label tiles --out labels --background free  # what only the label tells: defects, and nothing
  wsolkit label photos --out labels --retrain                  # after photographs were added
  wsolkit predict labels/last.pth more_photos --classes folder --out found
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "label",
        help="find boxes in photographs of which only the classes are known, in one command",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", metavar="PHOTOS", type=Path, help="folder with one folder of photographs a class")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("labels"),
                        help="folder for everything: new, or of an earlier run (default: labels)")  # fmt: skip
    learnt = parser.add_argument_group("what is learnt")
    learnt.add_argument(
        "--labels", metavar="FILE", type=Path,
        help="table of labels where folders are no classes: image,label[,label...], or a column for each class",
    )  # fmt: skip
    learnt.add_argument(
        "--background", metavar="NAME", action="append",
        help="class of photographs that show nothing, as free beside defects: they get no box; several with commas",
    )  # fmt: skip
    learnt.add_argument(
        "--method", metavar="NAME", default="auto",
        help="objects for whole objects, parts for what only the label tells, classes for several labels, auto "
        "(default) for what fits the labels; compare learns all of them, shows them in sheet.jpg and takes the one "
        "that --verified photographs choose; or a configuration file of your own, which is code",
    )  # fmt: skip
    learnt.add_argument(
        "--verified", metavar="FILE", type=Path,
        help="boxes of some photographs that you have checked: what the page or an annotation tool exported. They "
        "choose the cut, tell how good the boxes are, and replace those that were found",
    )  # fmt: skip
    learnt.add_argument("--seed", type=int, metavar="N", default=0, help="seed of everything random (default: 0)")
    learnt.add_argument("--retrain", action="store_true", help="learn the map again, from all photographs there are")
    own = parser.add_argument_group("a classifier of your own, in the place of a map that is learnt")
    own.add_argument("--classifier", metavar="NETWORK", help="its network as timm or torchvision calls it: resnet18")
    own.add_argument("--weights", metavar="FILE", type=Path, help="its state dict, with the keys of either library")
    own.add_argument(
        "--classes", metavar="FILE", type=Path,
        help="the name of a class in each line, in the order of the training (default: the folders by their names)",
    )  # fmt: skip
    found = parser.add_argument_group("what is written")
    found.add_argument(
        "--threshold", metavar="T", type=float, help="cut maps at this fraction of their maximum (default: chosen)"
    )
    found.add_argument(
        "--format", metavar="NAME", action="append",
        help="coco, yolo, voc, csv, labelstudio, cvat, yolo-seg (outlines) or masks (PNG); several with commas or by "
        "repeating the option (default: coco,yolo); those that DIR holds are written again with them",
    )  # fmt: skip
    found.add_argument("--masks", action="store_true", help="find the mask of every box, by the model's refiner")
    drawn = found.add_mutually_exclusive_group()
    drawn.add_argument("--draw", metavar="N", type=int, help="pictures of the N most doubtful (default: 500; -1: all)")
    drawn.add_argument("--no-pictures", action="store_true", help="write no pictures and no page")
    add_export_options(found)
    found.add_argument("--overwrite", action="store_true", help="remove everything an earlier run left in DIR")
    parser.add_argument(
        "--cache-gb", metavar="N", type=float, default=4.0, help="gigabytes of features to keep at most (default: 4)"
    )
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: a GPU if there is one)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Label the photographs and say what to do next; returns the exit status."""
    from wsolkit.errors import ConfigError
    from wsolkit.formats.writers import check_formats

    formats = check_formats(name for names in args.format or ["coco,yolo"] for name in names.split(",") if name)
    if not formats:
        raise ConfigError("--format names no format. Leave it out for coco,yolo.")
    if args.draw is not None and args.draw < -1:
        raise ConfigError(f"--draw is how many pictures to draw, but got {args.draw}.")
    export = export_of(args)

    from wsolkit.labelling.own_classifier import check_classifier

    classifier = check_classifier(args.classifier, args.weights, args.classes)

    from wsolkit.labelling.run import DRAWN, label
    from wsolkit.progress import progress_bar

    try:
        found = label(
            args.photos,
            args.out,
            labels=args.labels,
            background=[name for names in args.background or () for name in names.split(",") if name],
            method=args.method,
            classifier=classifier,
            verified=args.verified,
            formats=formats,
            masks=args.masks,
            draw=0 if args.no_pictures else DRAWN if args.draw is None else args.draw,
            seed=args.seed,
            threshold=args.threshold,
            cache_gb=args.cache_gb,
            retrain=args.retrain,
            overwrite=args.overwrite,
            device=args.device,
            export=export,
            say=lambda line: print(line, flush=True),
            shows=progress_bar,
        )
    except KeyboardInterrupt:
        print("What is done is kept; the same command goes on from there.", file=sys.stderr)
        raise
    print("\n".join(closing_lines(found)))
    return 0


def closing_lines(found: LabelRun) -> list[str]:
    """Return what is said at the end: what there is, and what to do with it."""
    from wsolkit.errors import printable
    from wsolkit.labelling.verified import counted

    lines = [f"{found.boxes} boxes in {found.photographs} photographs, in {found.seconds:.0f} s."]
    if found.without_box:
        lines.append(f"{found.without_box} photographs have no box; they are in without_box.csv.")
    if found.rejected:
        lines.append(
            f"{counted(found.rejected, 'photograph')} rejected: no file to train from has them; see rejected.csv. "
            "Draw their boxes and give them with --verified."
        )
    if found.failed:
        lines.append(f"{found.failed} photographs could not be read; failed.csv says why.")
    lines += [f"  {printable(str(path))}" for path in found.files]
    lines += ["Next:"]
    page, first = found.folder / "index.html", printable(str(found.folder / "next.txt"))
    if found.page is not None:
        lines.append(f"  look at {printable(str(page))}, and at what {first} lists first")
    elif page.exists():
        lines.append(
            f"  look at what {first} lists first. {printable(str(page))} is of an earlier run, which may have had "
            "other boxes: leave --no-pictures out for one of these"
        )
    if found.verdict is not None and found.verdict.kind == "no better":
        lines.append("  read what to do for each reason: docs/label.md, When the verdict is bad")
    return lines + [f"  {line}" for line in found.next_steps]
