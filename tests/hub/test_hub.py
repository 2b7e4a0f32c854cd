"""Models in folders and on a hub that is a folder too: shared, fetched, and refused where they could run code."""

import json
import os
import shutil
from pathlib import Path

import huggingface_hub
import pytest
import torch
import yaml
from huggingface_hub import errors

from tests.support import colours
from wsolkit import CheckpointError, ConfigError, Predictor, from_pretrained, load_config, push_to_hub, save_pretrained
from wsolkit.config.stored import STORED, config_text
from wsolkit.evaluation.results import ORACLE, VAL, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.hub.card import model_card
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.evaluation_file import write_evaluation
from wsolkit.weights.plain_copy import plain_copy

IMAGE = colours.scene((8, 8, 40, 40), colour=1)


@pytest.fixture
def checkpoint(trained):
    """A checkpoint that holds its configuration."""
    config, path = trained
    stored = torch.load(path, weights_only=True)
    facts = {"seed": 3, "boxes": "none", "configuration": "cam_folder", "number_format": "fp32"}
    stored["meta"] |= {STORED: config_text(load_config(config)), "classes": list(colours.CLASSES), "training": facts}
    torch.save(stored, path)
    return path


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub that is a folder; returns it and what was asked of it."""
    folder, asked = tmp_path / "hub", []

    class Api:
        def __init__(self, token=None):
            asked.append(("token", token))

        def create_repo(self, name, private, exist_ok):
            asked.append(("made", name, private, exist_ok))
            return f"https://huggingface.co/{name}"

        def upload_folder(self, repo_id, folder_path, commit_message):
            asked.append(("uploaded", sorted(path.name for path in Path(folder_path).iterdir()), commit_message))
            shutil.copytree(folder_path, folder / repo_id)

    def download(name, file, revision, token):
        asked.append(("fetched", name, file, revision, token))
        return str(folder / name / file)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # nobody looks for the network
    return folder, asked


def test_a_pushed_model_comes_back_and_finds_the_same_boxes(checkpoint, hub):
    folder, asked = hub
    address = push_to_hub(checkpoint, "birds/colours", license="apache-2.0", private=True, token="secret")
    assert address == "https://huggingface.co/birds/colours"
    predictor = from_pretrained("birds/colours", revision="v1", device="cpu", threshold=0.4)
    assert (predictor.threshold, predictor.classes) == (0.4, colours.CLASSES)
    own = Predictor.from_config(checkpoint, device="cpu", threshold=0.4)
    assert predictor([IMAGE])[0].boxes == own([IMAGE])[0].boxes != []
    assert asked == [
        ("token", "secret"),
        ("made", "birds/colours", True, True),
        ("uploaded", ["README.md", "model.safetensors"], "Upload a model of wsolkit"),
        ("fetched", "birds/colours", "model.safetensors", "v1", None),
    ]
    card = (folder / "birds" / "colours" / "README.md").read_text()
    facts = yaml.safe_load(card.split("---")[1])
    assert facts["library_name"] == "wsolkit"
    assert facts["license"] == "apache-2.0"
    assert 'from_pretrained("birds/colours")' in card
    assert "secret" not in card


def test_the_card_tells_paper_classes_training_and_what_was_measured(checkpoint, tmp_path):
    lines = (
        Line("GT-known", Score(72.5, 40, 60.0, 83.0), 0.3, VAL),
        Line("GT-known", Score(75.0, 40, 62.0, 85.0), 0.2, ORACLE),
    )
    lines += (Line("top-1 accuracy", Score(50.0, 40, 35.0, 65.0)),)
    evaluation = Evaluation("x", "test", 40, [Result("localization", lines)], checkpoint=str(checkpoint.resolve()))
    write_evaluation(checkpoint.parent / "test", evaluation, page=False)
    folder = save_pretrained(checkpoint, tmp_path / "model")
    card = (folder / "README.md").read_text()
    assert "Bolei Zhou, Aditya Khosla" in card
    assert "*Learning Deep Features for Discriminative Localization*. CVPR 2016." in card
    assert "3: red, green, blue." in card
    assert "| Boxes or masks that training saw | none |" in card
    assert "On 40 images of the split test:" in card
    assert "| localization | GT-known | 72.5 | 60.0 to 83.0 |" in card
    assert "| localization | top-1 accuracy | 50.0 | 35.0 to 65.0 |  |" in card
    assert "75.0" not in card  # the oracle's
    os.utime(checkpoint, (2e9, 2e9))  # trained again since
    assert "Nothing: no results" in (save_pretrained(checkpoint, folder, overwrite=True) / "README.md").read_text()
    write_evaluation(tmp_path / "other", Evaluation("x", "test", checkpoint="/else/last.pth"), page=False)
    with pytest.raises(ConfigError, match=r"are of /else/last\.pth, and not of .*best\.pth\. Give those that"):
        save_pretrained(checkpoint, tmp_path / "another", results=tmp_path / "other")
    assert not (tmp_path / "another").exists()


def test_without_a_known_configuration_the_card_names_the_methods_of_the_parts():
    content = {"model": {"type": "Localizer", "head": {"type": "C2AMHead"}}}
    text = json.dumps({"format": 1, "config": content})
    card = model_card("a|b <i>", {"state_dict": {}, "meta": {STORED: text}})
    assert "**C2AM.**" in card
    assert "# a&#124;b &lt;i&gt;" in card
    assert "It has one map for all objects and names no classes." in card
    assert "The checkpoint does not say." in card


def test_folders_of_others_are_left_alone(checkpoint, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    with pytest.raises(ConfigError, match=r"holds no models of ours \(no model\.safetensors\)"):
        save_pretrained(checkpoint, tmp_path / "full")
    save_pretrained(checkpoint, tmp_path / "model")
    with pytest.raises(ConfigError, match="holds an earlier model"):
        save_pretrained(checkpoint, tmp_path / "model")


def test_a_fetched_model_that_would_run_code_is_refused(checkpoint, tmp_path, monkeypatch):
    stored = torch.load(checkpoint, weights_only=True)
    document = json.loads(stored["meta"][STORED])
    document["config"]["model"]["backbone"]["config"] = "evil.py"
    document["imports"] = ["evil"]
    stored["meta"][STORED] = json.dumps(document)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    torch.save(stored, checkpoint)

    plain_copy(checkpoint, tmp_path / "model" / "model.safetensors")
    monkeypatch.chdir(tmp_path / "model")
    with pytest.raises(CheckpointError, match=r"was refused: .* names 'evil\.py', and a Python file is code"):
        from_pretrained(tmp_path / "model")
    assert not (tmp_path / "ran").exists()
    with pytest.raises(CheckpointError, match="was refused"):
        push_to_hub(checkpoint, "birds/evil")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.HFValidationError("x"), "It is no folder here, and on the hub a model is called OWNER/NAME"),
        (errors.LocalEntryNotFoundError("x"), "The hub does not answer, and the model is not in the cache"),
        (OSError("the line\nbroke"), "OSError: the line broke"),
    ],
)
def test_what_cannot_be_fetched_is_said(hub, monkeypatch, error, words):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fails)
    with pytest.raises(CheckpointError, match=f"The model birds/none cannot be fetched from the Hugging .* {words}"):
        from_pretrained("birds/none")


def test_a_hub_that_refuses_is_said(checkpoint, hub, monkeypatch):
    def refuses(*_, **__):
        raise OSError("401 Unauthorized")

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", refuses)
    with pytest.raises(ConfigError, match=r"cannot be shared as birds/x: OSError: 401 Unauthorized\. The hub wants"):
        push_to_hub(checkpoint, "birds/x")


def test_what_is_no_shared_model_is_said(checkpoint, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"There is no model\.safetensors in .*empty\. Write one with"):
        from_pretrained(tmp_path / "empty")
    with pytest.raises(CheckpointError, match="is a file, and from_pretrained takes a folder"):
        from_pretrained(checkpoint)
    (tmp_path / "empty" / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="cannot be read as weights"):
        from_pretrained(tmp_path / "empty")
