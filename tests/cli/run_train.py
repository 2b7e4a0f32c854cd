"""Runs ``wsolkit train`` with the micro components: the tests' stand-in for the installed command."""

import sys

from tests.support import micro  # noqa: F401 - registers
from wsolkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
