"""The packages on the pages of *Port a method in an hour*: found as plugins, their own tests run, tidy."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.snippets import files_of

ROOT = Path(__file__).parents[2]
PAGES = {"my_adl": "adl", "my_acol": "acol", "my_cutmix": "cutmix", "my_tscam": "tscam"}
TESTS = {"my_adl": 3, "my_acol": 4, "my_cutmix": 5, "my_tscam": 5}

HELD = """
import sys
from wsolkit import load_plugins
found = load_plugins()
assert not found.broken, found.broken
mine = [each for each in found.components.values() if each.source.plugin.startswith("my_")]
methods = [method for method, source in found.methods if source.plugin.startswith("my_")]
print(*sorted(each.name for each in mine + methods))
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def files(package: str) -> dict[str, str]:
    """Return the files of a package that its page shows, by their paths."""
    return files_of((ROOT / "docs" / "porting" / f"{PAGES[package]}.md").read_text("utf-8"))


def install(package: str, folder: Path) -> Path:
    """Write the package of a page into a folder, with what an installation would say of it beside it."""
    shown = files(package)
    for name, text in shown.items():
        path = folder / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    project = tomllib.loads(shown["pyproject.toml"])["project"]
    told = folder / package / f"{package}-{project['version']}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["wsolkit"]
    (told / "entry_points.txt").write_text("".join(f"[wsolkit]\n{key} = {value}\n" for key, value in points.items()))
    return folder / package


@pytest.mark.slow
def test_the_four_packages_are_found_and_their_own_tests_pass(tmp_path):
    places = [install(package, tmp_path) for package in PAGES]
    paths = [*map(str, places), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, *(str(place / "tests") for place in places)]
    done = subprocess.run(
        [sys.executable, "-c", HELD, *own],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, *_ = done.stdout.splitlines()
    assert first.split() == [
        "AttentionDropout", "BothClassifiers", "ComplementaryHead", "MyACoL", "MyADL", "MyCutMix", "MyTSCAM",
        "PastedBoxes", "TokenMapsHead",
    ]  # fmt: skip
    assert f"{sum(TESTS.values())} passed" in done.stdout


@pytest.mark.parametrize("package", PAGES)
def test_a_page_has_every_file_of_a_package(package):
    shown = files(package)
    assert {
        "pyproject.toml",
        f"{package}/__init__.py",
        f"{package}/card.md",
        f"{package}/configs/{package}_synthetic.py",
        f"tests/test_{package}.py",
    } < set(shown)
    assert len(shown) == 6
    project = tomllib.loads(shown["pyproject.toml"])
    assert project["project"]["entry-points"]["wsolkit"] == {package: package}
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [package]


@pytest.mark.parametrize("package", PAGES)
def test_the_code_of_a_page_is_as_tidy_as_ours(package, tmp_path):
    place = install(package, tmp_path)
    own = ["--config", str(ROOT / "pyproject.toml"), "--config", "src = ['.']"]
    for task in (["check", "--ignore=D103", *own], ["format", "--check", *own]):
        done = subprocess.run([sys.executable, "-m", "ruff", *task], cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
