"""From raw maps to [0, 1]: worked numbers, properties, and what cannot be a map."""

import math

import pytest
import torch

from wsolkit import Activation, ConfigError, MapError, ShapeError
from wsolkit.maps import finish_maps, normalize_maps, resize_maps


def test_minmax_and_max_on_worked_numbers():
    raw = torch.tensor([[-1.0, 0.0], [1.0, 3.0]])
    assert normalize_maps(raw).tolist() == [[0.0, 0.25], [0.5, 1.0]]
    torch.testing.assert_close(normalize_maps(raw, "max"), torch.tensor([[0.0, 0.0], [1 / 3, 1.0]]))
    assert normalize_maps(raw, "none").tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_each_map_is_normalised_on_its_own():
    raw = torch.stack([torch.arange(4.0).view(2, 2), 100 * torch.arange(4.0).view(2, 2)])
    torch.testing.assert_close(normalize_maps(raw)[0], normalize_maps(raw)[1])


@pytest.mark.parametrize("value", [0.0, 7.3, -2e4, 1e-3])
def test_a_constant_map_is_all_zeros_also_after_resizing(value):
    assert finish_maps(torch.full((2, 7, 7), value), (224, 224)).abs().sum() == 0


def test_finished_maps_reach_zero_and_one():
    finished = finish_maps(torch.randn(3, 2, 7, 5), (56, 40))
    assert finished.shape == (3, 2, 56, 40)
    assert finished.amin((-2, -1)).unique().tolist() == [0.0]
    assert finished.amax((-2, -1)).unique().tolist() == [1.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_maps_are_refused_with_their_number(bad):
    maps = torch.ones(4, 3, 3)
    maps[2, 0, 0] = bad
    with pytest.raises(MapError, match=r"1 of 4 score maps hold NaN or infinity \(number 2 is the first\)"):
        finish_maps(maps, (6, 6))


def test_bilinear_resize_of_a_ramp():
    out = resize_maps(torch.tensor([[[0.0, 1.0]]]), (1, 4), "bilinear")
    assert out.flatten().tolist() == [0.0, 0.25, 0.75, 1.0]


def test_unknown_ways_are_named():
    with pytest.raises(ConfigError, match="resize should be one of"):
        resize_maps(torch.zeros(1, 2, 2), (4, 4), "cubic")
    with pytest.raises(ConfigError, match="normalize should be one of"):
        normalize_maps(torch.zeros(1, 2, 2), "softmax")


def test_activation_answers_for_any_class():
    activation = Activation(torch.arange(24.0).view(2, 3, 2, 2), logits=torch.zeros(2, 3))
    assert torch.equal(activation.of(torch.tensor([2, 0]))[0], activation.maps[0, 2])
    assert activation.of(torch.tensor([[0, 1], [2, 2]])).shape == (2, 2, 2, 2)
    agnostic = Activation(torch.rand(2, 1, 2, 2))
    assert torch.equal(agnostic.of(torch.tensor([17, 3])), agnostic.maps[:, 0])


def test_activation_refuses_classes_without_a_map():
    activation = Activation(torch.zeros(2, 3, 2, 2), logits=torch.zeros(2, 3))
    with pytest.raises(ShapeError, match=r"should lie in 0\.\.2.*but got 0\.\.3"):
        activation.of(torch.tensor([0, 3]))
    with pytest.raises(ShapeError, match=r"B = 2 as the maps, but got \(3,\)"):
        activation.of(torch.tensor([0, 1, 2]))


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize(
    ("cells", "pixels"), [((7, 7), (224, 224)), ((14, 9), (30, 41)), ((9, 8), (4, 5)), ((1, 3), (6, 6))]
)
def test_resizing_by_matrices_equals_torch_s_interpolation(mode, cells, pixels):
    maps = torch.randn(2, 3, *cells)
    expected = torch.nn.functional.interpolate(maps, size=pixels, mode=mode, align_corners=False)
    torch.testing.assert_close(resize_maps(maps, pixels, mode), expected, atol=1e-5, rtol=1e-5)


def test_maps_that_training_does_not_ask_for_are_not_made():
    def never():
        raise AssertionError

    lazy = Activation(never, logits=torch.zeros(1, 2))
    assert lazy.logits.shape == (1, 2)
    asked = []
    made = Activation(lambda: asked.append(1) or torch.ones(1, 2, 3, 3, dtype=torch.bfloat16))
    assert (made.maps.dtype, made.maps.shape, len(asked)) == (torch.float32, (1, 2, 3, 3), 1)
    assert made.maps is made.maps


def test_maps_asked_for_without_gradients_still_carry_them_to_a_loss():
    weight = torch.ones(2, 3, 1, 1, requires_grad=True)
    features = torch.rand(2, 3, 4, 4)
    logits = torch.nn.functional.conv2d(features, weight).mean((2, 3))
    activation = Activation(lambda: torch.nn.functional.conv2d(features, weight), logits)
    with torch.no_grad():
        activation.of(torch.tensor([0, 1]))  # a modifier or a log looks at the maps first
    activation.maps.sum().backward()
    assert weight.grad.abs().sum() > 0
    with torch.no_grad():
        plain = torch.nn.functional.conv2d(features, weight)
        assert not Activation(lambda: plain * weight.sum(), plain.mean((2, 3))).maps.requires_grad
