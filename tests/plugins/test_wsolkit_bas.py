"""BAS: the share of the background by hand, its losses by a loop, what each pass teaches, and a training step."""

import math

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import HEADS, Activation, Batch, HeadError, Localizer, head_level
from wsolkit.config.load import load_config
from wsolkit_bas import BackgroundSuppression, background_share

BACKBONE = {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer3", "layer4"]}
IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 2])


def localizer():
    torch.manual_seed(0)
    model = Localizer(
        backbone=BACKBONE,
        head={"type": "SuppressionHead", "num_classes": 3},
        losses=[{"type": "CrossEntropy"}, {"type": "BackgroundSuppression"}],
        precision="fp32",
    ).eval()  # norms at rest, to compare
    torch.nn.init.normal_(model.head.classifier.weight)
    return model


def test_both_passes_by_hand():
    model = localizer()
    head, stage = model.head, model.backbone.model.layer4
    found, levels = model.activate(IMAGES, Batch(IMAGES, LABELS)), model.backbone(IMAGES)
    maps = torch.sigmoid(head.generator(levels["layer3"]))
    torch.testing.assert_close(found.maps, maps)
    for row, label in enumerate(LABELS.tolist()):
        torch.testing.assert_close(found.extras["foreground"][row, 0], maps[row, label])
        for name, mask in (("foreground", maps[row, label]), ("background", 1 - maps[row, label])):
            expected = head.classifier(stage(levels["layer3"][row : row + 1] * mask).mean((2, 3)))[0]
            torch.testing.assert_close(found.extras[f"{name}_logits"][row], expected, atol=1e-5, rtol=1e-4)
    assert model.activate(IMAGES).extras == {}


def test_the_losses_of_the_maps_teach_the_generator_and_what_lies_before_it():
    model = localizer()
    losses = model.loss(Batch(IMAGES, LABELS))
    names = [f"loss_background_suppression_{each}" for each in ("suppression", "guidance", "area")]
    assert list(losses) == ["loss_cross_entropy", *names]
    sum(losses[name] for name in names).backward()
    taught = {name for name, weight in model.named_parameters() if weight.grad is not None}
    later = ("backbone.model.layer4.", "head.classifier.")
    assert taught == {name for name, _ in model.named_parameters() if not name.startswith(later)}
    assert {"head.generator.weight", "head.generator.bias", "backbone.model.conv1.0.weight"} <= taught
    assert all(weight.requires_grad for weight in model.backbone.parameters())


def test_the_losses_by_a_loop():
    whole = torch.tensor([[2.0, 1.0, 0.0], [1.0, 0.0, -3.0]], requires_grad=True)
    inside = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 2.0]])
    outside = torch.tensor([[0.5, 9.0, 9.0], [9.0, 9.0, 1.0]], requires_grad=True)
    shown = torch.tensor([0.25, 0.75]).view(2, 1, 1, 1)
    extras = {"foreground": shown, "foreground_logits": inside, "background_logits": outside}
    activation = Activation(torch.zeros(2, 3, 1, 1), whole, extras=extras)
    found = BackgroundSuppression(guidance=2.0, area=4.0)(activation, Batch(IMAGES, LABELS))
    shares, entropy = [], []
    for row, label in enumerate(LABELS.tolist()):
        most = max(float(whole[row, label]), 0.0)
        share = max(float(outside[row, label]), 0.0) / (most + 1e-8)
        shares.append(min(share, 1.0))
        entropy.append(-math.log(math.exp(inside[row, label]) / sum(map(math.exp, inside[row].tolist()))))
    assert float(found["suppression"]) == pytest.approx(sum(shares) / 2) == pytest.approx(0.625)
    assert float(found["guidance"]) == pytest.approx(2 * sum(entropy) / 2)
    assert float(found["area"]) == pytest.approx(4 * 0.5)
    found["suppression"].backward()
    assert whole.grad is None
    torch.testing.assert_close(outside.grad, torch.tensor([[0.25, 0, 0], [0, 0, 0]]))
    rows = torch.nn.functional.one_hot(LABELS, 3).float()
    same = BackgroundSuppression(guidance=2.0, area=4.0, several=False)(activation, Batch(IMAGES, rows))
    assert {name: float(value) for name, value in same.items()} == pytest.approx(
        {name: float(value) for name, value in found.items()}
    )


@pytest.mark.parametrize("second", [0, 1])
def test_the_kind_of_labels_says_what_guides_and_not_how_many_classes_a_batch_has(second):
    logits, labels = torch.tensor([[0.5, -1.0], [2.0, 0.0]]), torch.tensor([[1, 0], [second, 1]])
    extras = {"foreground": torch.zeros(2, 1, 1, 1), "foreground_logits": logits, "background_logits": logits}
    activation = Activation(torch.zeros(2, 2, 1, 1), logits, extras=extras)
    found = BackgroundSuppression()(activation, Batch(IMAGES, labels))["guidance"]
    each = [
        math.log1p(math.exp(-score if label else score))
        for score, label in zip(logits.flatten().tolist(), labels.flatten().tolist(), strict=True)
    ]
    assert float(found) == pytest.approx(sum(each) / 4)


def test_gradients_of_class_scores_are_taken_at_the_level_that_is_classified():
    assert head_level(localizer()) == "layer4"


def test_a_background_as_active_as_the_whole_has_a_share_of_one():
    assert background_share(torch.tensor([3.0]), torch.tensor([3.0])).item() == pytest.approx(1)


def test_a_head_without_a_foreground_is_refused():
    with pytest.raises(
        HeadError, match=r"BackgroundSuppression needs the extra 'foreground_logits', .* head=dict\(type='Supp"
    ):
        BackgroundSuppression()(Activation(torch.zeros(2, 3, 1, 1), torch.zeros(2, 3)), Batch(IMAGES, LABELS))


def test_the_configuration_for_birds_takes_a_step():
    model, losses = loss_step("bas_lite0_birds50")
    assert model.head.cut_level == "blocks.6"
    assert len([key for key in losses if "suppression" in key]) == 3


def test_the_parts_of_the_other_configurations():
    channels = {"block4": 2, "block5": 2, "conv6": 2, "layer3": 2, "layer4": 2}
    for name, level in [("bas_vgg16_cub", "block5"), ("bas_resnet50_cub", "layer3"), ("bas_resnet50_ilsvrc", "layer3")]:
        assert (
            HEADS.build({**load_config(name).model["head"], "channels": channels, "num_classes": 4}).cut_level == level
        )
