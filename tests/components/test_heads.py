"""The two heads against loops, each other and the mistakes people make."""

import pytest
import torch

from wsolkit import ConfigError
from wsolkit.components.heads import ConvHead, LinearHead, concat_levels, recombine
from wsolkit.components.poolings import LogSumExpPooling, MaxPooling, TopCellsPooling

CHANNELS = {"layer3": 4, "layer4": 6}


@pytest.fixture
def levels():
    torch.manual_seed(0)
    return {"layer3": torch.randn(2, 4, 8, 6), "layer4": torch.randn(2, 6, 4, 3)}


def test_recombine_is_the_weighted_sum_of_the_features(levels):
    features, weight, bias = levels["layer4"], torch.randn(5, 6), torch.randn(5)
    maps = recombine(features, weight, bias)
    for b in range(2):
        for k in range(5):
            for i in range(4):
                for j in range(3):
                    by_hand = sum(weight[k, c] * features[b, c, i, j] for c in range(6)) + bias[k]
                    assert maps[b, k, i, j] == pytest.approx(by_hand.item(), abs=1e-5)


def test_mean_of_a_linear_head_s_map_is_its_logit(levels):
    activation = LinearHead(CHANNELS, 5).eval()(levels)
    torch.testing.assert_close(activation.maps.mean((2, 3)), activation.logits)


def test_conv_head_equals_linear_head_with_the_same_weights(levels):
    linear, conv = LinearHead(CHANNELS, 5).eval(), ConvHead(CHANNELS, 5).eval()
    with torch.no_grad():
        conv.classifier.weight.copy_(linear.classifier.weight[:, :, None, None])
        conv.classifier.bias.copy_(linear.classifier.bias)
    torch.testing.assert_close(conv(levels).logits, linear(levels).logits)
    torch.testing.assert_close(conv(levels).maps, linear(levels).maps)


@pytest.mark.parametrize("kind", [LinearHead, ConvHead])
def test_scores_under_bf16_do_not_tie(kind, levels):
    with torch.autocast("cpu", torch.bfloat16):
        activation = kind(CHANNELS, 50).eval()({"layer4": levels["layer4"].bfloat16()})
    assert (activation.logits.dtype, activation.maps.dtype) == (torch.float32, torch.float32)
    rounded = activation.logits.bfloat16().float()
    assert (activation.logits != rounded).float().mean() > 0.5, "the scores have more digits than bf16 holds"


def test_several_maps_per_class_are_class_major_and_averaged(levels):
    head = ConvHead(CHANNELS, 2, maps_per_class=3)
    raw = head.classifier(levels["layer4"])
    expected = torch.stack([raw[:, :3].mean(1), raw[:, 3:].mean(1)], 1)
    found = head(levels)
    torch.testing.assert_close(found.maps, expected)
    torch.testing.assert_close(found.extras["maps_per_class"][:, 1, 2], raw[:, 5])


def test_the_maps_per_class_are_those_before_the_modifiers(levels):
    head = ConvHead(CHANNELS, 2, maps_per_class=3)
    head.map_modifiers.append(torch.nn.Threshold(1e9, -7.0))
    found = head(levels)
    assert found.maps.unique().tolist() == [-7.0]
    torch.testing.assert_close(found.extras["maps_per_class"].flatten(1, 2), head.classifier(levels["layer4"]))
    assert ConvHead(CHANNELS, 2)(levels).extras == {}


def test_map_modifiers_act_before_the_pooling(levels):
    head = ConvHead(CHANNELS, 2, pooling=MaxPooling())
    head.map_modifiers.append(torch.nn.Threshold(1e9, -7.0))
    assert head(levels).logits.unique().tolist() == [-7.0]


def test_head_reads_the_level_it_is_told(levels):
    assert LinearHead(CHANNELS, 5, level="layer3")(levels).maps.shape == (2, 5, 8, 6)


def test_unknown_level_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no level 'layer5'.*'layer"):
        LinearHead(CHANNELS, 5, level="layer5")


def test_log_sum_exp_against_a_loop():
    maps = torch.randn(2, 3, 4, 5)
    pooled = LogSumExpPooling(sharpness=3.0)(maps)
    flat = maps.double().flatten(2)
    expected = (flat.mul(3).exp().mean(2).log() / 3).float()
    torch.testing.assert_close(pooled, expected)


@pytest.mark.parametrize(("share", "count"), [(0.02, 1), (0.1, 2), (0.5, 10), (1.0, 20)])
def test_the_top_cells_against_sorting(share, count):
    maps = torch.randn(2, 3, 4, 5)
    by_hand = [[sorted(cells.flatten().tolist())[-count:] for cells in image] for image in maps]
    expected = torch.tensor(by_hand).mean(2)
    torch.testing.assert_close(TopCellsPooling(share)(maps), expected)


def test_a_share_of_no_cells_is_refused():
    with pytest.raises(ConfigError, match=r"share.*in \(0, 1\].*0"):
        TopCellsPooling(share=0.0)


def test_standardized_features_keep_what_training_saw(levels):
    head = ConvHead(CHANNELS, 2, standardize=True)
    batches = [levels["layer4"] * 100 + 7, levels["layer4"].flip(0) * 50 - 3]
    for batch in batches:
        head.train()({"layer4": batch})
    mean = torch.stack([batch.mean((0, 2, 3)) for batch in batches]).mean(0)
    variance = torch.stack([batch.transpose(0, 1).flatten(1).var(1) for batch in batches]).mean(0)
    kept = head.eval().state_dict()
    torch.testing.assert_close(kept["standardized.running_mean"], mean)
    torch.testing.assert_close(kept["standardized.running_var"], variance)
    seen = (batches[0] - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
    torch.testing.assert_close(head({"layer4": batches[0]}).maps, head.classifier(seen), rtol=1e-4, atol=1e-5)
    assert not [name for name, _ in head.named_parameters() if "standardized" in name], "there is nothing to learn"
    assert "standardized.running_mean" not in ConvHead(CHANNELS, 2).state_dict()


def test_levels_side_by_side_keep_the_order_and_take_the_largest_size():
    levels = {"a": torch.rand(2, 3, 8, 6), "b": torch.rand(2, 5, 4, 3)}
    found = concat_levels(levels, ["b", "a"])
    assert torch.equal(found[:, 5:], levels["a"])
    torch.testing.assert_close(
        found[:, :5], torch.nn.functional.interpolate(levels["b"], size=(8, 6), mode="bilinear", align_corners=False)
    )
    assert concat_levels(levels, ["b"]) is levels["b"]


def test_the_maps_of_a_class_are_averaged_in_float32():
    torch.manual_seed(0)
    head = ConvHead({"deep": 16}, num_classes=3, maps_per_class=8)
    with torch.autocast("cpu", torch.bfloat16):
        found = head({"deep": torch.randn(2, 16, 7, 7)})
    every = found.extras["maps_per_class"]
    assert every.dtype == torch.bfloat16
    assert torch.equal(found.maps, every.float().mean(2))
