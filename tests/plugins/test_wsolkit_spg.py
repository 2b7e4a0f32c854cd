"""SPG: the pixels a map is sure of and the losses of the masks, by loops; what learns from what."""

import math

import pytest
import torch

from tests.support.config_steps import loss_step
from tests.support.largest import Largest
from wsolkit import Activation, Batch, ConfigError, HeadError, ShapeError
from wsolkit.config.load import load_config
from wsolkit.registry import HEADS
from wsolkit_spg import SelfProducedGuidance, SPGHead, sure_pixels

CHANNELS = {"early": 2, "middle": 3, "deep": 4}
THRESHOLDS = ((0.7, 0.05), (0.5, 0.05), (0.7, 0.1))


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def levels(seed=0):
    return {
        "early": drawn(2, 2, 8, 6, seed=seed),
        "middle": drawn(2, 3, 4, 3, seed=1),
        "deep": drawn(2, 4, 4, 3, seed=2),
    }


def batch(labels):
    return Batch(torch.zeros(len(labels), 3, 16, 12), labels)


def sure_by_loop(scores, high, low, fewest):
    """Object (1), background (0) and unknown (None) of one map (H, W), as nested lists."""
    flat = [float(score) for score in scores.flatten()]
    if sum(score > high for score in flat) < fewest:
        high = 0.7 * max(flat)
    return [0 if score < low else 1 if score > high else None for score in flat]


def loss_by_loop(mask, teacher, high, low, fewest):
    costs = []
    for image in range(len(mask)):
        known = sure_by_loop(teacher[image, 0], high, low, fewest)
        for score, found in zip(mask[image, 0].flatten().tolist(), known, strict=True):
            if found is not None:
                p = 1 / (1 + math.exp(-score))
                costs.append(-math.log(p if found else 1 - p))
    return sum(costs) / max(len(costs), 1)


def enlarged(maps):
    return torch.nn.functional.interpolate(maps, size=(16, 12), mode="bilinear", align_corners=False)


@pytest.mark.parametrize("fewest", [0, 3, 200])
def test_the_sure_pixels_by_a_loop(fewest):
    scores = (
        torch.rand(3, 1, 5, 4, generator=torch.Generator().manual_seed(3))
        * torch.tensor([1.0, 0.6, 0.04])[:, None, None, None]
    )
    found, known = sure_pixels(scores, 0.7, 0.05, fewest)
    for image in range(3):
        expected = sure_by_loop(scores[image, 0], 0.7, 0.05, fewest)
        assert found[image].flatten().tolist() == [each == 1 for each in expected]
        assert known[image].flatten().tolist() == [each is not None for each in expected]


@torch.no_grad()
@pytest.mark.parametrize("several", [False, True])
def test_the_three_losses_by_loops(several):
    torch.manual_seed(0)
    head = SPGHead(CHANNELS, 3, hidden=[5], width=6, last_width=6)
    found = head(levels(), batch(torch.tensor([1, 2])))
    masks = {name: drawn(2, 1, *found.extras[name].shape[2:], seed=5) * 3 for name in found.extras}
    labels = torch.tensor([[1.0, 1, 0], [0, 0, 1]]) if several else torch.tensor([1, 2])
    present = [[0, 1], [2]] if several else [[1], [2]]
    maps = enlarged(found.maps)
    teacher = torch.zeros(2, 1, 16, 12)
    for image, classes in enumerate(present):
        for k in classes:
            each = maps[image, k]
            teacher[image, 0] = torch.maximum(teacher[image, 0], (each - each.min()) / (each.max() - each.min()))
    b1, b2, c = (enlarged(masks[f"mask_{name}"]) for name in ("b1", "b2", "c"))
    terms = SelfProducedGuidance(fewest=10)(Activation(found.maps, found.logits, extras=masks), batch(labels))
    expected = {
        "b2": loss_by_loop(b2, teacher, 0.7, 0.05, 10),
        "b1": loss_by_loop(b1, b2.sigmoid(), 0.5, 0.05, 10),
        "c": loss_by_loop(c, (b1.sigmoid() + b2.sigmoid()) / 2, 0.7, 0.1, 10),
    }
    assert {name: float(term) for name, term in terms.items()} == pytest.approx(expected, abs=1e-5)
    assert min(expected.values()) > 0.01


@pytest.mark.parametrize("labels", [torch.tensor([1, 2]), torch.eye(500)[:2]])
def test_maps_of_absent_classes_are_not_enlarged(labels):
    masks = {f"mask_{name}": torch.zeros(2, 1, 2, 2) for name in ("b1", "b2", "c")}
    activation = Activation(drawn(2, 500, 2, 2), torch.zeros(2, 500), extras=masks)
    with Largest() as largest:
        SelfProducedGuidance()(activation, batch(labels))
    assert largest.numbers <= activation.maps.numel() < 500 * 16 * 12


@torch.no_grad()
def test_both_earlier_masks_share_their_last_convolutions():
    head, given = SPGHead({"early": 2, "middle": 2, "deep": 4}, 3, width=6), levels()
    head.mask_b2.load_state_dict(head.mask_b1.state_dict())
    given["middle"] = given["early"]
    found = head(given, batch(torch.tensor([1, 2])))
    torch.testing.assert_close(found.extras["mask_b1"], found.extras["mask_b2"])
    torch.testing.assert_close(found.logits, found.maps.mean((2, 3)))
    assert head(given).extras == {}  # no masks at prediction


@pytest.mark.parametrize(("term", "reached"), [("b2", {"middle"}), ("b1", {"early"}), ("c", {"deep"})])
def test_each_mask_teaches_its_own_level_alone(term, reached):
    head = SPGHead(CHANNELS, 3, width=6, last_width=6)
    given = {name: level.requires_grad_() for name, level in levels().items()}
    SelfProducedGuidance()(head(given, batch(torch.tensor([1, 2]))), batch(torch.tensor([1, 2])))[term].backward()
    assert {name for name, level in given.items() if level.grad is not None and level.grad.any()} == reached
    assert all(weight.grad is None for weight in head.classifier.parameters())


def test_levels_by_default_and_mistakes():
    assert SPGHead({"a": 2, **CHANNELS}, 3).levels == ["early", "middle", "deep"]
    assert SPGHead({"deep": 4}, 3).levels == ["deep", "deep", "deep"]
    with pytest.raises(ConfigError, match=r"levels of SPGHead should be three names.*but got \['early', 'deep'\]"):
        SPGHead(CHANNELS, 3, levels=["early", "deep"])
    with pytest.raises(ConfigError, match=r"three pairs of a high and a low share, such as .*but got \[\(0.1, 0.7\)"):
        SelfProducedGuidance([(0.1, 0.7), *THRESHOLDS[1:]])
    with pytest.raises(
        HeadError, match=r"SelfProducedGuidance needs the extra 'mask_b2', which the head does not give. Use"
    ):
        SelfProducedGuidance()(Activation(torch.zeros(1, 2, 1, 1), torch.zeros(1, 2)), batch(torch.tensor([0])))
    head = SPGHead(CHANNELS, 3)
    with pytest.raises(ShapeError, match="SelfProducedGuidance needs labels, but the batch has none"):
        SelfProducedGuidance()(head(levels(), batch(torch.tensor([1, 2]))), Batch(torch.zeros(2, 3, 16, 12)))


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("spg_vgg16_cub", {"block3": 256, "block4": 512, "block5": 512}),
        ("spg_resnet50_cub", {"layer2": 512, "layer3": 1024, "layer4": 2048}),
        ("spg_resnet50_ilsvrc", {"layer2": 512, "layer3": 1024, "layer4": 2048}),
        ("spg_inceptionv3_ilsvrc", {"mixed_6a": 768, "mixed_6b": 768, "mixed_6e": 768}),
    ],
)
def test_the_head_of_a_configuration_for_large_data(name, channels):
    with torch.device("meta"):
        head = HEADS.build({**load_config(name).model["head"], "channels": channels, "num_classes": 7})
    assert head.levels == list(channels)
    assert head.mask_b1[0].in_channels == next(iter(channels.values()))


def test_a_step_of_the_configuration():
    model, losses = loss_step("spg_lite0_birds50")
    names = {f"loss_self_produced_guidance_{mask}" for mask in ("b1", "b2", "c")}
    assert set(losses) == {"loss_cross_entropy", *names}
    maps = model.eval().predict(torch.randn(2, 3, 64, 64), torch.tensor([0, 2]))[0].maps
    assert 0 <= float(maps.min()) < float(maps.max()) <= 1
