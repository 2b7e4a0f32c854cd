"""Attention blocks against loops over cells and channels, their start, and that they learn in a frozen backbone."""

import math

import numpy as np
import pytest
import torch

from tests.support.model_step import built_model, model_step
from wsolkit import MODIFIERS, ConfigError, Localizer, ShapeError, load_plugins
from wsolkit.components import attend
from wsolkit.training.param_groups import group_parameters
from wsolkit_attention import CBAM, DualAttention, SqueezeExcite, channel_attention

BLOCKS = [SqueezeExcite, CBAM, DualAttention]
CONFIGS = ["se", "cbam", "dual_attention"]


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def softmax(values):
    highest = max(values)
    powers = [math.exp(value - highest) for value in values]
    return [power / sum(powers) for power in powers]


def test_positions_are_mixed_as_a_loop_over_cells_says():
    queries, keys, values = drawn(2, 3, 2, 4), drawn(2, 3, 2, 4, seed=1), drawn(2, 5, 2, 4, seed=2)
    found = attend(queries, keys, values).flatten(2).numpy()
    q, k, v = (each.flatten(2).double().numpy() for each in (queries, keys, values))
    for image in range(2):
        for j in range(8):
            shares = softmax([float(k[image, :, i] @ q[image, :, j]) for i in range(8)])
            expected = sum(share * v[image, :, i] for i, share in enumerate(shares))
            np.testing.assert_allclose(found[image, :, j], expected, rtol=1e-4, atol=1e-5)


def test_channels_are_mixed_as_a_loop_over_channels_says():
    maps = drawn(2, 4, 2, 3)
    found = channel_attention(maps).flatten(2).numpy()
    a = maps.flatten(2).double().numpy()
    for image in range(2):
        for j in range(4):
            shares = softmax([float(a[image, i] @ a[image, j]) for i in range(4)])
            expected = sum(share * a[image, i] for i, share in enumerate(shares))
            np.testing.assert_allclose(found[image, j], expected, rtol=1e-4, atol=1e-5)


def test_the_scales_add_both_to_the_features():
    block, maps = DualAttention(channels=4, reduction=2), drawn(1, 4, 3, 3)
    with torch.no_grad():
        block.alpha.fill_(0.5)
        block.beta.fill_(-2.0)
        positions = attend(block.queries(maps), block.keys(maps), block.values(maps))
        torch.testing.assert_close(block(maps), maps + 0.5 * positions - 2 * channel_attention(maps))
    assert block.scalars() == {"alpha": 0.5, "beta": -2.0}


def test_squeeze_and_excitation_weights_channels_by_hand():
    torch.manual_seed(0)
    block, maps = SqueezeExcite(channels=8, reduction=2, start="paper"), drawn(2, 8, 3, 3)
    first, second = (layer.weight.detach().flatten(1).double().numpy() for layer in (block.block.fc1, block.block.fc2))
    biases = [layer.bias.detach().double().numpy() for layer in (block.block.fc1, block.block.fc2)]
    found = block(maps).detach().numpy()
    for image in range(2):
        squeezed = maps[image].double().mean((1, 2)).numpy()
        logits = second @ np.maximum(first @ squeezed + biases[0], 0) + biases[1]
        expected = maps[image].numpy() * (1 / (1 + np.exp(-logits)))[:, None, None]
        np.testing.assert_allclose(found[image], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("channels", [3, 24])
def test_blocks_start_as_the_identity_and_learn_at_once(kind, channels):
    torch.manual_seed(0)
    block, maps = kind(channels=channels), drawn(2, channels, 5, 4)
    torch.testing.assert_close(block(maps), maps, rtol=0, atol=0)
    torch.testing.assert_close(block.eval()(maps), maps, rtol=0, atol=0)
    block.train()(maps).square().sum().backward()
    scales = [each for each in block.parameters() if each.ndim == 0]
    assert scales
    assert all(float(each.grad) != 0 for each in scales)
    with torch.no_grad():
        for scale in scales:
            scale.fill_(1.0)
    assert not torch.equal(block.eval()(maps), maps)  # also in evaluation


@pytest.mark.parametrize("kind", [SqueezeExcite, CBAM])
def test_a_scale_of_1_is_the_paper_s_block(kind):
    block, maps = kind(channels=16).eval(), drawn(2, 16, 4, 4)
    with torch.no_grad():
        block.scale.fill_(1.0)
    torch.testing.assert_close(block(maps), block.block(maps))
    assert kind(channels=16, start="paper").scale is None


def test_a_map_of_too_many_cells_is_refused():
    with pytest.raises(
        ShapeError, match="the maps have 65 x 64 of them, more than 4096. Put it behind a deeper module"
    ):
        DualAttention(channels=1)(torch.zeros(1, 1, 65, 64))


@pytest.mark.parametrize("options", [{"type": "CBAM", "kernel": 4}, {"type": "SqueezeExcite", "reduction": 0}])
def test_arguments_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match=list(options)[1]):
        MODIFIERS.build({"channels": 8, **options})


@pytest.mark.parametrize("name", CONFIGS)
def test_in_a_frozen_backbone_the_block_alone_learns_and_at_the_rate_of_the_head(name):
    model, log, _ = model_step(f"{name}_lite0_birds50")
    ((place, block),) = model.named_modifiers()
    assert any(key.startswith(f"{place}/") for key in log)
    assert all(float(each.detach()) != 0 for each in block.parameters() if each.ndim == 0)
    everything = Localizer(
        backbone={"type": "TimmBackbone", "name": "test_resnet"},
        head={"type": "LinearHead", "num_classes": 3},
        losses=[{"type": "CrossEntropy"}],
        modifiers=[{"type": type(block).__name__, "at": "layer4"}],
        freeze=["model"],
        precision="fp32",
    ).train()
    assert {key.split(".")[0] for key, each in everything.named_parameters() if each.requires_grad} == {
        "head",
        "feature_modifiers",
    }
    assert all(each.training for each in everything.feature_modifiers.modules())
    groups = group_parameters(everything, 0.1, 0.0, {"head": 10.0}, {})
    assert [group["lr"] for group in groups] == [1.0]
    groups = group_parameters(everything, 0.1, 0.0, {"head": 10.0, "feature_modifiers": 5.0}, {})
    assert sorted(group["lr"] for group in groups) == [0.5, 1.0]


def test_a_trained_block_survives_its_state():
    model, _, _ = model_step("se_lite0_birds50")
    other = built_model("se_lite0_birds50")
    other.load_state_dict(model.state_dict())
    images = drawn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(other.eval().activate(images).logits, model.eval().activate(images).logits)


def test_each_block_has_a_card():
    names = {method.name for method, source in load_plugins().methods if source.plugin == "attention"}
    assert names == {"SE", "CBAM", "DualAttention"}
