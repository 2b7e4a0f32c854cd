"""ADL: mask and importance image by image in loops, one draw for the batch, and the shipped configuration's model."""

import math

import pytest
import torch

from tests.support.model_step import built_model, model_step
from wsolkit import MODIFIERS, ConfigError, load_plugins
from wsolkit_adl import ADL, drop_mask, importance_map


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def dropped_by_hand(maps, threshold):
    """Return maps without the cells whose mean over channels reaches threshold times its maximum in that image."""
    found = maps.clone()
    for image in range(len(maps)):
        _, height, width = maps[image].shape
        mean = [[float(maps[image, :, y, x].double().mean()) for x in range(width)] for y in range(height)]
        highest = max(max(row) for row in mean)
        for y in range(height):
            for x in range(width):
                if not mean[y][x] < threshold * highest:
                    found[image, :, y, x] = 0
    return found


def weighted_by_hand(maps):
    """Return maps times the sigmoid of their mean over channels, cell by cell."""
    found = maps.clone()
    for image in range(len(maps)):
        for y in range(maps.shape[2]):
            for x in range(maps.shape[3]):
                mean = float(maps[image, :, y, x].double().mean())
                found[image, :, y, x] *= 1 / (1 + math.exp(-mean))
    return found


@pytest.mark.parametrize("threshold", [0.3, 0.9])
def test_with_the_drop_mask_each_image_loses_its_own_peak(threshold):
    maps = drawn(3, 5, 4, 6).relu()
    found = ADL(drop_rate=1.0, threshold=threshold)(maps)
    torch.testing.assert_close(found, dropped_by_hand(maps, threshold), rtol=0, atol=0)
    assert (found.flatten(1) != maps.flatten(1)).any(1).all()


def test_without_it_each_cell_is_weighted_by_the_sigmoid_of_its_attention():
    maps = drawn(2, 5, 4, 6)
    modifier = ADL(drop_rate=0.0)
    torch.testing.assert_close(modifier(maps), weighted_by_hand(maps))
    assert modifier.scalars()["dropped"] == 0


def test_features_below_zero_everywhere_lose_nothing():
    maps = -drawn(2, 3, 4, 4).abs() - 0.1
    torch.testing.assert_close(ADL(drop_rate=1.0)(maps), maps, rtol=0, atol=0)


def test_one_draw_serves_the_batch_unless_each_image_has_its_own():
    maps = drawn(16, 2, 3, 3).relu() + 0.1
    torch.manual_seed(0)
    for per, expected in (("batch", {True}), ("image", {True, False})):
        modifier, same, shares = ADL(drop_rate=0.5, per=per), set(), []
        for _ in range(20):
            lost = (modifier(maps) == 0).flatten(1).any(1)
            same.add(bool(lost.all()) or not bool(lost.any()))
            shares.append(modifier.scalars()["dropped"])
            assert shares[-1] == pytest.approx(float(lost.float().mean()))
        assert same <= expected
        assert (False in same) == (per == "image")
        assert 0.2 < sum(shares) / len(shares) < 0.8


def test_the_draw_drops_as_often_as_it_should():
    torch.manual_seed(0)
    modifier, maps = ADL(), torch.ones(1, 1, 2, 2)
    dropped = sum(not bool(modifier(maps).any()) for _ in range(1000))
    assert 0.70 < dropped / 1000 < 0.80


def test_gradients_flow_through_the_importance_and_past_the_mask():
    maps = drawn(1, 2, 2, 2).requires_grad_()
    ADL(drop_rate=0.0)(maps).sum().backward()
    gate = maps.detach().mean(1, keepdim=True).sigmoid()
    slope = gate * (1 - gate) / 2 * maps.detach().sum(1, keepdim=True)
    torch.testing.assert_close(maps.grad, gate + slope.expand_as(maps))
    maps.grad = None
    ADL(drop_rate=1.0)(maps).sum().backward()
    assert set(maps.grad.unique().tolist()) <= {0.0, 1.0}


def test_evaluation_leaves_features_alone():
    maps = drawn(2, 3, 4, 4)
    assert ADL(drop_rate=1.0).eval()(maps) is maps


def test_the_two_functions_alone():
    attention = torch.tensor([[[1.0, 0.5]], [[10.0, 9.5]]])
    assert drop_mask(attention, 0.9).tolist() == [[[False, True]], [[False, False]]]
    torch.testing.assert_close(importance_map(attention)[0, 0, 0], torch.tensor(1 / (1 + math.exp(-1))))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"drop_rate": 1.5}, r"drop_rate of ADL should be a number in \[0, 1\], but got 1\.5"),
        ({"threshold": -0.1}, r"threshold of ADL should be a number in \[0, 1\], but got -0\.1"),
        ({"per": "cell"}, "per of ADL should be one of 'batch', 'image', but got 'cell'"),
    ],
)
def test_arguments_out_of_range_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        MODIFIERS.build({"type": "ADL", **options})


def test_the_configuration_trains_and_predicts():
    model, log, predictions = model_step("adl_lite0_birds50")
    places = [name for name, _ in model.named_modifiers()]
    assert len(places) == 3
    assert {f"{place}/dropped" for place in places} <= set(log)
    assert all(torch.isfinite(each.maps).all() for each in predictions)


def test_the_residual_network_of_both_codes_has_it_at_three_places():
    model = built_model("adl_resnet50_cub")
    assert [type(each).__name__ for _, each in model.named_modifiers()] == ["ADL"] * 3


def test_the_card_names_it_all():
    (method,) = [method for method, _ in load_plugins().methods if method.name == "ADL"]
    assert method.reported["CUB VGG-GAP top-1 loc error"] == 47.64
