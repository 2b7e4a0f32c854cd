"""Plugins are made here, tried and taken away again; what goes wrong with one is said in its name."""

import inspect
import os
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from wsolkit import ConfigError, Loss, MapModifier, Method, PluginError, Pooling, hookimpl
from wsolkit.evaluation import Protocol
from wsolkit.plugins import hookspecs, loading, watched
from wsolkit.plugins.interface_table import INTERFACES
from wsolkit.plugins.loading import load_from, load_methods, load_plugins
from wsolkit.plugins.reading import Source, read_plugin
from wsolkit.registry import LOSSES, POOLINGS, PROTOCOLS

SOURCE = Source("made", "wsolkit-made", "1.0", "made_here")
EXAMPLE = Path(__file__).parent / "third_party" / "wsolkit-example"


class MinPooling(Pooling):
    """Takes the smallest cell."""

    def forward(self, maps):
        return maps.amin((2, 3))


def another(name, base=MinPooling, **extra):
    """Return a class of its own with a name of our choice."""
    return type(name, (base,), {"__doc__": "Another.", **extra})


def plugin(*classes, methods=()):
    """Return a plugin that hands over the given classes."""

    class Plugin:
        @hookimpl
        def wsolkit_components(self):
            return list(classes)

        @hookimpl
        def wsolkit_methods(self):
            return list(methods)

    return Plugin()


def naming(names):
    """Return a plugin that names its classes."""

    class Plugin:
        @hookimpl
        def wsolkit_components(self):
            return names

    return Plugin()


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Make a module of two poolings that can be named, and say by which name."""
    module = f"named_{tmp_path.name.replace('-', '_')}"
    text = "from wsolkit import Pooling\nclass Named(Pooling):\n    def forward(self, maps): ...\nnothing = Named\n"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield module
    sys.modules.pop(module, None)


class Entry:
    """An entry point without an installed distribution."""

    def __init__(self, name, load, dist="wsolkit-stranger", value="stranger.module"):
        self.name = name
        self.value = value
        self.dist = SimpleNamespace(name=dist, version="1.2")
        self.load = load if callable(load) else lambda: load


@pytest.fixture(autouse=True)
def clean_registries():
    """Take everything away again that a test registers."""
    load_plugins()
    homes = {id(interface.home): interface.home for interface in INTERFACES}.values()
    before = [(home, dict(home.module_dict)) for home in homes]
    yield
    for home, names in before:
        home.module_dict.clear()
        home.module_dict.update(names)


def raising(error):
    def load():
        raise error

    return load


def method(name="Thing", title="A Paper"):
    return Method(name=name, title=title, authors="A. Author", venue="CVPR", year=2020, summary="It works.")


def test_a_plugin_s_classes_are_filed_under_their_interface_with_their_source():
    found = load_from([Entry("small", plugin(MinPooling, methods=[method()]))])
    assert POOLINGS.module_dict["MinPooling"] is MinPooling
    component = found.components["pooling", "MinPooling"]
    assert str(component.source) == "plugin 'small' of wsolkit-stranger 1.2"
    assert component.interface == "pooling"
    assert found.methods == [(method(), component.source)]
    assert isinstance(POOLINGS.build({"type": "MinPooling"}), MinPooling)


def test_one_hook_is_enough():
    class OnlyMethods:
        @hookimpl
        def wsolkit_methods(self):
            return [method()]

    assert read_plugin(OnlyMethods(), SOURCE) == ([], [(method(), SOURCE)])


def test_a_module_is_a_plugin():
    module = ModuleType("made_here")
    module.wsolkit_components = hookimpl(lambda: [MinPooling])
    assert [component.cls for component in read_plugin(module, SOURCE)[0]] == [MinPooling]


@pytest.mark.parametrize(
    "error", [ImportError("No module named 'torch_geometric'"), SystemExit(3), RuntimeError("no\n  GPU")], ids=repr
)
def test_a_plugin_that_does_not_import_is_reported_once_and_left_out(error):
    with pytest.warns(RuntimeWarning) as caught:
        found = load_from([Entry("bad", raising(error)), Entry("good", plugin(MinPooling))])
    assert [str(warning.message) for warning in caught] == [
        f"The plugin 'bad' of wsolkit-stranger 1.2 could not be loaded ({type(error).__name__}: "
        f"{' '.join(str(error).split())}); it is left out. `python -c 'import stranger.module'` may show more."
    ]
    assert "MinPooling" in POOLINGS.module_dict
    assert [broken.source.plugin for broken in found.broken] == ["bad"]


def test_a_later_failed_look_up_mentions_the_broken_plugin(monkeypatch):
    with pytest.warns(RuntimeWarning):
        found = load_from([Entry("bad", raising(ImportError("no luck")))])
    with pytest.raises(PluginError, match=r"no component or method named 'X'.*'bad' of wsolkit-stranger 1.2 could not"):
        found.find("X")
    monkeypatch.setattr(loading, "_loaded", found)
    with pytest.raises(ConfigError, match=r"no pooling named 'TheirPooling'.* 'bad' of wsolkit-stranger 1.2 could not"):
        POOLINGS.get("TheirPooling")


def test_a_broken_core_is_not_left_out():
    with pytest.raises(ImportError, match="half an installation"):
        load_from([Entry("core", raising(ImportError("half an installation")), "wsolkit", "wsolkit.builtin")])


class WrongArguments:
    @hookimpl
    def wsolkit_components(self, registry):
        return []


class MisspeltHook:
    @hookimpl
    def wsolkit_component(self):
        return []


class Unmarked:
    def wsolkit_components(self):
        return []


class HalfMarked(Unmarked):
    @hookimpl
    def wsolkit_methods(self):
        return []


class NoList:
    @hookimpl
    def wsolkit_components(self):
        return MinPooling


class Nothing:
    @hookimpl
    def wsolkit_components(self):
        return None


class WrongMethods:
    @hookimpl
    def wsolkit_methods(self):
        return ["CAM"]


class Nameless(Protocol):
    """Does not say what it is called."""

    def make(self, num_classes):
        """Do nothing."""

    def measure(self, accumulator, image):
        """Do nothing."""


class Unfinished(Pooling):
    """Lacks its forward."""


class TwoInOne(MapModifier, Loss):
    """Is two things."""

    def forward(self, *_):
        """Do nothing."""

    def modify(self, maps):
        """Do nothing."""


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (WrongArguments(), r"Argument\(s\) \{'registry'\} are declared in the hookimpl but can not be found"),
        (MisspeltHook(), r"there is no hook 'wsolkit_component'; Did you mean 'wsolkit_components'"),
        (Unmarked(), r"wsolkit_components is not marked as a hook; put @wsolkit.hookimpl above it"),
        (HalfMarked(), r"wsolkit_components is not marked as a hook"),
        (
            SimpleNamespace(),
            r"it implements none of the hooks wsolkit_components, wsolkit_methods; `wsolkit new-plugin NAME`",
        ),
        (
            NoList(),
            r"wsolkit_components should return a list of classes, or their names in a dict, but got <class",
        ),
        (Nothing(), r"wsolkit_components should return a list of classes, or their names in a dict, but got None"),
        (naming({"Poling": ["a:B"]}), r"There is no interface 'Poling' for components\. Did you mean 'Pooling'\?"),
        (naming({"Pooling": ["a.B"]}), r"wsolkit_components should name a Pooling as 'module:Class', but got 'a\.B'"),
        (
            naming({"Protocol": ["made_here:Named"]}),
            r"wsolkit_components should name a Protocol as 'name=module:Class', but got 'made_here:Named'",
        ),
        (plugin(Nameless), r"Nameless'> is a Protocol and needs a name; set its 'name' to a text"),
        (WrongMethods(), r"wsolkit_methods should return wsolkit.Method objects, but one is 'CAM'"),
        (plugin("MinPooling"), r"but 'MinPooling' implements no interface; derive a class from one of Backbone, "),
        (plugin(dict), r"but <class 'dict'> implements no interface"),
        (plugin(Unfinished), r"Unfinished'> does not implement forward of Pooling; add it"),
        (plugin(TwoInOne), r"TwoInOne'> implements MapModifier, Loss; split it"),
    ],
)
def test_a_plugin_that_breaks_the_rules_is_reported_and_brings_nothing(broken, words):
    with pytest.warns(RuntimeWarning, match=r"plugin 'bad' of wsolkit-stranger 1\.2 could not be loaded") as caught:
        found = load_from([Entry("bad", broken)])
    assert len(caught) == 1
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(str(caught[0].message))
    assert not found.components


def test_a_name_clash_names_both_sides():
    first, second = another("Twin", __module__="first_package"), another("Twin", __module__="second_package")
    entries = [Entry("one", plugin(first), "wsolkit-one"), Entry("two", plugin(second, MinPooling), "wsolkit-two")]
    with pytest.raises(
        PluginError,
        match=r"Two components are called 'Twin' among the poolings: "
        r"first_package.Twin \(plugin 'one' of wsolkit-one 1.2\) "
        r"and second_package.Twin \(plugin 'two' of wsolkit-two 1.2\)\. .*WSOLKIT_DISABLED_PLUGINS=two\.",
    ):
        load_from(entries)
    assert "MinPooling" not in POOLINGS.module_dict, "a plugin comes as a whole or not at all"
    assert load_from(entries, disabled=["two"]).find("Twin")[0].cls is first


def test_a_clash_within_one_plugin_is_found():
    with pytest.raises(PluginError, match="Two components are called 'Twin'"):
        load_from([Entry("one", plugin(another("Twin"), another("Twin")))])


def test_a_clash_with_a_class_registered_by_hand_names_both():
    POOLINGS.register_module(name="MinPooling", module=another("ByHand"))
    with pytest.raises(PluginError, match=r"MinPooling \(plugin 'one'.*ByHand, which was registered by hand"):
        load_from([Entry("one", plugin(MinPooling))])


@pytest.mark.parametrize("imported", [True, False])
def test_a_plugin_that_replaces_a_part_by_hand_is_set_aside_and_the_part_put_back(imported):
    core = load_from([Entry("core", plugin(MinPooling), "wsolkit-first")]).components["pooling", "MinPooling"]
    if not imported:
        POOLINGS.module_dict.pop("MinPooling")  # as where the core's part was only named until now

    def load():
        POOLINGS.register_module(name="MinPooling", module=another("Mine", __module__="stranger"), force=True)
        return plugin(another("Other"))

    words = (
        r"plugin 'rogue' of wsolkit-stranger 1\.2 could not be loaded \(it registers stranger\.Mine by hand in the "
        r"place of the pooling .*MinPooling \(plugin 'a core'.*give it another name\); it is left out"
    )
    with pytest.warns(RuntimeWarning, match=words):
        found = load_from([Entry("a core", plugin(core.cls), "wsolkit-first"), Entry("rogue", load)])
    assert [name for _, name in found.components] == ["MinPooling"]
    assert POOLINGS.module_dict["MinPooling"] is MinPooling


@pytest.mark.parametrize("force", [True, False])
def test_a_core_part_that_was_replaced_by_hand_is_refused_when_it_is_asked_for(force):
    POOLINGS.module_dict.pop("MaxPooling", None)
    POOLINGS.register_module(name="MaxPooling", module=another("Mine", __module__="scratch"), force=force)
    with pytest.raises(
        PluginError, match=r"MaxPooling \(plugin '.*scratch\.Mine, which was registered by hand\. Rename"
    ):
        POOLINGS.get("MaxPooling")


def ends_the_program():
    os._exit(0)


class Unusual(BaseException):
    """Neither an Exception nor what Ctrl-C raises."""


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (ends_the_program, r"it calls os\._exit\(0\), which would end the whole program"),
        (raising(SystemExit(0)), "SystemExit: 0"),
        (raising(Unusual("odd")), "Unusual: odd"),
    ],
)
def test_a_plugin_that_would_end_the_program_is_named_and_left_out(load, words):
    leave = os._exit
    with pytest.warns(RuntimeWarning, match=rf"plugin 'bad' of wsolkit-stranger 1\.2 could not be loaded \({words}"):
        found = load_from([Entry("bad", load), Entry("good", plugin(MinPooling))])
    assert [name for _, name in found.components] == ["MinPooling"]
    assert os._exit is leave


def test_ctrl_c_during_an_import_is_no_fault_of_the_plugin():
    with pytest.raises(KeyboardInterrupt):
        load_from([Entry("slow", raising(KeyboardInterrupt()))])


def test_an_import_that_hangs_is_named(monkeypatch, capsys):
    monkeypatch.setattr(watched, "PATIENCE", 0.05)

    def hangs():
        time.sleep(0.2)
        return plugin(MinPooling)

    assert load_from([Entry("slow", hangs)]).components
    words = (
        "Still importing plugin 'slow' of wsolkit-stranger 1.2 after 0.05 s. WSOLKIT_DISABLED_PLUGINS=slow leaves it"
    )
    assert words in capsys.readouterr().err
    load_from([Entry("quick", plugin(MinPooling))])
    time.sleep(0.1)
    assert "quick" not in capsys.readouterr().err


def test_a_method_is_found_by_its_other_names_and_in_any_letters():
    known = Method("C2AM", "A Paper", "A. Author", "CVPR", 2022, "It works.", other_names=("CCAM",))
    plugins = load_from([Entry("one", plugin(methods=[known]))])
    assert plugins.find("CCAM") == plugins.find("ccam") == plugins.find("c2am") == plugins.find("C2AM")
    with pytest.raises(PluginError, match="There is no component or method named 'CCAN'. Did you mean 'CCAM'"):
        plugins.find("CCAN")


def test_two_methods_of_one_name_are_an_error():
    entries = [
        Entry("one", plugin(methods=[method(title="First")]), "wsolkit-one"),
        Entry("two", plugin(methods=[method(title="Second")]), "wsolkit-two"),
    ]
    with pytest.raises(
        PluginError, match=r"Two methods are called 'Thing': 'First' \(plugin 'one' .* 'Second' \(plugin 'two'"
    ):
        load_from(entries)


def test_one_name_in_two_interfaces_is_no_clash():
    class MinPoolingLoss(Loss):
        def forward(self, activation, batch):
            return activation.maps.mean()

    MinPoolingLoss.__name__ = "MinPooling"
    found = load_from([Entry("one", plugin(MinPooling, MinPoolingLoss))])
    assert {component.interface for component in found.find("MinPooling")} == {"pooling", "loss"}
    assert LOSSES.module_dict["MinPooling"] is MinPoolingLoss


def test_two_distributions_with_one_entry_point_name_are_both_loaded():
    entries = [Entry("same", plugin(MinPooling), "wsolkit-one"), Entry("same", plugin(another("Other")), "wsolkit-two")]
    found = load_from(entries)
    assert {str(component.source) for component in found.components.values()} == {
        "plugin 'same' of wsolkit-one 1.2",
        "plugin 'same' of wsolkit-two 1.2",
    }


def test_plugins_of_one_name_are_told_apart_by_their_distribution():
    entries = [
        Entry("same", plugin(MinPooling), "wsolkit-one"),
        Entry("same", plugin(another("MinPooling")), "wsolkit-two"),
    ]
    with pytest.raises(PluginError, match="WSOLKIT_DISABLED_PLUGINS=wsolkit-two:same"):
        load_from(entries)
    found = load_from(entries, disabled=["wsolkit-two:same"])
    assert found.find("MinPooling")[0].source.distribution == "wsolkit-one"
    assert found.disabled == ["wsolkit-two:same"]


def test_what_two_plugins_both_hand_over_belongs_to_the_first():
    shared = method()
    entries = [Entry("b", plugin(MinPooling, methods=[shared])), Entry("a", plugin(MinPooling, methods=[shared]))]
    found = load_from(entries)
    assert [component.source.plugin for component in found.components.values()] == ["a"]
    assert len(found.methods) == 1


def test_a_disabled_plugin_is_not_even_imported_and_is_mentioned():
    found = load_from([Entry("bad", raising(AssertionError("imported")))], disabled=["bad"])
    with pytest.raises(PluginError, match=r"WSOLKIT_DISABLED_PLUGINS leaves out 'bad'\.$"):
        found.find("TheirPart")


def test_a_misspelt_disabled_name_is_answered_with_the_nearest():
    with pytest.warns(RuntimeWarning, match=r"names 'smal', but there is no such plugin\. Did you mean 'small'\?"):
        load_from([Entry("small", plugin(MinPooling))], disabled=["smal"])


def installed(monkeypatch, *entries):
    """Make ``load_plugins`` find these entry points, as if nothing had been loaded."""
    monkeypatch.setattr(loading, "_loaded", None)
    monkeypatch.setattr(loading, "_described", None)
    monkeypatch.setattr(loading.metadata, "entry_points", lambda group: list(entries))


def test_the_environment_variable_blocks_by_name(monkeypatch):
    monkeypatch.setenv("WSOLKIT_DISABLED_PLUGINS", " one, two ,")
    installed(monkeypatch, *(Entry(name, plugin(another(name))) for name in ("one", "two", "three")))
    assert [name for _, name in load_plugins().components] == ["three"]
    assert load_plugins().disabled == ["one", "two"]


def test_plugins_are_loaded_once_and_a_failure_is_not_remembered(monkeypatch):
    installed(monkeypatch, Entry("one", plugin(another("Twin"))), Entry("two", plugin(another("Twin"))))
    for _ in range(2):
        with pytest.raises(PluginError, match="Two components are called 'Twin'"):
            load_plugins()
    installed(monkeypatch, Entry("one", plugin(MinPooling)))
    assert load_plugins() is load_plugins()


def test_a_plugin_may_look_something_up_while_it_is_imported(monkeypatch):
    def load():
        assert POOLINGS.get("MinPooling") is MinPooling
        return plugin(another("Later"))

    installed(monkeypatch, Entry("core", plugin(MinPooling), "wsolkit", "wsolkit.builtin"), Entry("nosy", load))
    assert not load_plugins().broken
    assert "Later" in POOLINGS.module_dict


def test_without_an_installation_the_message_says_so(monkeypatch):
    installed(monkeypatch)
    with pytest.raises(
        ConfigError, match=r"no pooling named 'AveragePoolin'.*wsolkit is not installed.*pip install -e \."
    ):
        POOLINGS.get("AveragePoolin")


def test_a_misspelt_component_gets_the_nearest_one():
    found = load_from([Entry("small", plugin(MinPooling))])
    with pytest.raises(
        PluginError, match=r"There is no component or method named 'MinPoolin'. Did you mean 'MinPooling'\?$"
    ):
        found.find("MinPoolin")


def test_every_hook_is_documented():
    readme = (EXAMPLE / "README.md").read_text()
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("wsolkit_")}
    assert len(hooks) == 2
    for name, hook in hooks.items():
        assert "Example::" in inspect.getdoc(hook), f"{name} needs a docstring with an example"
        assert f"`{name}{inspect.signature(hook)}`".replace("'", "") in readme, (
            f"{name} is missing in {EXAMPLE}/README.md"
        )


def test_a_named_component_is_imported_when_it_is_looked_up(named, monkeypatch):
    installed(monkeypatch, Entry("lazy", naming({"Pooling": [f"{named}:Named"]})))
    assert load_plugins().names("pooling") == ["Named"]
    assert "Named" in POOLINGS.names()
    assert named not in sys.modules
    assert POOLINGS.get("Named").__module__ == named
    assert POOLINGS.get("wsolkit.Named") is POOLINGS.get("Named")


def test_a_named_component_that_is_not_there_or_is_something_else_is_refused_in_words(named, monkeypatch):
    missing, wrong = f"{named}:Lost", f"{named}:Named"
    installed(monkeypatch, Entry("lazy", naming({"Pooling": [missing, "nowhere.at_all:Gone"], "Loss": [wrong]})))
    with pytest.raises(
        PluginError, match=r"The pooling Lost of plugin 'lazy' of wsolkit-stranger 1.2 cannot be imported"
    ):
        POOLINGS.get("Lost")
    with pytest.raises(PluginError, match=r"\(ModuleNotFoundError: No module named 'nowhere'\)\. `python -c 'imp"):
        POOLINGS.get("Gone")
    with pytest.raises(PluginError, match=r"Named \(plugin 'lazy' .*\) is brought as Loss, but implements Pooling"):
        LOSSES.get("Named")


@pytest.fixture
def protocol_module(tmp_path, monkeypatch):
    """Make a module of two protocols, one of them without a name, and say by which name."""
    module = f"protocols_{tmp_path.name.replace('-', '_')}"
    text = (
        "from wsolkit.evaluation import Protocol\n"
        "class Nameless(Protocol):\n"
        "    def make(self, num_classes): ...\n    def measure(self, accumulator, image): ...\n"
        "class Sharpness(Nameless):\n    name = 'sharp-ness'\n"
    )
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield module
    sys.modules.pop(module, None)


def test_a_protocol_is_called_by_its_name_whether_it_comes_as_a_class_or_as_a_place(protocol_module, monkeypatch):
    installed(monkeypatch, Entry("lazy", naming({"Protocol": f"sharp-ness={protocol_module}:Sharpness"})))
    assert load_plugins().names("protocol") == ["sharp-ness"]
    assert protocol_module not in sys.modules
    found = PROTOCOLS.get("sharp-ness")
    assert (found.__name__, found.__module__) == ("Sharpness", protocol_module)
    (component,), _ = read_plugin(plugin(found), SOURCE)
    assert (component.name, component.cls, component.path) == ("sharp-ness", found, f"{protocol_module}:Sharpness")


def test_a_protocol_of_another_name_or_of_none_is_refused_in_words(protocol_module, monkeypatch):
    places = [f"blur={protocol_module}:Sharpness", f"none={protocol_module}:Nameless"]
    installed(monkeypatch, Entry("lazy", naming({"Protocol": places})))
    with pytest.raises(
        PluginError,
        match=r"Sharpness \(plugin 'lazy' .*\) is brought as 'blur', but calls itself 'sharp-ness'",
    ):
        PROTOCOLS.get("blur")
    with pytest.raises(PluginError, match=r"Nameless'> is a Protocol and needs a name; set its 'name' to a text"):
        PROTOCOLS.get("none")


def test_two_named_components_of_one_name_clash_without_being_imported():
    entries = [Entry(name, naming({"Pooling": [f"{name}.parts:Twin"]}), f"wsolkit-{name}") for name in ("one", "two")]
    with pytest.raises(PluginError, match=r"Two components are called 'Twin' .*: one\.parts\.Twin .* two\.parts\.Twin"):
        load_from(entries)


def test_methods_are_read_without_asking_for_components(monkeypatch):
    class Heavy:
        @hookimpl
        def wsolkit_components(self):
            raise AssertionError("asked")

        @hookimpl
        def wsolkit_methods(self):
            return [method()]

    installed(monkeypatch, Entry("heavy", Heavy()))
    assert [found for found, _ in load_methods()] == [method()]
    assert load_methods() is load_methods()


def test_the_interfaces_named_in_the_readme_are_the_interfaces():
    readme = (EXAMPLE / "README.md").read_text()
    ours = [interface.name for interface in INTERFACES if interface.module.startswith("wsolkit.")]
    assert f"(`{'`, `'.join(ours)}`," in " ".join(readme.split())


def test_nothing_is_broken_here():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = load_plugins()
    assert not found.broken
    assert found.find("AveragePooling")[0].source.plugin == "core"
    assert torch.equal(POOLINGS.build({"type": "AveragePooling"})(torch.ones(1, 2, 2, 2)), torch.ones(1, 2))
