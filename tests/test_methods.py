"""A method is read from the facts at the top of its card; a mistake names the card, the key and the cure."""

import re

import pytest

from wsolkit import ConfigError, Method, PluginError, load_plugins
from wsolkit.config.check import check_config
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.config.options import apply_options
from wsolkit.plugins.search_ranges import options_in

FACTS = """---
name: CAM
title: "Learning: Deep Features"
authors: Bolei Zhou, Antonio Torralba
venue: CVPR
year: 2016
summary: Average pooling lets the classifier's
  weights make maps.
configs:
  - cam_synthetic
  - cam_folder
config_dir: configs
reported:
  CUB VGG16 top-1 loc error, quoted by CSoA: 55.85
  VOC mAP: 95
---

# CAM

---

## Use
"""


@pytest.fixture
def card(tmp_path):
    """Return a function that writes a card and returns its path."""
    (tmp_path / "configs").mkdir()

    def write(text):
        path = tmp_path / "card.md"
        path.write_text(text, "utf-8")
        return path

    return write


def test_the_facts_of_a_card_are_the_method(card):
    path = card(FACTS)
    method = Method.from_card(path)
    assert method == Method(
        name="CAM",
        title="Learning: Deep Features",
        authors="Bolei Zhou, Antonio Torralba",
        venue="CVPR",
        year=2016,
        summary="Average pooling lets the classifier's weights make maps.",
        configs=("cam_synthetic", "cam_folder"),
        config_dir=path.parent / "configs",
        card=path,
        reported={"CUB VGG16 top-1 loc error, quoted by CSoA": 55.85, "VOC mAP": 95.0},
    )
    assert Method.from_card(str(path)).card == path


def test_the_text_of_a_card_has_no_facts_and_keeps_its_own_lines(card):
    assert Method.from_card(card(FACTS)).card_text() == "# CAM\n\n---\n\n## Use\n"
    plain = Method("X", "t", "a", "v", 2020, "s", card=card("# Plain\n"))
    assert plain.card_text() == "# Plain\n"
    assert Method("X", "t", "a", "v", 2020, "s").card_text() == ""


def test_configurations_and_numbers_may_be_left_out(card):
    text = re.sub(r"configs:.*---\n\n#", "---\n\n#", FACTS, flags=re.DOTALL)
    method = Method.from_card(card(text))
    assert (method.configs, method.config_dir, method.reported) == ((), None, {})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("year: 2016\n", "", "lacks 'year'. Add `year: ...` between its lines of ---."),
        ("year: 2016", "year: 2016a", "year in the card {} is a year such as 2016, but got '2016a'. Write year: 2016."),
        ("year: 2016", "year: true", "but got True"),
        ("year: 2016", "yaer: 2016", "has the key 'yaer', which nothing reads. Did you mean 'year'?"),
        ("venue: CVPR", "venue: 2016", 'venue in the card {} is a text, but got 2016. Write venue: "...".'),
        ("venue: CVPR", "venue: ''", "venue in the card {} is a text, but got ''"),
        (
            '"Learning: Deep Features"',
            "Learning: Deep Features",
            "has no valid YAML at its top: mapping values are not",
        ),
        ("venue: CVPR", "venue: CVPR\nvenue: ICCV", "gives 'venue' twice. Remove one."),
        ("  VOC mAP: 95", "  VOC mAP: 95\n  VOC mAP: 94", "gives 'VOC mAP' twice. Remove one."),
        ("  - cam_folder", "  - cam_folder.py", "configs in the card {} names 'cam_folder.py'. Write 'cam_folder'."),
        ("  - cam_folder", "  - 3", "is a list of names, but got ['cam_synthetic', 3]. Write a line `- NAME` each."),
        ("config_dir: configs", "config_dir: nowhere", "There is no folder {0.parent}/nowhere, which config_dir in"),
        ("config_dir: configs", "config_dir: 3", "relative to the card, but got 3. Name one."),
        ("mAP: 95", "mAP: high", "holds numbers by their names, but got 'VOC mAP': 'high'. Write it as `NAME: 1.5`."),
        (
            FACTS,
            FACTS.replace("---", "", 1),
            "has no facts at its top. Begin it with ---, `name: ...`, ..., --- in lines",
        ),
        (FACTS, "---\n- CAM\n---\n", "should have `key: value` lines at its top, but has ['CAM']. Write them so."),
        (FACTS, "---\n---\n", "should have `key: value` lines at its top, but has None"),
    ],
)
def test_a_mistake_in_a_card_is_explained(card, old, new, words):
    path = card(FACTS.replace(old, new))
    with pytest.raises(PluginError) as caught:
        Method.from_card(path)
    assert str(path) in str(caught.value)
    assert words.format(path) in str(caught.value)


def test_numbers_without_names_are_refused(card):
    text = re.sub(r"reported:.*?---", "reported: [1, 2]\n---", FACTS, flags=re.DOTALL)
    with pytest.raises(PluginError, match=r"but got \[1, 2\]\. Write a line `NAME: 1.5` each\."):
        Method.from_card(card(text))


def test_a_card_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PluginError, match=r"The card .*card\.md cannot be read .*A card is a Markdown file in UTF-8\."):
        Method.from_card(tmp_path / "card.md")


def test_the_cards_of_the_plugins_name_configurations_that_exist():
    methods = [method for method, source in load_plugins().methods if source.distribution == "wsolkit"]
    assert len(methods) >= 13
    for method in methods:
        assert set(method.configs) <= set(config_files()), method.name
        assert not method.card_text().startswith("---"), method.name


def refusal(method, config, share):
    """Return what a configuration says to the values that lie at a share of all ranges of a method; None if it fits."""
    values = {option: each.value(share) for name, each in method.search.items() for option in options_in(name)}
    try:
        apply_options(config, values)
        check_config(config)
    except ConfigError as error:
        return str(error)
    return None


SEARCHED = {method.name: method for method, source in load_plugins().methods if source.distribution == "wsolkit"}
SEARCHED = {name: method for name, method in SEARCHED.items() if method.search}


def test_the_cards_of_trained_methods_have_ranges():
    assert {"CAM", "ADL", "HaS", "ACoL", "SPG", "CutMix", "DANet", "TS-CAM", "CSoA", "MaxDrop", "FSL"} <= set(SEARCHED)
    assert all(method.search["optim_wrapper.optimizer.lr"].kind == "log" for method in SEARCHED.values())


@pytest.mark.parametrize("name", SEARCHED)
def test_the_ranges_of_a_card_are_of_entries_that_its_configurations_have(name):
    method = SEARCHED[name]
    refused = {}
    for each in method.configs:
        config = load_config(each)
        refused[each] = [refusal(method, config, share) for share in (0.0, 0.999)]
        if refused[each] == [None, None]:
            return
    raise AssertionError(refused)
