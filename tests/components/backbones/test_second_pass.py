"""The rest of a backbone, run again from a level: what the first pass gave, by the modules after the level alone."""

import pytest
import torch
from torch import nn

from wsolkit.components.backbones.inception import InceptionV3
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.components.backbones.vgg_gap import VGG16GAP
from wsolkit.errors import ConfigError, ShapeError
from wsolkit.interfaces import ActivationHead, Backbone, KnownLevels, Levels, MapModifier
from wsolkit.interfaces.tensors import Activation
from wsolkit.model.folded import fold_norms, folded_pairs
from wsolkit.model.localizer import Localizer

NETWORKS = {
    "resnet10t": ({}, 64, "layer3", ["layer4"]),
    "vgg11": ({"mlp_ratio": 0.001}, 32, "features.14", [f"features.{number}" for number in range(15, 21)]),
    "tf_efficientnet_lite0": ({}, 64, "blocks.5", ["blocks.6", "conv_head", "bn2"]),
    "mobilenetv3_small_050": ({"levels": ["bn1", "blocks.5"]}, 64, "blocks.3", ["blocks.4", "blocks.5"]),
    "densenet121": ({"growth_rate": 4}, 64, "features.denseblock3", None),
    "convnext_atto": ({"output_stride": 16}, 64, "stages.2", ["stages.3"]),
    "regnetx_002": ({"levels": ["s2", "s4"]}, 64, "s2", ["s3", "s4"]),
    "swin_s3_tiny_224": ({"img_size": 64, "depths": (1, 1, 1, 1), "window_size": 2}, 64, "layers.1", None),
    "deit_tiny_patch16_224": (
        {"levels": ["blocks.1", "blocks.3", "final"], "depth": 4, "class_token": False, "global_pool": "avg"},
        64,
        "blocks.1",
        ["blocks.2", "blocks.3"],
    ),
    "vgg16gap": (VGG16GAP, 32, "block4", ["pool4", "conv5_1", "conv5_2", "conv5_3", "conv6"]),
    "inception": (InceptionV3, 80, "mixed_6b", ["Mixed_6c", "Mixed_6d", "Mixed_6e", "conv_extra"]),
}


def network(name):
    made, side, level, after = NETWORKS[name]
    torch.manual_seed(0)
    if isinstance(made, dict):
        return TimmBackbone(name, **made).eval(), side, level, after
    return made(extra_channels=4).eval(), side, level, after


def called(backbone):
    """Note the names of the modules that run, those inside others left out."""
    names, inside = [], []
    modules = {module: name for name, module in backbone.named_modules() if name not in ("", "model")}

    def before(module, _inputs):
        if not inside:
            names.append(modules[module])
        inside.append(module)

    def after(_module, _inputs, _output):
        inside.pop()

    for module in modules:
        module.register_forward_pre_hook(before)
        module.register_forward_hook(after)
    return names


@pytest.mark.parametrize("name", NETWORKS)
def test_a_second_pass_gives_what_the_first_gave_by_the_later_modules_alone(name):
    backbone, side, level, after = network(name)
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        whole = backbone(images)
        early = backbone.run_to(level, images)
        ran = called(backbone)
        again = backbone.run_from(level, early[level], early)
    prefix = "model." if isinstance(backbone, TimmBackbone) else ""
    assert ran == backbone.modules_after(level)
    assert after is None or ran == [prefix + each for each in after]
    assert [*(each for each in early if each != level), *again] == list(whole)
    for each, wanted in whole.items():
        torch.testing.assert_close({**early, **again}[each], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("level", ["bn1", "layer3"])  # a rectifier in place follows the first
def test_gradients_reach_the_maps_and_maps_are_not_written_to(level):
    backbone, side, _, _ = network("resnet10t")
    first = backbone(images := torch.randn(2, 3, side, side))
    maps = (2 * backbone.run_to(level, images)[level]).detach().requires_grad_()
    before = maps.detach().clone()
    again = backbone.run_from(level, maps, first)
    again["layer4"][0].sum().backward()
    assert float(maps.grad[0].abs().sum()) > 0
    assert not maps.grad[1].any()
    assert torch.equal(maps, before)
    assert not torch.equal(again["layer4"], first["layer4"])
    assert backbone.run_from(level, maps[:1], first)["layer4"].shape[0] == 1


def test_channels_last_and_folded_norms_stay():
    backbone, side, level, _ = network("tf_efficientnet_lite0")
    images = torch.randn(2, 3, side, side).to(memory_format=torch.channels_last)
    with torch.no_grad():
        plain = backbone(images)
        fold_norms(backbone.to(memory_format=torch.channels_last), images)
        assert len(folded_pairs(backbone)) > 40
        early = backbone.run_to(level, images)
        again = backbone.run_from(level, early[level], early)
    assert again["final"].is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(again["final"], plain["final"], atol=1e-4, rtol=1e-4)


class OnePiece(Backbone):
    def __init__(self):
        super().__init__()
        self.channels, self.strides = {"deep": 3}, {"deep": 1}

    def forward(self, images):
        return {"deep": images}


class Sums(TimmBackbone):
    def forward(self, images):
        return {"sum": sum(level.mean() for level in super().forward(images).values())}


def test_what_cannot_be_run_in_parts_is_refused_in_words():
    images = torch.zeros(1, 3, 64, 64)
    with pytest.raises(ConfigError, match=r"OnePiece cannot be run in parts, .*begin at its 'deep'"):
        OnePiece().run_from("deep", images, {})
    with pytest.raises(ConfigError, match=r"Sums \(resnet10t\) cannot be run in parts"):
        Sums("resnet10t").modules_after("layer3")
    backbone, _, _, _ = network("resnet10t")
    with pytest.raises(ConfigError, match=r"timm's resnet10t cannot be run again from 'layer9'.*Did you mean 'layer"):
        backbone.run_to("layer9", images)
    token = TimmBackbone("deit_tiny_patch16_224", levels=["blocks.0", "blocks.1"], depth=2)
    first = token(torch.zeros(2, 3, 32, 32))
    with pytest.raises(
        ConfigError, match=r"has 1 token\(s\) before the cells of 'blocks.0', which a second pass needs"
    ):
        token.run_from("blocks.0", first["blocks.0"], first)
    early = token.run_to("blocks.0", torch.zeros(2, 3, 32, 32))
    with pytest.raises(ShapeError, match="goes on with the 1 token.s. of the first one, of 2 images, but got maps"):
        token.run_from("blocks.0", early["blocks.0"][:1], early)
    torch.testing.assert_close(token.run_from("blocks.0", early["blocks.0"], early)["blocks.1"], first["blocks.1"])


def test_the_module_that_makes_a_level():
    for name, level, maker in [
        ("tf_efficientnet_lite0", "final", "model.bn2"),
        ("resnet10t", "layer4", "model.layer4"),
        ("vgg16gap", "block4", "conv4_3"),
        ("deit_tiny_patch16_224", "final", "model.blocks.3"),  # its norm passes on what it is given
    ]:
        assert network(name)[0].module_of(level) == maker
    assert Sums("resnet10t").module_of("layer3") == "model.layer3"
    with pytest.raises(ConfigError, match=r"has no module 'deep'.*\(No module alone is known to make the level 'deep'"):
        OnePiece().module_of("deep")


class Doubled(MapModifier):
    train_only = False

    def modify(self, maps):
        self.note(seen=1.0)
        return 2 * maps


class Twice(ActivationHead):
    """Maps of the first pass and of one from ``layer3`` with half of the maps erased."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, levels, batch=None):
        erased = levels["layer3"] * 0.5
        again = levels.run_from("layer3", erased)
        return Activation(
            levels["layer4"] * self.weight, levels["layer4"].mean((2, 3)), extras={"again": again["layer4"]}
        )


def localizer(**options):
    torch.manual_seed(0)
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer3", "layer4"]},
        head={"type": Twice},
        **{"precision": "fp32", **options},
    )


@pytest.mark.parametrize("options", [{}, {"precision": "bf16"}])
def test_a_head_runs_the_backbone_again_in_training_and_evaluation(options):
    model = localizer(modifiers=[{"type": Doubled, "at": "layer4"}], **options)
    images = torch.randn(2, 3, 64, 64)
    for training in (True, False):
        model.train(training)
        with torch.set_grad_enabled(training):
            found = model.activate(images)
        if training:
            found.extras["again"].float().sum().backward()
            assert float(model.backbone.model.conv1[0].weight.grad.abs().sum()) > 0
    with torch.no_grad():
        levels = model.levels_of(images)
        again = levels.run_from("layer3", levels["layer3"])
        model.backbone.model.layer4._forward_hooks.clear()  # takes the modifier away
        bare = model.levels_of(images)
    for found in (levels, again):
        torch.testing.assert_close(found["layer4"].float(), 2 * bare["layer4"].float(), atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("learns", [True, False])
def test_running_statistics_are_those_of_the_first_pass_alone(learns):
    model = localizer().train()
    levels = model.levels_of(torch.randn(2, 3, 64, 64))
    before = {name: each.clone() for name, each in model.backbone.named_buffers()}
    again = levels.run_from("layer3", levels["layer3"], learns=learns)
    torch.testing.assert_close(again["layer4"], levels["layer4"])  # normalised by the batch, as the first
    changed = [name for name, each in model.backbone.named_buffers() if not torch.equal(each, before[name])]
    assert changed == []
    model.levels_of(torch.randn(2, 3, 64, 64))
    assert any(not torch.equal(each, before[name]) for name, each in model.backbone.named_buffers())


def test_known_levels_go_on_from_their_place_and_again():
    model = localizer().eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        first = model.activate(images)
        levels = model.levels_of(images)
        whole = model.activate(KnownLevels(levels, (64, 64)))
        early = model.activate(KnownLevels(model.levels_to("layer2", images), (64, 64), place="layer2"))
    for found in (whole, early):
        torch.testing.assert_close(found.maps, first.maps, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.extras["again"], first.extras["again"], atol=1e-5, rtol=1e-4)


def test_levels_say_what_they_cannot():
    levels = Levels({"a": torch.zeros(1, 2, 3, 3)}, lambda name, maps, *_: {name: maps})
    with pytest.raises(ConfigError, match="begins at one of the levels the backbone gives, but got 'b'"):
        levels.run_from("b", levels["a"])
    with pytest.raises(ShapeError, match=r"from 'a' should be \(B, 2, h, w\), but got \(1, 5, 3, 3\)"):
        levels.run_from("a", torch.zeros(1, 5, 3, 3))
    with pytest.raises(ConfigError, match="came without the backbone that made them"):
        Levels(levels).run_from("a", levels["a"])


def test_a_modifier_behind_a_module_that_would_run_in_part_is_refused():
    backbone = TimmBackbone("resnet18", levels=["layer3", "layer4"]).eval()
    early = backbone.run_to("layer3.0", torch.zeros(1, 3, 64, 64))
    assert backbone.modules_after("layer3.0") == ["model.layer3.1", "model.layer4"]
    backbone.model.layer3.register_forward_hook(lambda _module, _inputs, output: output)
    with pytest.raises(ConfigError, match="sits behind 'layer3' of timm's resnet18, of which a second pass from"):
        backbone.run_from("layer3.0", early["layer3.0"], early)
