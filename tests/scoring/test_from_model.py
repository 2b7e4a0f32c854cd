"""``score_model`` from the model to the numbers, against a plain loop over the same images."""

from collections import Counter, namedtuple
from copy import deepcopy

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric

from tests.support.untrained import OPTIONS
from wsolkit import ConfigError, DataError
from wsolkit.components.boxes import largest_box
from wsolkit.config.classes import fill_classes
from wsolkit.config.load import load_config
from wsolkit.datasets import shared_memory
from wsolkit.evaluation import BASELINES
from wsolkit.evaluation.baselines import drawn_map
from wsolkit.evaluation.mean_box import MEAN_BOX
from wsolkit.evaluation.results import FIXED, LABEL_FREE, ORACLE, VAL
from wsolkit.registry import DATASETS, METRICS, MODELS
from wsolkit.report.evaluation import numbers_of
from wsolkit.scoring.from_model import score_model

Usage = namedtuple("Usage", "free")


@pytest.fixture(scope="module")
def config():
    return fill_classes(load_config("cam_synthetic", OPTIONS))


@pytest.fixture(scope="module")
def model(config):
    torch.manual_seed(3)
    return MODELS.build(config.model).eval()


@pytest.fixture(scope="module")
def found(config, model):
    return score_model(config, model)


@pytest.fixture(scope="module")
def on_val(config, model):
    return score_model(config, model, split="val")


def result_of(evaluation, metric, baseline=None):
    results = evaluation.results if baseline is None else evaluation.baselines[baseline]
    return next(result for result in results if result.metric == metric)


def overlap(a, b, size):
    """IoU of two boxes counted in a fine grid of cells."""
    grid = [np.zeros((480, 480), bool) for _ in range(2)]
    for canvas, (x0, y0, x1, y1) in zip(grid, (a, b), strict=True):
        scale = 480 / size
        canvas[round(y0 * scale) : round(y1 * scale), round(x0 * scale) : round(x1 * scale)] = True
    return (grid[0] & grid[1]).sum() / max((grid[0] | grid[1]).sum(), 1)


def one_by_one(config, model, split):
    """Return the map, true box and whether the class is right of each image of a split, one at a time."""
    dataset = DATASETS.build(config[f"{split}_dataloader"].dataset)
    rows = []
    for index in range(len(dataset)):
        sample = dataset[index]
        images = model.data_preprocessor({"inputs": sample["inputs"][None]})["inputs"]
        with torch.no_grad():
            activation = model.activate(images)
            score_map = model.cam_method(model, images, sample["labels"][None], activation)[0].numpy()
        right = int(activation.logits.argmax()) == int(sample["labels"])
        rows.append((score_map, sample["targets"].boxes[0], right))
    return rows


def hits_at(rows, threshold):
    return np.array([overlap(largest_box(score_map, threshold), box, 96) >= 0.5 for score_map, box, _ in rows])


def test_the_numbers_equal_a_plain_loop(config, model, found):
    assert (found.split, found.images, found.extractor, len(found.trials)) == ("test", 21, "LargestComponent", 21)
    result = result_of(found, "localization")
    line = result.lines[0]
    assert (line.name, line.selection, result.conventions["split"]) == ("GT-known", VAL, "test")
    rows = one_by_one(config, model, "test")
    hits, right = hits_at(rows, line.threshold), np.array([right for _, _, right in rows])
    assert result["GT-known"].percent == pytest.approx(100 * hits.mean())
    assert result["top-1 loc"].percent == pytest.approx(100 * (hits & right).mean())
    assert result_of(found, "accuracy")["top-1 accuracy"].percent == pytest.approx(100 * right.mean())
    assert Counter(trial.outcome == "hit" for trial in found.trials)[True] == hits.sum()
    assert found.trials_at == {"metric": "localization", "threshold": line.threshold, "selection": VAL, "iou": 0.5}


def test_the_threshold_is_the_best_of_val_not_of_test(config, model, found, on_val):
    honest, oracle = (
        next(line for line in result_of(found, "localization").lines if line.selection == how) for how in (VAL, ORACLE)
    )
    rows = one_by_one(config, model, "val")
    rates = [hits_at(rows, number / 100).mean() for number in range(100)]
    best = [number / 100 for number in range(100) if rates[number] == max(rates)]
    assert honest.threshold == pytest.approx(best[len(best) // 2])
    assert oracle.score.percent >= honest.score.percent
    number = numbers_of(result_of(on_val, "localization"))[0]
    assert (number.honest, number.oracle.threshold) == (None, honest.threshold)


def test_trivial_baselines_stand_beside_every_protocol_of_boxes(config, found):
    assert list(found.baselines) == ["centre box (half the area)", "centred Gaussian blob", "whole image", MEAN_BOX]
    for results in found.baselines.values():
        metrics = [result.metric for result in results]
        assert metrics == ["localization", "MaxBoxAcc", "MaxBoxAccV2", "BoxAcc", "CorLoc", "PxAP"]
        assert all(result.conventions["split"] == "test" for result in results)
        assert not any(result.curves or result.each_class for result in results)
    dataset = DATASETS.build(config.test_dataloader.dataset)
    truth = [dataset[index]["targets"].boxes[0] for index in range(len(dataset))]
    whole = [(b[2] - b[0]) * (b[3] - b[1]) / 96**2 >= 0.5 for b in truth]
    assert result_of(found, "localization", "whole image")["GT-known"].percent == pytest.approx(100 * np.mean(whole))
    side = (96 - 2 * round(96 * (1 - 0.5**0.5) / 2)) / 2
    centre = [overlap((48 - side, 48 - side, 48 + side, 48 + side), box, 96) >= 0.5 for box in truth]
    val = DATASETS.build(config.val_dataloader.dataset)
    mean = np.mean([val[index]["targets"].boxes[0] for index in range(len(val))], axis=0)
    mean = [round(float(each)) for each in mean]  # a cell is inside where its middle is
    hits = [overlap(mean, box, 96) >= 0.5 for box in truth]
    assert result_of(found, "localization", MEAN_BOX)["GT-known"].percent == pytest.approx(100 * np.mean(hits))
    centre_box = result_of(found, "localization", "centre box (half the area)")
    assert centre_box["GT-known"].percent == pytest.approx(100 * np.mean(centre))


def test_baselines_have_the_numbers_of_a_model_that_draws_them(config, model, found, monkeypatch):
    """Also the thresholds: each is chosen on val, by the baseline's own boxes there."""
    name = "centred Gaussian blob"
    step = model.test_step

    def drawing(batch):
        predictions = step(batch)
        for prediction in predictions:
            drawn = torch.tensor(np.asarray(drawn_map(name, tuple(prediction.maps.shape[1:]))))
            prediction.maps = drawn.expand(len(prediction.maps), -1, -1).clone()
        return predictions

    monkeypatch.setattr(model, "test_step", drawing)
    drawn = score_model(config, model)
    for baseline in found.baselines[name]:
        expected = list(result_of(drawn, baseline.metric).lines)
        if baseline.metric == "localization":  # a baseline says no class
            expected = [line for line in expected if line.name == "GT-known"]
        assert list(baseline.lines) == expected
    assert drawn.baselines.keys() == found.baselines.keys()
    assert [each.as_dict() for each in drawn.baselines[name]] == [each.as_dict() for each in found.baselines[name]]


def test_a_split_without_boxes_is_classified_only(config, model):
    blind = config.copy()
    blind.test_dataloader = {
        **config.test_dataloader,
        "dataset": {**config.test_dataloader.dataset, "load_targets": False},
    }
    only = score_model(blind, model)
    assert [result.metric for result in only.results] == ["accuracy"]
    assert only.results[0]["top-1 accuracy"].n == 21
    assert (only.baselines, only.trials, only.trials_at) == ({}, [], {})


def test_a_configuration_without_the_split_is_explained(config, model):
    less = config.copy()
    less.test_dataloader = None
    with pytest.raises(ConfigError, match="has no test_dataloader, so there is nothing to evaluate on 'test'"):
        score_model(less, model)


def test_what_a_split_lacks_is_a_remark(config, model, found):
    assert found.remarks == []
    cut = deepcopy(config)
    cut.test_dataloader.dataset.indices = [0]
    remarks = score_model(cut, model).remarks
    assert remarks[0] == "Of the test split 1 of 21 images are used (indices)."
    assert remarks[1].startswith("No image of the test split shows ")
    assert len(remarks) == 2


def test_data_with_other_classes_is_refused(config, model):
    turned = config.copy()
    turned.classes = list(reversed(config.classes))
    with pytest.raises(DataError, match=r"they differ \(first: 'star-yellow' there, 'ring-red' here\)"):
        score_model(turned, model)


def test_a_pipeline_that_crops_is_refused(config, model):
    cropping = config.copy()
    steps = [{"type": "CenterCrop", "size": 48}]
    cropping.test_dataloader = {
        **config.test_dataloader,
        "dataset": {**config.test_dataloader.dataset, "pipeline": steps},
    }
    with pytest.raises(ConfigError, match="moves boxes by more than a resize"):
        score_model(cropping, model)


def test_protocols_take_their_thresholds_from_val(found, on_val):
    """What is best on val, its own oracle there, is what counts on test; the oracle of test stands beside it."""
    for name in ("MaxBoxAccV2", "localization"):
        mine, chosen = result_of(found, name), result_of(on_val, name)
        assert {line.selection for line in chosen.lines} == {LABEL_FREE, ORACLE}
        honest = {line.name: line.threshold for line in mine.lines if line.selection == VAL}
        assert honest == {line.name: line.threshold for line in chosen.lines if line.selection == ORACLE}
        free = [
            {line.name: line.threshold for line in each.lines if line.selection == LABEL_FREE}
            for each in (mine, chosen)
        ]
        assert free[0] == free[1]  # the maps of val say it, and nothing else
        assert set(free[0]) == set(honest)
        assert {line.name for line in mine.lines if line.selection == ORACLE} == set(honest)
        assert mine.conventions["split"] == "test"


def test_protocols_without_thresholds_of_their_own_take_that_of_the_largest_component(found):
    cut = result_of(found, "localization").lines[0].threshold
    assert {(line.threshold, line.selection) for line in result_of(found, "CorLoc").lines} == {(cut, VAL)}
    for name in BASELINES:
        own = result_of(found, "localization", name).lines[0].threshold
        assert {(line.threshold, line.selection) for line in result_of(found, "CorLoc", name).lines} == {(own, VAL)}


def test_results_of_one_accumulator_keep_their_names_and_come_as_asked(config, model):
    only = score_model(config, model, split="val", protocols=["MaxBoxAcc-exact", "MaxBoxAcc"])
    assert [result.metric for result in only.results] == ["MaxBoxAcc-exact", "MaxBoxAcc"]


def test_a_protocol_that_can_judge_nothing_is_named(config, model):
    with pytest.raises(
        ConfigError, match="Protocol point-mAP can judge no image of split 'val': it needs boxes, logits"
    ):
        score_model(config, model, split="val", protocols=["point-mAP"])


def test_a_protocol_of_a_plugin_is_computed_with_its_baselines(config, model, peak_protocol):
    """Every map is brought to [0, 1], so its peak is 1; that of the blob lies between the middle pixels."""
    alone = score_model(config, model, split="val", protocols=["mean-peak"])
    assert [(each.metric, each["mean peak"].percent, each["mean peak"].n) for each in alone.results] == [
        ("mean-peak", pytest.approx(100, abs=0.1), 14)
    ]
    peaks = {name: results[0]["mean peak"].percent for name, results in alone.baselines.items()}
    assert peaks == {name: pytest.approx(100 * drawn_map(name, (96, 96)).max()) for name in BASELINES}
    with pytest.raises(ConfigError, match="There is no protocol 'mean-peek'. Did you mean 'mean-peak'"):
        score_model(config, model, protocols=["mean-peek"])


class Brightness(BaseMetric):
    """A metric as mmengine knows them: the mean of all maps, and how many images it saw."""

    def process(self, data_batch, data_samples):
        self.results += [float(each.maps.mean()) for each in data_samples]

    def compute_metrics(self, results):
        return {
            "mean": 100 * float(np.mean(results)),
            "images": len(results),
            "classes": len(self.dataset_meta["classes"]),
        }


@pytest.fixture
def brightness():
    METRICS.register_module(name="Brightness", module=Brightness)
    yield
    METRICS.module_dict.pop("Brightness")


def test_metrics_that_the_configuration_names_are_not_dropped(config, model, brightness, peak_protocol):
    """One of mmengine's own kind, and a protocol beside those that fit; the usual metric is no result of its own."""
    told = config.copy()
    told.val_evaluator = [
        {"type": "LocalizationMetric"},
        {"type": "Brightness"},
        {"type": "ProtocolMetric", "protocol": "mean-peak"},
    ]
    named = score_model(told, model, split="val")
    plain = score_model(config, model, split="val")
    extra = [result for result in named.results if result.metric not in {each.metric for each in plain.results}]
    assert [result.metric for result in extra] == ["mean-peak", "Brightness"]
    numbers = {line.name: line.score.percent for line in extra[1].lines}
    assert (numbers["images"], numbers["classes"]) == (14, 6)
    assert 0 < numbers["mean"] < 100
    assert extra[1].conventions["interval"] == "none: a metric, not a protocol"
    assert named.honest_numbers()["mean"] == numbers["mean"]
    for result in plain.results:
        assert result.as_dict() == result_of(named, result.metric).as_dict()


def test_without_a_split_to_choose_on_the_threshold_of_the_training_counts(config, model, monkeypatch):
    less = config.copy()
    less.val_dataloader = None
    monkeypatch.setitem(model._buffers, "chosen_threshold", torch.tensor(0.31))  # set as an attribute it would be gone
    alone = score_model(less, model, protocols=["localization", "CorLoc"])
    for result in alone.results:
        first = result.lines[0]
        assert (round(first.threshold, 6), first.selection) == (0.31, FIXED)


def test_ten_crops_say_the_class_and_maps_stay_those_of_the_whole_image():
    small = {"val_dataloader.dataset.num_images": 4, "test_dataloader.dataset.num_images": 9}
    network = {"_delete_": True, "type": "TimmBackbone", "name": "test_resnet"}
    config = fill_classes(load_config("cam_synthetic", {**OPTIONS, **small, "model.backbone": network}))
    torch.manual_seed(4)  # one image is right as a whole and wrong in its crops
    model = MODELS.build(config.model).eval()
    with torch.no_grad():
        model.head.classifier.weight.mul_(100)
    names = ["localization", "accuracy"]
    found, ten = (score_model(config, model, protocols=names, ten_crop=crops) for crops in (False, True))
    words = "mean probabilities of ten crops of 96 x 96, images warped to 110 x 110"
    assert {result.conventions["class scores"] for result in ten.results} == {words}
    assert all("class scores" not in result.conventions for result in found.results)
    larger = deepcopy(config.test_dataloader.dataset)
    larger.pipeline = [{"type": "Resize", "size": (110, 110), "antialias": True}]
    images, labels = DATASETS.build(larger), []
    for index in range(len(images)):
        sample = images[index]
        total = torch.zeros(len(config.classes))
        for flipped in (False, True):
            whole = sample["inputs"].flip(2) if flipped else sample["inputs"]
            for top, left in ((0, 0), (0, 14), (14, 0), (14, 14), (7, 7)):
                view = whole[:, top : top + 96, left : left + 96]
                with torch.no_grad():
                    total += (
                        model.activate(model.data_preprocessor({"inputs": view[None]})["inputs"]).logits[0].softmax(0)
                    )
        labels.append(int(total.argmax()) == int(sample["labels"]))
    assert 0 < sum(labels) < len(labels)
    assert result_of(found, "accuracy")["top-1 accuracy"].percent != pytest.approx(100 * np.mean(labels))
    assert result_of(ten, "accuracy")["top-1 accuracy"].percent == pytest.approx(100 * np.mean(labels))
    one, other = (result_of(each, "localization") for each in (found, ten))
    assert one["GT-known"] == other["GT-known"]
    threshold = other.lines[0].threshold
    hits = hits_at(one_by_one(config, model, "test"), threshold)
    assert other["top-1 loc"].percent == pytest.approx(100 * (hits & np.array(labels)).mean())
    assert [trial.box for trial in ten.trials] == [trial.box for trial in found.trials]


def test_small_shared_memory_is_told_of(config, model, monkeypatch):
    changed = deepcopy(config)
    changed.test_dataloader.update(num_workers=1, persistent_workers=False)
    monkeypatch.setattr(shared_memory.shutil, "disk_usage", lambda _: Usage(4000))
    with pytest.warns(UserWarning, match=r"^No of 1 processes read images \(num_workers\)"):
        score_model(changed, model, protocols=["accuracy"])
