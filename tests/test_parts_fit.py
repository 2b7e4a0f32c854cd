"""Parts are told about their place in the model, and what does not fit is said with the names of both parts."""

import pytest
import torch
from torch import Tensor, nn

from wsolkit import Batch, ConfigError, Loss, MapModifier, ShapeError
from wsolkit.model.localizer import Localizer

BACKBONE = {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer3", "layer4"]}


class Counting(MapModifier):
    """Is told the channels of its place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def modify(self, maps: Tensor) -> Tensor:
        return maps * self.scale


class Picky(MapModifier):
    """Refuses whatever it is given."""

    def modify(self, maps: Tensor) -> Tensor:
        raise ShapeError(f"Picky does not like {tuple(maps.shape)}.", about="Picky")


class Choosy(Loss):
    """Refuses whatever it is given."""

    def __init__(self, words: str = "Choosy needs more.", about: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.words, self.about = words, about

    def forward(self, activation, batch):
        raise ConfigError(self.words, self.about)


def localizer(head="ConvHead", head_settings=None, **parts):
    return Localizer(
        backbone=BACKBONE, head={"type": head, "num_classes": 5, **(head_settings or {})}, precision="fp32", **parts
    )


def batch():
    return Batch(torch.randn(2, 3, 64, 64), torch.tensor([0, 1]))


@pytest.mark.parametrize(
    ("place", "settings", "channels"),
    [("image", {}, 3), ("maps", {}, 5), ("maps", {"maps_per_class": 2}, 10), ("layer3", {}, 192)],
)
def test_a_modifier_is_told_the_channels_of_its_place(place, settings, channels):
    model = localizer(
        head_settings=settings, losses=[{"type": "CrossEntropy"}], modifiers=[{"type": Counting, "at": place}]
    )
    (counting,) = [module for module in model.modules() if isinstance(module, Counting)]
    assert counting.scale.shape == (channels, 1, 1)
    assert model.training
    model.parse_losses(model.loss(batch()))[0].backward()
    assert counting.scale.grad.abs().sum() > 0


def test_a_second_modifier_on_the_maps_and_given_channels_work_as_well():
    twice = [{"type": Counting, "at": "maps"}, {"type": Counting, "at": "maps", "channels": 1}]
    first, second = localizer(modifiers=twice).head.map_modifiers
    assert (len(first.scale), len(second.scale)) == (5, 1)


def test_a_head_that_does_not_use_its_map_modifiers_is_found_out(monkeypatch):
    monkeypatch.setattr("wsolkit.components.heads.LinearHead.takes_map_modifiers", True)
    with pytest.raises(ConfigError, match=r"LinearHead says that it takes map modifiers, but passes no maps"):
        localizer("LinearHead", modifiers=[{"type": Counting, "at": "maps"}])


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("maps", r"does not like \(2, 5, 2, 2\)\. \(Here Picky sits on the maps of ConvHead\.\)$"),
        ("layer3", r"Here Picky sits inside TimmBackbone\.\)$"),
        ("image", r"does not like \(2, 3, 64, 64\)\. \(Here Picky sits on the images of TimmBackbone\.\)$"),
    ],
)
def test_the_complaint_of_a_modifier_says_where_it_sits(place, words):
    with pytest.raises(ShapeError, match=words):
        localizer(modifiers=[{"type": Picky, "at": place}]).train().loss(batch())


def test_the_complaint_of_a_loss_names_the_head():
    with pytest.raises(ConfigError, match=r"^Choosy needs more. \(The loss is Choosy, the head LinearHead.\)$"):
        localizer("LinearHead", losses=[{"type": Choosy}]).loss(batch())
    advice = "Choosy needs more. Use head=dict(type='LinearHead')."
    with pytest.raises(ConfigError, match="the head LinearHead"):
        localizer("LinearHead", losses=[{"type": Choosy, "words": advice}]).loss(batch())
    both = "Choosy does not like LinearHead."
    with pytest.raises(ConfigError, match=f"^{both}$"):
        localizer("LinearHead", losses=[{"type": Choosy, "words": both, "about": ("Choosy", "LinearHead")}]).loss(
            batch()
        )
