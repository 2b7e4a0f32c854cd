"""Maps of several sizes and mirror images, against a loop written out."""

import pytest
import torch

from wsolkit import ConfigError
from wsolkit.components.cams import HeadMaps, MultiScaleMaps, resize_images
from wsolkit.model.localizer import Localizer


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"], "output_stride": 16},
        head={"type": "LinearHead", "num_classes": 3},
        precision="fp32",
    ).eval()


@pytest.mark.parametrize("flip", [True, False])
@torch.no_grad()
def test_the_average_written_out(model, flip):
    images = torch.randn(2, 3, 64, 96)
    classes = torch.tensor([[0, 2], [1, 1]])
    found = MultiScaleMaps([0.5, 1, 2], flip, normalize="minmax")(model, images, classes)
    maps = []
    for height, width in ((32, 48), (64, 96), (128, 192)):
        scaled = torch.nn.functional.interpolate(
            images, size=(height, width), mode="bilinear", antialias=height < 64, align_corners=False
        )
        for mirror in [False, True] if flip else [False]:
            raw = model.activate(scaled.flip(-1) if mirror else scaled).maps
            raw = torch.nn.functional.interpolate(raw, size=(64, 96), mode="bilinear", align_corners=False)
            maps.append(raw.flip(-1) if mirror else raw)
    mean = torch.stack(maps).mean(0)
    expected = torch.stack([mean[0, [0, 2]], mean[1, [1, 1]]])
    low, high = expected.amin((-2, -1), keepdim=True), expected.amax((-2, -1), keepdim=True)
    torch.testing.assert_close(found, (expected - low) / (high - low), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_one_scale_without_mirror_is_the_map_itself_and_reuses_the_activation(model):
    images, classes = torch.randn(1, 3, 64, 64), torch.tensor([1])
    activation = model.activate(images)
    model.activate, kept = None, model.activate  # a second forward pass would fail
    try:
        found = MultiScaleMaps([1.0], flip=False)(model, images, classes, activation)
    finally:
        model.activate = kept
    raw = torch.nn.functional.interpolate(activation.maps[:, 1:2], size=(64, 64), mode="bilinear")[:, 0]
    torch.testing.assert_close(found, (raw - raw.min()) / (raw.max() - raw.min()), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_one_scale_as_smooth_as_the_head_s_own_map_and_one_side_of_it(model):
    images, classes = torch.randn(2, 3, 64, 96), torch.tensor([[0, 2], [1, 1]])
    both = MultiScaleMaps([1.0], normalize="none", resize="bicubic")
    own = both.one_sided()
    assert both.flip
    assert not own.flip
    assert HeadMaps().one_sided().__class__ is HeadMaps
    torch.testing.assert_close(own(model, images, classes), HeadMaps(normalize="none")(model, images, classes))
    mirrored = own.raw_maps(model, images.flip(-1), classes).flip(-1)
    mean = (own.raw_maps(model, images, classes) + mirrored) / 2
    torch.testing.assert_close(both.raw_maps(model, images, classes), mean)


@torch.no_grad()
def test_a_symmetric_image_has_a_symmetric_map(model):
    half = torch.randn(1, 3, 64, 32)
    images = torch.cat([half, half.flip(-1)], -1)
    found = MultiScaleMaps([1.0, 1.5])(model, images, torch.tensor([0]))
    torch.testing.assert_close(found, found.flip(-1), atol=1e-5, rtol=1e-4)


def test_sizes_are_whole_cells_and_never_nothing():
    assert resize_images(torch.zeros(1, 3, 224, 224), 0.5, 16).shape[-2:] == (112, 112)
    assert resize_images(torch.zeros(1, 3, 100, 10), 0.5, 32).shape[-2:] == (64, 32)
    images = torch.zeros(1, 3, 50, 50)
    assert resize_images(images, 1.0, 32) is images


def test_scales_are_positive_factors():
    for scales in ([], [0.0], 1.0):
        with pytest.raises(ConfigError, match="scales .*should be a list"):
            MultiScaleMaps(scales)
