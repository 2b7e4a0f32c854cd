"""Bad input is answered in words, with exit code 2, and changes nothing that was there.

Each file beside this one lists cases of one kind in ``CASES``. A plain run tries about a third of them, and those that
are marked ``always``; ``WSOLKIT_BAD_INPUT=all`` tries all.
"""

import hashlib
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.bad_input.case import drawn
from wsolkit.cli.main import main

KINDS = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "case" and "test_" not in path.stem
)
CASES = [(kind, case) for kind in KINDS for case in import_module(f"tests.bad_input.{kind}").CASES]


def contents(folder):
    """Return what each file below a folder holds, by path."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_names_are_unique():
    names = [(kind, case.name) for kind, case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", [pytest.param(case, id=f"{kind}: {case.name}") for kind, case in CASES if drawn(case)])
def test_bad_input(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = [str(part) for part in case.command(tmp_path)]
    before = contents(tmp_path)
    try:
        code = main(command)
    except SystemExit as stop:  # argparse
        code = stop.code
    printed = capsys.readouterr()
    told = printed.err if case.code else printed.out + printed.err
    assert code == case.code, told
    assert "Traceback" not in told
    assert re.search(case.words, told), told
    after = contents(tmp_path)
    assert {path: after.get(path) for path in before} == before, "files that were there changed"
