"""``wsolkit list`` and ``wsolkit show``."""

import json

import pytest

from wsolkit import ConfigError, plugins
from wsolkit.cli.components import find_interface, inventory, signature_lines
from wsolkit.cli.main import main
from wsolkit.plugins import BrokenPlugin, Plugins, Source, load_plugins


def run(capsys, *argv):
    code = main(argv)
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


def test_list_shows_every_component_with_its_plugin_and_version(capsys):
    out = run(capsys, "list")
    lines = out.splitlines()
    for component in load_plugins().components.values():
        row = next(line for line in lines if line.startswith(f"│ {component.name} ") or f"│ {component.name}," in line)
        assert component.source.plugin in row
        assert f"{component.source.distribution} {component.source.version}" in row
    assert "activation head" in out


def test_list_shows_every_method_with_its_paper(capsys):
    out = " ".join(run(capsys, "list", "--interface", "method").split())
    assert "activation head" not in out
    for method, _ in load_plugins().methods:
        assert method.name in out
        assert str(method.year) in out


def test_list_as_json(capsys):
    found = json.loads(run(capsys, "list", "--json", "--interface", "ActivationHead"))
    head = next(each for each in found["components"] if each["name"] == "CAMHead")
    assert {key: head[key] for key in ("interface", "plugin", "distribution", "class")} == {
        "interface": "activation head",
        "plugin": "cam",
        "distribution": "wsolkit",
        "class": "wsolkit_cam.head.CAMHead",
    }
    assert {each["interface"] for each in found["components"]} == {"activation head"}
    assert found["methods"] == found["configs"] == []


def test_list_configs(capsys):
    out = run(capsys, "list", "configs")
    assert "activation head" not in out
    row = next(line for line in out.splitlines() if "cam_synthetic" in line)
    assert "CAM on scenes that are drawn on the fly" in row


@pytest.mark.parametrize("name", ["CamMethod", "cam_method", "CAM method", "cam-methods"])
def test_an_interface_is_found_however_it_is_written(name):
    assert find_interface(name) == "CAM method"
    assert find_interface("losses") == "loss"
    assert find_interface("head") == "activation head"


def test_a_misspelt_interface_gets_the_nearest_one(capsys):
    assert main(["list", "--interface", "Bakbone"]) == 2
    assert capsys.readouterr().err == "error: There is no interface 'Bakbone'. Did you mean 'backbone'?\n"
    with pytest.raises(ConfigError, match="Known names"):
        find_interface("zzz")


def test_list_ends_with_what_was_left_out(capsys, monkeypatch):
    source = Source("bad", "wsolkit-bad", "0.3", "bad")
    monkeypatch.setattr(plugins, "_loaded", Plugins(broken=[BrokenPlugin(source, "no luck")], disabled=["other"]))
    out = run(capsys, "list")
    assert out.splitlines()[-2:] == ["broken: plugin 'bad' of wsolkit-bad 0.3: no luck", "disabled: other"]
    assert inventory(load_plugins())["disabled"] == ["other"]


def test_show_a_component(capsys):
    out = run(capsys, "show", "CAMHead")
    for words in (
        "CAMHead (activation head)",
        "    form: str = 'linear',",
        "    level: str | None = None,",
        "Classifies average-pooled features",
        "from            plugin 'cam' of wsolkit",
        "wsolkit_cam/head.py",
        "the card of CAM",
        "What differs from the paper and why",
    ):
        assert words in out


def test_show_a_method(capsys):
    out = run(capsys, "show", "CAM")
    for words in (
        "paper           Learning Deep Features for Discriminative Localization",
        "Bolei Zhou",
        "CVPR 2016",
        "cam_resnet50_cub",
        "57.2  ILSVRC VGGnet-GAP top-1 loc error",
        "What differs from the paper and why",
    ):
        assert words in out


def test_show_a_configuration(capsys):
    out = run(capsys, "show", "cam_synthetic")
    assert 'head=dict(type="CAMHead"' in out
    assert "configs/cam_synthetic.py" in out


def test_show_a_misspelt_name(capsys):
    assert main(["show", "CAMHed"]) == 2
    assert "error: There is no component or method named 'CAMHed'. Did you mean 'CAMHead'" in capsys.readouterr().err


def test_signature_of_a_component_without_arguments():
    class Plain:
        """Takes nothing."""

    class Starred:
        def __init__(self, *sizes, **rest):
            """Take anything."""

    assert signature_lines(Plain) == ["Plain()"]
    assert signature_lines(Starred) == ["Starred(", "    *sizes,", "    **rest,", ")"]
