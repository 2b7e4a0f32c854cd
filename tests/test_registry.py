"""The registries are mmengine's, with answers to misspelt names and arguments."""

import subprocess
import sys

import pytest
from mmengine.config import Config

from wsolkit import ConfigError, Pooling
from wsolkit.plugins.interface_table import INTERFACES
from wsolkit.plugins.loading import load_plugins
from wsolkit.registry import (
    BACKBONES,
    HEADS,
    HOOKS,
    LOSSES,
    METRICS,
    POOLINGS,
    ComponentRegistry,
    check_arguments,
)

FRESH = """
import sys
from wsolkit.registry import BACKBONES
assert "wsolkit.plugins" not in sys.modules
print(BACKBONES.get("TimmBackbone").__name__, "wsolkit.plugins" in sys.modules)
"""

SCRATCH = """
from wsolkit import Pooling
from wsolkit.registry import POOLINGS


@POOLINGS.register_module()
class ScratchPooling(Pooling):
    def __init__(self, power: float = 1.0) -> None:
        super().__init__()
        self.power = power

    def forward(self, maps):
        return maps.mean((2, 3)) ** self.power
"""


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A folder with a file that registers a pooling by mmengine's decorator."""
    (tmp_path / "my_scratch_parts.py").write_text(SCRATCH)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    POOLINGS.module_dict.pop("ScratchPooling", None)
    sys.modules.pop("my_scratch_parts", None)


def test_mmengine_s_decorator_and_custom_imports_work_for_a_scratch_file(scratch):
    (scratch / "config.py").write_text(
        "custom_imports = dict(imports=['my_scratch_parts'], allow_failed_imports=False)\n"
        "pooling = dict(type='ScratchPooling', power=2.0)\n"
    )
    config = Config.fromfile(scratch / "config.py")
    built = POOLINGS.build(config.pooling)
    assert type(built).__module__ == "my_scratch_parts"
    assert built.power == 2.0
    with pytest.raises(ConfigError, match=r"pooling ScratchPooling takes no argument 'powr'. Did you mean 'power'\?"):
        POOLINGS.build({"type": "ScratchPooling", "powr": 2.0})


def test_mmengine_finds_the_registries_by_the_scope():
    from mmengine.registry import HOOKS as ROOT, DefaultScope

    assert ROOT.build({"type": "wsolkit.EMAHook"}) is not None
    with DefaultScope.overwrite_default_scope("wsolkit"):
        assert ROOT.build({"type": "EMAHook"}) is not None
        assert ROOT.build({"type": "wsolkit.EMAHook"}) is not None


@pytest.mark.parametrize("home", [BACKBONES, POOLINGS, LOSSES, HOOKS, METRICS], ids=lambda home: home.name)
def test_a_misspelt_name_gets_the_nearest_one(home):
    name = home.names()[0]
    with pytest.raises(ConfigError, match=f"There is no {home.name} named '{name}x'. Did you mean .*'{name}'"):
        home.build({"type": name + "x"})


def test_a_name_with_dots_is_answered_as_well():
    with pytest.raises(ConfigError, match=r"There is no pooling named 'nowhere.AveragePooling'"):
        POOLINGS.get("nowhere.AveragePooling")


def test_a_parent_s_names_are_known():
    assert "EMAHook" in HOOKS.names()
    assert HOOKS.get("EMAHook").__module__.startswith("mmengine.")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("AveragePooling", r"A pooling is written as dict\(type='NAME', ...\), but got 'AveragePooling'"),
        (None, r"A pooling is written as dict\(type='NAME', ...\), but got None"),
        ({"size": 3}, r"This pooling needs a type, but got \{'size': 3\}. Add type='NAME'"),
        ({"type": "AveragePooling", "sise": 3}, r"pooling AveragePooling takes no argument 'sise'"),
    ],
)
def test_a_wrong_configuration_is_explained(config, words):
    with pytest.raises(ConfigError, match=words):
        POOLINGS.build(config)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"maps_per_class": "abc"}, "maps_per_class of ConvHead should be a whole number of at least 1, but got 'abc'"),
        ({"maps_per_class": 2.5}, "maps_per_class of ConvHead should be a whole number of at least 1, but got 2.5"),
        ({"num_classes": [3]}, r"num_classes of ConvHead should be a whole number of at least 1, but got \[3\]"),
        ({"bias": "no"}, "bias of ConvHead should be True or False, but got 'no'"),
    ],
)
def test_a_value_of_another_kind_is_explained(options, words):
    good = {"type": "ConvHead", "channels": {"a": 2}, "num_classes": 3, "level": "a", "pooling": None}
    assert HEADS.build(good).maps_per_class == 1
    with pytest.raises(ConfigError, match=words):
        HEADS.build({**good, **options})


def test_a_missing_argument_is_named():
    home = ComponentRegistry("thing", scope="wsolkit")

    @home.register_module()
    class Needy(Pooling):
        def __init__(self, size, shape, colour="red"):
            """Need two things."""

    with pytest.raises(ConfigError, match=r"thing Needy needs 'size', 'shape', which the"):
        check_arguments({"type": "Needy"}, home)


def test_an_object_that_is_built_already_is_left_as_it_is():
    pooling = POOLINGS.build({"type": "AveragePooling"})
    assert POOLINGS.build(pooling) is pooling


def test_every_component_of_every_plugin_is_found_by_name():
    homes = {each.home.name: each.home for each in INTERFACES}
    for (interface, name), component in load_plugins().components.items():
        assert homes[interface].get(name) is component.cls


@pytest.mark.slow
def test_the_registries_alone_find_the_plugins():
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["TimmBackbone", "True"]
