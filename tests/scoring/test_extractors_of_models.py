"""What ``wsolkit test`` judges are the boxes of the model's own extractor; other protocols keep their own rule."""

import json

import numpy as np
import pytest
import torch

from tests.support.untrained import OPTIONS
from wsolkit import BoxExtractor
from wsolkit.cli.main import main
from wsolkit.components.boxes import AllComponents, LargestComponent, largest_box
from wsolkit.config.classes import fill_classes
from wsolkit.config.load import load_config
from wsolkit.evaluation import MEAN_BOX
from wsolkit.evaluation.overlap import best_iou
from wsolkit.evaluation.results import FIXED, LABEL_FREE, ORACLE, OWN, VAL
from wsolkit.interfaces import ScoredBoxes
from wsolkit.registry import DATASETS, MODELS
from wsolkit.scoring.from_model import score_model

FIXED_BOX = [20, 30, 80, 90]


@pytest.fixture(scope="module")
def config():
    return fill_classes(load_config("cam_synthetic", OPTIONS | {"model.box_extractor": {"type": "AllComponents"}}))


@pytest.fixture(scope="module")
def model(config):
    torch.manual_seed(3)
    return MODELS.build(config.model).eval()


def truth_of(config, split):
    dataset = DATASETS.build(config[f"{split}_dataloader"].dataset)
    return [dataset[index]["targets"].boxes for index in range(len(dataset))]


class FixedBox(BoxExtractor):
    """The same box whatever the map."""

    def __call__(self, score_map, features=None):
        return ScoredBoxes(np.array([FIXED_BOX], np.float32), np.ones(1, np.float32))


class OwnThreshold(LargestComponent):
    """Says the same box at a threshold of its own, and keeps what it is asked with."""

    chooses_threshold = True

    def __init__(self):
        super().__init__()
        self.asked = []

    def __call__(self, score_map, features=None):
        self.asked.append((np.shape(score_map), None if features is None else np.shape(features)))
        return ScoredBoxes(np.array([FIXED_BOX], np.float32), np.ones(1, np.float32))


def test_boxes_of_all_components_are_those_scored(config, model):
    """By hand: at the threshold that val chose, the best scored component of each map."""
    found = score_model(config, model, protocols=["localization", "BoxAcc"])
    assert found.extractor == "AllComponents"
    localization, box_acc = found.results
    line = localization.lines[0]
    assert (line.selection, localization.conventions["box source"]) == (VAL, "best scored of AllComponents")
    loader = DATASETS.build(config.test_dataloader.dataset)
    hits, largest = [], []
    for index in range(len(loader)):
        sample = loader[index]
        images = model.data_preprocessor({"inputs": sample["inputs"][None]})["inputs"]
        with torch.no_grad():
            activation = model.activate(images)
            score_map = model.cam_method(model, images, sample["labels"][None], activation)[0].numpy()
        boxes = AllComponents(line.threshold)(score_map).boxes[:1]
        hits.append(best_iou(boxes, sample["targets"].boxes)[0] >= 0.5)
        box = np.array([largest_box(score_map, box_acc.lines[0].threshold)])
        largest.append(best_iou(box, sample["targets"].boxes)[0] > 0.5)
    assert localization["GT-known"].percent == pytest.approx(100 * np.mean(hits))
    assert box_acc["BoxAcc@50"].percent == pytest.approx(100 * np.mean(largest))
    assert box_acc.lines[0].selection == VAL


def test_a_fixed_box_is_what_counts(config, model, monkeypatch):
    monkeypatch.setattr(model, "box_extractor", FixedBox())
    found = score_model(config, model, split="val", protocols=["localization"])
    expected = [best_iou(np.array([FIXED_BOX]), truth)[0] >= 0.5 for truth in truth_of(config, "val")]
    assert found.results[0]["GT-known"].percent == pytest.approx(100 * np.mean(expected))
    assert 0 < sum(expected) < 14
    assert all(trial.box == pytest.approx(np.array(FIXED_BOX) / 96, abs=1e-5) for trial in found.trials)
    assert found.extractor == "FixedBox"
    remark = (
        "The validation compared boxes of AllComponents, but the model's are those of FixedBox, which are judged here."
    )
    assert found.remarks == [remark]


def test_an_extractor_with_thresholds_of_its_own(config, model, monkeypatch):
    """It is asked once for a map, with the features, and there is neither an oracle nor a choice on val."""
    extractor = OwnThreshold()
    monkeypatch.setattr(model, "box_extractor", extractor)
    found = score_model(config, model, protocols=["localization", "MaxBoxAcc"])
    localization, swept = found.results
    assert {(line.selection, line.threshold) for line in localization.lines} == {(OWN, None)}
    assert found.trials_at == {"metric": "localization", "threshold": None, "selection": OWN, "iou": 0.5}
    assert {line.selection for line in swept.lines} == {VAL, LABEL_FREE, ORACLE}
    expected = [best_iou(np.array([FIXED_BOX]), truth)[0] >= 0.5 for truth in truth_of(config, "test")]
    assert localization["GT-known"].percent == pytest.approx(100 * np.mean(expected))
    features = model.activate(torch.zeros(1, 3, 96, 96)).features.shape[1:]
    assert set(extractor.asked) == {((96, 96), tuple(features))}
    mean_box = found.baselines.pop(MEAN_BOX)  # the same at every threshold
    assert {line.selection for line in mean_box[0].lines} == {FIXED, ORACLE}
    assert found.baselines
    for results in found.baselines.values():  # a baseline has the largest component's box
        assert {line.selection for line in results[0].lines} == {VAL, LABEL_FREE, ORACLE}


def test_the_command_judges_the_model_s_extractor(config, model, tmp_path, capsys):
    checkpoint = tmp_path / "best.pth"
    torch.save({"meta": {}, "state_dict": model.state_dict()}, checkpoint)
    config.dump(tmp_path / "config.py")
    argv = ["test", str(tmp_path / "config.py"), str(checkpoint), "--device", "cpu"]
    assert main([*argv, "--protocol", "localization", "accuracy"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    numbers = json.loads((tmp_path / "test" / "results.json").read_text())
    assert (numbers["extractor"], numbers["checkpoint"]) == ("AllComponents", str(checkpoint))
    assert (numbers["name"], numbers["split"], numbers["images"]) == (tmp_path.name, "test", 21)
    honest, oracle = (
        next(line for line in numbers["results"][0]["lines"] if line["selection"] == how) for how in (VAL, ORACLE)
    )
    assert f"GT-known {honest['percent']:.1f}" in printed.replace("│ ", "").replace("┃ ", "")
    for words in ("centre", "blob", "whole", "chosen on val", "Boxes of `localization`: AllComponents"):
        assert words in printed
    assert f"{oracle['percent'] - honest['percent']:+.1f}" in printed
    blob = numbers["baselines"]["centred Gaussian blob"]
    assert [result["metric"] for result in blob] == ["localization"]
    assert f"{blob[0]['lines'][0]['percent']:.1f}" in printed
    page = (tmp_path / "test" / "index.html").read_text(encoding="utf-8")
    assert all(word in page for word in ("AllComponents", "trivial baseline", "centred Gaussian blob"))
    assert main([*argv, "--split", "val", "--protocol", "accuracy", "--no-report"]) == 0
    assert [path.name for path in (tmp_path / "val").iterdir()] == ["results.json"]
    other = tmp_path / "other.pth"
    torch.save({"meta": {}, "state_dict": model.state_dict()}, other)
    capsys.readouterr()
    argv[2] = str(other)
    assert main([*argv, "--split", "val", "--protocol", "accuracy"]) == 2
    assert f"val holds the results of {checkpoint}. Choose another --out, or add --overwrite" in capsys.readouterr().err


def test_a_missing_checkpoint_is_one_line_not_a_traceback(tmp_path, capsys):
    assert main(["test", "cam_synthetic", str(tmp_path / "best.pth")]) == 2
    assert "There is no file of weights" in capsys.readouterr().err
