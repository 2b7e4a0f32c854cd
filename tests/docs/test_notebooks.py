"""The notebooks keep no outputs in the repository; test_site.py runs them and looks at what their pages show."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def cells(name, kind):
    """Return the texts of a notebook's cells of one kind."""
    book = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_keeps_no_outputs_and_begins_with_its_title(name):
    book = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in book["cells"] if "outputs" in cell)
    assert cells(name, "markdown")[0].startswith("# ")
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
