"""The parser of every command: options may stand anywhere among the other arguments."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["MixedParser"]


class MixedParser(argparse.ArgumentParser):
    """A parser that takes options between the positional arguments too, and shares these out when it has them all."""

    _sharing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the arguments and what is left; see ``ArgumentParser``."""
        if self._sharing or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._sharing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._sharing = False
