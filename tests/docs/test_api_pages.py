"""The API reference: every package with public names has a page, and names of the inside are told from mistakes."""

import importlib
import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
API = DOCS / "api"
PACKAGE = DOCS.parent / "wsolkit"
AT_THE_TOP = {"wsolkit.interfaces"}
"""Packages all of whose names are those of wsolkit itself."""


def documented():
    """Return the packages that the pages document, each with the names that it leaves out."""
    found = {}
    for page in API.glob("*.md"):
        for name, options in re.findall(r"^\.\. automodule:: (\S+)\n((?:   :.*\n)*)", page.read_text("utf-8"), re.M):
            found[name] = set(re.findall(r":exclude-members: (.*)", options))
            assert ":imported-members:" in options
            assert f"]({page.name})" in (API / "index.md").read_text("utf-8")
    return found


def test_every_package_with_public_names_has_a_page():
    stubs = {".".join(path.parent.relative_to(PACKAGE.parent).parts) for path in PACKAGE.rglob("__init__.pyi")}
    assert set(documented()) | AT_THE_TOP == stubs | {"wsolkit.evaluation"}


def test_what_one_page_leaves_out_another_one_has():
    pages = documented()
    names = {package: set(importlib.import_module(package).__all__) for package in [*pages, *AT_THE_TOP]}
    for package, left_out in pages.items():
        for name in left_out:
            assert any(name in names[other] - pages[other] for other in pages if other != package), (package, name)
    assert names["wsolkit.interfaces"] <= names["wsolkit"]


def test_a_name_that_does_not_exist_stays_an_error(monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(DOCS)
    inner_names = importlib.import_module("inner_names")
    monkeypatch.delitem(sys.modules, "inner_names")
    assert inner_names.is_there("wsolkit.labelling.run.LabelRun")
    assert inner_names.is_there("wsolkit.labelling.run.LabelRun.folder")
    assert not inner_names.is_there("wsolkit.labelling.run.LabelRun.fodler")
    assert inner_names.is_there("wsolkit.Predictor.from_config")
    assert inner_names.is_there("wsolkit.evaluation.box_map.DetectionRow")  # box_map is a function there too
    assert not inner_names.is_there("wsolkit.labelling.run.LableRun")
    assert not inner_names.is_there("wsolkit.labeling.run.LabelRun")
