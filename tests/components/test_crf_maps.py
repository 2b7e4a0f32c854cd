"""Maps drawn to the edges of the image by a dense CRF."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from wsolkit.components import CRFMaps, object_chance
from wsolkit.crf import BilateralKernel
from wsolkit.errors import ConfigError
from wsolkit.interfaces import Activation, KnownLevels
from wsolkit.model.preprocess import ImagePreprocessor


@pytest.fixture
def blot():
    """A grey image with a bright square at 8..24, and a round blob in its middle as the map."""
    pixels = torch.full((1, 3, 32, 32), 60, dtype=torch.uint8)
    pixels[..., 8:24, 8:24] = 220
    preprocessor = ImagePreprocessor()
    maps = torch.zeros(1, 2, 32, 32)
    places = (torch.arange(32.0) - 15.5).square()
    maps[:, 0] = torch.exp(-(places[:, None] + places[None]) / 50)
    model = SimpleNamespace(data_preprocessor=preprocessor)
    return model, preprocessor({"inputs": pixels})["inputs"], Activation(maps, torch.zeros(1, 2)), pixels


def test_the_mean_of_map_and_crf_and_a_constant_map_stays_one(blot):
    model, images, activation, pixels = blot
    method = CRFMaps(share=0.25, even_at=0.5, normalize="none")
    found = method(model, images, torch.tensor([[0, 1]]), activation)
    image = pixels[0].permute(1, 2, 0).numpy()
    plain = (activation.maps[0] - activation.maps[0].amin((1, 2), True)).numpy()
    plain[0] /= plain[0].max()
    for number, each in enumerate(plain):
        chance = object_chance(image, each, 0.5, 8.0, BilateralKernel(0.2 * 32, 13.0, 5.0), 5)
        assert np.allclose(found[0, number], 0.75 * each + 0.25 * chance, atol=1e-6)


def test_the_box_follows_the_edges_of_the_square(blot):
    model, images, activation, _ = blot
    classes = torch.tensor([0])
    inside = torch.zeros(32, 32, dtype=torch.bool)
    inside[8:24, 8:24] = True

    def overlap(score_map):
        found = score_map[0] > 0.5
        return float((found & inside).sum() / (found | inside).sum())

    before = overlap(CRFMaps(share=0.0)(model, images, classes, activation))
    after = overlap(CRFMaps(share=1.0, even_at=0.3)(model, images, classes, activation))
    assert before < 0.5
    assert after > 0.9


def test_the_other_method_checks_the_model_and_keeps_what_it_needs_of_the_pass():
    method, seen = CRFMaps(), []
    method.of = SimpleNamespace(
        check=lambda *given: seen.append(given), activate=lambda *given: seen.append(given) or "its own"
    )
    assert method.check("model") is None
    assert method.activate("model", "images") == "its own"
    assert seen == [("model",), ("model", "images")]


def test_pixels_that_are_not_known_are_asked_for_in_words(blot):
    model, images, activation, _ = blot
    with pytest.raises(ConfigError, match="CRFMaps looks at the pixels of the images, which are not known here"):
        CRFMaps()(model, KnownLevels({"a": torch.zeros(1, 1, 2, 2)}, (32, 32)), torch.tensor([0]), activation)
    with pytest.raises(ConfigError, match="use an ImagePreprocessor"):
        CRFMaps()(SimpleNamespace(data_preprocessor=torch.nn.Identity()), images, torch.tensor([0]), activation)
