"""The files that the table of faults names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [line for line in (ROOT / "tests" / "FAULTS.md").read_text(encoding="utf-8").splitlines() if "`tests/" in line]
ROWS = [line for line in ROWS if line.startswith("|")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[2].strip())
def test_a_row_names_where_it_is_mended_and_a_test(row):
    mended, held = ([ROOT / name for name in re.findall(r"`(\S+?\.py)`", cell)] for cell in row.split("|")[3:5])
    assert mended
    assert held
    assert not [path for path in (*mended, *held) if not path.is_file()]
