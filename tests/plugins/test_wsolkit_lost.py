"""LOST: degrees, seed, growing and object, against loops over the cells."""

import pytest
import torch

from wsolkit import ConfigError, load_config
from wsolkit.model.localizer import Localizer
from wsolkit.registry import MODELS
from wsolkit_lost import LOSTMaps, degrees_of, grow, lost


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def by_loops(features, k):
    """Return the sums (n,) and the seed of one image's features (C, h, w), cell by cell."""
    cells = features.flatten(1).T.double()
    count = len(cells)
    inner = [[float(one @ two) for two in cells] for one in cells]
    degrees = [sum(value >= 0 for value in row) for row in inner]
    order = sorted(range(count), key=lambda cell: (degrees[cell], cell))
    seed = order[0]
    joined = [cell for cell in order[:k] if inner[cell][seed] >= 0]
    return [sum(inner[cell][other] for other in joined) for cell in range(count)], seed


@pytest.mark.parametrize("k", [1, 4, 100])
def test_sums_and_seed_by_loops(k):
    features = noise(2, 3, 3, 4)
    sums, seeds = grow(*degrees_of(features), k)
    for image in range(2):
        expected, seed = by_loops(features[image], k)
        torch.testing.assert_close(sums[image].double(), torch.tensor(expected).double(), atol=1e-5, rtol=1e-5)
        assert int(seeds[image]) == seed


def small_object():
    """Features (1, 2, 5, 5): a block of 2 x 2 cells against all others, and a far cell like it."""
    features = torch.zeros(1, 2, 5, 5)
    features[:, 0] = 1
    features[:, :, 1:3, 1:3] = torch.tensor([-1.0, 0.5])[:, None, None]
    features[:, :, 4, 4] = torch.tensor([-1.0, 0.0])
    return features


def test_the_smaller_group_is_the_object_and_its_component_the_map():
    features = small_object()
    _, degrees = degrees_of(features)
    assert sorted(set(degrees.flatten().tolist())) == [5, 20]
    whole = lost(features, component=False)[0]
    expected = torch.zeros(5, 5)
    expected[1:3, 1:3] = 1
    assert torch.equal(lost(features)[0], expected)
    assert (float(whole[4, 4]), float(whole.sum())) == (1, 5)
    soft = lost(features, soft=True)[0]
    assert float(soft[1, 1]) == pytest.approx(4 * 1.25 + 1)  # four cells of the block and the far one joined
    assert float(soft[4, 4]) == 0
    assert float(lost(features, k=1, soft=True)[0][1, 1]) == pytest.approx(1.25)


def test_centring_sees_what_features_of_one_sign_hide():
    features = small_object() + 3
    assert float(lost(features)[0].mean()) == 1
    method = LOSTMaps(center=True)
    assert float(method.maps_of(features - features.mean((2, 3), keepdim=True))[0].sum()) == 4


@torch.no_grad()
def test_it_makes_one_map_of_any_heads_features():
    torch.manual_seed(0)
    model = Localizer(
        {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer3"]},
        {"type": "LinearHead", "num_classes": 3},
        cam_method={"type": "LOSTMaps", "center": True, "k": 4},
        precision="fp32",
    ).eval()
    images = noise(2, 3, 64, 64)
    maps = model.cam_method.raw_maps(model, images, torch.tensor([[0, 2], [1, 2]]))
    features = model.activate(images).features
    expected = lost(features - features.mean((2, 3), keepdim=True), 4)
    assert torch.equal(maps, expected[:, None].expand(-1, 2, -1, -1))


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="k of LOSTMaps should be a whole number of at least 1, but got 0"):
        LOSTMaps(k=0)


@pytest.mark.parametrize("name", ["lost_lite0_birds50", "lost_vits16_cub"])
def test_the_configurations_train_nothing(name):
    config = load_config(name)
    config.model.backbone.update(weights=None)
    if "vits16" in name:
        config.model.backbone.update(embed_dim=12, num_heads=3)
    model = MODELS.build(config.model)
    assert not list(model.head.parameters())
    assert isinstance(model.cam_method, LOSTMaps)
