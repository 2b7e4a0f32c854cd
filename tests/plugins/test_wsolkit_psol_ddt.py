"""DDT: streamed moments and projections against a decomposition of everything at once, and the stage."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from wsolkit import BACKBONES, ConfigError, DataError
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.formats import image_maps_file, open_score_maps
from wsolkit_psol import DDTMaps, PseudoBoxes
from wsolkit_psol.box_file import read_boxes
from wsolkit_psol.ddt import Moments, principal_direction, projection
from wsolkit_psol.ddt_maps import positive_maps


def blobs(count=7, channels=5, seed=0):
    """Return features (B, C, h, w) with an object in the middle that is strong in some channels."""
    torch.manual_seed(seed)
    features = torch.rand(count, channels, 6, 8) * 0.3
    features[:, :3, 2:4, 3:6] += torch.tensor([1.0, 2.0, 0.5])[:, None, None]
    return features


def test_streamed_moments_are_those_of_all_descriptors_at_once():
    features = blobs() * 100 + 1e4  # a large mean is where naive sums of squares fail
    moments = Moments()
    for batch in (features[:1], features[1:4], features[4:]):
        moments.update(batch)
    rows = features.double().permute(0, 2, 3, 1).reshape(-1, 5).numpy()
    assert moments.count == 7 * 48
    np.testing.assert_allclose(moments.mean.numpy(), rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.scatter.numpy() / len(rows), np.cov(rows.T, bias=True), rtol=1e-6)
    border = [(y, x) for y in range(6) for x in range(8) if y in (0, 5) or x in (0, 7)]
    expected = sum(features[:, :, y, x].double().sum(0) for y, x in border)
    torch.testing.assert_close(moments.border_sum, expected)
    assert moments.border_count == 7 * len(border)


@pytest.mark.parametrize("sign", ["activation", "border", "largest"])
@pytest.mark.parametrize("negative", [False, True])
def test_the_projection_is_that_of_a_singular_value_decomposition(sign, negative):
    features = blobs()
    if negative:  # an object that is weak in a channel where the background is strong
        features[:, 4] += 6 * (1 - (features[:, 1] > 1).float())
    moments = Moments()
    moments.update(features[:3])
    moments.update(features[3:])
    found = projection(features, moments.mean, principal_direction(moments, sign))
    rows = features.double().permute(0, 2, 3, 1).reshape(-1, 5).numpy()
    mean = rows.mean(0)
    first = np.linalg.svd(rows - mean, full_matrices=False)[2][0]
    expected = np.array([[float((cell - mean) @ first) for cell in image] for image in rows.reshape(7, 48, 5)])
    if sign == "activation":  # written out: does the projection rise with the sum of a descriptor's numbers?
        side = np.corrcoef(expected.ravel(), rows.sum(1))[0, 1]
    elif sign == "border":
        outer = np.array([y in (0, 5) or x in (0, 7) for y in range(6) for x in range(8)])
        side = expected.mean() - expected[:, outer].mean()
    else:
        side = first[np.abs(first).argmax()]
    np.testing.assert_allclose(found.numpy().reshape(7, 48), expected * np.sign(side), atol=1e-5)
    inside = found[:, 2:4, 3:6]
    assert (inside > 0).all() == (sign == "border" or not negative)


def test_the_object_is_positive_and_the_background_negative():
    features = blobs()
    moments = Moments()
    moments.update(features)
    found = projection(features, moments.mean, principal_direction(moments)) > 0
    expected = torch.zeros(7, 6, 8, dtype=torch.bool)
    expected[:, 2:4, 3:6] = True
    assert torch.equal(found, expected)


def test_maps_are_what_is_positive_in_fractions_of_its_maximum():
    projected = torch.tensor([[[-2.0, 1.0], [4.0, 2.0]], [[-1.0, -2.0], [-3.0, -4.0]]])
    found = positive_maps(projected)
    np.testing.assert_allclose(found, [[[0, 0.25], [1, 0.5]], [[0, 0], [0, 0]]])
    wide = F.interpolate(projected[None], size=(8, 8), mode="bilinear", align_corners=False)[0].clamp(min=0)
    np.testing.assert_allclose(positive_maps(projected, (8, 8))[0], wide[0] / wide[0].max(), rtol=1e-6)
    nearest = positive_maps(projected, (4, 4), "nearest")[0]
    np.testing.assert_allclose(nearest, np.kron(found[0], np.ones((2, 2))))


def test_wrong_features_and_choices_are_refused():
    with pytest.raises(DataError, match="The features hold NaN"):
        Moments().update(torch.full((1, 2, 3, 3), float("nan")))
    with pytest.raises(DataError, match="There is no descriptor"):
        principal_direction(Moments())
    with pytest.raises(ConfigError, match="sign of a principal component should be one of .* but got 'up'"):
        principal_direction(Moments(), "up")
    with pytest.raises(ConfigError, match="sign of DDTMaps should be one of 'activation', .* but got 'up'"):
        DDTMaps("config", sign="up")
    with pytest.raises(ConfigError, match="batch_size of DDTMaps should be a whole number of at least 1, but got 0"):
        DDTMaps("config", batch_size=0)


class Colours(TimmBackbone):
    """A backbone whose only level is the image itself, four pixels to a cell."""

    def __init__(self, weights=None):
        torch.nn.Module.__init__(self)
        self.channels, self.strides = {"pixels": 3}, {"pixels": 4}

    def forward(self, images):
        """Return the image at a quarter of its size."""
        return {"pixels": F.avg_pool2d(images, 4)}


@pytest.fixture
def config(tmp_path):
    """Return a configuration with 9 drawn scenes of 3 classes and the backbone of colours."""
    BACKBONES.register_module(module=Colours, force=True)
    scenes = "dict(type='SyntheticParts', num_classes=3, image_size=(96, 64), seed=4)"
    lines = [
        f"scenes = {scenes}",
        "model = dict(backbone=dict(type='Colours', weights='colours'))",
        "step = [dict(type='Resize', size=(32, 48))]",
        "train_dataloader = dict(dataset=dict(split='train', num_images=9, **scenes))",
        "test_dataloader = dict(dataset=dict(split='test', num_images=9, pipeline=step, test_mode=True, **scenes))",
    ]
    path = tmp_path / "scenes.py"
    path.write_text("\n".join(lines))
    yield str(path)
    BACKBONES.module_dict.pop("Colours")


def test_the_stage_writes_the_maps_of_every_class_by_its_own_component(config, tmp_path):
    from wsolkit import load_config
    from wsolkit.pipeline import build_split

    numbers = DDTMaps(config, batch_size=2, resize="none", device="cpu").run(tmp_path / "out", False)
    assert (numbers["images"], numbers["classes"]) == (9, 3)
    empty = 0
    dataset = build_split(load_config(config), "train")
    for label in range(3):
        own = [k for k in range(9) if dataset.record(k)["labels"] == [label]]
        assert len(own) == 3
        from wsolkit.registry import MODELS

        images = torch.stack([dataset[k]["inputs"] for k in own])
        inputs = MODELS.build({"type": "ImagePreprocessor"})({"inputs": images})["inputs"]
        features = F.avg_pool2d(inputs, 4)
        rows = features.double().permute(0, 2, 3, 1).reshape(-1, 3)
        first = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)[2][0]
        first = first * first.sum().sign()
        expected = torch.einsum("bchw,c->bhw", features.double() - rows.mean(0)[:, None, None], first).clamp(min=0)
        for place, k in enumerate(own):
            found = open_score_maps(tmp_path / "out").image(dataset.record(k)["image_id"])
            assert list(found.maps) == [label]
            assert found.size == (96, 64)
            empty += int(expected[place].max() == 0)
            peak = expected[place].max().clamp(min=1e-9)
            np.testing.assert_allclose(found.of(label), (expected[place] / peak).numpy(), atol=2e-3)
    assert numbers["empty maps"] == empty == 1


def test_a_stage_that_was_cut_off_goes_on_with_the_classes_that_are_left(config, tmp_path):
    stage = DDTMaps(config, batch_size=4, device="cpu")
    numbers = stage.run(tmp_path / "out", False)
    files = sorted((tmp_path / "out").rglob("*.npz"))
    assert len(files) == 9
    before = {path: path.read_bytes() for path in files}
    done = {path: path.stat().st_mtime_ns for path in files}
    gone = image_maps_file(tmp_path / "out", "train/00004")
    gone.unlink()
    assert stage.run(tmp_path / "out", True) == numbers
    assert {path: path.read_bytes() for path in files} == before
    redone = [path.name for path in files if path.stat().st_mtime_ns != done[path]]
    assert len(redone) == 3
    assert gone.name in redone


def test_boxes_of_ddt_are_those_of_what_is_positive(config, tmp_path):
    DDTMaps(config, resize="nearest", device="cpu").run(tmp_path / "maps", False)
    out = tmp_path / "boxes"
    out.mkdir()
    PseudoBoxes(str(tmp_path / "maps"), config, threshold=0.0, sheet=2).run(out, False)
    boxes, _ = read_boxes(out / "boxes.json")
    (score_map,) = open_score_maps(tmp_path / "maps").image("train/00001").maps.values()
    x0, y0, x1, y1 = (boxes["train/00001"] / 2).round().astype(int)
    assert (score_map[y0:y1, x0:x1] > 0).any(0).all()
    assert (score_map[y0:y1, x0:x1] > 0).any(1).all()


def test_a_backbone_without_weights_and_one_that_is_missing(config, tmp_path):
    with pytest.warns(UserWarning, match="DDT's maps mean nothing"):
        DDTMaps(config, options={"model.backbone.weights": None}, device="cpu").run(tmp_path / "out", False)
    with pytest.raises(ConfigError, match="has no model.backbone"):
        DDTMaps(config, options={"model.backbone": None}).run(tmp_path / "none", False)
    several = {"train_dataloader.dataset.multi_label": True}
    with pytest.raises(ConfigError, match="DDT goes class by class"):
        DDTMaps(config, options=several).run(tmp_path / "several", False)
