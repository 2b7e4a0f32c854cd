"""``wsolkit new-plugin``: a distribution for a plugin of one's own, whose parts work and whose tests pass."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

PARTS = (
    "modifier", "loss", "head", "pooling", "cam_method", "box_extractor", "backbone", "batch_transform", "refiner",
    "stage", "protocol",
)  # fmt: skip
DEFAULT = ("modifier", "loss")

DESCRIPTION = """\
Write a distribution for a plugin of your own into the folder NAME: packaging with the entry point by which wsolkit
finds it, an example of each kind of part asked for, a card, a configuration, and tests that hold the parts to their
contracts. It installs and its tests pass as it is; edit the parts from there.
"""

EPILOG = """\
examples:
  wsolkit new-plugin mine
  wsolkit new-plugin mine --parts loss head --into plugins
  cd mine && pip install -e '.[test]' && pytest
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "new-plugin",
        help="write a package with working parts of your own, to be edited",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="the plugin's name, a word of a-z, 0-9 and _")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=DEFAULT, metavar="KIND",
        help=f"the kinds of parts it begins with (default: {' '.join(DEFAULT)}): {', '.join(PARTS)}",
    )  # fmt: skip
    parser.add_argument(
        "--into", metavar="DIR", type=Path, default=Path(), help="the folder that it is written into (default: here)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the distribution and print how it is tried."""
    from wsolkit.authoring.new_plugin import write_plugin

    folder = write_plugin(args.name, args.parts, args.into)
    print(f"{folder} holds the plugin {args.name}. Try it:\n  cd {folder}\n  pip install -e '.[test]'\n  pytest")
    return 0
