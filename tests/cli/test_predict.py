"""``wsolkit predict``: exit codes, formats, and what is printed."""

import argparse
import json
from types import SimpleNamespace

import pytest
import torch

from wsolkit import load_config
from wsolkit.cli import predict as command_module
from wsolkit.cli.main import main
from wsolkit.cli.test import without_targets
from wsolkit.config.stored import STORED, config_text
from wsolkit.evaluation.results import FIXED, VAL, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.evaluation_file import claim_results, write_evaluation


@pytest.fixture
def command(trained, photos, tmp_path):
    config, checkpoint = trained
    return ["predict", str(config), str(checkpoint), str(photos), "--out", str(tmp_path / "out"), "--device", "cpu"]


def test_a_run(command, tmp_path, capsys):
    assert main([*command, "--format", "coco,yolo", "--format", "csv", "--draw", "3", "--num-workers", "0"]) == 0
    printed = capsys.readouterr().out
    assert "7 boxes in 7 images, threshold 0.5 (from the configuration)." in printed
    for name in ("boxes.json", "dataset.json", "yolo", "boxes.csv", "failed.csv", "index.html"):
        assert str(tmp_path / "out" / name) in printed
        assert (tmp_path / "out" / name).exists()
    assert main([*command, "--num-workers", "0"]) == 0
    assert "7 of 7 images were done before." in capsys.readouterr().out


@pytest.mark.parametrize(
    "order", ["{model} {photos} --out {out}", "--out {out} {model} {photos}", "{model} --out {out} {photos}"]
)
def test_a_checkpoint_alone_predicts_what_its_configuration_does(command, trained, photos, tmp_path, order):
    config, checkpoint = trained
    stored = torch.load(checkpoint, weights_only=True)
    stored["meta"][STORED] = config_text(load_config(config))
    torch.save(stored, tmp_path / "model.pth")
    assert main([*command, "--format", "csv"]) == 0
    words = order.format(model=tmp_path / "model.pth", photos=photos, out=tmp_path / "alone").split()
    assert main(["predict", *words, "--format", "csv", "--device", "cpu"]) == 0
    assert (tmp_path / "alone" / "boxes.csv").read_text() == (tmp_path / "out" / "boxes.csv").read_text()


@pytest.mark.parametrize("order", ["{config} --out {out} {model} {photos}", "{config} {model} --out {out} {photos}"])
def test_options_stand_anywhere(trained, photos, tmp_path, order):
    config, checkpoint = trained
    words = order.format(config=config, model=checkpoint, photos=photos, out=tmp_path / "out").split()
    assert main(["predict", *words, "--device", "cpu"]) == 0


def test_initial_weights_are_checked_and_said_to_change_nothing(command, tmp_path, capsys):
    (tmp_path / "w.pth").write_bytes(b"x")
    assert main([*command, "--cfg-options", f"weights={tmp_path / 'w.pth'}"]) == 0
    assert "w.pth changes nothing: " in capsys.readouterr().err
    assert main([*command, "--cfg-options", "weights=/not/there.pth"]) == 2
    assert "There is no file of weights /not/there.pth" in capsys.readouterr().err


def test_what_is_left_out_is_said(command, photos, capsys):
    (photos / "red" / "1.HEIC").write_bytes(b"x")
    (photos / "loop").symlink_to(photos)
    assert main([*command, "--num-workers", "0"]) == 0
    printed = capsys.readouterr().out
    assert "7 boxes in 7 images" in printed
    assert "1 left out of the folders: .heic is not read; convert it to JPEG or PNG" in printed
    assert "1 left out of the folders: links to a folder that is read already." in printed


def remarks(tmp_path, classifies=True, **options):
    extractor = SimpleNamespace(chooses_threshold=False)
    predictor = SimpleNamespace(
        classifies=classifies,
        class_agnostic=not classifies,
        box_extractor=extractor,
        threshold=0.2,
        threshold_source="so",
    )
    given = {"classes": "predicted", "threshold": None, "checkpoint": tmp_path / "best.pth", **options}
    return list(command_module.remarks(predictor, argparse.Namespace(**given)))


def test_a_model_without_classes_says_what_boxes_are_called(tmp_path):
    (told,) = remarks(tmp_path, classifies=False)
    assert 'every box is named "object". With --classes folder' in told
    assert not remarks(tmp_path, classifies=False, classes="folder")
    assert not remarks(tmp_path)


@pytest.mark.parametrize(
    ("chosen", "selection", "checkpoint", "options", "told"),
    [
        (
            0.35,
            VAL,
            "best.pth",
            {},
            "is 0.2, so. `wsolkit test` chose 0.35 on the validation split: add --threshold 0.35",
        ),
        (0.2004, VAL, "best.pth", {}, None),
        (0.35, FIXED, "best.pth", {}, None),
        (0.35, VAL, "other.pth", {}, None),
        (0.35, VAL, "best.pth", {"threshold": 0.3}, None),
    ],
)
def test_another_threshold_that_test_chose_is_told(tmp_path, chosen, selection, checkpoint, options, told):
    line = Line("GT-known", Score(50.0, 2, 40.0, 60.0), threshold=chosen, selection=selection)
    evaluation = Evaluation(split="test", images=2, results=[Result("localization", (line,), {})])
    evaluation.checkpoint = str(tmp_path / checkpoint)
    write_evaluation(claim_results(tmp_path / "test"), evaluation, page=False)
    assert remarks(tmp_path, **options) == ([f"the threshold {told} to take it."] if told else [])
    (tmp_path / "test" / "results.json").write_text("{")
    assert not remarks(tmp_path)


@pytest.mark.parametrize(
    ("results", "words"), [([], ", and the model names no classes that could be. Name"), ([1], "judged. Name")]
)
def test_nothing_to_judge_localization_by_is_said(results, words):
    told = without_targets(SimpleNamespace(split="val", results=results))
    assert told.startswith("note: no image of the val split has boxes or masks, so localization cannot be judged")
    assert f"{words} boxes with --cfg-options val_dataloader.dataset.boxes=FILE" in told


def test_a_corrupt_image_is_no_failure(command, photos, capsys):
    (photos / "red" / "0.png").write_bytes(b"x")
    assert main(command) == 0
    assert "1 images could not be read; failed.csv says why." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--format", "cocoa"], "There is no format 'cocoa'. Did you mean 'coco'"),
        (["--threshold", "2"], "A box threshold is a fraction"),
        (["--classes", "folder", "--topk", "2"], "topk=2 does not go with classes='folder'"),
        (["--device", "cuda:99"], "There is no device 'cuda:99' here"),
        (["--batch-size", "0"], "batch_size is how many"),
    ],
)
def test_mistakes_are_explained(command, tmp_path, capsys, change, words):
    assert main([*command, *change]) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "out").exists()


def test_nothing_to_read_is_a_failure(command, photos, capsys):
    for path in photos.rglob("*.png"):
        path.write_bytes(b"")
    assert main(command) == 2
    assert "None of the 7 images could be read" in capsys.readouterr().err


def test_other_settings_need_overwrite(command, tmp_path, capsys):
    assert main(command) == 0
    assert main([*command, "--topk", "2"]) == 2
    assert "holds predictions made with other settings: topk was None and is 2 now" in capsys.readouterr().err
    assert main([*command, "--topk", "2", "--overwrite"]) == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["topk"] == 2
