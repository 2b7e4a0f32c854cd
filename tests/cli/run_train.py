"""Runs ``wsolkit train`` alone, with the micro components: the tests' stand-in for the installed command."""

import argparse
import sys

from tests.support import micro  # noqa: F401 - registers
from wsolkit.cli import train
from wsolkit.errors import WsolkitError

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    train.add_parser(parser.add_subparsers())
    args = parser.parse_args(["train", *sys.argv[1:]])
    try:
        sys.exit(args.run(args))
    except WsolkitError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
