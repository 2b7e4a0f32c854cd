"""What a part says that needs more of the head than it gives, and which heads say that they give it."""

import pytest
import torch

from wsolkit import Activation, Batch, ConfigError, HeadError, Loss
from wsolkit.components import HeadMaps
from wsolkit.interfaces.needs import heads_that_give
from wsolkit.model.localizer import Localizer


class AsksForEarlyMaps(Loss):
    """Needs the maps of a second branch."""

    def forward(self, activation, batch):
        return activation.need("early_maps", self).mean()


def seen(**extras):
    return Activation(torch.zeros(1, 3, 2, 2), extras=extras)


def test_what_is_there_is_handed_over():
    assert seen(early_maps=torch.ones(1)).need("early_maps", "A") == 1
    assert Activation(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3)).need("logits", "A").shape == (1, 3)


@pytest.mark.parametrize(
    ("key", "asker", "words"),
    [
        (
            "early_maps",
            AsksForEarlyMaps(),
            "AsksForEarlyMaps needs the extra 'early_maps', which the head does not give. Use "
            "head=dict(type='TwoBranchHead'), or leave AsksForEarlyMaps out of the losses.",
        ),
        (
            "maps_per_class",
            HeadMaps(),
            "HeadMaps needs the extra 'maps_per_class', which the head does not give. Use head=dict(type='ConvHead', "
            "maps_per_class=8), or take cam_method=dict(type='HeadMaps').",
        ),
        (
            "maps_per_class",
            "Mine",
            "Mine needs the extra 'maps_per_class', which the head does not give. Use head=dict(type='ConvHead', "
            "maps_per_class=8), or use head=dict(type='DivergentHead', maps_per_class=8).",
        ),
        ("features", "Mine", "Mine needs features, but the head gives none. Use head=dict(type='FeatureHead'), or"),
        ("seed", "Mine", "Mine needs the extra 'seed', which the head does not give. Did you mean 'seeds'?"),
        ("seeds", "Mine", "Mine needs the extra 'seeds', of which the head gives too little."),
    ],
)
def test_a_refusal_names_who_asks_what_is_missing_and_which_head_gives_it(key, asker, words):
    error = seen(seeds=torch.ones(1)).refusal(key, asker)
    assert str(error).startswith(words)
    assert isinstance(error, ConfigError)
    if key != "seeds":
        with pytest.raises(HeadError) as refused:
            seen(seeds=torch.ones(1)).need(key, asker)
        assert str(refused.value) == str(error)
        assert refused.value.heads == error.heads


def test_heads_of_the_askers_package_are_offered_alone():
    assert [each["type"] for each in heads_that_give("foreground", "wsolkit_c2am")] == ["C2AMHead"]
    assert len(heads_that_give("foreground")) == 3


def test_in_a_model_the_head_is_named_once():
    backbone = {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer4"]}
    model = Localizer(backbone, {"type": "LinearHead", "num_classes": 3}, [{"type": AsksForEarlyMaps}])
    with pytest.raises(HeadError) as refused:
        model.loss(Batch(torch.randn(2, 3, 32, 32), torch.tensor([0, 1])))
    assert str(refused.value).startswith(
        "AsksForEarlyMaps needs the extra 'early_maps', which LinearHead does not give. Use "
    )
    assert "The loss is" not in str(refused.value)
