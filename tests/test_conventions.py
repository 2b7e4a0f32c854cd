"""Files that people and their tools expect at the top of a repository, held to what they repeat of other files."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from wsolkit import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CFF_KEYS = {
    "cff-version", "message", "title", "type", "authors", "version", "license", "abstract", "keywords", "doi",
    "date-released", "url", "repository-code", "preferred-citation", "references", "identifiers", "contact",
}  # fmt: skip


def test_the_citation_is_of_this_version_and_license():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation) <= CFF_KEYS
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert str(citation["version"]) == __version__
    assert citation["license"] == PROJECT["license"]
    assert citation["keywords"] == PROJECT["keywords"]
    assert [set(author) for author in citation["authors"]] == [{"name"}]


def test_the_citation_is_valid_by_its_schema():
    cffconvert = pytest.importorskip("cffconvert", reason="cffconvert is not installed, which has the schema of CFF")
    cffconvert.Citation((ROOT / "CITATION.cff").read_text()).validate()


def test_pre_commit_runs_the_checks_of_make_test():
    makefile = (ROOT / "Makefile").read_text()
    (checks,) = re.findall(r"^test:.*\n\t.*--keep-going (.*)$", makefile, re.MULTILINE)
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    hooks = {hook["id"]: hook for hook in repo["hooks"]}
    assert [name.replace("quick", "unit") for name in hooks] == checks.split()
    for name, hook in hooks.items():
        assert re.search(rf"^{name}: ", makefile, re.MULTILINE)
        assert hook["entry"] == f"make {name}"
        assert hook["language"] == "system"
        assert hook["pass_filenames"] is False
    assert [hook["stages"] for hook in hooks.values()] == [["pre-commit"], ["pre-commit"], ["pre-push"]]


def test_the_tests_before_a_push_are_those_of_make_test_without_the_slow_ones():
    makefile = (ROOT / "Makefile").read_text()
    unit, quick = (re.search(rf"^{name}: .*\n\t(.*)$", makefile, re.MULTILINE)[1] for name in ("unit", "quick"))
    assert quick == f"{unit} -m 'not slow'"


def test_security_names_what_runs_code_and_how_to_report():
    text = (ROOT / "SECURITY.md").read_text()
    for said in ("## What runs code", "custom_imports", "entry point", "TorchScript", "WSOLKIT_DISABLED_PLUGINS"):
        assert said in text
    assert "in private" in text.partition("## Reporting")[2]
    variables = set(re.findall(r"WSOLKIT_\w+", text))
    sources = "".join(path.read_text() for path in (ROOT / "wsolkit").rglob("*.py"))
    assert not {name for name in variables if name not in sources}


def test_the_extra_all_has_every_other_one_but_that_of_the_tests():
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    assert set(re.fullmatch(r"wsolkit\[(.*)\]", everything)[1].split(",")) == set(extras) - {"all", "test"}


def test_opencv_beside_its_twin_is_explained_where_it_fails():
    from wsolkit.cli.blame import broken_opencv

    error = ImportError("libGL.so.1: cannot open shared object file: No such file or directory", name="cv2")
    said = broken_opencv(error)
    assert said.startswith("OpenCV cannot be imported: libGL.so.1: cannot open")
    assert "pip uninstall --yes opencv-python opencv-python-headless" in said
    assert "pip install opencv-python-headless" in said
    half = AttributeError("module 'cv2' has no attribute 'imdecode'")
    assert "They share one folder" in broken_opencv(half)
    assert broken_opencv(AttributeError("module 'cv3' has no attribute 'imdecode'")) is None
    assert broken_opencv(ImportError("no", name="torch")) is None
