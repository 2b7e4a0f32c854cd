"""The box regressor: its equations, its crop, its metric, and a training that is resumed exactly."""

import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from wsolkit import CheckpointError, ConfigError, DataError, ShapeError, Targets, load_network
from wsolkit.config.load import load_config
from wsolkit.datasets import collate_samples
from wsolkit.registry import MODELS, TRANSFORMS
from wsolkit.training.train import train
from wsolkit_psol import BoxAccMetric, RandomResizedBBoxCrop
from wsolkit_psol.box_codes import box_loss, generalized_iou, to_corners, to_relative
from wsolkit_psol.box_crop import visible_share
from wsolkit_psol.box_file import PseudoBox, write_boxes
from wsolkit_psol.regressed_boxes import regressed_boxes
from wsolkit_psol.regressor import BoxPrediction, BoxRegressor, only_boxes

BACKBONE = {"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer3", "layer4"]}


def regressor(**options):
    torch.manual_seed(0)
    return MODELS.build({"type": "BoxRegressor", "backbone": BACKBONE, "hidden": 16, "precision": "fp32", **options})


# ----------------------------------------------------------------------------------------------------- codes and losses


def test_boxes_to_fractions_and_back():
    boxes = torch.tensor([[10.0, 5, 30, 20], [0, 0, 40, 25]])
    relative = to_relative(boxes, (40, 25))
    torch.testing.assert_close(relative, torch.tensor([[0.25, 0.2, 0.5, 0.6], [0, 0, 1, 1]]))
    torch.testing.assert_close(to_corners(relative) * torch.tensor([40.0, 25, 40, 25]), boxes)
    assert to_corners(torch.tensor([[0.8, 0.9, 0.5, 0.3]])).tolist() == [[pytest.approx(0.8), pytest.approx(0.9), 1, 1]]


def giou_by_hand(a, b):
    """Return the generalized IoU of two boxes x y w h, written out."""
    ax1, ay1, bx1, by1 = a[0] + a[2], a[1] + a[3], b[0] + b[2], b[1] + b[3]
    wide, high = min(ax1, bx1) - max(a[0], b[0]), min(ay1, by1) - max(a[1], b[1])
    shared = wide * high if wide > 0 and high > 0 else 0.0
    union = a[2] * a[3] + b[2] * b[3] - shared
    hull = (max(ax1, bx1) - min(a[0], b[0])) * (max(ay1, by1) - min(a[1], b[1]))
    return shared / union - (hull - union) / hull


def test_losses_written_out():
    torch.manual_seed(0)
    found, wanted = torch.rand(20, 4) * 0.5, torch.rand(20, 4) * 0.5
    gaps = (found - wanted).flatten().tolist()
    assert box_loss(found, wanted).item() == pytest.approx(sum(gap**2 for gap in gaps) / 80, rel=1e-5)
    smooth = [abs(gap) - 0.05 if abs(gap) >= 0.1 else gap**2 / 0.2 for gap in gaps]
    assert box_loss(found, wanted, "smooth_l1").item() == pytest.approx(sum(smooth) / 80, rel=1e-5)
    each = [giou_by_hand(a, b) for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]
    np.testing.assert_allclose(generalized_iou(found, wanted).numpy(), each, rtol=1e-4)
    assert min(each) < 0 < max(each)
    assert box_loss(found, wanted, "giou").item() == pytest.approx(1 - sum(each) / 20, rel=1e-5)


def test_an_unknown_loss_and_wrong_boxes_are_refused():
    with pytest.raises(ConfigError, match="loss of BoxRegressor should be one of .* but got 'l1'"):
        regressor(loss="l1")
    with pytest.raises(ConfigError, match="loss_weight of BoxRegressor should be a number above 0"):
        regressor(loss_weight=0)
    with pytest.raises(ShapeError, match=r"Boxes should be \(N, 4\), x y w h, both"):
        box_loss(torch.rand(2, 4), torch.rand(3, 4))


# ---------------------------------------------------------------------------------------------------------------- model


@pytest.mark.parametrize(("loss", "weight"), [("mse", 50.0), ("smooth_l1", 10.0), ("giou", 1.0)])
def test_the_loss_of_a_batch_is_that_of_its_relative_boxes(loss, weight):
    model = regressor(loss=loss).eval()
    images = torch.randn(3, 3, 32, 64)
    boxes = [torch.tensor([[16.0 * k, 8, 16 * k + 24, 32]]) for k in range(3)]
    found = model(inputs=images, boxes=boxes, image_ids=["a", "b", "c"], mode="loss", labels=torch.zeros(3))
    assert list(found) == ["loss_box"]
    wanted = torch.tensor([[16 * k / 64, 8 / 32, 24 / 64, 24 / 32] for k in range(3)])
    expected = weight * box_loss(model.regress(images), wanted, loss)
    torch.testing.assert_close(found["loss_box"], expected)
    assert regressor(loss=loss, loss_weight=3.0).loss_weight == 3
    found["loss_box"].backward()
    assert model.box_head[0].weight.grad.abs().sum() > 0
    assert next(model.backbone.parameters()).grad.abs().sum() > 0


def test_the_head_is_pooling_two_layers_and_a_sigmoid():
    model = regressor(level="layer3").eval()
    images = torch.randn(2, 3, 32, 48)
    features = model.backbone(images)["layer3"]
    first, second = model.box_head[0], model.box_head[2]
    assert (first.in_features, first.out_features, second.out_features) == (256, 16, 4)
    pooled = features.flatten(2).mean(2)
    hidden = (pooled @ first.weight.T + first.bias).clamp(min=0)
    expected = 1 / (1 + (-(hidden @ second.weight.T + second.bias)).exp())
    torch.testing.assert_close(model(images), expected)
    predictions = model(inputs=images, image_ids=["a", "b"], mode="predict")
    x, y, w, h = expected[1].tolist()
    assert predictions[1].image_id == "b"
    np.testing.assert_allclose(predictions[1].box, [x, y, min(x + w, 1), min(y + h, 1)], rtol=1e-5)
    wide = predictions[1].on((200, 100))
    np.testing.assert_allclose(wide, [200 * x, 100 * y, 200 * min(x + w, 1), 100 * min(y + h, 1)], rtol=1e-5)


def test_every_image_has_one_box_that_is_not_empty():
    box = torch.tensor([[0.0, 0, 4, 4]])
    assert only_boxes([box, box]).shape == (2, 4)
    with pytest.raises(DataError, match="trains on boxes, but the data has none. Take a data set with"):
        only_boxes(None)
    with pytest.raises(DataError, match="Image 'b' has 2 boxes"):
        only_boxes([box, torch.cat([box, box])], ["a", "b"])
    with pytest.raises(DataError, match="Image 'b' has 0 boxes"):
        only_boxes([box, box[:0]], ["a", "b"])
    with pytest.raises(DataError, match="The box of image 'a' is empty.*RandomResizedBBoxCrop"):
        only_boxes([torch.tensor([[3.0, 0, 3, 4]])], ["a"])


def test_frozen_modules_rest_and_the_precision_is_checked():
    model = regressor(freeze=["conv1", "layer1"]).train()
    assert not model.backbone.model.layer1.training
    assert model.backbone.model.layer4.training
    assert not any(parameter.requires_grad for parameter in model.backbone.model.layer1.parameters())
    with pytest.raises(ConfigError, match="precision of BoxRegressor should be one of"):
        regressor(precision="fp8")
    with pytest.raises(ConfigError, match="has no module 'layer9'"):
        regressor(freeze=["layer9"])
    with pytest.raises(ConfigError, match="gives no level 'layer9'"):
        regressor(level="layer9")
    with pytest.raises(ShapeError, match=r"Images should be \(B, 3, H, W\)"):
        model.regress(torch.zeros(3, 8, 8))


def test_bf16_is_for_the_backbone_alone():
    model = regressor(precision="bf16").eval()
    images = torch.randn(2, 3, 32, 32)
    found = model(images)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, regressor().eval()(images), atol=0.05, rtol=0.05)
    assert not torch.equal(found, regressor().eval()(images))


def test_a_diverged_model_predicts_no_box():
    model = regressor().eval()
    with torch.no_grad():
        model.box_head[2].bias.fill_(float("nan"))
    with pytest.raises(DataError, match="predicts NaN: it has diverged"):
        model.predict(torch.randn(1, 3, 32, 32))


# ----------------------------------------------------------------------------------------------------------------- crop


def with_box(box, size=(40, 60)):
    image = torch.zeros(3, *size, dtype=torch.uint8)
    x0, y0, x1, y1 = (round(value) for value in box)
    image[:, y0:y1, x0:x1] = 255
    boxes = tv_tensors.BoundingBoxes(torch.tensor([box], dtype=torch.float32), format="XYXY", canvas_size=size)
    return {"image": tv_tensors.Image(image), "boxes": boxes, "box_labels": torch.tensor([3])}


def test_the_crop_keeps_a_part_of_the_box_and_moves_it_with_the_image():
    """The box is painted white: after the crop the white pixels must lie where the box says."""
    crop = RandomResizedBBoxCrop(64, scale=(0.05, 0.5), min_visible=0.3)
    sides = set()
    for seed in range(60):
        torch.manual_seed(seed)
        found = crop(with_box([30.0, 10, 50, 30]))
        assert found["image"].shape == (3, 64, 64)
        assert found["box_labels"].tolist() == [3]
        x0, y0, x1, y1 = found["boxes"][0].tolist()
        assert 0 <= x0 < x1 <= 64
        assert 0 <= y0 < y1 <= 64
        ys, xs = torch.nonzero(found["image"][0] > 127, as_tuple=True)
        for value, edge in ((xs.min(), x0), (ys.min(), y0), (xs.max() + 1, x1), (ys.max() + 1, y1)):
            assert abs(float(value) - edge) <= 2.5
        sides.add((round(x1 - x0), round(y1 - y0)))
    assert len(sides) > 10


def test_a_box_that_no_crop_shows_enough_of_gets_the_whole_image():
    torch.manual_seed(0)
    found = RandomResizedBBoxCrop((20, 30), scale=(0.05, 0.1), min_visible=1.0)(with_box([0.0, 0, 60, 40]))
    assert found["boxes"].tolist() == [[0, 0, 30, 20]]
    assert found["image"].float().mean() == 255


def test_the_visible_share_is_that_of_the_box():
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 5, 15, 15]])
    assert visible_share(boxes, (0, 5, 20, 10)) == pytest.approx(0.5)  # the first one is cut in half
    assert visible_share(boxes, (30, 30, 5, 5)) == 0
    assert visible_share(torch.zeros(0, 4), (0, 0, 5, 5)) == 1


def test_crops_have_areas_and_shapes_as_asked():
    crop = RandomResizedBBoxCrop(8, scale=(0.2, 0.4), ratio=(0.5, 2.0))
    areas, ratios = [], []
    for seed in range(200):
        torch.manual_seed(seed)
        top, left, height, width = crop.make_params([tv_tensors.Image(torch.zeros(3, 400, 400))])["crop"]
        assert top + height <= 400
        assert left + width <= 400
        areas.append(height * width / 400**2)
        ratios.append(width / height)
    assert 0.19 < min(areas) < 0.22
    assert 0.38 < max(areas) < 0.41
    assert np.mean(np.array(ratios) > 1) == pytest.approx(0.5, abs=0.1)  # even on a logarithmic scale
    assert 0.45 < min(ratios) < 0.6 < 1.7 < max(ratios) < 2.2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": (0.0, 1)}, "scale should be two fractions"),
        ({"ratio": (2, 1)}, "ratio should be two positive numbers"),
        ({"size": (3, 4, 5)}, "size should be one or two"),
        ({"min_visible": 0}, r"min_visible should be in \(0, 1\]"),
    ],
)
def test_senseless_crops_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        TRANSFORMS.build({"type": "RandomResizedBBoxCrop", **options})


# --------------------------------------------------------------------------------------------------------------- metric


def targets(size, *boxes, difficult=None):
    found = np.array(boxes, np.float32).reshape(-1, 4)
    hard = np.zeros(len(found), bool) if difficult is None else np.array(difficult)
    return Targets(size, found, np.zeros(len(found), np.int64), hard)


def test_the_metric_compares_in_the_original_image():
    metric = BoxAccMetric()
    batch = {
        "labels": torch.tensor([0, 1, 1, 1]),
        "targets": [
            targets((200, 100), [20, 10, 120, 60]),  # the box exactly
            targets((100, 100), [0, 0, 40, 50], [50, 50, 99, 99]),  # IoU .8 with the first
            targets((100, 100), [0, 0, 100, 100], [0, 0, 50, 100], difficult=[False, True]),  # IoU .5 exactly: no hit
            targets((10, 10)),  # no box: no trial
        ],
    }
    boxes = [[0.1, 0.1, 0.6, 0.6], [0, 0, 0.4, 0.4], [0, 0, 0.5, 1], [0, 0, 1, 1]]
    metric.process(batch, [BoxPrediction(str(k), np.array(box, float)) for k, box in enumerate(boxes)])
    found = metric.compute_metrics(metric.results)
    assert found["BoxAcc@30"] == 100
    assert found["BoxAcc@50"] == pytest.approx(200 / 3)
    assert found["BoxAcc@50_macro"] == pytest.approx(75)
    assert found["BoxAcc@70"] == pytest.approx(200 / 3)
    assert found["BoxAcc"] == pytest.approx((100 + 400 / 3) / 3)
    assert not [name for name in found if "MaxBoxAcc" in name]
    assert metric.result["BoxAcc@50"].n == 3


def test_the_reference_compares_in_the_crop():
    """A pipeline of 256 and the middle 224: true boxes are cut, and the fractions are those of the crop."""
    metric = BoxAccMetric(psol_reference=True)
    assert metric.prefix == "psol_reference"
    pipeline = v2.Compose([v2.Resize((256, 256)), v2.CenterCrop(224)])
    true = [[0.0, 0, 64, 128], [0, 0, 8, 8]]  # of 128 x 128 pixels; the second lies outside the crop
    samples = []
    for number, box in enumerate(true):
        bundle = pipeline(
            {
                "image": tv_tensors.Image(torch.zeros(3, 128, 128, dtype=torch.uint8)),
                "boxes": tv_tensors.BoundingBoxes(torch.tensor([box]), format="XYXY", canvas_size=(128, 128)),
            }
        )
        sample = {"inputs": bundle["image"], "labels": torch.tensor(0), "image_ids": str(number)}
        samples.append({**sample, "boxes": bundle["boxes"], "targets": targets((128, 128), box)})
    batch = collate_samples(samples)
    cut = np.array([0, 0, 112 / 224, 1])  # 128 of 256 pixels, 16 of them cut off
    metric.process(batch, [BoxPrediction("0", cut), BoxPrediction("1", cut)])
    found = metric.compute_metrics(metric.results)
    assert found["BoxAcc@70"] == 50
    whole = BoxAccMetric()
    whole.process(
        batch, [BoxPrediction("0", np.array([0, 0, 0.5, 1])), BoxPrediction("1", np.array([0, 0, 0.06, 0.06]))]
    )
    assert whole.compute_metrics(whole.results)["BoxAcc@70"] == 100
    del batch["boxes"]
    with pytest.raises(DataError, match="Set transform_targets=True"):
        metric.process(batch, [BoxPrediction("0", cut), BoxPrediction("1", cut)])


def test_a_split_without_boxes_has_no_numbers():
    metric = BoxAccMetric()
    metric.process({"labels": torch.tensor([0])}, [BoxPrediction("a", np.array([0, 0, 1, 1.0]))])
    assert metric.compute_metrics(metric.results) == {}


# ------------------------------------------------------------------------------------------------------------- training


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder with 24 drawn images and a box file with their true boxes."""
    from wsolkit import DATASETS
    from wsolkit_psol.box_file import file_name_of

    folder = tmp_path_factory.mktemp("boxes")
    scenes = {"type": "SyntheticParts", "num_classes": 6, "image_size": 96, "seed": 1, "object_size": (0.35, 0.65)}
    dataset = DATASETS.build({**scenes, "num_images": 24, "load_targets": True})
    boxes = []
    for index in range(24):
        record = dataset.record(index)
        box = dataset.targets(record, (96, 96)).boxes[0].astype(float)
        name = file_name_of(dataset, record, folder)
        boxes.append(PseudoBox(record["image_id"], name, (96, 96), record["labels"][0], box, 0.2))
    write_boxes(folder / "boxes.json", boxes, dataset.classes, {})
    return folder


def short(data, **options):
    loaders = {}
    for split in ("train", "val", "test"):
        loaders[f"{split}_dataloader.num_workers"] = 0
        loaders[f"{split}_dataloader.persistent_workers"] = False
        loaders[f"{split}_dataloader.batch_size"] = 8
    loaders |= {"val_dataloader.dataset.num_images": 12, "test_dataloader.dataset.num_images": 12}
    return load_config(
        "psol_regressor_synthetic",
        {
            "train_dataloader.dataset.data_root": str(data),
            "default_hooks.progress_bar": None,
            "model.precision": "fp32",
            **loaders,
            **options,
        },
    )


@pytest.mark.slow
def test_a_training_learns_keeps_the_best_and_resumes_exactly(data, tmp_path):
    whole = train(short(data, **{"train_cfg.max_epochs": 3}), tmp_path / "whole", seed=0)
    assert whole.metric == "BoxAcc@50"
    assert whole.best is not None
    parts = tmp_path / "parts"
    config = short(data, **{"train_cfg.max_epochs": 3})
    config["default_hooks"]["stopper"] = {"type": "StopAfterTwo"}
    with pytest.raises(RuntimeError, match="stopped on purpose"):
        train(config, parts, seed=0)
    del config["default_hooks"]["stopper"]
    resumed = train(config, parts, resume=True, seed=0)
    one, other = (torch.load(run.last, weights_only=True)["state_dict"] for run in (whole, resumed))
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.fixture(autouse=True)
def _stopper():
    from mmengine.hooks import Hook

    from wsolkit.registry import HOOKS

    class StopAfterTwo(Hook):
        """Stops a training in its third epoch."""

        def before_train_epoch(self, runner):
            if runner.epoch == 2:
                raise RuntimeError("stopped on purpose")

    HOOKS.register_module(module=StopAfterTwo, force=True)
    yield
    HOOKS.module_dict.pop("StopAfterTwo")


def test_new_layers_learn_at_twice_the_rate(data, tmp_path):
    from mmengine.optim import build_optim_wrapper

    config = short(data)
    model = MODELS.build(config["model"])
    wrapper = build_optim_wrapper(model, config["optim_wrapper"])
    rates = {
        id(parameter): group.get("lr", 0.01)
        for group in wrapper.optimizer.param_groups
        for parameter in group["params"]
    }
    assert {rates[id(parameter)] for parameter in model.box_head.parameters()} == {0.02}
    assert {rates[id(parameter)] for parameter in model.backbone.parameters()} == {0.01}


def test_a_regressor_fits_a_few_boxes(data):
    """Fifteen steps on eight images with their true boxes: the loss falls to less than half."""
    torch.manual_seed(0)
    from wsolkit import DATASETS

    settings = dict(short(data)["train_dataloader"]["dataset"])
    dataset = DATASETS.build({**settings, "pipeline": [], "indices": 8})
    batch = collate_samples([dataset[index] for index in range(8)])
    model = regressor().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    inputs = model.data_preprocessor(batch)
    losses = []
    for _ in range(15):
        loss = model(**inputs, mode="loss")["loss_box"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@pytest.mark.slow
def test_a_trained_regressor_gives_boxes_of_the_original_images(data, tmp_path):
    run = train(short(data, **{"train_cfg.max_epochs": 1}), tmp_path / "run", seed=0)
    config = load_config(tmp_path / "run" / "config.py")
    model = load_network(config, run.last, BoxRegressor, "cpu")
    found = regressed_boxes(config, model, "test", batch_size=5)
    assert list(found) == [f"test/{number:05d}" for number in range(12)]
    from wsolkit.pipeline import build_split

    dataset = build_split(config, "test")
    inputs = model.data_preprocessor(collate_samples([dataset[3]]))["inputs"]
    expected = model.predict(inputs)[0].on((96, 96))
    np.testing.assert_allclose(found["test/00003"], expected, atol=1e-3)
    with pytest.raises(ConfigError, match="A BoxRegressor is needed, but the model is a Localizer"):
        load_network(load_config("cam_synthetic", {"model.head.num_classes": 6}), run.last, BoxRegressor)
    changed = config.to_dict()
    changed["model"]["hidden"] = 7
    with pytest.raises(CheckpointError, match="made for another model"):
        load_network(changed, run.last, BoxRegressor)
