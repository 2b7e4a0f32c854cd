"""TokenCut: the graph, its eigenvector and the cut, against loops and a solver of another library."""

import math

import numpy as np
import pytest
import torch

from wsolkit import Activation, ConfigError, ShapeError, load_config
from wsolkit.model.localizer import Localizer
from wsolkit.registry import MODELS
from wsolkit_tokencut import TokenCutMaps, foreground_of, second_eigenvector, similarity_graph, token_cut


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def square(side=6, channels=4):
    """Features (1, C, 6, 6) of a square of 2 x 3 cells that are alike, on a background that is."""
    features = 0.1 * noise(1, channels, side, side)
    features[:, 0] += 1
    features[:, :, 1:3, 2:5] = 0.1 * noise(1, channels, 2, 3, seed=1)
    features[:, 1, 1:3, 2:5] += 1
    return features


def test_the_graph_by_a_loop():
    features = noise(2, 3, 2, 2)
    graph = similarity_graph(features, tau=0.3, epsilon=0.01)
    for image in range(2):
        cells = features[image].flatten(1).T.tolist()
        for i, one in enumerate(cells):
            for j, two in enumerate(cells):
                inner = sum(a * b for a, b in zip(one, two, strict=True))
                cosine = inner / math.sqrt(sum(a * a for a in one) * sum(b * b for b in two))
                assert float(graph[image, i, j]) == (1.0 if cosine >= 0.3 else 0.01)


def test_the_eigenvector_solves_the_generalized_problem():
    graph = similarity_graph(noise(3, 4, 3, 4), tau=0.1)
    found = second_eigenvector(graph).numpy()
    for image in range(3):
        weights = graph[image].numpy()
        degrees = np.diag(weights.sum(1))
        # every eigenvalue of the pencil by another way: D^-1 (D - W), which is not symmetric
        values = np.sort(np.linalg.eigvals(np.linalg.inv(degrees) @ (degrees - weights)).real)
        left = (degrees - weights) @ found[image]
        np.testing.assert_allclose(left, values[1] * degrees @ found[image], atol=1e-9)
        assert abs(degrees.diagonal() @ found[image]) < 1e-9  # stands on the first one, which is constant


def test_the_foreground_holds_the_largest_absolute_value():
    values, seeds = foreground_of(torch.tensor([[-0.9, -0.8, 0.1, 0.2], [0.9, 0.8, -0.1, -0.2]]))
    assert (values > 0).tolist() == [[True, True, False, False]] * 2
    assert seeds.tolist() == [0, 0]
    torch.testing.assert_close(values[0], torch.tensor([0.55, 0.45, -0.45, -0.55]))


def test_a_square_of_its_own_is_cut_out():
    expected = torch.zeros(6, 6)
    expected[1:3, 2:5] = 1
    assert torch.equal(token_cut(square())[0], expected)
    soft = token_cut(square(), soft=True)[0]
    assert torch.equal((soft > 0).float(), expected)
    assert not torch.equal(soft, expected)


def test_only_the_part_that_hangs_together_stays():
    features = square()
    features[:, :, 5, 0] = features[:, :, 1, 2]  # a cell like the square, far from it
    whole = token_cut(features, component=False)[0]
    assert (float(whole[5, 0]), float(whole.sum())) == (1, 7)
    assert float(token_cut(features)[0].sum()) == 6


def test_an_image_does_not_depend_on_its_batch():
    features = torch.cat([square(), noise(1, 4, 6, 6, seed=3)])
    together = token_cut(features, soft=True)
    torch.testing.assert_close(together[1:], token_cut(features[1:], soft=True), atol=1e-6, rtol=1e-4)


class Fixed(torch.nn.Module):
    """A model that makes given features of any image."""

    def __init__(self, features):
        super().__init__()
        self.features = features
        self.head = torch.nn.Identity()

    def activate(self, images):
        return Activation(images[:, :1], features=self.features)


def test_centred_features_of_one_sign_are_cut_as_they_are():
    features = square()
    images = torch.zeros(1, 3, 48, 48)
    model = Fixed(features + 10)  # any two cells are alike
    centred = TokenCutMaps(center=True).raw_maps(model, images, torch.tensor([[0, 1]]))
    expected = TokenCutMaps().maps_of(features - features.mean((2, 3), keepdim=True))
    assert centred.shape == (1, 2, 6, 6)
    assert torch.equal(centred[:, 0], expected)
    assert torch.equal(centred[:, 0], centred[:, 1])
    assert float(TokenCutMaps().raw_maps(model, images, torch.tensor([0])).mean()) != float(expected.mean())
    finished = TokenCutMaps(resize="none")(Fixed(features), images[:, :, :6, :6], torch.tensor([0]))
    assert torch.equal(finished[0], token_cut(features)[0])


def test_what_it_cannot_cut_is_said_in_words():
    model = Fixed(None)
    with pytest.raises(ConfigError, match=r"TokenCutMaps needs features, but .* gives none\. .*FeatureHead"):
        TokenCutMaps().raw_maps(model, torch.zeros(1, 3, 8, 8), torch.tensor([0]))
    with pytest.raises(ShapeError, match=r"Identity gives features \(1, 4, 1, 1\), one cell\. Take a level that is"):
        TokenCutMaps().raw_maps(Fixed(torch.zeros(1, 4, 1, 1)), torch.zeros(1, 3, 8, 8), torch.tensor([0]))
    with pytest.raises(ConfigError, match=r"tau of TokenCutMaps.* in \[-1, 1\]"):
        TokenCutMaps(tau=2)


@torch.no_grad()
def test_keys_of_a_transformer_are_cut():
    torch.manual_seed(0)
    model = Localizer(
        {"type": "TimmBackbone", "name": "test_vit", "levels": ["blocks.5.keys"]},
        {"type": "FeatureHead"},
        cam_method={"type": "TokenCutMaps"},
        precision="fp32",
    ).eval()
    images = noise(2, 3, 64, 96)
    keys = model.backbone(images)["blocks.5.keys"]
    maps = model.cam_method.raw_maps(model, images, torch.tensor([0, 0]))
    assert torch.equal(maps, token_cut(keys))
    assert len(model.predict(images)) == 2


@pytest.mark.parametrize("name", ["tokencut_lite0_birds50", "tokencut_vits16_cub"])
def test_the_configurations_train_nothing(name):
    config = load_config(name)
    config.model.backbone.update(weights=None)
    if "vits16" in name:
        config.model.backbone.update(embed_dim=12, num_heads=3)
    model = MODELS.build(config.model)
    assert not list(model.head.parameters())
    assert not model.losses
    assert isinstance(model.cam_method, TokenCutMaps)
