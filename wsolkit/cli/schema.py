"""``wsolkit schema``: a JSON schema of configurations, by which editors complete and check them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

DESCRIPTION = """\
Print a JSON schema (draft 7) of configurations in YAML and JSON: all parts of wsolkit and of the plugins that are
installed, their arguments, what these may be, their defaults and documentation. Editors complete and check with it.

A YAML file names it in its first line, and a JSON file in its first entry:
  # yaml-language-server: $schema=wsolkit.schema.json
  "$schema": "wsolkit.schema.json"

It judges what is written; what is missing may come from _base_. wsolkit itself checks the whole when it reads a file.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser(
        "schema",
        help="print a JSON schema of configurations, for editors",
        description=DESCRIPTION,
        epilog="example:\n  wsolkit schema --out wsolkit.schema.json\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="write it to a file (default: to the terminal)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print or write the schema; returns the exit status."""
    from wsolkit.config.schema import configuration_schema
    from wsolkit.files import write_json

    schema = configuration_schema()
    if args.out is None:
        print(json.dumps(schema, indent=2, ensure_ascii=False))
    else:
        write_json(args.out, schema)
        print(args.out)
    return 0
