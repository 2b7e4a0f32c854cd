"""``wsolkit label --classifier``: the boxes of a classifier that was trained elsewhere."""

import csv
import re

import pytest
import timm
import torch
from mmengine.registry import DefaultScope

from wsolkit import Predictor
from wsolkit.cli.main import main
from wsolkit.labelling.classifier import classifier_config
from wsolkit.registry import DATASETS


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """Weights of a small network with three classes."""
    path = tmp_path_factory.mktemp("mine") / "mine.pth"
    torch.manual_seed(2)
    torch.save({"state_dict": timm.create_model("test_resnet", num_classes=3).state_dict()}, path)
    return path


def command(scenes, out, mine, *more):
    return ["label", scenes, "--out", out, "--classifier", "test_resnet", "--weights", mine, "--no-pictures", *more]


def run(*words):
    return main([str(word) for word in words])


def test_photographs_get_the_boxes_of_their_classes(scenes, mine, tmp_path, capsys):
    folders = sorted(path.name for path in scenes.iterdir() if path.is_dir())
    names = tmp_path / "names.txt"
    names.write_text("\n".join(reversed(folders)))
    line = command(scenes, tmp_path / "out", mine, "--classes", names, "--format", "csv")
    assert run(*line) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "boxes.csv").read_text().splitlines()))
    assert {row["image_id"].split("/")[0] for row in rows} == set(folders)
    predictor = Predictor.from_config(tmp_path / "out" / "last.pth", device="cpu")
    assert predictor.classes == tuple(reversed(folders))
    chosen = [row for row in rows if row["image_id"].startswith(folders[0])]
    for row, result in zip(chosen, predictor([scenes / row["image_id"] for row in chosen]), strict=True):
        assert row["class"] == folders[0]
        assert float(row["score"]) == pytest.approx(result.probabilities[2], abs=2e-3)
    capsys.readouterr()
    assert run(*line) == 0
    assert run("test", tmp_path / "out" / "config.py", tmp_path / "out" / "last.pth", "--no-report") == 0
    assert (tmp_path / "out" / "test" / "results.json").exists()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("a\nb\nc", "Photographs are of the class '.*', which .*names.txt does not name. Known names: 'a', 'b', 'c'"),
        (None, "takes both --classifier NETWORK, such as resnet18, and --weights FILE"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(scenes, mine, tmp_path, capsys, names, words):
    line = command(scenes, tmp_path / "out", mine)
    if names is None:
        line = [*line[:-3], "--no-pictures"]
    else:
        (tmp_path / "names.txt").write_text(names)
        line += ["--classes", tmp_path / "names.txt"]
    assert run(*line) == 2
    assert re.search(words, capsys.readouterr().err)
    assert not (tmp_path / "out" / "last.pth").exists()


def test_more_names_than_classes_are_refused(scenes, mine, tmp_path, capsys):
    folders = sorted(path.name for path in scenes.iterdir() if path.is_dir())
    (tmp_path / "names.txt").write_text("\n".join([*folders, "one more"]))
    assert run(*command(scenes, tmp_path / "out", mine, "--classes", tmp_path / "names.txt")) == 2
    assert re.search(r"tells 3 classes apart, but .*names.txt names 4. Give one name", capsys.readouterr().err)


def test_a_table_and_classes_of_nothing_are_in_the_configuration(scenes, tmp_path):
    files = sorted(str(path.relative_to(scenes)) for path in scenes.rglob("*.png"))
    kinds = ("a", "b", "free")
    lines = [f"{name},{kinds[number % 3]}" for number, name in enumerate(files)]
    (tmp_path / "labels.csv").write_text("image,label\n" + "\n".join(lines))
    for count, names in ((2, ["a", "b"]), (3, ["a", "b", "free"])):
        torch.save(timm.create_model("test_resnet", num_classes=count).state_dict(), tmp_path / "mine.pth")
        data = {"data_root": str(scenes), "labels": str(tmp_path / "labels.csv"), "background": ["free"]}
        config, _ = classifier_config("test_resnet", tmp_path / "mine.pth", names, size=32, multi_label=True, data=data)
        with DefaultScope.overwrite_default_scope(DATASETS.scope):
            built = DATASETS.build({**config["train_dataloader"]["dataset"], "split": "all"})
        assert built.classes == tuple(names) == tuple(config["classes"])
        assert len(built) == len(files)
