"""``wsolkit list`` and ``wsolkit show``."""

import inspect
import json
from dataclasses import replace
from pathlib import Path

import pytest

from wsolkit import ConfigError
from wsolkit.arguments import annotations_of
from wsolkit.cli.inventory import (
    description,
    find_interface,
    interface_summary,
    inventory,
    signature_lines,
    written,
)
from wsolkit.cli.main import main
from wsolkit.config.load import load_config
from wsolkit.evaluation import PROTOCOLS
from wsolkit.modules import find_module
from wsolkit.plugins import loading
from wsolkit.plugins.interface_table import INTERFACES
from wsolkit.plugins.loading import BrokenPlugin, Component, Plugins, Source, load_plugins
from wsolkit.registry import BACKBONES
from wsolkit.sources.classes import class_node
from wsolkit.sources.signatures import stand_in


def run(capsys, *argv):
    code = main(argv)
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


def test_list_shows_every_component_with_its_plugin_and_version(capsys):
    out = run(capsys, "list", "--all")
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
    monkeypatch.setattr(loading, "_loaded", Plugins(broken=[BrokenPlugin(source, "no luck")], disabled=["other"]))
    out = run(capsys, "list")
    assert out.splitlines()[-2:] == ["broken: plugin 'bad' of wsolkit-bad 0.3: no luck", "disabled: other"]
    assert inventory(load_plugins())["disabled"] == ["other"]


def test_show_a_component(capsys):
    out = run(capsys, "show", "CAMHead")
    for words in (
        "CAMHead (activation head)",
        "    form: Literal['linear', 'conv'] = 'linear',",
        "    level: str | None = None,",
        "Classifies average-pooled features",
        "from            plugin 'cam' of wsolkit",
        "wsolkit_cam/head.py",
        "the card of CAM",
        "What differs from the paper and why",
    ):
        assert words in out


def test_show_a_protocol_prints_its_conventions_which_stand_on_the_page_of_protocols_too(capsys):
    out = run(capsys, "show", "BoxAcc")
    assert "every image with a true box is one trial, hit where" in " ".join(out.lower().split())
    assert "needs           boxes, one label per image" in out
    assert "see ``" not in run(capsys, "list", "protocols")
    page = (Path(__file__).parents[2] / "docs/protocols.md").read_text("utf-8")
    for name, kind in PROTOCOLS.items():
        assert f"automodule:: {type(kind().make(2)).__module__}\n" in page, name


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


def test_show_the_modules_of_a_configurations_backbone(capsys):
    lines = run(capsys, "show", "cam_synthetic", "--modules").splitlines()
    backbone = load_config("cam_synthetic").model.backbone
    network = BACKBONES.build({**backbone, "weights": None})
    names = [line.split()[0] for line in lines]
    assert set(names) >= {name.removeprefix("model.") for name, _ in network.named_modules() if name}
    assert all(
        type(find_module(network, name)[1]).__name__ == line.split()[1] for name, line in zip(names, lines, strict=True)
    )
    assert main(["show", "psol_ddt", "--modules"]) == 2
    assert "has no model.backbone, so there are no modules" in capsys.readouterr().err


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


COMPONENTS = list(load_plugins().components.values())


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.name)
def test_what_is_read_from_the_source_is_what_the_class_says(component):
    unread = replace(component, given=None)
    shown, signature = stand_in(unread.path, unread.passes_on), inspect.signature(component.cls)
    assert unread.given is None
    assert [(p.name, p.kind, p.default is p.empty) for p in inspect.signature(shown).parameters.values()] == [
        (p.name, p.kind, p.default is p.empty) for p in signature.parameters.values()
    ]
    known = annotations_of(component.cls)
    assert annotations_of(shown).items() <= {name: known.get(name) for name in signature.parameters}.items()
    plain = [p for p in signature.parameters.values() if isinstance(p.default, (int, str, float, tuple, type(None)))]
    said = inspect.signature(shown).parameters
    assert [repr(said[p.name].default) for p in plain] == [repr(p.default) for p in plain]
    assert shown.__name__ == component.cls.__name__
    assert description(unread) == inspect.cleandoc(vars(component.cls)["__doc__"])


def test_show_prints_the_card_of_a_plugin_without_methods(capsys):
    out = run(capsys, "show", "SyntheticParts")
    assert "the card of scenes" in out
    assert "Painted scenes" in out.partition("the card of scenes")[2]
    assert "the card of" not in run(capsys, "show", "CUB200")


def test_show_prints_the_choices_that_a_name_stands_for():
    lines = written(next(each for each in COMPONENTS if each.name == "Maps"))
    assert any("which: Literal['labels', 'predicted', 'all']" in line for line in lines)


def test_a_component_without_a_docstring_does_not_show_that_of_its_interface(capsys, monkeypatch, tmp_path):
    text = "from wsolkit import Pooling\nclass Silent(Pooling):\n    def forward(self, maps): ...\n"
    (tmp_path / "silent_parts.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    kind = next(each for each in INTERFACES if each.name == "Pooling")
    named = Component("Silent", kind, "silent_parts:Silent", Source("silent", "d", "1", "m"))
    for component in (named, replace(named, given=named.cls)):
        monkeypatch.setattr(loading, "_loaded", Plugins(components={("pooling", "Silent"): component}))
        assert "It has no description." in run(capsys, "show", "Silent")
        assert json.loads(run(capsys, "list", "poolings", "--json"))["components"][0]["summary"] == ""


@pytest.mark.parametrize("width", ["80", "160"])
def test_list_begins_with_the_methods_and_fits_on_a_screen(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    lines = [line.strip() for line in run(capsys, "list").splitlines()]
    assert len(lines) <= 60
    assert lines[0] == "Methods"
    names = " ".join(lines[1 : lines.index("Interfaces, and how many parts there are for each")])
    assert all(each.name in names for each, _ in load_plugins().methods)
    assert "trained with boxes: FSL" in names
    for name, words in (("box extractor", "Finds scored boxes"), ("hook", "at certain moments of a training")):
        assert any(line.startswith(f"{name} ") and words in line for line in lines)
    assert any(line.startswith("wsolkit list losses") for line in lines)


def test_a_method_of_another_distribution_is_marked_with_it(capsys, monkeypatch):
    [(method, source)] = [each for each in load_plugins().methods if each[0].name == "CAM"]
    tilt = replace(method, name="Tilt"), replace(source, distribution="mine-tilt")
    monkeypatch.setattr(loading, "_loaded", Plugins(methods=[(method, source), tilt]))
    assert run(capsys, "list").splitlines()[1].split() == ["CAM", "Tilt", "(mine-tilt)"]


@pytest.mark.parametrize("name", ["BoxExtractor", "box extractor", "box_extractors", "extractor"])
def test_show_an_interface_by_any_of_its_names(capsys, name):
    out = run(capsys, "show", name)
    for words in (
        "BoxExtractor (interface, box extractor)",
        "Finds scored boxes in a score map.",
        "Every part has",
        "    __call__(self, score_map: np.ndarray, features: np.ndarray | None=None) -> ScoredBoxes",
        "Return boxes in pixels of the map, best first.",
        "A part may override",
        "    sweep(self, score_map",
        "LargestComponent",
        "TwoStageBox",
    ):
        assert words in out


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda each: each.name)
def test_every_interface_can_be_shown(capsys, interface):
    out = run(capsys, "show", interface.name)
    assert f"{interface.name} (interface, {interface.home.name})" in out
    assert interface_summary(interface).endswith((".", ":"))
    listed = {component.name for component in COMPONENTS if component.interface == interface.home.name}
    assert all(f"│ {name} " in out for name in listed)


def test_the_source_of_a_module_that_cannot_be_read_says_nothing(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "half_written.py").write_text("class Half(:")
    (tmp_path / "passing_on.py").write_text("from half_written import Half\nfrom marked import Marked as Other\n")
    (tmp_path / "marked.py").write_text("@print\nclass Marked: ...\nclass Plain: ...\n")
    for path in ("half_written:Half", "passing_on:Half", "nowhere:X", "marked:Marked", "passing_on:Other", "marked:Z"):
        assert class_node(path) is None
    assert class_node("marked:Plain")[2] == tmp_path / "marked.py"


def test_benchmarks_are_listed_and_shown(capsys):
    row = next(line for line in run(capsys, "list", "benchmarks").splitlines() if "synthetic" in line)
    assert "a table that needs no data" in row
    shown = run(capsys, "show", "synthetic")
    assert "synthetic (benchmark)" in shown
    assert "methods = {" in shown


@pytest.mark.parametrize(
    ("name", "package", "words"),
    [
        ("Activation", "wsolkit", ["What a head makes of the features.", "need(", "maps: (B, K, h, w)"]),
        ("Batch", "wsolkit", ["images", "labels"]),
        ("Targets", "wsolkit", ["boxes"]),
        ("ScoredImage", "wsolkit.evaluation", ["maps"]),
    ],
)
def test_a_type_that_parts_are_made_of_can_be_shown(capsys, name, package, words):
    said = run(capsys, "show", name)
    assert f"from {package} import {name}\n" in said
    assert all(each in said for each in words)
