"""The JSON schema of configurations: shipped ones are valid, and what wsolkit refuses is not."""

import json
from pathlib import Path

import pytest

from wsolkit.cli.main import main
from wsolkit.config.load import load_config
from wsolkit.config.schema import configuration_schema

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
SNAPSHOTS = sorted((Path(__file__).parents[1] / "snapshots" / "configs").glob("*.json"))
CAM = {"type": "Localizer", "backbone": {"type": "TimmBackbone", "name": "resnet18"}}


@pytest.fixture(scope="module")
def validator():
    schema = configuration_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("path", SNAPSHOTS[::20], ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(validator, path):
    assert [error.message for error in validator.iter_errors(json.loads(path.read_text()))] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("box_extractor", {"type": "LargestComponent", "treshold": 0.5}),
        ("backbone", {"type": "TimmBackbone", "name": 18}),
        ("precision", "bf17"),
        ("backbone", {"type": "TimmBackbone", "name": "resnet18", "min_match": 2}),
        ("box_extractor", {"type": "LargestComponent", "threshold": "high"}),
    ],
)
def test_what_wsolkit_refuses_is_not_valid(validator, place, value):
    assert validator.is_valid({"model": CAM})
    assert not validator.is_valid({"model": {**CAM, place: value}})


def test_parts_of_ones_own_and_parts_of_a_configuration_are_left_to_wsolkit(validator):
    assert validator.is_valid({"_base_": "cam.yaml", "my_variable": 3, "model": {"backbone": {"weights": None}}})
    assert validator.is_valid({"model": {"type": "Localizer", "backbone": {"type": "my.Own", "depth": 3}}})


def test_arguments_bring_their_documentation_defaults_and_bounds(validator):
    backbone = validator.schema["definitions"]["backbone.TimmBackbone"]
    assert backbone["description"]
    assert backbone["properties"]["name"]["description"]
    assert backbone["properties"]["name"]["type"] == "string"
    names = validator.schema["definitions"]["activation_head"]["properties"]["type"]["anyOf"][0]["enum"]
    assert {"CAMHead", "C2AMHead"} <= set(names)  # the core's and plugins'
    interval = validator.schema["definitions"]["hook.Checkpoints"]["properties"]["interval"]
    assert (interval["type"], interval["minimum"], interval["default"]) == ("integer", 1, 1)


def test_the_command_writes_it_and_a_configuration_may_name_it(tmp_path, capsys, monkeypatch):
    small = {"definitions": {}}
    monkeypatch.setattr("wsolkit.config.schema.configuration_schema", lambda: small)
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == small
    assert main(["schema", "--out", str(tmp_path / "a.json")]) == 0
    assert json.loads((tmp_path / "a.json").read_text()) == small
    config = {"$schema": "a.json", "_base_": "wsolkit::cam_synthetic"}
    (tmp_path / "mine.json").write_text(json.dumps(config))
    assert load_config(tmp_path / "mine.json").model.type == "Localizer"
