"""``wsolkit --print-completion bash``: a script by which a shell completes commands, options, names and files.

The script knows everything when it is printed, so that nothing of wsolkit is started while somebody types.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["SHELLS", "CompletionAction"]

SHELLS = ("bash", "zsh")
PREFIX = "_wsolkit_words_"
NAMED = {"config": "configs", "file": "benchmarks", "name": "names"}
"""The lists that positional arguments are completed from, beside files, by what the arguments are called."""

FILES = ("checkpoint", "images")
"""Arguments that are files or folders, beside those of the type ``Path``."""


class CompletionAction(argparse.Action):
    """Prints the script; what makes it is imported only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, _: Any, shell: Any, *__: Any) -> None:
        """Print the script and exit."""
        print(completion_script(parser, str(shell)))
        parser.exit()


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for a shell.

    Args:
        parser: the parser of the command and all its subcommands.
        shell: ``bash`` or ``zsh``.
    """
    import shtab

    words = known_words()
    for action in actions_of(parser):
        kind = NAMED.get(action.dest) if not action.option_strings else None
        if kind is not None:
            action.complete = dict.fromkeys(SHELLS, f"{PREFIX}{kind}")  # type: ignore[attr-defined]
        elif action.choices is None and (action.type is Path or action.dest in FILES):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    preamble = {each: "\n".join(function(each, *item) for item in words.items()) for each in SHELLS}
    return str(shtab.complete(parser, shell, preamble=preamble))


def actions_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its subcommands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from actions_of(inner)
        else:
            yield action


def known_words() -> dict[str, list[str]]:
    """Return the names that arguments are completed from, by the names of the lists."""
    from wsolkit.config.find import benchmark_files, config_files
    from wsolkit.plugins.loading import load_plugins

    plugins = load_plugins()
    configs, benchmarks = sorted(config_files()), sorted(benchmark_files())
    parts = {each.name for each in plugins.components.values()} | {method.name for method, _ in plugins.methods}
    return {"configs": configs, "benchmarks": benchmarks, "names": sorted({*parts, *configs, *benchmarks})}


def function(shell: str, kind: str, words: Iterable[str]) -> str:
    """Return a shell's function that offers words and files.

    >>> print(function("bash", "configs", ["cam_folder"]))
    _wsolkit_words_configs() { compgen -W "cam_folder" -- "$1"; compgen -f -- "$1"; }
    """
    plain = [word for word in words if not set(word) & set("\"'`$\\ \t\n")]
    if shell == "bash":
        return f'{PREFIX}{kind}() {{ compgen -W "{" ".join(plain)}" -- "$1"; compgen -f -- "$1"; }}'
    listed = " ".join(f"'{word}'" for word in plain)
    return f"{PREFIX}{kind}() {{ local -a words=({listed}); compadd -a words; _files }}"
