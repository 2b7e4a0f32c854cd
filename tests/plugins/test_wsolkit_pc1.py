"""The first principal component beside an ordinary decomposition, its sign, and networks that were never trained."""

import pytest
import torch

from tests.support.random_network import random_network
from wsolkit import Activation, ConfigError, KnownLevels
from wsolkit.config.load import load_config
from wsolkit.registry import CAM_METHODS, MODELS
from wsolkit_pc1 import PC1, first_component

FEATURES = torch.randn(3, 7, 5, 6, generator=torch.Generator().manual_seed(0)).exp()
IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("sign", ["border", "activation", "largest"])
def test_the_component_is_that_of_the_covariance_of_the_channels(sign):
    found = first_component(FEATURES, sign)
    outer = torch.ones(5, 6, dtype=torch.bool)
    outer[1:-1, 1:-1] = False
    for image in range(3):
        cells = FEATURES[image].flatten(1).T.double()
        centred = cells - cells.mean(0)
        direction = torch.linalg.svd(centred).Vh[0]
        along = (centred @ direction).view(5, 6)
        side = {
            "border": -along[outer].mean(),
            "activation": (along.flatten() * centred.sum(1)).sum(),
            "largest": direction[direction.abs().argmax()],
        }
        torch.testing.assert_close(found[image], (along * side[sign].sign()).float(), atol=1e-4, rtol=1e-4)


def test_an_object_in_the_middle_is_positive_whatever_the_decomposition_says():
    for seed in range(8):
        torch.manual_seed(seed)
        features = torch.rand(1, 16, 8, 8) * 0.1
        features[:, :, 2:6, 2:6] += torch.randn(16, 1, 1)
        found = first_component(features)[0]
        inner = torch.zeros(8, 8, dtype=torch.bool)
        inner[2:6, 2:6] = True
        assert float(found[inner].min()) > float(found[~inner].max())


def test_equal_cells_have_no_component():
    assert not first_component(torch.full((1, 4, 3, 3), 2.0)).any()
    assert torch.isfinite(first_component(torch.rand(1, 4, 1, 1))).all()


@torch.no_grad()
def test_the_places_and_one_map_for_all_classes():
    net = random_network()
    activation = net.activate(IMAGES)
    found = PC1().raw_maps(net, IMAGES, torch.tensor([[0, 1, 2], [1, 1, 1]]), activation)
    assert found.shape == (2, 3, 2, 2)
    torch.testing.assert_close(found[:, 0], first_component(activation.features))
    assert torch.equal(found[:, 0], found[:, 2])
    shallow = PC1(at="layer3").raw_maps(net, IMAGES, torch.tensor([0, 1]))
    assert shallow.shape == (2, 4, 4)
    known = KnownLevels(net.levels_of(IMAGES), (64, 64))
    torch.testing.assert_close(PC1(at="layer4").raw_maps(net, known, torch.tensor([0, 1])), found[:, 0])
    with pytest.raises(ConfigError, match="PC1 asks for 'layer2.0', but the images are known by their cached features"):
        PC1(at="layer2.0").raw_maps(net, known, torch.tensor([0, 1]))
    with pytest.raises(ConfigError, match="PC1 needs features, but the head gives none. .* Or set at to"):
        PC1().raw_maps(net, IMAGES, torch.tensor([0, 1]), Activation(torch.zeros(2, 1, 2, 2)))


@pytest.mark.parametrize("name", ["pc1_lite0_birds50", "pc1_convnext_cub"])
def test_a_configuration_needs_no_training(name):
    config = load_config(name, {"weights": None, "model.backbone.weights": None})
    assert isinstance(CAM_METHODS.build(config.model.cam_method), PC1)
    if name.endswith("birds50"):
        config.model.backbone.weights = None
        model = MODELS.build(config.model).eval()
        assert not any(weight.requires_grad for weight in model.head.parameters())
        maps = model.predict(IMAGES)[0].maps
        assert maps.shape == (1, 64, 64)
        assert float(maps.std()) > 0
