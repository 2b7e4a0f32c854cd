"""The wheel in a fresh environment, in an empty folder, and a stranger's plugin beside it.

The environment sees the libraries of the running one, but not wsolkit's sources: a ``.pth`` file names the running
site-packages, and ``.pth`` files in there (an editable wsolkit) are not followed.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from wsolkit import __version__
from wsolkit.cli.new_plugin import PARTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXAMPLE = Path(__file__).parent / "third_party" / "wsolkit-example"

WHERE = """
import importlib, json, sys
from importlib import metadata
points = metadata.entry_points(group="wsolkit")
modules = ["wsolkit", *(point.value for point in points)]
from wsolkit.config.load import load_config
from wsolkit.config.find import find_config
print(json.dumps({
    "files": [importlib.import_module(module).__file__ for module in modules],
    "config": str(find_config("cam_synthetic")),
    "model": load_config("cam_synthetic").model.type,
}))
"""

CONFIG = """
_base_ = [{base!r}]
train_dataloader = dict(batch_size=8, num_workers=0, persistent_workers=False, dataset=dict(num_images=8))
val_dataloader = dict(batch_size=8, num_workers=0, persistent_workers=False, dataset=dict(num_images=8))
train_cfg = dict(max_epochs=1)
default_hooks = dict(logger=dict(interval=1))
model = dict(
    losses=[dict(type="CrossEntropy"), dict(type="TotalVariation", weight=0.5)],
    modifiers=[dict(type="ChannelNoise", at="layer3", spread=0.2)],
)
"""


class Environment:
    """A fresh virtual environment that sees the running one's libraries."""

    def __init__(self, folder):
        venv.create(folder, with_pip=False)
        self.folder = folder
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = folder / scripts / "python"
        self.command = folder / scripts / "wsolkit"
        paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *heavy_folders()}
        site = self.output(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        self.site = Path(site)
        (self.site / "libraries.pth").write_text("\n".join(sorted(paths)) + "\n")
        self.empty = folder / "empty"
        self.empty.mkdir()

    def install(self, *what):
        """Install with pip, without a network."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet"]
        self.output(*pip, "--no-deps", "--no-index", "--no-build-isolation", *what)

    def output(self, *argv, code=0):
        """Run a command in an empty folder and return what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WSOLKIT", "PIP"))}
        cwd = self.empty if hasattr(self, "empty") else self.folder
        env = {**kept, "PYTHONNOUSERSITE": "1", "OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        done = subprocess.run(
            [str(each) for each in argv], cwd=cwd, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr


def heavy_folders():
    """Return the folders that torch and hatchling come from, where the running environment borrows them itself."""
    import hatchling
    import torch

    return {str(Path(module.__file__).parents[1]) for module in (torch, hatchling)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel without a network."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def where(fresh):
    """Ask the fresh environment where its modules and configurations lie."""
    return json.loads(fresh.output(fresh.python, "-c", WHERE))


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """Install the wheel into a fresh environment."""
    environment = Environment(tmp_path_factory.mktemp("fresh"))
    environment.install(wheel)
    return environment


def test_the_wheel_holds_code_plugins_configs_and_data_files(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == f"wsolkit-{__version__}-py3-none-any.whl"
    tops = {name.split("/")[0] for name in names}
    plugins = {path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()}
    assert tops == {"wsolkit", f"wsolkit-{__version__}.dist-info", *plugins}
    assert {"wsolkit/py.typed", "wsolkit/configs/cam_synthetic.py"} <= names
    assert {"wsolkit_cam/card.md", "wsolkit_cam/py.typed", "wsolkit_cam/__init__.pyi"} <= names
    assert f"wsolkit-{__version__}.dist-info/licenses/LICENSE" in names
    shipped = [path for path in (ROOT / "wsolkit").rglob("*") if path.suffix in {".py", ".j2", ".typed", ".md", ".css"}]
    lacking = {path.relative_to(ROOT).as_posix() for path in shipped} - names
    assert not lacking, f"the wheel lacks {lacking}"
    configs = {path.relative_to(ROOT / "configs").as_posix() for path in (ROOT / "configs").rglob("*.py")}
    assert {f"wsolkit/configs/{name}" for name in configs} <= names
    assert not [name for name in names if "__pycache__" in name]


def test_in_an_empty_folder_the_command_lists_its_parts(fresh):
    found = json.loads(fresh.output(fresh.command, "list", "--json"))
    assert found["broken"] == []
    head = next(each for each in found["components"] if each["name"] == "CAMHead")
    assert (head["plugin"], head["distribution"], head["version"]) == ("cam", "wsolkit", __version__)
    assert "CAM" in {method["name"] for method in found["methods"]}


def test_everything_comes_from_the_wheel(fresh, where):
    for file in (*where["files"], where["config"]):
        assert Path(file).resolve().is_relative_to(fresh.site.resolve()), f"{file} is not the wheel's"
    assert where["model"] == "Localizer"


def test_a_stranger_s_plugin_trains_a_step_with_its_parts_named_in_a_config(fresh, where, tmp_path):
    source = tmp_path / EXAMPLE.name
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    fresh.install(source)

    found = json.loads(fresh.output(fresh.command, "list", "--json"))
    theirs = {each["name"]: each for each in found["components"] if each["plugin"] == "example"}
    assert {name: each["interface"] for name, each in theirs.items()} == {
        "TotalVariation": "loss",
        "ChannelNoise": "map modifier",
    }
    assert theirs["TotalVariation"]["distribution"] == "wsolkit-example"

    config = tmp_path / "smooth_cam.py"
    config.write_text(CONFIG.format(base=where["config"]))
    fresh.output(fresh.command, "train", config, "--work-dir", tmp_path / "run")
    (scalars,) = (tmp_path / "run").rglob("scalars.json")
    step = json.loads(scalars.read_text().splitlines()[0])
    assert step["loss_total_variation"] > 0
    assert step["loss"] == pytest.approx(step["loss_cross_entropy"] + step["loss_total_variation"], rel=1e-4)
    assert "ChannelNoise" in (tmp_path / "run" / "config.py").read_text()


def test_a_new_plugin_of_every_kind_installs_and_passes_its_tests(fresh, tmp_path):
    fresh.output(fresh.command, "new-plugin", "every_kind", "--into", tmp_path, "--parts", *PARTS)
    fresh.install("--editable", tmp_path / "every_kind")
    try:
        words = fresh.output(fresh.command, "new-plugin", "every_kind", code=2)
        assert "A plugin 'every_kind' is installed already, of wsolkit-every-kind 0.1.0." in words
        said = fresh.output(fresh.python, "-m", "pytest", "-p", "no:cacheprovider", tmp_path / "every_kind")
        assert " passed" in said
        assert "skipped" not in said
    finally:
        fresh.output(sys.executable, "-m", "pip", "--python", fresh.python, "uninstall", "-qy", "wsolkit-every-kind")
