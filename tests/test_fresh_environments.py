"""tools/fresh_environments.py: what each environment would install and run, and in which words one is left out."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TESTERS = ["pytest>=8", "pytest-timeout>=2.3", "hypothesis>=6.100"]


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools" / "fresh_environments.py"
    spec = importlib.util.spec_from_file_location("fresh_environments", path)
    found = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # dataclasses look themselves up
    spec.loader.exec_module(found)
    yield found
    del sys.modules[spec.name]


@pytest.fixture
def pretended(tool, monkeypatch):
    """Environments that end as they are called, without a wheel or a virtual environment."""

    def attempt(name, wheel, folder):
        if name == "lowest":
            raise tool.NotHereError("the package index has no torch==2.6 for it, or cannot be reached")
        if name == "engine":
            raise tool.BrokenError("-m pytest ... failed\nand how")
        return "versions"

    monkeypatch.setattr(tool, "attempt", attempt)
    monkeypatch.setattr(tool, "build", lambda folder: folder / "wsolkit.whl")


def test_every_extra_for_users_has_its_environment_and_every_named_test_is_there(tool):
    extras = {name for name, each in tool.ENVIRONMENTS.items() if each.kind == "extras"}
    assert extras == set(PROJECT["optional-dependencies"]) - {"test"}
    for name, each in tool.ENVIRONMENTS.items():
        assert each.tests, name
        assert all((ROOT / path).exists() for path in each.tests), name
        assert each.kind == "futures" or each.imports, name
    together = tool.ENVIRONMENTS["all"]
    assert {"transformers", "torchcam", "onnx", "optuna", "sphinx"} <= set(together.imports)
    assert {"tests/hub/test_hub.py", "tests/deploy/test_export.py"} <= set(together.tests)


@pytest.mark.parametrize(
    ("name", "wanted", "linked"),
    [
        ("onnx", ["w.whl[onnx]"], {"torch", "nvidia-cudnn-cu13"}),
        ("engine", ["w.whl"], {"torch", "nvidia-cudnn-cu13"}),
        ("setuptools", ["w.whl", "setuptools>=82"], {"torch", "nvidia-cudnn-cu13"}),
        ("python3.13", ["w.whl", "torch==2.99.1"], {"nvidia-cudnn-cu13"}),
    ],
)
def test_an_environment_asks_for_the_wheel_its_own_and_what_runs_tests(tool, name, wanted, linked, monkeypatch):
    monkeypatch.setattr(tool.metadata, "version", {"torch": "2.99.1+cpu"}.get)
    environment = tool.ENVIRONMENTS[name]
    assert tool.requirements(environment, "w.whl") == [*wanted, *TESTERS]
    names = {"torch", "nvidia-cudnn-cu13", "torchcam", "numpy"}
    assert {each for each in names if re.fullmatch(environment.linked, each)} == linked


def test_the_lowest_versions_are_the_bounds_of_pyproject(tool):
    asked = tool.requirements(tool.ENVIRONMENTS["lowest"], "w.whl")
    assert asked[0] == "w.whl"
    assert asked[-3:] == TESTERS
    pins = dict(each.split("==") for each in asked[1:-3])
    for requirement in PROJECT["dependencies"]:
        name, bound = re.match(r"([\w-]+)[=>]=([\d.]+)", requirement).groups()
        assert pins.pop(name) == bound
    assert not pins
    assert not tool.ENVIRONMENTS["lowest"].linked
    with pytest.raises(ValueError, match="'numpy<3' needs a lower bound, as in numpy>=1.26"):
        tool.lowest(["numpy<3"])


def test_kinds_stand_for_their_environments_and_each_is_made_once(tool):
    assert tool.chosen(["engine", "futures"]) == ["engine", "lowest", "setuptools", "python3.12", "python3.13"]
    with pytest.raises(ValueError, match="There is no environment 'onyx'. Choose from extras, futures, lowest, "):
        tool.chosen(["onyx"])


def test_only_torch_and_what_it_brings_is_linked(tool, tmp_path):
    tool.link(tool.LINKED, tmp_path / "linked")
    found = {path.name.partition("-")[0] for path in (tmp_path / "linked").iterdir()}
    assert {"torch", "torchvision"} <= found
    assert not found & {"numpy", "timm", "mmengine", "torchcam", "optuna", "onnx", "wsolkit"}


def test_a_python_that_is_not_there_is_said_and_one_of_pyenv_is_found(tool, tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(tool.NotHereError, match=r"there is no python9\.9 on this machine; install it and run this"):
        tool.interpreter(tool.Environment("futures", "Python 9.9", python="python9.9"))
    assert tool.interpreter(tool.ENVIRONMENTS["onnx"]) == sys.executable
    for version, words in (("9.9.0", "exit 127"), ("9.9.1", "exit 0")):
        command = tmp_path / "versions" / version / "bin" / "python9.9"
        command.parent.mkdir(parents=True)
        command.write_text(f"#!/bin/sh\n{words}\n")
        command.chmod(0o755)
    assert tool.interpreter(tool.Environment("futures", "Python 9.9", python="python9.9")) == str(command)


def test_what_the_index_does_not_have_is_told_from_what_fails(tool, tmp_path):
    say = "import sys; sys.exit('ERROR: No matching distribution found for torch==2.6')"
    with pytest.raises(tool.NotHereError, match=r"the package index has no torch==2\.6 for it, or cannot be reached"):
        tool.run([sys.executable, "-c", say], tmp_path)
    with pytest.raises(tool.BrokenError, match=r"failed\s+broken"):
        tool.run([sys.executable, "-c", "import sys; sys.exit('broken')"], tmp_path)


def test_settings_of_this_environment_do_not_reach_a_fresh_one(tool, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("WSOLKIT_DATA", "data")
    kept = "import os; print(sorted(each for each in os.environ if each.startswith(('PYTHON', 'WSOLKIT'))))"
    assert tool.run([sys.executable, "-c", kept], tmp_path) == "['PYTHONNOUSERSITE']\n"


def test_the_checkout_of_a_wheel_holds_none_of_our_code(tool, tmp_path):
    site = tmp_path / "site"
    for name in ("wsolkit/configs", "wsolkit_cam", "numpy"):
        (site / name).mkdir(parents=True)
    tool.lay_out(tmp_path / "checkout", site)
    assert {path.name for path in (tmp_path / "checkout" / "plugins").iterdir()} == {"wsolkit_cam"}
    assert (tmp_path / "checkout" / "wsolkit").resolve() == (site / "wsolkit").resolve()
    assert (tmp_path / "checkout" / "configs").resolve() == (site / "wsolkit" / "configs").resolve()
    assert (tmp_path / "checkout" / "tests" / Path(__file__).name).is_file()
    assert (tmp_path / "checkout" / "pyproject.toml").is_file()


def test_it_says_how_each_ended_and_fails_where_one_failed(tool, pretended, capsys):
    assert tool.main(["lowest", "setuptools"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "lowest      skipped: the package index has no torch==2.6 for it, or cannot be reached",
        "setuptools  passed: a setuptools without pkg_resources",
    ]
    assert tool.main(["engine"]) == 1
    assert "engine: failed: -m pytest ... failed\nand how\n" in capsys.readouterr().out


def test_without_names_it_says_what_there_is(tool, capsys):
    assert tool.main([]) == 0
    assert "search      extras: a benchmark's search\n" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        tool.main(["onyx"])
    assert ended.value.code == 2


def test_ci_leaves_them_out_in_words_unless_it_is_asked():
    said = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "WSOLKIT_ENVIRONMENTS" in said
    assert "make futures extras" in said
