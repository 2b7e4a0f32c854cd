"""Configurations in YAML and JSON are data: nothing in them runs, and nothing in them takes the machine down."""

import pytest
from mmengine.config import Config

from wsolkit.config.load import load_config
from wsolkit.config.read import read_config
from wsolkit.errors import ConfigError

BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 30)
)


@pytest.fixture
def mine(tmp_path):
    """A function that writes a file and returns its path."""

    def write(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [touch ran]",
        "!!python/object/new:subprocess.Popen [[touch, ran]]",
        "!!python/name:os.system ''",
        "!!python/module:antigravity ''",
    ],
)
@pytest.mark.parametrize("below", ["mine.yaml", "base.py", "base.yml", "base.json"])
def test_tags_of_python_are_not_run(mine, tmp_path, monkeypatch, tag, below):
    monkeypatch.chdir(tmp_path)
    path = mine("mine.yaml", f"x: 1\ny: {tag}\n")
    if below == "base.py":
        path = mine("base.py", "_base_ = 'mine.yaml'\n")
    elif below == "base.yml":
        path = mine("base.yml", "_base_: mine.yaml\n")
    elif below == "base.json":
        path = mine("base.json", '{"_base_": ["mine.yaml"]}')
    with pytest.raises(ConfigError, match=r"mine\.yaml:2: could not determine a constructor for the tag .*is data"):
        read_config(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["[1]", "3", "", '"a"', "null"])
@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_what_is_no_mapping_is_refused(mine, name, text):
    with pytest.raises(ConfigError, match=rf"{name} (should hold names with values at its top|is no JSON: Expecting)"):
        read_config(mine(name, text))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", BOMB, r"a\.yaml cannot be read: its aliases stand for \d{20,} values"),
        ("a.yaml", "a: &a [*a]\n", r"a\.yaml cannot be read: an alias holds itself"),
        ("a.yaml", "a: [1, 2\n", r"a\.yaml cannot be read: while parsing a flow sequence .*line 1, column 4"),
        ("a.yaml", "a: " + "[" * 5000 + "]" * 5000, r"a\.yaml is nested too deep"),
        ("a.json", '{"a": ' + "[" * 99999 + "]" * 99999 + "}", r"a\.json is nested too deeply"),
        ("a.json", '{"a": ' + "1" * 5000 + "}", r"a\.json is no JSON: Exceeds the limit"),
        ("a.json", '{"a": 1', r"a\.json is no JSON: Expecting"),
        ("a.yaml", "1: 2\n", r"a mapping of other keys"),
        ("a.yaml", "_base_: a.yaml\n", r"a\.yaml builds on itself through _base_"),
    ],
)
def test_broken_data_is_refused_at_once(mine, name, text, words):
    with pytest.raises(ConfigError, match=words):
        read_config(mine(name, text))


def test_what_was_read_is_read(mine):
    """Aliases, merges, the tuples that mmengine writes, its placeholders and a byte order mark."""
    mine("base.json", '{"model": {"head": {"dropout": 0.5}}, "n": 3}')
    path = mine(
        "a.yaml",
        "\ufeff_base_: [base.json]\nsize: !!python/tuple [224, 224]\nx: &x {a: 1}\ny: {<<: *x, b: 2}\n"
        'z: *x\nname: "{{ fileBasenameNoExtension }}"\nmodel: {head: {dropout: 0.1}}\n',
    )
    config = read_config(path)
    assert (config.size, config.y, config.z.a, config.name, config.n) == ((224, 224), {"a": 1, "b": 2}, 1, "a", 3)
    assert config.model.head.dropout == 0.1


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("log_processor", "os.system"),
        ("visualizer", "subprocess.Popen"),
        ("model", "os.system"),
        ("model", "wsolkit.os.system"),
        ("default_hooks.logger", "builtins.exec"),
        ("optim_wrapper.optimizer", "shutil.rmtree"),
    ],
)
def test_a_type_is_a_part_not_any_code(mine, place, kind):
    *outer, last = place.split(".")
    text = f"{{{last}: {{type: {kind}, command: touch ran}}}}"
    for name in outer:
        text = f"{{{name}: {text}}}"
    with pytest.raises(ConfigError, match=rf"{place}.*: type '{kind}' is no part of a configuration, but Python code"):
        load_config(mine("a.yaml", text))


def test_a_part_may_be_named_by_its_path(mine):
    text = "optim_wrapper: {type: OptimWrapper, optimizer: {type: torch.optim.SGD, lr: 0.1}}\n"
    assert load_config(mine("a.yaml", text)).optim_wrapper.optimizer.type == "torch.optim.SGD"


@pytest.mark.parametrize("base", ["", "_base_ = 'other.py'\n"])
def test_imports_in_a_configuration_are_python_s(mine, base):
    """Whatever was only imported is no part of the configuration."""
    mine("other.py", "import os\nfrom pathlib import Path\nseed = len(os.sep)\n")
    config = read_config(
        mine("a.py", f"import os\nfrom pathlib import Path\n{base}data_root = str(Path(os.sep) / 'a')\n")
    )
    assert config.data_root == "/a"
    assert not {"os", "Path"} & set(config)
    assert config.get("seed") == (1 if base else None)


@pytest.mark.parametrize("base", ["", "_base_ = 'wsolkit::cam_resnet50_cub'\n"])
def test_a_class_that_is_imported_stands_by_its_path(mine, base):
    """So that a training can write its configuration down."""
    text = f"import torch\n{base}optim_wrapper = dict(optimizer=dict(_delete_=True, type=torch.optim.SGD, lr=0.1))\n"
    config = load_config(mine("a.py", text if base else text.replace("_delete_=True, ", "")))
    assert config.optim_wrapper.optimizer == {"type": "torch.optim.sgd.SGD", "lr": 0.1}
    assert load_config(mine("b.py", Config(config.to_dict()).pretty_text)).optim_wrapper == config.optim_wrapper


def test_a_part_that_is_imported_stands_by_its_name(mine):
    text = "from wsolkit import Localizer\n_base_ = 'wsolkit::cam_resnet50_cub'\nmodel = dict(type=Localizer)\n"
    assert load_config(mine("a.py", text)).model.type == "Localizer"


def test_a_function_of_one_s_own_is_registered(mine):
    text = "_base_ = 'wsolkit::cam_resnet50_cub'\ntrain_dataloader = dict(collate_fn=dict(type='os.getcwd'))\n"
    with pytest.raises(ConfigError, match=r"A function of your own is registered with @FUNCTIONS\.register_module\(\)"):
        load_config(mine("a.py", text))


@pytest.mark.parametrize("text", ["raise SystemExit(0)", "import sys\nsys.exit()"])
def test_a_configuration_that_ends_the_program_is_a_mistake(mine, text):
    with pytest.raises(ConfigError, match=r"a\.py:\d: SystemExit"):
        read_config(mine("a.py", text + "\n"))
