"""EIL and MEIL: what is erased by a loop over cells, both passes by hand, one pass in evaluation, a training step."""

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import HEADS, Activation, ActivationHead, Batch, ConfigError, Localizer
from wsolkit.config.load import load_config
from wsolkit_eil import ErasedPasses, erase_strongest

BACKBONE = {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer2", "layer3", "layer4"]}


@pytest.mark.parametrize("normalize", ["max", "minmax"])
def test_what_is_erased_by_a_loop_over_cells(normalize):
    features = torch.randn(2, 5, 4, 3, generator=torch.Generator().manual_seed(0))
    found = erase_strongest(features, 0.7, normalize)
    for image in range(2):
        means = features[image].mean(0)
        low = float(means.min()) if normalize == "minmax" else 0.0
        for row in range(4):
            for column in range(3):
                strong = float(means[row, column]) - low >= 0.7 * (float(means.max()) - low)
                expected = torch.zeros(5) if strong else features[image, :, row, column]
                assert torch.equal(found[image, :, row, column], expected)
    assert 0 < int((found == 0).all(1).sum()) < 24


def localizer(levels, **options):
    torch.manual_seed(0)
    return Localizer(
        backbone=BACKBONE,
        head={"type": "ErasedPasses", "num_classes": 3, "levels": levels, "normalize": "minmax", **options},
        losses=[{"type": "CrossEntropy"}, {"type": "CrossEntropy", "logits": "erased_logits", "name": "erased"}],
        precision="fp32",
    )


def test_both_passes_by_hand_and_one_in_evaluation():
    model = localizer(["layer2", "layer3"]).eval()  # norms at rest, to compare
    images, labels = torch.randn(2, 3, 64, 64), torch.tensor([0, 2])
    network, head = model.backbone.model, model.head.head
    found = model.activate(images, Batch(images, labels))
    levels = model.backbone(images)
    stages = {"erased_logits": ("layer2", ["layer3", "layer4"]), "erased_logits_2": ("layer3", ["layer4"])}
    assert sorted(found.extras) == sorted(stages)
    for name, (level, after) in stages.items():
        means = levels[level].mean(1, keepdim=True)
        low, high = means.amin((2, 3), keepdim=True), means.amax((2, 3), keepdim=True)
        kept = means - low < 0.7 * (high - low)
        assert 0 < int(kept.sum()) < kept.numel()
        maps = levels[level] * kept
        for stage in after:
            maps = network.get_submodule(stage)(maps)
        expected = maps.mean((2, 3)) @ head.classifier.weight.T + head.classifier.bias
        torch.testing.assert_close(found.extras[name], expected, atol=1e-5, rtol=1e-4)
    plain = levels["layer4"].mean((2, 3)) @ head.classifier.weight.T + head.classifier.bias
    torch.testing.assert_close(found.logits, plain, atol=1e-5, rtol=1e-4)
    assert model.activate(images).extras == {}


def test_the_loss_is_that_of_both_passes_and_reaches_the_first_stage_through_both():
    model = localizer(["layer3"]).eval()
    images, labels = torch.randn(2, 3, 64, 64), torch.tensor([0, 2])
    losses = model.loss(Batch(images, labels))
    assert list(losses) == ["loss_cross_entropy", "loss_erased"]
    losses["loss_erased"].backward()
    early = [each.grad for name, each in model.backbone.named_parameters() if name.startswith("model.layer1")]
    assert any(each is not None and bool(each.any()) for each in early)


class Silent(ActivationHead):
    def __init__(self, channels, num_classes):
        super().__init__()

    def forward(self, levels, batch=None):
        return Activation(levels["layer4"])


def test_mistakes_are_explained():
    channels = {"layer3": 4, "layer4": 8}
    with pytest.raises(ConfigError, match=r"levels should be a list of level names .* but got 'layer3'"):
        ErasedPasses(channels, 3, levels="layer3")
    with pytest.raises(ConfigError, match="gives no level 'layer9' to the head"):
        ErasedPasses(channels, 3, levels=["layer9"])
    model = localizer(["layer3"], head={"type": Silent})
    images = torch.randn(2, 3, 64, 64)
    with pytest.raises(ConfigError, match="needs a head that classifies, but Silent gives no logits"):
        model.activate(images, Batch(images))
    torch.manual_seed(0)
    tokens = {"type": "TimmBackbone", "name": "test_vit", "levels": ["blocks.0", "blocks.3"]}
    model = Localizer(backbone=tokens, head={"type": "ErasedPasses", "num_classes": 3}, precision="fp32")
    with pytest.raises(ConfigError, match=r"token\(s\) before the cells .*Here ErasedPasses runs TimmBackbone again"):
        model.activate(images, Batch(images))


@pytest.mark.parametrize(("name", "passes"), [("eil_lite0_birds50", 1), ("meil_lite0_birds50", 2)])
def test_the_configurations_for_birds_take_a_step(name, passes):
    model, losses = loss_step(name)
    assert len([key for key in losses if key.startswith("loss_erased")]) == passes == len(model.head.levels)


def test_the_parts_of_the_other_configurations():
    channels = {"block3": 2, "block4": 2, "block5": 2, "conv6": 2, "layer3": 2, "layer4": 2}
    for name, levels in [("eil_vgg16_cub", 1), ("meil_vgg16_cub", 2), ("eil_resnet50_ilsvrc", 1)]:
        head = HEADS.build({**load_config(name).model["head"], "channels": channels, "num_classes": 4})
        assert (len(head.levels), head.threshold, type(head.head).__name__) == (levels, 0.7, "CAMHead")
