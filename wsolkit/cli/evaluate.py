"""``wsolkit evaluate``: score maps that any program wrote against boxes and masks, by named protocols."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsolkit.datasets.annotations import Annotations
    from wsolkit.formats.score_maps import ScoreMaps

__all__ = ["add_map_options", "add_parser", "class_list", "default_name", "run"]

DESCRIPTION = """\
Score maps that any program wrote: one map per image and class, in [0, 1], in files.

MAPS is a folder of <image id>.npy (wsolevaluation's scoremaps/), a .npz or .safetensors file with a name for each
image, a folder of such files, or the folder of `wsolkit predict --maps` or of a pipeline's stage Maps. An array (H, W)
is the map of the image's label, (K, H, W) is one map per class; in .npz and .safetensors files a map may be named
<image id>/<class index>.
"""

EPILOG = """\
examples:
  wsolkit evaluate --maps scoremaps --metadata metadata/CUB/test --protocol MaxBoxAcc
  wsolkit evaluate --maps test.npz --metadata metadata/CUB/test --val-maps val.npz --val-metadata metadata/CUB/val
  wsolkit evaluate --maps cams --metadata VOCdevkit/VOC2012 --split val --threshold 0.3
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score maps in files by the published protocols, with a report; no model is needed",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--maps", metavar="DIR|FILE", type=Path, required=True, help="the score maps")
    parser.add_argument(
        "--metadata", metavar="DIR|FILE", type=Path, required=True,
        help="the truth: a split folder of wsolevaluation, a COCO .json file, a VOCdevkit/VOC2012 or CUB_200_2011 "
        "folder, class folders with boxes, or what a data set of a plugin recognises",
    )  # fmt: skip
    parser.add_argument("--split", metavar="NAME", help="split of the metadata: test, val or VOC's Segmentation/val")
    parser.add_argument(
        "--protocol", metavar="NAME", nargs="+", action="extend", default=[],
        help="what to compute (default: every protocol that fits the data; a wrong name lists them)",
    )  # fmt: skip
    parser.add_argument("--images", metavar="DIR", type=Path, help="the images, for sizes that nothing states")
    parser.add_argument("--masks", metavar="DIR", type=Path, help="the masks (default: --images)")
    parser.add_argument(
        "--boxes", metavar="FILE|DIR", type=Path,
        help="boxes of class folders: CSV, COCO .json, VOC or YOLO (default: boxes.json, boxes.csv or boxes/ in them)",
    )  # fmt: skip
    parser.add_argument("--classes", metavar="NAME", nargs="+", help="class names by index, or a .txt file of them")
    parser.add_argument("--logits", metavar="FILE", type=Path, help=".npz or .csv with class scores, for top-1 metrics")
    chosen = parser.add_argument_group("how the threshold is chosen (default: on the scored split, an oracle)")
    chosen.add_argument("--threshold", metavar="T", type=float, help="this one, whatever the data says")
    chosen.add_argument("--val-maps", metavar="DIR|FILE", type=Path, help="maps of the split to choose it on")
    chosen.add_argument("--val-metadata", metavar="DIR|FILE", type=Path, help="truth of that split")
    chosen.add_argument("--val-split", metavar="NAME", help="its name (default: as --val-metadata says)")
    add_map_options(parser, default_size="224")
    parser.add_argument(
        "--allow-missing", action="store_true", help="count images without a map as misses, instead of stopping"
    )
    written = parser.add_argument_group("what is written")
    written.add_argument("--out", metavar="DIR", type=Path, default=Path("evaluation"), help="default: evaluation")
    written.add_argument("--name", help="name of the method in the report (default: that of --maps)")
    written.add_argument("--no-report", dest="report", action="store_false", help="write results.json only, no pages")
    written.add_argument("--overwrite", action="store_true", help="replace earlier results in DIR")
    parser.set_defaults(run=run)


def add_map_options(parser: argparse.ArgumentParser, default_size: str) -> None:
    """Add the options that say how maps are read."""
    group = parser.add_argument_group("how maps are read")
    group.add_argument(
        "--size", default=default_size,
        help=f"bring maps to this size: pixels (224), HEIGHTxWIDTH, original (the image's) or map (as stored) "
        f"(default: {default_size})",
    )  # fmt: skip
    group.add_argument(
        "--resize", metavar="HOW", default="linear",
        help="linear (default), cubic (as wsolevaluation), or refuse: stop at a map of another size",
    )  # fmt: skip
    group.add_argument(
        "--normalize", metavar="HOW", default="none",
        help="none (default): scores have to lie in [0, 1]; minmax: bring each map to that range",
    )  # fmt: skip
    group.add_argument("--threads", metavar="N", type=int, help="images at a time (default: one per core, at most 8)")


def run(args: argparse.Namespace) -> int:
    """Score the maps, print tables, write results and report; returns the exit status."""
    from wsolkit.lock import locked

    with locked(args.out, "evaluation", "--out"):
        return evaluate(args)


def evaluate(args: argparse.Namespace) -> int:
    """Do what ``run`` says, in a folder that nobody else writes to."""
    from rich.console import Console

    from wsolkit.datasets.annotations import read_annotations
    from wsolkit.errors import ConfigError, printable
    from wsolkit.evaluation.protocols import choose_protocols
    from wsolkit.formats.logits import read_logits
    from wsolkit.formats.map_size import check_options, parse_size
    from wsolkit.formats.score_maps import open_score_maps
    from wsolkit.progress import progress_bar
    from wsolkit.report.evaluation_file import claim_results, settings_of, write_evaluation
    from wsolkit.report.tables import evaluation_table
    from wsolkit.scoring.from_maps import data_has, score_maps
    from wsolkit.scoring.known_protocols import find_protocols
    from wsolkit.threads import default_threads

    if (args.val_maps is None) != (args.val_metadata is None):
        raise ConfigError("A threshold is chosen on maps and their truth. Give both --val-maps and --val-metadata.")
    check_options(args.resize, args.normalize)
    size = parse_size(args.size)
    known = find_protocols(args.protocol)
    settings = settings_of(vars(args))
    folder = claim_results(args.out, args.overwrite, settings)
    classes = class_list(args.classes)

    def split(metadata: Path, name: str | None, maps: Path) -> tuple[ScoreMaps, Annotations]:
        truth = read_annotations(metadata, name, args.images, args.masks, classes, boxes=args.boxes)
        return open_score_maps(maps, args.normalize, None, truth.file_names, truth.classes), truth

    maps, truth = split(args.metadata, args.split, args.maps)
    chosen = choose_protocols(args.protocol, data_has(truth, args.logits is not None), known)
    val = None if args.val_maps is None else split(args.val_metadata, args.val_split, args.val_maps)
    logits = None if args.logits is None else read_logits(args.logits, truth.ids, len(truth.classes))
    with progress_bar("images", len(truth) + (len(val[1]) if val else 0)) as advance:
        found = score_maps(
            maps,
            truth,
            [kind() for kind in chosen],
            threads=default_threads() if args.threads is None else args.threads,
            size=size,
            resize=args.resize,
            threshold=args.threshold,
            val=val,
            logits=logits,
            allow_missing=args.allow_missing,
            advance=advance,
        )
    found.name = args.name or printable(default_name(args.maps, truth.split))
    found.settings = settings
    found.maps = str(args.maps.absolute())
    found.image_root = None if args.images is None else str(args.images.absolute())
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(evaluation_table(found))
    for remark in found.remarks:
        print(f"warning: {remark}", file=sys.stderr)
    for path in write_evaluation(folder, found, page=args.report):
        print(printable(str(path)))
    return 0


def default_name(maps: Path, split: str) -> str:
    """Return what a run is called where nobody says: the folder of the maps, or their file without its ending.

    A name that only says the split is given after that of the folder it lies in.

    >>> default_name(Path("cam.npz"), "test"), default_name(Path("cam/test.npz"), "test")
    ('cam', 'cam/test')
    """
    path = maps.resolve()
    name = path.name if path.is_dir() else path.stem
    return f"{path.parent.name}/{name}" if name == split and path.parent.name else name


def class_list(given: list[str] | None) -> list[str] | None:
    """Return class names: those given, or the lines of the one ``.txt`` file given; ``label,name`` is read as well.

    Raises:
        DataError: the file is missing or empty, or leaves out a label.
    """
    if given is None or len(given) != 1 or not given[0].endswith(".txt"):
        return given
    from wsolkit.formats.text_lists import read_class_names

    return read_class_names(given[0])
