"""Options of the command line in a pipeline's configuration."""

import pytest

from wsolkit import ConfigError
from wsolkit.pipeline.pipeline_config import read_pipeline

TEXT = """
data_root = "photos"
epochs = 2
lists = f"{data_root}/lists"
stages = [
    dict(name="net", type="Train", config="cam", options={"data_root": data_root, "train_cfg.max_epochs": epochs}),
    dict(name="maps", type="Maps", parts=[dict(cut=0.2)], rule=dict(name="otsu"), source=lists),
]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(TEXT)
    return path


def test_a_variable_has_its_new_value_while_the_file_is_read(file):
    found = read_pipeline(file, {"data_root": "other", "epochs": 5})
    assert found["stages"][0]["options"] == {"data_root": "other", "train_cfg.max_epochs": 5}
    assert found["stages"][1]["source"] == "other/lists"
    assert found["data_root"] == "other"
    assert read_pipeline(file)["stages"][1]["source"] == "photos/lists"


def test_a_variable_of_a_base_reaches_everything_built_on_it(file):
    child = file.with_name("child.py")
    child.write_text("_base_ = ['mine.py']\nwork_dir = 'w'\nmine = {{_base_.data_root}}\n")
    found = read_pipeline(child, {"data_root": "other"})
    assert found["stages"][1]["source"] == "other/lists"
    assert (found["work_dir"], found["mine"]) == ("w", "other")


def test_arguments_of_stages_by_name_and_by_number(file):
    options = {
        "stages.net.options.train_cfg.max_epochs": 7,
        "stages.0.options.model.head.size": 1,
        "stages.net.seed": 4,
        "stages.maps.parts.0.cut": 0.5,
        "stages.1.rule.name": "fixed",
        "stages.maps.options.a.b": 2,
        "work_dir": "there",
    }
    found = read_pipeline(file, options)
    assert found["stages"][0]["options"] == {"data_root": "photos", "train_cfg.max_epochs": 7, "model.head.size": 1}
    assert found["stages"][0]["seed"] == 4
    assert found["stages"][1]["parts"] == [{"cut": 0.5}]
    assert found["stages"][1]["rule"] == {"name": "fixed"}
    assert found["stages"][1]["options"] == {"a.b": 2}
    assert found["work_dir"] == "there"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("data_rot", "The option data_rot leads nowhere: .*no such variable. Did you mean 'data_root'"),
        ("stages.nett.seed", "there is no stage 'nett'. Did you mean 'net'"),
        ("stages.7.seed", "there is no stage '7'"),
        ("stages.net", "names a stage. Add the argument, such as stages.net.config=NAME"),
        ("stages.maps.rul.name", "no 'rul' in stage 'maps'. Did you mean 'rule'"),
        ("stages.maps.parts.3.cut", "no '3' in parts. Known names: '0'"),
        ("stages.maps.parts.1", "no '1' in parts"),
        ("stages.maps.source.x", "leads nowhere: source is 'photos/lists', without parts"),
        ("lists.deep", "The option lists.deep leads nowhere"),
    ],
)
def test_an_option_that_leads_nowhere(file, option, said):
    with pytest.raises(ConfigError, match=said):
        read_pipeline(file, {option: 1})


def test_a_value_with_which_the_file_fails_is_named_with_its_line(file):
    file.write_text(f"{TEXT}if epochs < 1:\n    raise ValueError(f'epochs should be 1 or more, but got {{epochs}}')\n")
    with pytest.raises(ConfigError) as caught:
        read_pipeline(file, {"epochs": 0})
    assert str(caught.value) == (
        f"{file} cannot be read with epochs=0: {file}:10: ValueError: epochs should be 1 or more, but got 0. "
        "Correct the configuration."
    )


def test_a_computed_variable_cannot_be_set(file):
    file.write_text("a, b = 1, 2\n" + TEXT)
    with pytest.raises(ConfigError, match="The option a cannot be set: .* computes it"):
        read_pipeline(file, {"a": 5})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stage = []\n", "sets 'stage', which nothing reads. Did you mean 'stages'"),
        ("workdir = 'x'\nstages = [dict(name='a')]\n", "sets 'workdir', which nothing reads. Did you mean 'work_dir'"),
        ("model = dict(type='Localizer')\n", "is no pipeline: it has no stages. It is a training: run it with"),
        ("x = 1\n", r"is no pipeline: it has no stages. Write stages = \[dict"),
        ("stages = []\n", "stages of .* should be a list of dict"),
        ("stages = ['Train']\n", "stages of .* should be a list of dict"),
        ("stages = [\n", "mine.py:1: "),
    ],
)
def test_a_file_that_is_no_pipeline(file, text, said):
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_pipeline(file)
