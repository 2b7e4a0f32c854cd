"""A shipped configuration is flat: it builds on files of _base_, or on one experiment that it varies, and no further.

Configurations of users and plugins may be nested to any depth (tests/runner/test_find_config.py).
"""

import ast
from pathlib import Path
from statistics import median

from wsolkit.config.read import base_file, base_lines

CONFIGS = Path(__file__).parents[1] / "configs"
FILES = [path for path in sorted(CONFIGS.rglob("*.py")) if path.parent.name != "_base_"]
MOST_DEEP = 2
MOST_FILES = 4
MEDIAN_FILES = 3


def bases(path):
    """Return the files that a configuration names in ``_base_``."""
    return [base_file(path, base) for _, names in base_lines(ast.parse(path.read_text("utf-8"))) for base in names]


def depth(path):
    """Return how many files lie below each other: 0 without ``_base_``."""
    return max((1 + depth(base) for base in bases(path)), default=0)


def opened(path):
    """Return the files that a reader opens to know a configuration: itself and all it builds on."""
    return {path.resolve()}.union(*map(opened, bases(path)))


def is_training(path):
    return "\nstages = " not in path.read_text("utf-8")


def test_no_configuration_is_deeper_than_two_levels():
    found = {path.stem: depth(path) for path in FILES}
    deep = {name: levels for name, levels in found.items() if levels > MOST_DEEP}
    assert not deep, f"{deep} levels of _base_, {MOST_DEEP} at most: name files of _base_ and write out the model"


def is_variation(path):
    """Tell whether a configuration changes a part of another experiment, which is one file more."""
    return any(base.parent.name != "_base_" for base in bases(path))


def test_a_reader_opens_few_files_to_know_a_training():
    found = {path.stem: len(opened(path)) for path in FILES if is_training(path)}
    many = {name: files for name, files in found.items() if files > MOST_FILES}
    assert not many, f"{many} files to open, {MOST_FILES} at most"
    written_out = [found[path.stem] for path in FILES if is_training(path) and not is_variation(path)]
    assert median(written_out) <= MEDIAN_FILES, f"a median of {median(written_out)} files, of {found}"


def test_what_lies_in_the_base_folder_is_used():
    used = set().union(*map(opened, FILES))
    unused = [path.name for path in (CONFIGS / "_base_").glob("*.py") if path.resolve() not in used]
    assert not unused, f"no configuration builds on _base_/{unused}: delete it"
