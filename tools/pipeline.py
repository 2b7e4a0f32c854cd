"""The same as ``wsolkit pipeline``, for those who look into tools/ first."""

import sys

from wsolkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["pipeline", *sys.argv[1:]]))
