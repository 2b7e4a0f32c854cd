"""The options that say how folders for a detector are written."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsolkit.formats.export import Export

__all__ = ["add_export_options", "export_of"]


def add_export_options(group: Any) -> None:
    """Add the options to a group of a parser."""
    group.add_argument(
        "--val-share", metavar="P", type=float, default=0.1,
        help="share of the images that YOLO's and VOC's lists hold out as val (default: 0.1; 0: val lists all)",
    )  # fmt: skip
    group.add_argument(
        "--copy-images", action="store_true",
        help="copy the images into yolo/ and voc/, which can then be moved alone (default: links, relative)",
    )  # fmt: skip


def export_of(args: argparse.Namespace) -> Export:
    """Return what the options say.

    Raises:
        ConfigError: a number is out of range.
    """
    from wsolkit.formats.export import Export

    return Export(args.val_share, args.copy_images)
