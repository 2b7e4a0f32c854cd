"""Every piece of Python on the pages is Python that this wsolkit takes.

A configuration, a pipeline or a benchmark is read as the command would read it. Of anything else, which needs data or
minutes, the imports are run and every call of an imported name is bound to its signature.
"""

import ast
import inspect
import json
from importlib import import_module

import pytest

from tests.docs.test_commands import PAGES, ROOT
from tests.support.snippets import blocks_of, files_of
from tests.test_imports import check_public_alone
from wsolkit.benchmark.benchmark_file import read_benchmark
from wsolkit.config.load import load_config
from wsolkit.pipeline.pipeline_config import read_pipeline

SNIPPETS = [
    pytest.param(block.text, id=f"{path.relative_to(ROOT).as_posix()}-{number}")
    for path in PAGES
    for number, block in enumerate(blocks_of(path.read_text("utf-8")))
    if block.language == "python"
]


def assigned(tree):
    """Return the names that a snippet gives a value at its top."""
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def imported(tree):
    """Run the imports of a snippet, and return what they bring by name."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: import_module(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = import_module(node.module)
            found |= {alias.asname or alias.name: getattr(home, alias.name) for alias in node.names}
    return found


def check_calls(tree, names):
    """Bind every call of an imported name, or of something in one, to its signature."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        path = ast.unparse(node.func).split(".")
        if path[0] not in names or not all(part.isidentifier() for part in path):
            continue
        called = names[path[0]]
        for part in path[1:]:
            called = getattr(called, part)
        try:
            signature = inspect.signature(called)
        except ValueError:  # written in C
            continue
        signature.bind(*[None] * len(node.args), **{each.arg: None for each in node.keywords if each.arg})


@pytest.mark.parametrize("text", SNIPPETS)
def test_a_snippet_is_taken(text, tmp_path):
    tree = ast.parse(text)
    file, top = tmp_path / "mine.py", assigned(tree)
    if top & {"_base_", "model", "stages", "methods"}:
        file.write_text(text, encoding="utf-8")
        if "stages" in top:
            assert read_pipeline(file)["stages"]
        elif "methods" in top:
            assert read_benchmark(file).methods
        elif "_base_" in top:
            assert load_config(file).model
        return
    check_calls(tree, imported(tree))


def test_pages_import_public_names_alone():
    for path in PAGES:
        text = path.read_text("utf-8")
        shown = [block.text for block in blocks_of(text) if block.language == "python"]
        for each in [*shown, *(body for name, body in files_of(text).items() if name.endswith(".py"))]:
            check_public_alone(each, path.relative_to(ROOT))
    for path in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                check_public_alone("".join(cell["source"]), path.name)
    for path in (ROOT / "tests" / "third_party").rglob("*.py"):
        check_public_alone(path.read_text("utf-8"), path.name)


def test_what_evaluate_prints(capsys):
    page = (ROOT / "docs" / "evaluate.md").read_text("utf-8")
    [text] = [block.text for block in blocks_of(page) if block.language == "python"]
    exec(compile(text, "evaluate.md", "exec"), {})
    assert capsys.readouterr().out == "[[ True  True]\n [ True  True]]\n100.0 [20.7, 100.0]\n"


@pytest.mark.parametrize(
    "text",
    ["from wsolkit import labels", "from wsolkit import label\nlabel('photos', outs='labels')"],
)
def test_a_wrong_snippet_is_found(text):
    tree = ast.parse(text)
    with pytest.raises((AttributeError, TypeError)):
        check_calls(tree, imported(tree))
