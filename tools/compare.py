"""The same as ``wsolkit compare``, for those who look into tools/ first."""

import sys

from wsolkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["compare", *sys.argv[1:]]))
