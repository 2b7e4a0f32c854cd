"""Class maps inside the foreground, with two heads of which every number is known."""

import pytest
import torch

from wsolkit import Activation, ActivationHead, ConfigError
from wsolkit.components import ConvHead, InsideForeground, inside


class Fixed(ActivationHead):
    """Gives the maps it was made with, and says when a pass ends."""

    def __init__(self, channels, maps):
        super().__init__()
        self.maps, self.passes = maps, 0

    def forward(self, levels, batch=None):
        return Activation(self.maps, extras={"seen": torch.ones(1)})

    def end_pass(self):
        self.passes += 1


@pytest.fixture
def head(monkeypatch):
    foreground = torch.tensor([[[[1.0, 0.5], [0.0, 0.25]]]])
    monkeypatch.setattr("wsolkit.components.inside_foreground.HEADS.build", lambda config: config["type"](config))
    made = {
        "classes": {"type": lambda config: ConvHead(config["channels"], config["num_classes"])},
        "foreground": {"type": lambda config: Fixed(config["channels"], foreground)},
    }
    return InsideForeground({"deep": 4}, num_classes=3, **made)


def test_the_product_by_hand(head):
    levels = {"deep": torch.randn(1, 4, 2, 2)}
    classes = head.classes(levels)
    found = head(levels)
    for k in range(3):
        low, high = classes.maps[0, k].min().item(), classes.maps[0, k].max().item()
        for (row, column), share in {(0, 0): 1.0, (0, 1): 0.5, (1, 0): 0.0, (1, 1): 0.25}.items():
            by_hand = share * (1 + (classes.maps[0, k, row, column].item() - low) / (high - low)) / 2
            assert found.maps[0, k, row, column].item() == pytest.approx(by_hand, abs=1e-6)
    assert torch.equal(found.logits, classes.logits)
    assert found.extras["seen"] == 1
    assert not found.class_agnostic


def test_a_foreground_of_another_size_is_resized():
    maps, foreground = torch.rand(2, 3, 6, 6), torch.rand(2, 1, 3, 3)
    resized = torch.nn.functional.interpolate(foreground, size=(6, 6), mode="bilinear", align_corners=False)
    assert inside(maps, foreground).shape == (2, 3, 6, 6)
    assert (inside(maps, foreground) <= resized + 1e-6).all()


def test_both_heads_hear_that_a_pass_has_ended(head):
    head.end_pass()
    assert head.foreground.passes == 1


def test_what_does_not_fit_is_said(head):
    with pytest.raises(ConfigError, match=r"needs two heads. Give it foreground=dict"):
        InsideForeground({"deep": 4}, num_classes=3, classes={"type": "ConvHead"})
    head.foreground.maps = torch.rand(1, 3, 2, 2)
    with pytest.raises(ConfigError, match="should be one map for all classes, but Fixed makes 3"):
        head({"deep": torch.randn(1, 4, 2, 2)})
