"""``python -m wsolkit``: the same as the ``wsolkit`` command, for launchers that want a module."""

import sys

from wsolkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
