"""The notebooks run from top to bottom as they are shown, keep no outputs, and each has a page of the site."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
NAMES = ["own_photographs", "swap_a_part", "maps_of_another_tool"]


def cells(name, kind):
    """Return the texts of a notebook's cells of one kind."""
    book = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_cells_run_one_after_the_other(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = ModuleType("__main__")
    for number, text in enumerate(cells(name, "code")):
        exec(compile(text, f"{name}, code cell {number}", "exec"), vars(notebook))
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_keeps_no_outputs_and_begins_with_its_title(name):
    book = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in book["cells"] if "outputs" in cell)
    assert cells(name, "markdown")[0].startswith("# ")
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])


def test_every_notebook_is_run():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(NAMES)
