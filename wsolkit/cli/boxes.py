"""``wsolkit boxes``: box files from score maps that any program wrote."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from wsolkit.cli.evaluate import add_map_options, class_list
from wsolkit.cli.export_options import add_export_options, export_of

__all__ = ["add_parser", "run"]

DESCRIPTION = """\
Make boxes of score maps, without a model: COCO, VOC, YOLO or CSV files in pixels of the images.

MAPS is what `wsolkit evaluate` takes. The class of a map is the image's label (--metadata), or the class index in its
name (<image id>/<class index>), or its place in an array (K, H, W), where maps of zeros do not count. Maps that cannot
be read are left out and listed in failed.csv; the exit status is 0 as long as one could be.
"""

EPILOG = """\
examples:
  wsolkit boxes --maps scoremaps --metadata metadata/CUB/test --out found --threshold 0.2
  wsolkit boxes --maps cams.npz --images photos --classes cat dog --out found --format coco yolo
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "boxes",
        help="make box files of score maps, for training a detector; no model is needed",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--maps", metavar="DIR|FILE", type=Path, required=True, help="the score maps")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the results: new or empty")
    data = parser.add_argument_group("what the images are (one of these is needed, for their sizes)")
    data.add_argument("--images", metavar="DIR", type=Path, help="folder of the images")
    data.add_argument("--sizes", metavar="FILE", type=Path, help="lines id,width,height, such as image_sizes.txt")
    data.add_argument(
        "--metadata", metavar="DIR|FILE", type=Path,
        help="labels and sizes: what `wsolkit evaluate --metadata` takes, or class folders",
    )  # fmt: skip
    data.add_argument("--split", metavar="NAME", help="split of the metadata")
    data.add_argument("--classes", metavar="NAME", nargs="+", help="class names by index, or a .txt file of them")
    found = parser.add_argument_group("how boxes are found")
    found.add_argument(
        "--threshold",
        metavar="T",
        type=float,
        default=0.2,
        help="cut at this share of a map's maximum (default: 0.2)",
    )
    found.add_argument(
        "--extractor", metavar="NAME", default="LargestComponent",
        help="LargestComponent (default), AllComponents, or another of `wsolkit list BoxExtractor`",
    )  # fmt: skip
    add_map_options(parser, default_size="map")
    written = parser.add_argument_group("what is written")
    written.add_argument(
        "--format", metavar="NAME", nargs="+", action="extend", default=[],
        help="coco (default), voc, yolo, yolo-seg (outlines), masks (PNG, VOC's colours), csv, labelstudio, cvat",
    )  # fmt: skip
    written.add_argument(
        "--masks", action="store_true", help="give every box the map's own mask: in coco, yolo-seg, masks"
    )
    add_export_options(written)
    written.add_argument("--overwrite", action="store_true", help="remove results of other settings from DIR")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the box files and say what was done; returns the exit status."""
    from wsolkit.datasets.annotations import read_annotations
    from wsolkit.errors import printable
    from wsolkit.formats.map_size import check_options, parse_size
    from wsolkit.formats.score_maps import open_score_maps
    from wsolkit.formats.writers import check_formats
    from wsolkit.inference.boxes_from_maps import class_names_for, maps_to_boxes, sized_images
    from wsolkit.progress import progress_bar
    from wsolkit.registry import BOX_EXTRACTORS, check_arguments
    from wsolkit.threads import default_threads

    formats = check_formats(name for names in args.format or ["coco"] for name in names.split(",") if name)
    export = export_of(args)
    check_options(args.resize, args.normalize)
    size = parse_size(args.size)
    settings = {"threshold": args.threshold}
    check_arguments({"type": args.extractor, **settings}, BOX_EXTRACTORS)
    extractor = BOX_EXTRACTORS.get(args.extractor)(**settings)  # mmengine's own way of building needs torch
    given = class_list(args.classes)
    truth = None
    if args.metadata is not None:
        truth = read_annotations(args.metadata, args.split, args.images, classes=given, targets=False)
    known = given if truth is None else truth.classes
    file_names = None if truth is None else truth.file_names
    maps = open_score_maps(args.maps, args.normalize, file_names=file_names, classes=known)
    images = sized_images(truth, args.sizes, args.images)
    names = class_names_for(maps, given, truth)
    if known is None:
        maps.num_classes = len(names)
    done = maps_to_boxes(
        maps,
        images,
        args.out,
        names,
        extractor,
        formats,
        size=size,
        resize=args.resize,
        threads=default_threads() if args.threads is None else args.threads,
        overwrite=args.overwrite,
        settings={"formats": list(formats)},
        shows=progress_bar,
        export=export,
        masks=args.masks,
    )
    for remark in done.remarks:
        print(f"warning: {remark}", file=sys.stderr)
    if done.failed:
        print(f"warning: {done.failed} maps could not be made boxes of; failed.csv says why.", file=sys.stderr)
    print(f"{done.boxes} boxes in {done.images} images, threshold {args.threshold:g}.")
    if done.without_box:
        print(f"{done.without_box} images have no box; they are in without_box.csv.")
    for path in done.files:
        print(f"  {printable(str(path))}")
    return 0
