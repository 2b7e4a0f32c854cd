"""``wsolkit test`` from the model to the table, against a plain loop over the same images."""

import json

import numpy as np
import pytest
import torch

from wsolkit import ConfigError, DataError
from wsolkit.cli.main import main
from wsolkit.cli.test import protocols_table
from wsolkit.components.boxes import largest_box
from wsolkit.config.load import fill_classes, load_config
from wsolkit.evaluation import ImageResult, Line, Result, Score
from wsolkit.evaluation.results import ORACLE, VAL
from wsolkit.registry import DATASETS, MODELS
from wsolkit.scoring.evaluate import Evaluation, each_class, evaluate

OPTIONS = {
    "train_dataloader.dataset.num_images": 12,
    "val_dataloader.dataset.num_images": 14,
    "test_dataloader.dataset.num_images": 21,
    "val_dataloader.batch_size": 8,
    "test_dataloader.batch_size": 8,
    "val_dataloader.num_workers": 0,
    "val_dataloader.persistent_workers": False,
    "test_dataloader.num_workers": 0,
    "val_evaluator.thresholds": 10,
    "test_evaluator.thresholds": 10,
    "model.backbone.output_stride": 8,
    "model.precision": "fp32",
}


@pytest.fixture(scope="module")
def config():
    return fill_classes(load_config("cam_synthetic", OPTIONS))


@pytest.fixture(scope="module")
def model(config):
    torch.manual_seed(3)
    return MODELS.build(config.model).eval()


def overlap(a, b, size):
    """IoU of two boxes counted in a fine grid of cells."""
    grid = [np.zeros((480, 480), bool) for _ in range(2)]
    for canvas, (x0, y0, x1, y1) in zip(grid, (a, b), strict=True):
        scale = 480 / size
        canvas[round(y0 * scale) : round(y1 * scale), round(x0 * scale) : round(x1 * scale)] = True
    return (grid[0] & grid[1]).sum() / max((grid[0] | grid[1]).sum(), 1)


def by_hand(config, model, split, threshold):
    """Return GT-known, top-1 and top-1 localization of a split at a threshold, one image at a time."""
    dataset = DATASETS.build(config[f"{split}_dataloader"].dataset)
    hits, right = [], []
    for index in range(len(dataset)):
        sample = dataset[index]
        images = model.data_preprocessor({"inputs": sample["inputs"][None]})["inputs"]
        with torch.no_grad():
            activation = model.activate(images)
            score_map = model.cam_method(model, images, sample["labels"][None], activation)[0].numpy()
        box = largest_box(score_map, threshold)
        hits.append(overlap(box, sample["targets"].boxes[0], 96) >= 0.5)
        right.append(int(activation.logits.argmax()) == int(sample["labels"]))
    hits, right = np.array(hits), np.array(right)
    return 100 * hits.mean(), 100 * right.mean(), 100 * (hits & right).mean()


def test_the_table_equals_a_plain_loop(config, model):
    found = evaluate(config, model)
    row = found.rows[0]
    assert (found.split, found.selection, found.images) == ("test", "val", 21)
    gt_known, top1, top1_loc = by_hand(config, model, "test", row.localization.threshold)
    assert row.localization.gt_known.percent == pytest.approx(gt_known)
    assert row.classification["top1"].percent == pytest.approx(top1)
    assert row.localization.top1.percent == pytest.approx(top1_loc)


def test_the_threshold_is_the_best_of_val_not_of_test(config, model):
    chosen = evaluate(config, model).rows[0].localization
    rates = [by_hand(config, model, "val", number / 10)[0] for number in range(10)]
    best = [number / 10 for number in range(10) if rates[number] == max(rates)]
    assert chosen.threshold == best[len(best) // 2]
    assert chosen.oracle.percent >= chosen.gt_known.percent
    assert evaluate(config, model, split="val").rows[0].localization.gap == 0


def test_trivial_baselines_stand_in_every_table(config, model):
    rows = {row.name: row.localization for row in evaluate(config, model).rows}
    assert list(rows) == ["model", "centre box (half the area)", "centred Gaussian blob", "whole image"]
    dataset = DATASETS.build(config.test_dataloader.dataset)
    truth = [dataset[index]["targets"].boxes[0] for index in range(len(dataset))]
    whole = [(b[2] - b[0]) * (b[3] - b[1]) / 96**2 >= 0.5 for b in truth]
    assert rows["whole image"].gt_known.percent == pytest.approx(100 * np.mean(whole))
    side = (96 - 2 * round(96 * (1 - 0.5**0.5) / 2)) / 2
    centre = [overlap((48 - side, 48 - side, 48 + side, 48 + side), box, 96) >= 0.5 for box in truth]
    assert rows["centre box (half the area)"].gt_known.percent == pytest.approx(100 * np.mean(centre))


def test_a_split_without_boxes_is_classified_only(config, model):
    blind = config.copy()
    blind.test_dataloader = {
        **config.test_dataloader,
        "dataset": {**config.test_dataloader.dataset, "load_targets": False},
    }
    found = evaluate(blind, model)
    assert [row.name for row in found.rows] == ["model"]
    assert found.rows[0].localization is None
    assert found.rows[0].classification["top1"].n == 21


def test_a_configuration_without_the_split_is_explained(config, model):
    less = config.copy()
    less.test_dataloader = None
    with pytest.raises(ConfigError, match="has no test_dataloader, so there is nothing to evaluate on 'test'"):
        evaluate(less, model)


def test_data_with_other_classes_is_refused(config, model):
    turned = config.copy()
    turned.classes = list(reversed(config.classes))
    with pytest.raises(DataError, match=r"they differ \(first: 'star-yellow' there, 'ring-red' here\)"):
        evaluate(turned, model)


def test_a_pipeline_that_crops_is_refused(config, model):
    cropping = config.copy()
    steps = [{"type": "CenterCrop", "size": 48}]
    cropping.test_dataloader = {
        **config.test_dataloader,
        "dataset": {**config.test_dataloader.dataset, "pipeline": steps},
    }
    with pytest.raises(ConfigError, match="moves boxes by more than a resize"):
        evaluate(cropping, model)


def test_the_command_prints_the_table_and_writes_the_numbers(config, model, tmp_path, capsys):
    checkpoint = tmp_path / "best.pth"
    torch.save({"meta": {}, "state_dict": model.state_dict()}, checkpoint)
    config.dump(tmp_path / "config.py")
    assert main(["test", str(tmp_path / "config.py"), str(checkpoint)]) == 0
    printed = capsys.readouterr().out
    numbers = json.loads((tmp_path / "test_results.json").read_text())
    assert numbers["conventions"]["threshold"] == "chosen on val"
    row = numbers["rows"][0]
    assert row["GT-known, test-oracle threshold"]["percent"] - row["GT-known"]["percent"] == pytest.approx(row["gap"])
    assert f"{row['GT-known']['percent']:.1f}" in printed
    assert all(word in printed for word in ("centre box", "Gaussian", "whole image", "chosen on val"))


def test_a_missing_checkpoint_is_one_line_not_a_traceback(tmp_path, capsys):
    assert main(["test", "cam_synthetic", str(tmp_path / "best.pth")]) == 2
    assert "There is no file of weights" in capsys.readouterr().err


def test_each_class_of_multi_label_data_has_its_precision_and_count():
    rows = [
        ImageResult("a", scores=np.array([0.9, 0.2, 0.1]), labels=np.array([1, 0, 0])),
        ImageResult("b", scores=np.array([0.8, 0.7, 0.1]), labels=np.array([0, -1, 0])),
        ImageResult("c", scores=np.array([0.7, 0.6, 0.3]), labels=np.array([1, 1, 0])),
    ]
    found = each_class(rows, ["cat", "dog", "hen"])
    assert found["cat"] == (pytest.approx(100 * (1 + 2 / 3) / 2), 2)
    assert found["dog"] == (100.0, 1)
    assert np.isnan(found["hen"][0])


def test_protocols_take_their_thresholds_from_val(config, model):
    """What is best on val, its own oracle there, is what counts on test; the oracle of test stands beside it."""
    names = ["MaxBoxAccV2", "top-k-loc"]
    on_val = evaluate(config, model, split="val", protocols=names).results
    on_test = evaluate(config, model, protocols=names).results
    for mine, chosen in zip(on_test, on_val, strict=True):
        assert {line.selection for line in chosen.lines} == {ORACLE}
        honest = {line.name: line.threshold for line in mine.lines if line.selection == VAL}
        assert honest == {line.name: line.threshold for line in chosen.lines}
        assert {line.name for line in mine.lines if line.selection == ORACLE} == set(honest)
        assert mine.conventions["split"] == "test"


def test_protocols_without_thresholds_of_their_own_take_the_table_s(config, model):
    found = evaluate(config, model, protocols=["CorLoc"])
    cut = found.rows[0].localization.threshold
    assert {(line.threshold, line.selection) for line in found.results[0].lines} == {(cut, VAL)}


def test_results_of_one_accumulator_keep_their_names(config, model):
    found = evaluate(config, model, protocols=["MaxBoxAcc", "MaxBoxAcc-exact"])
    assert [result.metric for result in found.results] == ["MaxBoxAcc", "MaxBoxAcc-exact"]


def test_a_protocol_that_can_judge_nothing_is_named(config, model):
    with pytest.raises(
        ConfigError, match="Protocol point-mAP can judge no image of split 'test': it needs boxes, logits"
    ):
        evaluate(config, model, protocols=["point-mAP"])


def test_the_table_of_protocols_has_the_oracle_and_what_it_would_add():
    lines = (
        Line("MaxBoxAcc@50", Score(40.0, 10, 30.0, 50.0, 41.0), 0.222, VAL),
        Line("MaxBoxAcc@50", Score(43.0, 10, 33.0, 53.0, 44.0), 0.25, ORACLE),
    )
    table = protocols_table(
        Evaluation("test", "val", 10, 0.5, "LargestComponent", results=[Result("MaxBoxAcc", lines)])
    )
    cells = [list(column.cells) for column in table.columns]
    assert [column[0] for column in cells] == ["MaxBoxAcc@50", "40.0", "30.0 - 50.0", "41.0", "0.222", "43.0", "+3.0"]
    assert "chosen on val" in table.caption
