"""The ``wsolkit`` command: finds the subcommand, runs it, and prints mistakes in the input without a traceback.

A subcommand is a module of ``wsolkit.cli`` with ``add_parser(subparsers)``, which sets the default ``run`` to a
function of the parsed arguments. Modules keep heavy imports inside ``run``, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from wsolkit.cli.completion import SHELLS, CompletionAction
from wsolkit.cli.mixed_parser import MixedParser
from wsolkit.cli.one_line import one_line_warnings
from wsolkit.config.parse import with_home
from wsolkit.errors import WsolkitError
from wsolkit.files import disk_fails
from wsolkit.interrupts import exit_code, mind_no_lost_children, terminations

__all__ = ["build_parser", "main"]

SUBCOMMANDS = (
    "label", "train", "test", "predict", "export", "pipeline", "benchmark", "evaluate", "boxes", "compare", "data",
    "components", "schema", "new_plugin",
)  # fmt: skip

MISTAKE = 2
PIPE_CLOSED = 1


class VersionAction(argparse.Action):
    """Prints the version; it is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """Print the version and exit."""
        from wsolkit import __version__

        print(f"wsolkit {__version__}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command and all its subcommands."""
    parser = argparse.ArgumentParser(
        prog="wsolkit", description="Weakly supervised localization: maps, boxes and masks from image labels alone."
    )
    parser.add_argument("--version", action=VersionAction, nargs=0, help="print the version and exit")
    parser.add_argument(
        "--print-completion", action=CompletionAction, choices=SHELLS,
        help="print a script that completes commands, options and names in that shell, and exit",
    )  # fmt: skip
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=MixedParser)
    for name in SUBCOMMANDS:
        import_module(f"wsolkit.cli.{name}").add_parser(subparsers)
    for each in (parser, *subparsers.choices.values()):
        each.add_argument(
            "--traceback", action="store_true", default=argparse.SUPPRESS, help="show where an error came from"
        )
    return parser


def print_anything() -> None:
    """Let names of any bytes, and letters that the terminal does not have, be printed as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 2 after a mistake in the input, 130 after Ctrl-C.

    ``kill`` (SIGTERM) ends it as Ctrl-C does, with 143. A reader that closes the pipe ends it quietly, with 1.
    """
    print_anything()
    parser = build_parser()
    args = parser.parse_args(argv)
    if not hasattr(args, "run"):
        parser.print_help(sys.stderr)
        return MISTAKE
    vars(args).update(with_home(vars(args)))
    try:
        with terminations(), one_line_warnings():
            code = args.run(args) or 0
        sys.stdout.flush()
        return code
    except WsolkitError as error:
        if hasattr(args, "traceback"):
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt as stop:
        print("stopped", file=sys.stderr)
        mind_no_lost_children()
        return exit_code(stop)
    except BrokenPipeError:  # the reader has seen enough, as in `wsolkit list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        if hasattr(args, "traceback") or (error.filename is None and not disk_fails(error)):
            raise
        what = str(error.strerror) if error.filename is None else f"{error.filename}: {error.strerror}"
        print(f"error: {what}. Check the path, its permissions and the disk.", file=sys.stderr)
        return MISTAKE
    except Exception as error:
        from wsolkit.cli.blame import broken_opencv, missing_library, part_at_fault

        if (said := broken_opencv(error)) is not None and not hasattr(args, "traceback"):
            print(f"error: {said}", file=sys.stderr)
            return MISTAKE
        library, part = missing_library(error), part_at_fault(error)
        if library is not None and not hasattr(args, "traceback"):
            who = f"{part} needs {library}, which" if part else f"{library} is needed and"
            print(f"error: {who} is not installed. Install it with: pip install {library}", file=sys.stderr)
            return MISTAKE
        where = f" It arose in {part}." if part else ""
        print(
            f"This is a mistake in wsolkit or in a plugin.{where} Please report it with the lines below.",
            file=sys.stderr,
        )
        raise


if __name__ == "__main__":
    sys.exit(main())
