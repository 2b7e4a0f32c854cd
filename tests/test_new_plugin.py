"""``wsolkit new-plugin`` writes a whole package or nothing, and refuses in words what it cannot."""

import os
import tomllib

import pytest

from tests.test_imports import check_public_alone
from wsolkit import ConfigError, __version__
from wsolkit.authoring import new_plugin
from wsolkit.authoring.new_plugin import KINDS, write_plugin
from wsolkit.cli.main import main
from wsolkit.cli.new_plugin import DEFAULT, PARTS
from wsolkit.testing import plugin_contract


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_it_writes_a_distribution(tmp_path, capsys):
    assert main(["new-plugin", "my_idea", "--parts", "loss", "--into", str(tmp_path)]) == 0
    assert f"{tmp_path / 'my_idea'} holds the plugin my_idea. Try it:" in capsys.readouterr().out
    assert files_below(tmp_path / "my_idea") == [
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "tests/test_loss.py",
        "tests/test_plugin.py",
        "wsolkit_my_idea/__init__.py",
        "wsolkit_my_idea/card.md",
        "wsolkit_my_idea/configs/my_idea_synthetic.py",
        "wsolkit_my_idea/loss.py",
        "wsolkit_my_idea/py.typed",
    ]
    project = tomllib.loads((tmp_path / "my_idea" / "pyproject.toml").read_text())["project"]
    assert project["name"] == "wsolkit-my-idea"
    assert project["dependencies"] == [f"wsolkit>={__version__}"]
    assert project["entry-points"]["wsolkit"] == {"my_idea": "wsolkit_my_idea"}
    assert "class MyIdeaSmoothness(Loss):" in (tmp_path / "my_idea" / "wsolkit_my_idea" / "loss.py").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["my_idea"]


def test_every_contract_has_its_kind_of_part():
    assert {each.interface: each.check for each in KINDS.values() if each.check} == {
        name: check.__name__ for name, check in plugin_contract.CONTRACTS.items()
    }
    assert {each.interface for each in KINDS.values() if not each.check} == {"Stage", "Protocol"}
    assert tuple(KINDS) == PARTS
    assert new_plugin.DEFAULT == DEFAULT


def test_what_it_writes_imports_public_names_alone(tmp_path):
    folder = write_plugin("mine", list(KINDS), tmp_path)
    files = [path for path in folder.rglob("*.py") if path.name != "__init__.py"]
    assert len(files) == 2 * len(KINDS) + 3
    for path in files:
        check_public_alone(path.read_text("utf-8"), path.name)


def test_the_page_it_writes_names_every_part_and_how_to_leave_the_pairs_out(tmp_path):
    text = (write_plugin("mine", ["head", "protocol", "stage"], tmp_path) / "README.md").read_text("utf-8")
    assert "head.py                 MineHead, an ActivationHead\n" in text
    assert "stage.py                MineStrengths, a Stage\n" in text
    assert "    pytest -m 'not slow'      # each part alone\n" in text
    for line in (
        "show mine_pointing",
        "pipeline mine_pipeline",
        "test work_dirs/mine_synthetic/best.pth --proto",
    ):
        assert f"    wsolkit {line}" in text


def test_parts_around_a_model_are_in_no_configuration_of_one(tmp_path):
    text = (write_plugin("mine", ["refiner", "stage"], tmp_path) / "wsolkit_mine/configs/mine_synthetic.py").read_text()
    assert text.endswith('_base_ = ["wsolkit::cam_synthetic"]\n')


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My-Plugin", "a word of a-z, 0-9 and _, 40 letters at most, but got 'My-Plugin'. Try 'my_plugin'."),
        ("../up", "but got '../up'. Try 'up'."),
        ("", "but got ''. Try 'mine'."),
        ("a" * 41, "40 letters at most"),
        ("wsolkit_mine", "is called wsolkit_NAME already, but got 'wsolkit_mine'. Try 'mine'."),
        ("cam", "A plugin 'cam' is installed already, of wsolkit "),
        ("core", "A plugin 'core' is installed already, of wsolkit "),
    ],
)
def test_bad_names_are_refused(name, words, tmp_path, capsys):
    assert main(["new-plugin", name, "--into", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [os.mkdir, lambda path: path.write_text("x"), lambda path: path.symlink_to("no")])
def test_what_exists_is_left_alone(make, tmp_path):
    make(tmp_path / "mine")
    with pytest.raises(ConfigError, match="mine exists already; nothing was changed. Choose another name"):
        write_plugin("mine", into=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_missing_folder_and_unknown_kinds_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no is no folder, so mine cannot be written into it. Make it"):
        write_plugin("mine", into=tmp_path / "no")
    with pytest.raises(ConfigError, match="A part of a new plugin should be one of 'modifier', 'loss'.*got 'losses'"):
        write_plugin("mine", ["losses"], tmp_path)
    with pytest.raises(ConfigError, match="has a part at least"):
        write_plugin("mine", [], tmp_path)


def test_a_plugin_that_is_cut_off_leaves_nothing(tmp_path, monkeypatch):
    written = []

    def full(path, text):
        written.append(path)
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        path.write_text(text)

    monkeypatch.setattr(new_plugin, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_plugin("mine", into=tmp_path)
    assert not list(tmp_path.iterdir())
