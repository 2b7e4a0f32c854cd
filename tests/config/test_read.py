"""Chains of configurations: what a plugin ships on top of what wsolkit ships, and what a user builds on that."""

import sys
from pathlib import Path

import pytest

from wsolkit.config import find as finding, read as reading
from wsolkit.config.load import load_config
from wsolkit.config.read import read_config
from wsolkit.errors import ConfigError
from wsolkit.plugins.methods import Method

FOLDER = '{"folder": "{{ fileDirname }}", "stem": "{{ fileBasenameNoExtension }}"}'


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A function that writes a configuration which a plugin ships; beside it stands one that lists ``parts``."""
    folder = tmp_path / "stranger" / "configs"
    (folder / "parts").mkdir(parents=True)
    method = Method("X", "t", "a", "v", 2020, "s", config_dir=folder)
    monkeypatch.setattr(finding, "load_methods", lambda: [(method, "stranger")])

    def write(name, text):
        (folder / name).write_text(text)
        return folder / name

    write("parts/schedule.py", "train_cfg = dict(max_epochs=2)\nfar = 1\n")
    write(
        "stranger_synthetic.py",
        '"""Theirs: not "wsolkit::cam_synthetic" alone."""\n'
        '_base_ = ["wsolkit::cam_synthetic"]\n'
        "model = dict(head=dict(form='conv'))\n"
        "randomness = dict(seed=11)\n",
    )
    return write


@pytest.fixture
def mine(tmp_path):
    """A function that writes the user's configuration."""
    (tmp_path / "mine").mkdir()

    def write(text, name="mine.py"):
        (tmp_path / "mine" / name).write_text(text)
        return tmp_path / "mine" / name

    return write


def test_a_shipped_configuration_on_a_shipped_one_can_be_built_on(stranger, mine):
    path = mine('_base_ = ["wsolkit::stranger_synthetic"]\nrandomness = dict(seed=12)\n')
    config = load_config(path)
    assert config.model.head.form == "conv"
    assert config.model.backbone == load_config("cam_synthetic").model.backbone
    assert config.randomness.seed == 12
    assert Path(config.filename) == path
    assert [file.name for file in path.parent.iterdir()] == ["mine.py"]


def test_a_plugin_s_own_second_file_can_build_on_its_first(stranger):
    stranger("stranger_long.py", '_base_ = ["stranger_synthetic.py"]\ntrain_cfg = dict(max_epochs=9)\n')
    config = load_config("stranger_long")
    assert (config.model.head.form, config.randomness.seed, config.train_cfg.max_epochs) == ("conv", 11, 9)


def test_relative_on_relative_on_shipped(stranger, mine):
    stranger("second.py", '_base_ = "stranger_synthetic.py"\nrandomness = dict(seed=2)\n')
    stranger("parts/third.py", "_base_ = ['../second.py']\ntrain_cfg = dict(max_epochs=3)\n")
    config = load_config(mine("_base_ = 'wsolkit::third'\n"))
    assert (config.model.head.form, config.randomness.seed, config.train_cfg.max_epochs) == ("conv", 2, 3)


@pytest.mark.parametrize("distribution", ["mmdet", "mmsegmentation"])
def test_configurations_of_other_packages_are_found_without_pkg_resources(distribution, mine, tmp_path, monkeypatch):
    """mmengine looks for them with ``pkg_resources``, which setuptools 82 no longer has."""
    module = {"mmsegmentation": "mmseg"}.get(distribution, distribution)
    site = tmp_path / "site"
    for folder in (site / module / ".mim" / "configs" / "schedules", site / f"{distribution}-1.0.dist-info"):
        folder.mkdir(parents=True)
    (site / module / "__init__.py").touch()
    (site / module / ".mim" / "model-index.yml").write_text("Import: []\n")
    (site / module / ".mim" / "configs" / "schedules" / "long.py").write_text("train_cfg = dict(max_epochs=36)\n")
    (site / f"{distribution}-1.0.dist-info" / "METADATA").write_text(f"Name: {distribution}\nVersion: 1.0\n")
    (site / f"{distribution}-1.0.dist-info" / "top_level.txt").write_text(f"{module}\n")
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    path = mine(f"_base_ = '{module}::schedules/long.py'\n")
    with pytest.raises(ConfigError, match=f"ModuleNotFoundError: {distribution} is not installed, please install"):
        read_config(path)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    assert read_config(path).train_cfg.max_epochs == 36


def test_a_copy_finds_the_files_beside_the_original(stranger, mine, tmp_path):
    """A middle file has a base of its own folder beside the shipped one, which builds on parts of wsolkit's folder."""
    stranger("middle.py", "_base_ = ['parts/extra.py', 'wsolkit::stranger_synthetic']\n")
    stranger("parts/extra.py", "_base_ = ['../more.py']\nextra = 1\n")
    stranger("more.py", "more = 2\n")
    (tmp_path / "mine" / "numbers.json").write_text('{"from_json": 3}')
    config = read_config(mine("_base_ = ['wsolkit::middle', 'numbers.json']\n"))
    assert (config.extra, config.more, config.from_json, config.randomness.seed) == (1, 2, 3, 11)


def test_two_files_of_one_name_are_kept_apart(stranger, mine):
    stranger("mine.py", "_base_ = 'wsolkit::stranger_synthetic'\ntheirs = 1\n")
    config = read_config(mine("_base_ = 'wsolkit::mine'\nours = 2\n"))
    assert (config.theirs, config.ours, config.randomness.seed) == (1, 2, 11)


def test_what_stands_in_the_lines_of_the_bases_is_kept(mine):
    mine("_base_ = 'wsolkit::cam_synthetic'; ä = 'ü'; half = 1\n", "half.py")
    mine("é = 0; _base_ = 'half.py'; whole = 2  # half\n", "whole.py")
    mine("_base_ = (\n    'whole.py'  # whole\n); more = 3\n", "more.py")
    config = read_config(mine("_base_ = [\n    'more.py',\n]; mine = 4\n"))
    assert (config.ä, config.half, config.é, config.whole, config.more, config.mine) == ("ü", 1, 0, 2, 3, 4)


def test_variables_of_a_file_speak_of_the_original(mine):
    inner = mine(f"_base_ = 'wsolkit::cam_synthetic'\ninner = {FOLDER}\n", "inner.py")
    config = read_config(mine(f"_base_ = 'inner.py'\nouter = {FOLDER}\n"))
    assert config.inner == {"folder": str(inner.parent), "stem": "inner"}
    assert config.outer == {"folder": str(inner.parent), "stem": "mine"}


def test_the_text_of_a_configuration_is_that_of_its_files(mine):
    inner = mine("_base_ = 'wsolkit::cam_synthetic'\n", "inner.py")
    path = mine("_base_ = 'inner.py'\nouter = 1\n")
    assert read_config(path).text.endswith(
        f"{inner}\n_base_ = 'wsolkit::cam_synthetic'\n\n{path}\n_base_ = 'inner.py'\nouter = 1\n"
    )


def test_variables_from_outside_reach_every_file_and_what_it_makes_of_them(stranger, mine, tmp_path):
    stranger(
        "lower.py",
        "root: str = 'a'\nlists = [f'{root}/lists']\ndef f():\n    root = 'inside'\n    return root\nkept = f()\n",
    )
    path = mine("_base_ = ['wsolkit::lower']\ntop = '{{_base_.root}}/x'\nsize = 1; half = size / 2\n")
    config = read_config(path, {"root": "b", "size": (8, 4)[0], "unknown": 1})
    assert (config.root, config.lists, config.kept, config.size, config.half) == ("b", ["b/lists"], "inside", 8, 4.0)
    assert read_config(path).lists == ["a/lists"]
    assert "unknown" not in config
    shared = tmp_path / "mine" / "numbers.json"
    shared.write_text('{"number": 3, "other": 4}')
    assert read_config(shared, {"number": 5}).to_dict() == {"number": 5, "other": 4}


def test_an_error_with_variables_names_them_and_the_line(mine):
    path = mine("a = [1,\n     2]\nb = 4 / a\n")
    with pytest.raises(ConfigError, match=r"^\S+/mine\.py cannot be read with a=0: \S+mine\.py:3: ZeroDivisionEr"):
        read_config(path, {"a": 0})


def test_mmengine_reads_as_before_when_a_configuration_was_read(mine):
    kept = vars(reading.Config)["_get_cfg_path"], reading.engine.RemoveAssignFromAST
    with pytest.raises(ConfigError):
        read_config(mine("x = undefined\n"))
    assert (vars(reading.Config)["_get_cfg_path"].__func__, reading.engine.RemoveAssignFromAST) == (
        kept[0].__func__,
        kept[1],
    )


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        ({"mine": "mine.py"}, r"/mine\.py builds on itself through _base_\. Break the circle\.$"),
        ({"mine": "b.py", "b": "mine.py"}, r"/mine\.py builds on itself through \S+/b\.py\. Break the circle\.$"),
        (
            {"mine": "b.py", "b": "c.py", "c": "d.py", "d": "b.py"},
            r"/b\.py builds on itself through \S+/c\.py, \S+/d\.py\. Break the circle\.$",
        ),
    ],
)
def test_a_circle_is_refused_with_its_files(mine, bases, said):
    paths = [mine(f"_base_ = {base!r}\n", f"{name}.py") for name, base in bases.items()]
    with pytest.raises(ConfigError, match=said):
        read_config(paths[0])


def test_a_circle_of_shipped_names_is_refused_with_its_files(stranger, mine):
    stranger("one.py", "_base_ = 'wsolkit::two'\n")
    stranger("two.py", "_base_ = ['wsolkit::one']\n")
    with pytest.raises(ConfigError, match=r"configs/one\.py builds on itself through \S+/two\.py\. Break the circle"):
        read_config(mine("_base_ = 'wsolkit::one'\n"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x = undefined", r"^\S+/stranger/configs/wrong\.py:4: NameError: name 'undefined' is not defined"),
        ("x = open(__name__ + '/none')", r"^\S+/stranger/configs/wrong\.py:4: FileNotFoundError"),
        ("raise OSError(here.__code__.co_filename)", r"wrong\.py:4: OSError: \S+/stranger/configs/wrong\.py\. Correct"),
        ("x = (", r"^\S+/stranger/configs/wrong\.py:4: '\(' was never closed"),
    ],
)
def test_an_error_in_the_middle_names_the_original_file(stranger, mine, line, said):
    stranger("wrong.py", f"_base_ = [\n    'wsolkit::stranger_synthetic']\ndef here(): pass\n{line}\n")
    with pytest.raises(ConfigError, match=said):
        read_config(mine("_base_ = 'wsolkit::wrong'\n"))


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("wsolkit::cam_syntetic", r"wrong\.py:2: There is no configuration named 'cam_syntetic'.*'cam_synthetic'"),
        ("mor.py", r"wrong\.py:2: _base_ names 'mor\.py', but there is no file \S+\. Did you mean 'more\.py'"),
    ],
)
def test_a_misspelt_base_in_the_middle_names_file_and_line(stranger, mine, base, said):
    stranger("more.py", "more = 1\n")
    stranger("wrong.py", f"\n_base_ = {base!r}\n")
    with pytest.raises(ConfigError, match=said):
        read_config(mine("_base_ = 'wsolkit::wrong'\n"))


def test_an_error_names_a_file_that_lies_among_installed_packages(mine, tmp_path):
    installed = tmp_path / "site-packages" / "parts"
    installed.mkdir(parents=True)
    (installed / "part.py").write_text("a = 1\n\nx = __import__('json').loads('{')\n")
    with pytest.raises(ConfigError, match=r"^\S+/site-packages/parts/part\.py:3: JSONDecodeError"):
        read_config(mine(f"_base_ = ['wsolkit::cam_synthetic', {str(installed / 'part.py')!r}]\n"))


def test_an_error_below_a_computed_base_names_its_file(mine):
    mine("x = 1\ny = 1 / 0\n", "lower.py")
    with pytest.raises(ConfigError, match=r"^\S+/lower\.py:2: ZeroDivisionError"):
        read_config(mine("_base_ = ['lower' + '.py']\n"))


def test_bases_of_other_packages_are_left_to_mmengine(mine):
    path = mine("_base_ = ['wsolkit::cam_synthetic', 'mmdet::some/net.py']\n")
    with pytest.raises(ConfigError, match=r"mine\.py: ModuleNotFoundError"):
        read_config(path)
