"""``package.Name`` is a name for every part; two plugins with a part of one name stop only who uses the bare name."""

from types import SimpleNamespace

import pytest
import torch

from wsolkit import Batch, ConfigError, MapModifier, PluginError, hookimpl, load_plugins
from wsolkit.cli.main import main
from wsolkit.config.load import load_config
from wsolkit.config.stored import known_parts, sources_of
from wsolkit.model.localizer import Localizer
from wsolkit.plugins import loading
from wsolkit.plugins.interface_table import INTERFACES
from wsolkit.registry import BACKBONES, HEADS, MODIFIERS

BACKBONE = {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer4"]}


class Times(MapModifier):
    """Multiplies maps."""

    by = 1.0

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        self.strength = strength

    def modify(self, maps):
        return maps * self.by * self.strength


class Around(MapModifier):
    """Holds another one."""

    def __init__(self, inner: dict, channels: int = 0) -> None:
        super().__init__()
        self.inner = MODIFIERS.build(inner)

    def modify(self, maps):
        return self.inner(maps)


class Told(MapModifier):
    """Is told what normalises images."""

    def __init__(self, preprocessor: object) -> None:
        super().__init__()

    def modify(self, maps):
        return maps


def entry(package, *classes):
    class Plugin:
        @hookimpl
        def wsolkit_components(self):
            return list(classes)

    dist = SimpleNamespace(name=f"dist-{package}", version="1.0")
    return SimpleNamespace(name=package, value=f"{package}.plugin", dist=dist, load=Plugin)


def called(name, by):
    return type(name, (Times,), {"__doc__": f"Multiplies by {by}.", "by": by})


@pytest.fixture
def two(monkeypatch):
    """Install two plugins with an ``ADL`` each beside everything that is installed."""
    homes = {id(each.home): each.home for each in INTERFACES}.values()
    load_plugins()
    before = [(home, dict(home.module_dict)) for home in homes]
    for home in homes:
        for name in ("ADL", "DropBlock"):  # what an earlier test used is not a third one
            home.module_dict.pop(name, None)
    first, second = called("ADL", 2.0), called("ADL", 3.0)
    others = [each for each in loading.metadata.entry_points(group="wsolkit") if each.name != "adl"]
    stubs = [entry("first_adl", first, Around, Told), entry("second_adl", second, called("Other", 5.0))]
    monkeypatch.setattr(loading.metadata, "entry_points", lambda group: [*others, *stubs])
    monkeypatch.setattr(loading, "_loaded", None)
    monkeypatch.setattr(loading, "_described", None)
    yield first, second
    for home, names in before:
        home.module_dict.clear()
        home.module_dict.update(names)


WORDS = (
    r"2 plugins have a map modifier called 'ADL': first_adl\.ADL \(plugin 'first_adl' of dist-first_adl 1\.0\) and "
    r"second_adl\.ADL \(plugin 'second_adl' of dist-second_adl 1\.0\)\. Write one of these long names as the type, or "
    r"leave a plugin out with WSOLKIT_DISABLED_PLUGINS=second_adl\."
)


def test_a_clash_stops_who_uses_the_bare_name_and_nobody_else(two):
    with pytest.raises(PluginError, match=WORDS):
        MODIFIERS.get("ADL")
    with pytest.raises(PluginError, match=WORDS):
        MODIFIERS.build({"type": "wsolkit.ADL"})
    assert MODIFIERS.get("first_adl.ADL") is two[0]
    assert MODIFIERS.get("second_adl.ADL") is two[1]
    assert MODIFIERS.build({"type": "second_adl.Other"}).by == MODIFIERS.build({"type": "Other"}).by == 5.0
    assert type(MODIFIERS.build({"type": "DropBlock"})).__name__ == "DropBlock"
    assert {"first_adl.ADL", "second_adl.ADL"} <= set(MODIFIERS.names())
    assert "ADL" not in MODIFIERS.names()


def test_a_model_is_built_of_long_names_at_every_place(two):
    modifiers = [
        {"type": "first_adl.ADL", "at": "image"},
        {"type": "Around", "at": "layer4", "inner": {"type": "second_adl.ADL", "strength": 2.0}},
        {"type": "first_adl.Around", "at": "image", "inner": {"type": "first_adl.Told"}},
    ]
    head = {"type": "wsolkit_cam.CAMHead", "num_classes": 3}
    model = Localizer({**BACKBONE, "type": "wsolkit.TimmBackbone"}, head, [{"type": "CrossEntropy"}], modifiers)
    assert type(model.image_modifiers[0]) is two[0]
    assert model.feature_modifiers["layer4"].inner.by == 3.0
    assert torch.isfinite(model.loss(Batch(torch.randn(2, 3, 64, 64), torch.tensor([0, 1])))["loss_cross_entropy"])


def test_configurations_and_options_take_long_names(two):
    place = "model.modifiers"
    config = load_config("cam_synthetic", {place: [{"type": "first_adl.ADL", "at": "layer3"}]})
    assert config.model.modifiers[0].type == "first_adl.ADL"
    with pytest.raises(PluginError, match=WORDS):
        load_config("cam_synthetic", {place: [{"type": "ADL", "at": "layer3"}]})
    with pytest.raises(ConfigError, match=r"model\.modifiers\.0: map modifier ADL takes no argument 'strenght'"):
        load_config("cam_synthetic", {place: [{"type": "second_adl.ADL", "at": "layer3", "strenght": 1.0}]})
    with pytest.raises(ConfigError, match=r"There is no map modifier named 'first_adl.ADLL'.*Did you mean"):
        load_config("cam_synthetic", {place: [{"type": "first_adl.ADLL", "at": "layer3"}]})
    swapped = load_config("cam_synthetic", {"model.head.type": "wsolkit.ConvHead"})
    assert swapped.model.head.type == "wsolkit.ConvHead"


def test_list_and_show_tell_long_names(two, capsys):
    assert main(["list", "map modifier"]) == 0
    listed = capsys.readouterr().out
    assert "first_adl.ADL" in listed
    assert "second_adl.ADL" in listed
    assert "│ Other " in listed
    assert main(["show", "ADL"]) == 0
    both = capsys.readouterr().out
    assert "first_adl.ADL(" in both
    assert "Multiplies by 3.0." in both
    assert main(["show", "second_adl.ADL"]) == 0
    assert "first_adl" not in capsys.readouterr().out
    assert main(["show", "wsolkit_cam.CAMHead"]) == 0


def test_a_checkpoint_may_name_parts_by_long_names(two):
    assert {"first_adl.ADL", "wsolkit_cam.CAMHead", "CAMHead"} <= known_parts()
    told = sources_of({"second_adl.ADL", "wsolkit_cam.CAMHead"})
    assert told["second_adl.ADL"] == "plugin 'second_adl' of dist-second_adl 1.0"
    assert told["wsolkit_cam.CAMHead"].startswith("plugin 'cam' of wsolkit")


def test_a_part_of_the_core_may_be_contested_too(monkeypatch, two):
    entries = [*loading.metadata.entry_points(group="wsolkit"), entry("third", called("DropBlock", 7.0))]
    monkeypatch.setattr(loading.metadata, "entry_points", lambda group: entries)
    monkeypatch.setattr(loading, "_loaded", None)
    with pytest.raises(PluginError, match=r"wsolkit\.DropBlock .* and third\.DropBlock"):
        MODIFIERS.get("DropBlock")
    assert MODIFIERS.get("wsolkit.DropBlock").__module__ == "wsolkit.components.modifiers"
    assert MODIFIERS.get("third.DropBlock").by == 7.0
    assert HEADS.get("wsolkit.LinearHead") is HEADS.get("LinearHead")
    assert BACKBONES.knows("wsolkit.TimmBackbone")
    assert not BACKBONES.knows("wsolkit_cam.TimmBackbone")


def test_three_plugins_of_one_name_are_all_told(monkeypatch, two):
    entries = [*loading.metadata.entry_points(group="wsolkit"), entry("third", called("ADL", 7.0))]
    monkeypatch.setattr(loading.metadata, "entry_points", lambda group: entries)
    monkeypatch.setattr(loading, "_loaded", None)
    with pytest.raises(PluginError, match=r"3 plugins have .*first_adl\.ADL .* and second_adl\.ADL .* and third\.ADL"):
        MODIFIERS.get("ADL")
    assert MODIFIERS.get("third.ADL").by == 7.0
