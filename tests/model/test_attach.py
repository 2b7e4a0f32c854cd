import copy
import re

import pytest
import torch
from torch import nn

from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.components.modifiers import DropBlock
from wsolkit.errors import ConfigError, ShapeError
from wsolkit.interfaces import Backbone, MapModifier
from wsolkit.model.attach import attach_modifier, attach_modifiers, find_module


class Scale(MapModifier):
    """Multiplies each channel by a learned number, in training only."""

    def __init__(self, channels: int, factor: float = 2.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, 1, 1), factor))
        self.calls = 0

    def modify(self, maps):
        self.calls += 1
        self.shape = tuple(maps.shape)
        return maps * self.scale


class AlwaysScale(Scale):
    train_only = False


class TwoLevels(Backbone):
    """Two convolutions, a list-returning module and one that never runs, behind a wrapper called ``model``."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4, padding=1), nn.BatchNorm2d(4))
        self.model = nn.ModuleDict({"stem": stem, "deep": nn.Conv2d(4, 6, 2, stride=2), "split": Split()})
        self.model["unused"] = nn.Sequential(nn.Conv2d(6, 6, 1))
        self.channels = {"stem": 4, "deep": 6}
        self.strides = {"stem": 4, "deep": 8}

    def forward(self, images):
        stem = self.model["stem"](images)
        first, _ = self.model["split"](stem)
        return {"stem": stem, "deep": self.model["deep"](first)}


class Split(nn.Module):
    def forward(self, maps):
        return [maps, maps.mean()]


@pytest.fixture
def backbone():
    torch.manual_seed(0)
    return TwoLevels()


@pytest.mark.parametrize("at", ["deep", "model.deep"])
def test_the_output_behind_the_module_is_modified(backbone, at):
    images = torch.rand(2, 3, 32, 32)
    plain = backbone.eval()(images)
    attached = attach_modifier(backbone, at, {"type": Scale, "factor": 3.0})

    assert attached.name == "model.deep"
    assert attached.channels == 6
    changed = backbone(images)
    assert torch.equal(changed["stem"], plain["stem"])
    assert torch.allclose(changed["deep"], 3 * plain["deep"])
    attached.remove()
    assert torch.equal(backbone(images)["deep"], plain["deep"])


def test_channels_are_found_where_the_config_lacks_them(backbone):
    kept = attach_modifiers(backbone, [{"at": "stem.0", "type": Scale}, {"at": "deep", "type": Scale, "channels": 6}])
    assert kept["stem_0"].scale.shape == (4, 1, 1)
    assert kept["deep"].scale.shape == (6, 1, 1)


def test_keys_and_the_backbones_state_dict_stay(backbone):
    before = list(backbone.state_dict())
    cfgs = [
        {"at": "stem.0", "type": Scale},
        {"at": "deep", "type": Scale},
        {"at": "deep", "type": Scale, "factor": 1.0},
    ]
    kept = attach_modifiers(backbone, cfgs)
    assert list(backbone.state_dict()) == before
    assert list(kept.state_dict()) == ["stem_0.scale", "deep.scale", "deep_2.scale"]


def test_modifiers_at_one_place_work_in_order(backbone):
    order = []

    class Note(MapModifier):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def modify(self, maps):
            order.append(self.name)
            return maps

    attach_modifiers(backbone, [{"at": "deep", "type": Note, "name": "a"}, {"at": "deep", "type": Note, "name": "b"}])
    backbone(torch.rand(1, 3, 16, 16))
    assert order == ["a", "b"]


def test_train_only_modifiers_are_the_identity_in_eval_mode(backbone):
    images = torch.rand(2, 3, 32, 32)
    backbone.eval()
    plain = backbone(images)["deep"]
    kept = attach_modifiers(backbone, [{"at": "deep", "type": Scale}])
    assert not torch.equal(backbone(images)["deep"], plain)
    kept.eval()
    assert torch.equal(backbone(images)["deep"], plain)
    always = attach_modifiers(backbone, [{"at": "deep", "type": AlwaysScale}])
    always.eval()
    assert torch.allclose(backbone(images)["deep"], 2 * plain)


def test_gradients_flow_through_to_the_modifier_and_the_layers_before(backbone):
    kept = attach_modifiers(backbone, [{"at": "stem", "type": Scale}])
    backbone(torch.rand(2, 3, 32, 32))["deep"].square().mean().backward()
    assert kept["stem"].scale.grad.abs().sum() > 0
    assert backbone.model["stem"][0].weight.grad.abs().sum() > 0


def test_probing_leaves_statistics_modes_and_other_modifiers_alone(backbone):
    first = attach_modifier(backbone, "stem", Scale(4)).modifier
    backbone.model["deep"].eval()
    attach_modifier(backbone, "deep", Scale(6))
    assert first.calls == 0
    assert backbone.model["stem"][1].num_batches_tracked == 0
    assert backbone.training
    assert not backbone.model["deep"].training


def test_a_deep_copy_uses_its_own_modifier(backbone):
    owner = nn.ModuleDict(
        {"backbone": backbone, "modifiers": attach_modifiers(backbone, [{"at": "deep", "type": Scale}])}
    )
    images = torch.rand(1, 3, 32, 32)
    twin = copy.deepcopy(owner)
    with torch.no_grad():
        twin["modifiers"]["deep"].scale.fill_(5.0)
    before = backbone.eval()(images)["deep"]
    assert torch.allclose(twin["backbone"].eval()(images)["deep"] / 5, before / 2)
    assert owner["modifiers"]["deep"].calls == 1
    assert twin["modifiers"]["deep"].calls == 1
    twin["modifiers"].eval()
    assert torch.equal(backbone(images)["deep"], before)


def test_a_compiled_backbone_keeps_its_modifier(backbone):
    backbone.eval()
    attach_modifiers(backbone, [{"at": "deep", "type": DropBlockOfOnes}])
    images = torch.rand(1, 3, 32, 32)
    compiled = torch.compile(backbone, backend="eager")
    torch.testing.assert_close(compiled(images), backbone(images))
    assert bool((compiled(images)["deep"] == 1).all())


class DropBlockOfOnes(MapModifier):
    def modify(self, maps):
        return torch.ones_like(maps)


@pytest.mark.parametrize(
    ("cfg", "error", "words"),
    [
        ({"at": "depe", "type": Scale}, ConfigError, r"TwoLevels has no module 'depe'. Did you mean 'deep'\?"),
        ({"at": "unused", "type": Scale}, ConfigError, r"'unused' is never called as a whole by TwoLevels"),
        ({"at": "split", "type": Scale}, ShapeError, r"behind 'split' needs maps.*gives list"),
        ({"type": Scale}, ConfigError, r"needs at='NAME OF A MODULE', but got"),
        (
            {"at": "deep", "type": Scale, "factr": 1.0},
            ConfigError,
            r"Scale takes no argument 'factr'. Did you mean 'factor'",
        ),
        ({"at": "deep", "type": "NoSuchModifier"}, ConfigError, r"There is no map modifier named 'NoSuchModifier'"),
    ],
)
def test_mistakes_are_explained(backbone, cfg, error, words):
    with pytest.raises(error, match=words):
        attach_modifiers(backbone, [cfg])


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("layr4", r"has no module 'layr4'\. Did you mean 'layer4'\?"),
        ("brunch", r"Did you mean 'branch' or 'one\.branch'\?"),
        ("model.layr4", r"Did you mean 'model\.layer4' or"),
        ("e.conv", r"Did you mean 'one\.conv' or 'model\.conv'\?"),
    ],
)
def test_a_misspelt_name_below_any_child_is_answered_with_the_nearest_that_works(at, words):
    model = nn.ModuleDict({"layer4": nn.ReLU(), "conv": nn.ReLU()})
    parts = nn.ModuleDict({"one": nn.ModuleDict({"branch": nn.ReLU(), "conv": nn.ReLU()}), "model": model})
    with pytest.raises(ConfigError, match=words) as caught:
        find_module(parts, at)
    for name in re.findall(r"'([^']+)'", str(caught.value).partition(". ")[2]):
        find_module(parts, name)


def test_the_names_below_a_single_child_are_offered_once():
    model = nn.ModuleDict({"layer4": nn.ReLU()})
    with pytest.raises(ConfigError, match=r"has no module 'x'\. Known names: 'layer4', 'model'\.$"):
        find_module(nn.ModuleDict({"model": model}), "x")


def test_an_ambiguous_name_is_refused():
    parts = nn.ModuleDict({"one": nn.ModuleDict({"conv": nn.ReLU()}), "two": nn.ModuleDict({"conv": nn.ReLU()})})
    with pytest.raises(ConfigError, match=r"'conv' may mean 'one.conv' or 'two.conv'. Give the full name"):
        find_module(parts, "conv")


def test_a_modifier_that_changes_the_shape_is_refused(backbone):
    class Crop(MapModifier):
        def modify(self, maps):
            return maps[..., 1:]

    attach_modifier(backbone, "deep", Crop())
    with pytest.raises(
        ShapeError, match=r"Crop was given maps that make up \(1, 6, 4, 4\) and returned \(1, 6, 4, 3\)"
    ):
        backbone(torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize(
    ("name", "options", "at", "shape"),
    [
        ("resnet18", {"levels": ["layer2"]}, "layer1", (2, 64, 16, 24)),
        ("mobilenetv2_050", {"levels": ["final"]}, "blocks.3", (2, 32, 4, 6)),
        ("vit_tiny_patch16_224", {"depth": 2}, "blocks.0", (2, 192, 4, 6)),
        ("vit_tiny_patch16_224", {"depth": 2}, "blocks.1.mlp", (2, 192, 4, 6)),
        ("vit_small_patch14_reg4_dinov2", {"depth": 2, "levels": ["blocks.1"]}, "blocks.0", (2, 384, 4, 6)),
        (
            "swin_tiny_patch4_window7_224",
            {"embed_dim": 16, "depths": (1, 1), "num_heads": (2, 2), "levels": ["final"]},
            "layers.0",
            (2, 16, 16, 24),
        ),
    ],
)
@torch.no_grad()
def test_a_modifier_sees_maps_behind_modules_of_timm_models(name, options, at, shape):
    torch.manual_seed(0)
    backbone = TimmBackbone(name, **options).eval()
    cell = 14 if "patch14" in name else 16
    images = torch.rand(2, 3, 4 * cell, 6 * cell)
    plain = list(backbone(images).values())[-1]

    same = attach_modifier(backbone, at, {"type": Scale, "factor": 1.0})
    assert torch.allclose(list(backbone(images).values())[-1], plain, atol=1e-5)
    assert same.modifier.shape == shape
    assert same.channels == shape[1]
    attach_modifier(backbone, at, {"type": Scale, "factor": 0.0})
    assert not torch.allclose(list(backbone(images).values())[-1], plain, atol=1e-3)


@torch.no_grad()
def test_class_and_register_tokens_pass_a_modifier_unchanged():
    torch.manual_seed(0)
    backbone = TimmBackbone("vit_tiny_patch16_224", depth=1).eval()
    attach_modifier(backbone, "blocks.0", {"type": Scale, "factor": 0.0})
    seen = []
    backbone.model.blocks[0].register_forward_hook(lambda module, inputs, output: seen.append(output))
    backbone(torch.rand(1, 3, 32, 48))
    assert seen[0].shape == (1, 1 + 2 * 3, 192)
    assert seen[0][:, 0].abs().sum() > 0
    assert seen[0][:, 1:].abs().sum() == 0


def test_drop_block_runs_behind_a_stage_in_training():
    backbone = TimmBackbone("resnet18", levels=["layer2"])
    kept = attach_modifiers(backbone, [{"at": "layer2", "type": DropBlock, "drop_prob": 0.5, "block_size": 2}])
    zeros = (backbone(torch.rand(2, 3, 64, 64))["layer2"] == 0).float().mean()
    assert zeros > 0.3
    assert 0.3 < kept["layer2"].scalars()["dropped"] < 0.7
