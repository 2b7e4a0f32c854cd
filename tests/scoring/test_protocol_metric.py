"""The published protocols as validation metrics: what mmengine's evaluator reports is what a loop by hand gives."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from wsolkit import ConfigError, DataError, Targets
from wsolkit.evaluation.max_box_acc import MaxBoxAcc, MaxBoxAccV2
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.point_localization import PointLocalizationMAP
from wsolkit.evaluation.protocols import PROTOCOLS
from wsolkit.evaluation.results import FIXED, ORACLE
from wsolkit.evaluation.top_k import TopKAccuracy
from wsolkit.interfaces import Prediction
from wsolkit.registry import METRICS
from wsolkit.scoring.predictions import scored_image
from wsolkit.scoring.protocol_metric import ProtocolMetric

SIDE, CLASSES = 16, 6


def draw(seed, images=6, several=False):
    """Return batches of predictions and truth as a loader and a model give them, two images each."""
    rng = np.random.default_rng(seed)
    batches = []
    for number in range(0, images, 2):
        predictions, targets, labels = [], [], []
        for row in range(2):
            present = sorted(rng.choice(CLASSES, 2 if several else 1, replace=False).tolist())
            logits = rng.normal(size=CLASSES).astype(np.float32)
            classes = sorted({*present, int(logits.argmax())})
            maps = np.kron(rng.random((len(classes), 4, 4)), np.ones((4, 4))).astype(np.float32)
            boxes = []
            for _ in present:
                x0, y0 = rng.integers(0, SIDE - 6, 2).tolist()
                boxes.append([x0, y0, x0 + int(rng.integers(3, 7)), y0 + int(rng.integers(3, 7))])
            mask = np.zeros((SIDE, SIDE), np.uint8)
            maps *= np.float32(0.6)
            for k, (x0, y0, x1, y1) in zip(present, boxes, strict=True):
                mask[y0:y1, x0:x1] = k + 1
                maps[classes.index(k), y0:y1, x0:x1] += np.float32(rng.uniform(0.1, 0.4))
            truth = np.array(boxes, np.float32)
            targets.append(Targets((SIDE, SIDE), truth, np.array(present), np.zeros(len(present), bool), mask))
            labels.append(present)
            name = f"{(number + row) * 7 % 10}.jpg"
            predictions.append(Prediction(name, torch.tensor(logits), torch.tensor(classes), torch.tensor(maps)))
        hot = torch.zeros(2, CLASSES)
        for row, present in enumerate(labels):
            hot[row, present] = 1
        batch = {"labels": hot if several else torch.tensor(labels)[:, 0], "targets": targets}
        batches.append((batch, predictions))
    return batches


def run(metric, batches, size=None):
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = {"classes": tuple("abcdef")}
    for batch, predictions in batches:
        evaluator.process(predictions, batch)
    return evaluator.evaluate(size or sum(len(predictions) for _, predictions in batches))


def one_by_one(batches):
    for batch, predictions in batches:
        for row, prediction in enumerate(predictions):
            maps = dict(zip(prediction.classes.tolist(), prediction.maps.numpy(), strict=True))
            yield prediction.image_id, maps, prediction.logits.numpy(), batch["labels"][row], batch["targets"][row]


def first_lines(result):
    found = {}
    for line in result.lines:
        found.setdefault(line.name, line.score.percent)
    return found


@pytest.mark.parametrize(("name", "kind"), [("MaxBoxAcc", MaxBoxAcc), ("MaxBoxAccV2", MaxBoxAccV2)])
@pytest.mark.parametrize("several", [False, True])
def test_box_protocols_equal_a_loop(name, kind, several):
    batches, hand = draw(1, several=several), kind()
    for image_id, maps, _, _, targets in one_by_one(batches):
        rows = []
        for k, box in zip(targets.box_labels.tolist(), targets.boxes.astype(int), strict=True):
            rows += hand.measure(maps[k], [box - [0, 0, 1, 1]], k)
        hand.add(image_id, rows)
    metric = ProtocolMetric(name)
    found = run(metric, batches)
    expected = {f"{name}/{line}": value for line, value in first_lines(hand.compute()).items()}
    assert found == pytest.approx(expected)
    assert 0 < max(found.values()) < 100
    assert metric.result.as_dict() == hand.compute().as_dict()


def test_other_protocols_equal_a_loop():
    accuracy, points, pixels = TopKAccuracy(), PointLocalizationMAP(), MeanIoU(CLASSES, level="seed")
    single, several = draw(2), draw(3, several=True)
    for image_id, _, logits, label, _ in one_by_one(single):
        accuracy.update(image_id, logits, int(label))
    for image_id, maps, logits, _, truth in one_by_one(several):
        points.update(image_id, maps, logits, truth.boxes, truth.box_labels, truth.difficult, size=(SIDE, SIDE))
        pixels.update(image_id, {k: maps[k] for k in truth.box_labels.tolist()}, truth.mask)
    for name, batches, hand in [
        ("accuracy", single, accuracy),
        ("point-mAP", several, points),
        ("mIoU", several, pixels),
    ]:
        expected = {f"{name}/{line}": value for line, value in first_lines(hand.compute()).items()}
        assert run(ProtocolMetric(name), batches) == pytest.approx(expected)


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name != "box-mAP"])  # it needs other maps
def test_every_protocol_goes_through_the_evaluator(name):
    """It takes rows apart and puts them together; they have to stay what they are."""
    several = name in ("mAP", "point-mAP", "box-mAP-given", "mIoU")
    batches = draw(4, several=several)
    metric = ProtocolMetric(name)
    found = run(metric, batches)
    protocol = PROTOCOLS[name]()
    hand = protocol.make(CLASSES)
    for batch, predictions in batches:
        for row, prediction in enumerate(predictions):
            image = scored_image(prediction, batch["labels"][row].numpy(), batch["targets"][row])
            hand.add(image.image_id, protocol.row(hand, image))
    assert metric.result.as_dict() == protocol.result(hand).as_dict()
    assert found == {f"{name}/{line}": value for line, value in first_lines(metric.result).items()}
    assert all(type(value) is float for value in found.values())
    assert metric.results == []


def test_two_evaluations_do_not_mix():
    metric = ProtocolMetric("MaxBoxAccV2")
    first = run(metric, draw(5))
    second = run(metric, draw(6))
    assert run(metric, draw(5)) == first != second


def test_padding_of_the_last_round_is_dropped():
    """A sampler of several processes repeats images to fill the last round; the evaluator cuts them off by size."""
    batches = draw(7)
    again = [*batches, batches[0]]
    assert run(ProtocolMetric("MaxBoxAcc"), again, size=6) == run(ProtocolMetric("MaxBoxAcc"), batches)
    with pytest.raises(DataError, match="Image '0.jpg' was counted before"):
        run(ProtocolMetric("MaxBoxAcc"), again)


def test_a_fixed_threshold_of_a_protocol_that_tries_every_one():
    batches = draw(8)
    metric = ProtocolMetric("MaxBoxAcc", threshold=0.9)
    found = run(metric, batches)
    assert next((line.selection, line.threshold) for line in metric.result.lines) == (FIXED, pytest.approx(0.9))
    free = ProtocolMetric("MaxBoxAcc")
    best = run(free, batches)
    assert {line.selection for line in free.result.lines} == {ORACLE}
    assert found["MaxBoxAcc/MaxBoxAcc@50"] == metric.result.lines[0].score.percent
    assert found["MaxBoxAcc/MaxBoxAcc@50"] < best["MaxBoxAcc/MaxBoxAcc@50"] == metric.result.lines[1].score.percent


def test_a_fixed_threshold_of_a_protocol_that_takes_one():
    low, high = ProtocolMetric("BoxAcc", threshold=0.05), ProtocolMetric("BoxAcc", threshold=0.9)
    assert run(low, draw(8)) != run(high, draw(8))
    assert {(line.threshold, line.selection) for line in high.result.lines} == {(0.9, FIXED)}


def test_nothing_to_measure_gives_no_numbers():
    batches = [({**batch, "targets": None}, predictions) for batch, predictions in draw(1)]
    for name in ("MaxBoxAcc", "localization", "CorLoc", "PxAP"):
        metric = ProtocolMetric(name)
        assert run(metric, batches) == {}
        assert metric.result is None
    without_key = [({"labels": batch["labels"]}, predictions) for batch, predictions in draw(1)]
    assert run(ProtocolMetric("MaxBoxAccV2"), without_key) == {}
    unlabelled = [({"targets": batch["targets"]}, predictions) for batch, predictions in draw(1)]
    for name in ("MaxBoxAcc", "localization", "BoxAcc", "CorLoc", "accuracy", "mAP", "PxAP"):
        assert run(ProtocolMetric(name), unlabelled) == {}


def test_names_have_a_prefix():
    assert set(run(ProtocolMetric("MaxBoxAcc", prefix="val"), draw(1))) == {"val/MaxBoxAcc@50"}
    metrics = [ProtocolMetric("MaxBoxAcc"), ProtocolMetric("MaxBoxAcc-exact")]
    evaluator = Evaluator(metrics)
    for batch, predictions in draw(1):
        evaluator.process(predictions, batch)
    assert set(evaluator.evaluate(6)) == {"MaxBoxAcc/MaxBoxAcc@50", "MaxBoxAcc-exact/MaxBoxAcc@50"}


def test_it_is_built_by_name():
    metric = METRICS.build({"type": "ProtocolMetric", "protocol": "mIoU", "num_classes": 4})
    assert metric.accumulator.num_classes == 4
    from_data = ProtocolMetric("mIoU")
    from_data.dataset_meta = {"classes": ("cat", "dog")}
    assert from_data.accumulator.num_classes == 2


def test_mistakes_are_explained():
    with pytest.raises(ConfigError, match="There is no protocol 'MaxBoxAccV3'. Did you mean 'MaxBoxAccV2'"):
        ProtocolMetric("MaxBoxAccV3")
    with pytest.raises(ConfigError, match="num_classes"):
        ProtocolMetric("mIoU").process(*draw(1)[0])
    batch, predictions = draw(1)[0]
    predictions[1].maps[:] = float("nan")
    with pytest.raises(Exception, match="Image '7.jpg': .*NaN"):
        ProtocolMetric("MaxBoxAcc").process(batch, predictions)


def test_a_prediction_as_the_protocols_see_it():
    prediction = Prediction(
        "a", torch.tensor([0.5, 2.0], dtype=torch.bfloat16), torch.tensor([1]), torch.ones(1, 2, 3).half()
    )
    truth = Targets((3, 2), np.array([[0, 0, 1, 1]], np.float32), np.array([0]), np.array([True]))
    image = scored_image(prediction, np.array([1.0, 1.0]), truth)
    assert (image.image_id, image.present, list(image.maps)) == ("a", [1], [1])
    assert image.label.tolist() == [-1, 1]  # class 0 is only difficult
    assert (image.maps[1].dtype, image.maps[1].shape) == (np.float32, (2, 3))
    assert image.logits.tolist() == [0.5, 2.0]
    assert image.targets is truth
    bare = scored_image(Prediction("a", None, torch.tensor([1]), torch.ones(1, 2, 3)), np.array(1), None)
    assert (bare.label, type(bare.label), bare.logits, bare.targets) == (1, int, None, None)
    assert scored_image(prediction, None, None).label is None


def test_a_protocol_of_a_plugin(peak_protocol):
    batches = draw(1)
    maps = [prediction.maps for _, predictions in batches for prediction in predictions]
    labels = [int(label) for batch, _ in batches for label in batch["labels"]]
    classes = [prediction.classes.tolist() for _, predictions in batches for prediction in predictions]
    peaks = [each[row.index(k)].max() for each, row, k in zip(maps, classes, labels, strict=True)]
    metric = ProtocolMetric("mean-peak")
    assert run(metric, batches) == {"mean-peak/mean peak": pytest.approx(100 * float(np.mean(peaks)))}
    assert metric.result.metric == "mean-peak"
    with pytest.raises(ConfigError, match="There is no protocol 'mean-peek'. Did you mean 'mean-peak'"):
        ProtocolMetric("mean-peek")


def test_the_extractor_of_the_model_finds_the_boxes():
    """One that finds none hits nothing; the largest component does."""
    batches = draw(1)
    many = ProtocolMetric("localization", extractor={"type": "AllComponents", "min_area": 0.99})
    assert run(many, batches)["localization/GT-known"] == 0
    assert many.result.conventions["box source"] == "best scored of AllComponents"
    assert run(ProtocolMetric("localization"), batches)["localization/GT-known"] > 0
