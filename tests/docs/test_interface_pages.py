"""The pages of the interfaces: their examples run, and every name of an interface is on its page."""

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest
import torch

import wsolkit
from tests.support.snippets import blocks_of
from wsolkit.evaluation import Accumulator, Protocol
from wsolkit.plugins.interface_table import INTERFACES

PAGES_OF = Path(__file__).parents[2] / "docs" / "interfaces"
PAGES = {
    "backbone": wsolkit.Backbone,
    "map_modifier": wsolkit.MapModifier,
    "pooling": wsolkit.Pooling,
    "activation_head": wsolkit.ActivationHead,
    "loss": wsolkit.Loss,
    "cam_method": wsolkit.CamMethod,
    "box_extractor": wsolkit.BoxExtractor,
    "batch_transform": wsolkit.BatchTransform,
    "refiner": wsolkit.Refiner,
    "stage": wsolkit.Stage,
    "protocol": Protocol,
}
BESIDE = {"protocol": Accumulator}
"""What else a page defines, because its part is made of both."""


def public_names(interface):
    """Return what an interface has of its own: methods, properties and annotated attributes."""
    own = {*vars(interface), *inspect.get_annotations(interface)}
    return {name for name in own if not name.startswith("_")} | {*inspect.signature(interface).parameters}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run_and_its_first_part_is_of_its_interface(page):
    path = PAGES_OF / f"{page}.md"
    module = ModuleType(f"page_{page}")
    torch.manual_seed(0)
    for block in blocks_of(path.read_text("utf-8")):
        if block.language == "python":
            exec(compile(block.text, str(path), "exec"), vars(module))
    made = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    kinds = (PAGES[page], *filter(None, [BESIDE.get(page)]))
    assert any(issubclass(each, PAGES[page]) for each in made)
    assert all(issubclass(each, kinds) and not inspect.isabstract(each) for each in made)
    assert all(inspect.getdoc(each) for each in made)


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_an_interface_is_on_its_page(page):
    text = (PAGES_OF / f"{page}.md").read_text("utf-8")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.S))))
    assert not public_names(PAGES[page]) - words


def test_every_interface_of_a_model_has_a_page_and_the_index_names_it():
    index = (PAGES_OF / "index.md").read_text("utf-8")
    parts = {interface.name for interface in INTERFACES if interface.module.startswith("wsolkit.")}
    assert parts == {interface.__name__ for interface in PAGES.values()}
    for page in PAGES:
        assert f"\n{page}\n" in index
        assert f"]({page}.md)" in index


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_includes_is_there(page):
    text = (PAGES_OF / f"{page}.md").read_text("utf-8")
    included = re.findall(r"\{literalinclude\} (\S+)\n(?:.*\n)*?:pyobject: ([\w.]+)", text)
    assert bool(included) == (page != "batch_transform")
    for place, name in included:
        source = (PAGES_OF / place).read_text("utf-8")
        assert re.search(rf"^\s*(class|def) {name.rpartition('.')[2]}\b", source, re.M), name
