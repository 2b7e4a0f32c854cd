"""RCAM: pooling, maps and the choice of the box by loops, each alone and together."""

import io
import json
import math
import warnings

import cv2
import numpy as np
import pytest
import torch
from rich.console import Console

from tests.support.config_steps import one_step
from wsolkit import BOX_EXTRACTORS, Activation, ConfigError, Prediction, ShapeError, Targets, load_plugins
from wsolkit.components.boxes import largest_box
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.evaluation.results import OWN
from wsolkit.model.localizer import Localizer
from wsolkit.model.threshold import choose_threshold
from wsolkit.report.tables import evaluation_table
from wsolkit.scoring.from_model import score_model
from wsolkit.scoring.localization_metric import LocalizationMetric
from wsolkit_rcam import (
    RecombinedMaps,
    SoftmaxWeightedPooling,
    TwoStageBox,
    extreme_cells,
    recombined_maps,
    seed_variances,
    two_stage_box,
)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_pooling_by_a_loop(temperature):
    maps = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)) * 3
    found = SoftmaxWeightedPooling(temperature)(maps)
    for image in range(2):
        for c in range(3):
            values = [float(x) for x in maps[image, c].flatten()]
            parts = [math.exp(x / temperature) for x in values]
            expected = sum(x * part for x, part in zip(values, parts, strict=True)) / sum(parts)
            assert float(found[image, c]) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    divided = SoftmaxWeightedPooling(temperature, divide_by_area=True)(maps)
    torch.testing.assert_close(divided, found / 20)


def test_the_pooling_lies_between_mean_and_maximum_and_does_not_overflow():
    maps = torch.randn(2, 3, 6, 6)
    assert torch.allclose(SoftmaxWeightedPooling(1e4)(maps), maps.mean((2, 3)), atol=1e-3)
    assert torch.allclose(SoftmaxWeightedPooling(1e-3)(maps), maps.amax((2, 3)), atol=1e-3)
    huge = torch.full((1, 1, 2, 2), 1e4, requires_grad=True)
    SoftmaxWeightedPooling()(huge).sum().backward()
    assert torch.isfinite(huge.grad).all()


def test_maps_in_half_precision_are_pooled_in_float32():
    maps = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = SoftmaxWeightedPooling()(maps)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, SoftmaxWeightedPooling()(maps.float()))


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(
        ConfigError, match="temperature of SoftmaxWeightedPooling should be a number above 0, but got 0"
    ):
        SoftmaxWeightedPooling(temperature=0)


def model(**options):
    torch.manual_seed(0)
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"], "output_stride": 16},
        head={"type": "LinearHead", "num_classes": 3, "pooling": {"type": "SoftmaxWeightedPooling"}},
        precision="fp32",
        **options,
    ).eval()


@torch.no_grad()
def test_the_maps_are_positive_minus_negative_part():
    net = model()
    images, classes = torch.randn(2, 3, 64, 64), torch.tensor([[0, 2], [1, 1]])
    activation = net.activate(images)
    found = RecombinedMaps().raw_maps(net, images, classes, activation)
    weights = net.head.class_weights
    for image in range(2):
        for place in range(2):
            w = weights[classes[image, place]]
            positive = sum(float(v) * activation.features[image, c] for c, v in enumerate(w) if v > 0)
            negative = sum(float(v) * activation.features[image, c] for c, v in enumerate(w) if v < 0)
            torch.testing.assert_close(found[image, place], positive - negative, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(RecombinedMaps().raw_maps(net, images, classes[:, 0]), found[:, 0], atol=1e-5, rtol=1e-4)
    assert torch.equal(net.activate(images).logits, activation.logits)


def test_the_maps_need_a_linear_classifier_and_its_classes():
    net = Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"]},
        head={"type": "ConvHead", "num_classes": 2},
        cam_method={"type": "RecombinedMaps"},
    ).eval()
    with pytest.raises(ConfigError, match=r"which ConvHead is not. Use head=dict\(type='LinearHead'\)"):
        net.predict(torch.randn(1, 3, 64, 64))
    images = torch.randn(1, 3, 64, 64)
    activation = Activation(torch.zeros(1, 3, 2, 2), features=torch.rand(1, 512, 2, 2))
    with pytest.raises(ShapeError, match=r"classes should lie in 0..2, those of the classifier, but got 3..3"):
        RecombinedMaps().raw_maps(model(), images, torch.tensor([3]), activation)
    assert recombined_maps(torch.rand(2, 4, 3, 3), torch.randn(2, 1, 4)).shape == (2, 1, 3, 3)


def cosine(a, b):
    length = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / length if length else 0.0


def variance_by_loop(features, seeds):
    """Mean similarity of each cell with the seeds other than itself, then its variance over cells."""
    cells = features.reshape(len(features), -1).T.tolist()
    means = []
    for place, cell in enumerate(cells):
        others = [cosine(cells[seed], cell) for seed in seeds if seed != place]
        if others:
            means.append(sum(others) / len(others))
    centre = sum(means) / len(means)
    return sum((value - centre) ** 2 for value in means) / len(means)


def box_by_loop(score_map, features, step, whole, fewest):
    """The rule written out: components by labelling, extreme points by looking at every pixel."""
    height, width = score_map.shape
    grid = features.shape[1:]
    best = None
    for number in range(1, round(1 / step)):
        inside = (score_map > step * number * score_map.max()).astype(np.uint8)
        count, labels = cv2.connectedComponents(inside, connectivity=8)
        if count < 2:
            continue
        sizes = [int((labels == label).sum()) for label in range(1, count)]
        rows, columns = np.nonzero(labels == 1 + sizes.index(max(sizes)))
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        area = (box[2] - box[0]) * (box[3] - box[1])
        if len(rows) < 4 or area >= whole * height * width or area < fewest * height * width / (grid[0] * grid[1]):
            continue
        seeds = {
            min(int(y) * grid[0] // height, grid[0] - 1) * grid[1] + min(int(x) * grid[1] // width, grid[1] - 1)
            for y, x in zip(rows, columns, strict=True)
            if x in (box[0], box[2] - 1) or y in (box[1], box[3] - 1)
        }
        variance = variance_by_loop(features, sorted(seeds))
        if best is None or variance < best[0] - 1e-12:
            best = (variance, [int(side) for side in box])
    return None if best is None else best[1]


@pytest.mark.parametrize("seed", range(6))
def test_the_choice_of_the_box_by_a_loop(seed):
    random = np.random.default_rng(seed)
    coarse = random.random((7, 6)).astype(np.float32) ** 2
    score_map = np.clip(cv2.resize(coarse, (48, 56), interpolation=cv2.INTER_CUBIC), 0, None)
    features = random.standard_normal((5, 7, 6)).astype(np.float32)
    features[:, 0, 0] = 0  # a cell without any response
    found = TwoStageBox(step=0.1)(score_map, features)
    assert found.boxes[0].tolist() == box_by_loop(score_map, features, 0.1, 0.95, 4)
    x0, y0, x1, y1 = found.boxes[0].astype(int)
    assert found.scores[0] == pytest.approx(score_map[y0:y1, x0:x1].mean())


@pytest.mark.parametrize("seed", range(3))
def test_variances_by_a_loop(seed):
    random = np.random.default_rng(seed)
    features = random.standard_normal((4, 3, 5))
    features[:, 1, 2] = 0
    seeds = [np.array([0]), np.array([2, 7, 14]), np.array([7]), np.arange(15)]
    expected = [variance_by_loop(features, chosen.tolist()) for chosen in seeds]
    np.testing.assert_allclose(seed_variances(features, seeds), expected, atol=1e-12)


def test_the_box_on_the_border_of_the_object_wins():
    features = np.zeros((2, 8, 8), np.float32)  # background (1, 0), object (0, 1), its border in between
    features[0] = 1
    features[:, 2:6, 2:6] = np.array([0.7, 0.7])[:, None, None]
    features[:, 3:5, 3:5] = np.array([0.0, 1.0])[:, None, None]
    score_map = np.full((64, 64), 0.1, np.float32)
    score_map[4:60, 4:60] = 0.3  # too large: its extreme points are background
    score_map[16:48, 16:48] = 0.6  # the border
    score_map[24:40, 24:40] = 1.0  # too small: its extreme points are object
    assert TwoStageBox()(score_map, features).boxes[0].tolist() == [16, 16, 48, 48]


def test_the_whole_image_is_a_candidate_only_to_the_letter():
    features = np.ones((2, 4, 4), np.float32)
    features[1] = np.linspace(0, 1, 16).reshape(4, 4)
    score_map = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32)
    careful, literal = TwoStageBox(), TwoStageBox(zero=True, whole=1.01, fewest_cells=0)
    assert literal.thresholds[0] == 0
    assert careful.thresholds[0] == 0.05
    assert len(literal.thresholds) == 20
    assert (0, 0, 32, 32) in [each.box for each in literal.candidates(score_map, features)]
    assert (0, 0, 32, 32) not in [each.box for each in careful.candidates(score_map, features)]


def test_without_a_candidate_the_threshold_decides():
    score_map = np.zeros((40, 40), np.float32)
    score_map[10, 10] = 1.0  # one pixel is no box
    found = TwoStageBox()(score_map, np.ones((2, 4, 4), np.float32))
    assert found.boxes[0].tolist() == [10, 10, 11, 11] == list(largest_box(score_map, 0.2))


def test_no_threshold_is_chosen_for_it_and_none_can_be_given():
    net = model(box_extractor={"type": "TwoStageBox", "threshold": 0.3})
    net.chosen_threshold.fill_(0.5)
    assert choose_threshold(net) == (0.3, "where TwoStageBox finds none of its own")
    with pytest.raises(ConfigError, match="TwoStageBox chooses a threshold for each map, so threshold=0.9 would"):
        choose_threshold(net, 0.9)
    truth = Targets((8, 8), np.array([[0, 0, 8, 8]], np.float32), np.array([1]), np.array([False]))
    maps, features = torch.ones(1, 8, 8), torch.rand(4, 4, 4)
    seen = [Prediction("a", torch.tensor([0.1, 0.9]), torch.tensor([1]), maps, features)]
    for extractor, chosen in ((None, True), ({"type": "TwoStageBox"}, False)):
        metric = LocalizationMetric(extractor=extractor)
        metric.process({"labels": torch.tensor([1]), "targets": [truth]}, seen)
        assert ("threshold" in metric.evaluate(1)) is chosen


def test_a_map_without_a_candidate_is_cut_at_the_threshold():
    score_map = np.zeros((32, 32), np.float32)
    score_map[10:20, 10:20] = 0.3
    score_map[14:17, 14:17] = 1.0
    features = np.random.default_rng(0).random((4, 2, 2))  # every box is smaller than 4 of these cells
    extractor = TwoStageBox()
    assert extractor(score_map, features).boxes.tolist() == [[10, 10, 20, 20]]
    assert extractor.sweep(score_map, [0.1, 0.9], features).tolist() == [[10, 10, 20, 20]] * 2


def test_each_guard_against_small_candidates_works_alone():
    random = np.random.default_rng(0)
    score_map = np.full((32, 32), 0.1, np.float32)
    score_map[4:24, 6:26] = 0.5
    score_map[12:15, 12:15] = 0.8  # 9 pixels, less than one cell of 8 x 8 pixels
    score_map[20, 20] = 1.0  # a contour of one point
    score_map[12, 12] = 0.9
    features = random.random((4, 4, 4))
    large = [6, 4, 26, 24]

    def boxes(extractor):
        return [list(each.box) for each in extractor.candidates(score_map, features)]

    assert {tuple(box) for box in boxes(TwoStageBox(fewest_cells=1))} == {tuple(large)}
    free = boxes(TwoStageBox(fewest_cells=0))
    assert [12, 12, 15, 15] in free  # the smallest that has 4 points
    assert [20, 20, 21, 21] not in free


def test_what_the_second_stage_decided_is_noted_and_shown():
    random = np.random.default_rng(2)
    score_map = cv2.GaussianBlur(random.random((32, 48)).astype(np.float32), (0, 0), 5)
    score_map = (score_map - score_map.min()) / np.ptp(score_map)
    features = random.random((5, 4, 6)).astype(np.float32)
    extractor = TwoStageBox(fewest_cells=1)
    found, notes = extractor.with_notes(score_map, features)
    assert found.boxes.tolist() == extractor(score_map, features).boxes.tolist()
    assert json.loads(json.dumps(notes)) == json.loads(json.dumps(dict(notes)))
    expected = []
    for number in range(1, 20):  # by a loop over the thresholds
        mask = (score_map > 0.05 * number * score_map.max()).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        one = (labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])).astype(np.uint8)
        contour = cv2.findContours(one, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0][:, 0]
        x0, y0, width, height = cv2.boundingRect(contour)
        if len(contour) >= 4 and 64 <= width * height < 0.95 * 32 * 48:
            variance = seed_variances(features, [extreme_cells(contour, (32, 48), (4, 6))])[0]
            sides = (x0 / 48, y0 / 32, (x0 + width) / 48, (y0 + height) / 32)
            expected.append((round(0.05 * number, 2), variance, sides))
    assert len(expected) > 4
    assert [each["threshold"] for each in notes["candidates"]] == [each[0] for each in expected]
    for told, (_, variance, sides) in zip(notes["candidates"], expected, strict=True):
        assert told["variance"] == pytest.approx(variance, rel=1e-5)
        assert told["box"] == pytest.approx(sides, abs=1e-4)
    best = min(expected, key=lambda each: each[1])
    assert notes["chosen"] == best[0]
    np.testing.assert_allclose(found.boxes[0] / [48, 32, 48, 32], best[2], atol=1e-4)
    panels = extractor.panels(score_map, features)
    assert [panel.name.split(":")[0] for panel in panels] == [
        f"{'chosen' if each is best else 'cut'} {each[0]:g}" for each in expected
    ]
    assert [panel.box for panel in panels] == [each["box"] for each in notes["candidates"]]
    cells = features.reshape(5, -1).T / np.linalg.norm(features.reshape(5, -1).T, axis=1, keepdims=True)
    seeds = extractor.candidates(score_map, features)[0].seeds
    mean = np.mean([cells[7] @ cells[seed] for seed in seeds if seed != 7])
    assert panels[0].picture[1, 1] == pytest.approx(mean, abs=1e-5)
    assert extractor.with_notes(np.zeros((8, 8), np.float32))[1] == {}
    small = np.zeros((32, 48), np.float32)
    small[3:5, 3:5] = 1
    assert extractor.with_notes(small, features)[1] == {"candidates": [], "chosen": 0.2}
    assert extractor.panels(small, features) == []


def test_the_class_map_is_shown_with_its_positive_and_its_negative_part():
    net, images = model(), torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        activation = net.activate(images)
        panels = RecombinedMaps().panels(net, images, 1, activation)
    weights, features = net.head.class_weights[1].detach(), activation.features[0].float()
    parts = [torch.zeros(features.shape[1:]), torch.zeros(features.shape[1:])]
    for weight, channel in zip(weights.tolist(), features, strict=True):
        parts[weight < 0] += abs(weight) * channel
    wanted = [parts[0], parts[1], parts[0] - parts[1], parts[0] + parts[1]]
    assert [panel.name.split(":")[0] for panel in panels] == ["positive part", "negative part", "CAM", "recombined"]
    for panel, each in zip(panels, wanted, strict=True):
        np.testing.assert_allclose(panel.picture, ((each - each.min()) / (each.max() - each.min())).numpy(), atol=1e-4)


def test_of_equal_variances_the_lowest_threshold_wins(monkeypatch):
    """The same seeds beside others may differ in the last digits, by the library and its threads."""
    boxes = [(0, 0, 8, 8), (1, 1, 8, 8), (2, 2, 8, 8), (3, 3, 8, 8)]
    found = [two_stage_box.Candidate(0.1, box, np.array([0])) for box in boxes]
    monkeypatch.setattr(TwoStageBox, "candidates", lambda *_: found)
    score_map, features = np.ones((8, 8), np.float32), np.ones((1, 2, 2))
    for variances, wanted in (([0.2, 0.1 + 1e-16, 0.1, 0.3], 1), ([0.2, 0.1 + 1e-9, 0.1, 0.3], 2)):
        monkeypatch.setattr(two_stage_box, "seed_variances", lambda *_, found=variances: np.array(found))
        assert TwoStageBox()(score_map, features).boxes.tolist() == [list(boxes[wanted])]


def test_the_maps_are_those_of_float32_under_autocast():
    torch.manual_seed(0)
    net, images = model(), torch.randn(1, 3, 64, 64)
    activation = Activation(torch.zeros(1, 3, 4, 4), features=torch.rand(1, net.head.class_weights.shape[1], 4, 4))
    expected = RecombinedMaps().raw_maps(net, images, torch.tensor([1]), activation)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(RecombinedMaps().raw_maps(net, images, torch.tensor([1]), activation), expected)


def test_a_sweep_gives_its_own_choice_at_each_threshold():
    random = np.random.default_rng(0)
    score_map, features = random.random((20, 20), np.float32), random.random((3, 5, 5), np.float32)
    extractor = BOX_EXTRACTORS.build({"type": "TwoStageBox"})
    found = extractor.sweep(score_map, [0.1, 0.5, 0.9], features)
    assert (found == extractor(score_map, features).boxes[0]).all()


def test_extreme_points_at_the_far_edge_stay_inside_the_grid():
    contour = np.array([[0, 5], [9, 0], [9, 9]])
    assert extreme_cells(contour, size=(10, 10), grid=(3, 3)).tolist() == [2, 3, 8]


def test_mistakes_with_the_box_are_explained():
    with pytest.raises(ShapeError, match=r"compares the last features \(C, h, w\) of an image, but got none"):
        TwoStageBox()(np.ones((4, 4), np.float32))
    with pytest.raises(ConfigError, match=r"step of TwoStageBox should be a number in \(0, 1\), but got 1"):
        TwoStageBox(step=1)
    with pytest.raises(ConfigError, match="whole of TwoStageBox should be a number above 0, but got 0"):
        TwoStageBox(whole=0)


@pytest.mark.parametrize("pooling", ["AveragePooling", "SoftmaxWeightedPooling"])
@pytest.mark.parametrize("maps", ["HeadMaps", "RecombinedMaps"])
@pytest.mark.parametrize("boxes", ["LargestComponent", "TwoStageBox"])
def test_each_part_alone_and_together(pooling, maps, boxes):
    net = Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"], "output_stride": 16},
        head={"type": "LinearHead", "num_classes": 3, "pooling": {"type": pooling}},
        cam_method={"type": maps},
        box_extractor={"type": boxes},
    ).eval()
    for prediction in net.predict(torch.randn(2, 3, 64, 64)):
        found = net.boxes(prediction.maps[0], prediction.features)
        assert found.boxes.shape == (1, 4)
        assert (found.boxes >= 0).all()
        assert (found.boxes <= 64).all()


def test_the_method_is_found_and_its_card_has_its_numbers():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "RCAM"]
    assert source.plugin == "rcam"
    assert set(found.configs) == {name for name in config_files() if name.startswith("rcam_")}
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.2f}" in card


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rcam_vgg16_cub", "rcam_mobilenetv2_birds50", "rcam_c2am_birds50"])
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_every_configuration(name, tmp_path):
    net, predictions = one_step(name, tmp_path / "run")
    assert isinstance(net.box_extractor, TwoStageBox)
    assert predictions[0].maps.shape == (1, 64, 64)
    assert net.boxes(predictions[0].maps[0], predictions[0].features).boxes.shape == (1, 4)


@pytest.mark.parametrize("name", ["rcam_vgg16_cub", "rcam_mobilenetv2_birds50", "rcam_c2am_birds50"])
def test_the_box_is_left_out_by_options(name):
    config = load_config(name, {"model.box_extractor.type": "LargestComponent"})
    assert dict(config.model.box_extractor) == {"type": "LargestComponent"}
    assert dict(config.test_evaluator.extractor) == {"type": "LargestComponent"}


@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_split_is_scored_with_its_boxes_beside_baselines_without_features(tmp_path):
    net, _ = one_step("rcam_mobilenetv2_birds50", tmp_path / "run")
    found = score_model(load_config(tmp_path / "run" / "config.py"), net)
    assert found.extractor == "TwoStageBox"
    (own,) = [result for result in found.results if result.metric == "localization"]
    assert {(line.threshold, line.selection) for line in own.lines} == {(None, OWN)}
    drawn = ["centre box (half the area)", "centred Gaussian blob", "whole image"]
    assert list(found.baselines) == [*drawn, "mean box of val (trained with boxes)"]
    for results in found.baselines.values():
        (beside,) = [result for result in results if result.metric == "localization"]
        assert all(line.threshold is not None for line in beside.lines)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(evaluation_table(found))
    assert "Boxes of `localization`: TwoStageBox" in " ".join(console.export_text().split())


def test_signed_features_are_warned_of_once():
    model = Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t"},
        head={"type": "LinearHead", "num_classes": 2},
        cam_method={"type": "RecombinedMaps"},
        precision="fp32",
    ).eval()
    images, classes = torch.zeros(1, 3, 32, 32), torch.zeros(1, dtype=torch.long)

    def seen(features):
        return Activation(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2), features)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.cam_method(model, images, classes, seen(torch.rand(1, 512, 2, 2)))
    model.cam_method = type(model.cam_method)()
    features = torch.cat([torch.full((1, 256, 2, 2), -1.0), torch.full((1, 256, 2, 2), 1.0)], 1)
    with pytest.warns(UserWarning, match="absolute weights, but 50% of what these hold is negative"):
        model.cam_method(model, images, classes, seen(features))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.cam_method(model, images, classes, seen(features))
