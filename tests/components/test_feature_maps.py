"""CAM methods that are made of features alone: features that are no numbers, and images on which nothing stands out."""

from types import SimpleNamespace

import pytest
import torch

from wsolkit import Activation, MapError
from wsolkit.registry import CAM_METHODS

MODEL = SimpleNamespace(head=object())
CLASSES = torch.tensor([0, 0])
METHODS = ["LOSTMaps", "TokenCutMaps", "PC1"]


def raw(name, features, **given):
    activation = Activation(torch.zeros(2, 1, 1, 1), features=features)
    return CAM_METHODS.build({"type": name, **given}).raw_maps(MODEL, torch.zeros(2, 3, 8, 8), CLASSES, activation)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_features_that_are_no_numbers_are_refused_in_words(name, wrong):
    features = torch.rand(2, 3, 4, 4)
    features[1, 2, 3, 0] = wrong
    with pytest.raises(
        MapError, match=f"{name} reads features that hold NaN or infinity: .* Take an earlier checkpoin"
    ):
        raw(name, features)


@pytest.mark.parametrize(
    ("name", "given"),
    [(name, {}) for name in METHODS] + [(name, {"center": True, "soft": True}) for name in METHODS[:2]],
)
def test_an_image_of_equal_cells_has_a_map_of_zeros(name, given):
    torch.manual_seed(0)
    features = torch.rand(2, 3, 1, 1).expand(2, 3, 4, 4) * (1 + 1e-7 * torch.rand(2, 3, 4, 4))  # but for rounding
    features[1] = torch.randn(3, 4, 4)
    found = raw(name, features, **given)
    assert not found[0].any()
    assert found[1].any()
