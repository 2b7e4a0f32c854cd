"""CCNN: the gates by loops, the second stage against the first, every head on top, and the report's checkpoints."""

import copy
import inspect
import math
from functools import partial

import pytest
import torch
from torch import nn

from wsolkit import BACKBONES, HEADS, MODELS, CheckpointError, ConfigError, Method, ShapeError, load_plugins
from wsolkit.components import poolings
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.model.attach import attach_modifier
from wsolkit.training.param_groups import group_parameters
from wsolkit_ccnn import AMM, CCNNBackbone, gaussian_gate, report_keys

CONFIGS = [
    "ccnn_resnet50_cub",
    "ccnn_resnet50_cub_moco",
    "ccnn_resnet50_ilsvrc",
    "ccnn_resnet50_ilsvrc_moco",
    "ccnn_resnet50_voc",
    "ccnn_resnet50_voc_moco",
    "ccnn_mobilenetv2_birds50",
    "ccnn_mobilenetv2_voc",
    "ccnn_cam_birds50",
]


# The Gaussian


def gaussian_by_loop(values, normalize):
    """G of a flat list of numbers around their own mean, std with n - 1."""
    mean = sum(values) / len(values)
    std = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    peak = 1 if normalize == "peak" else 1 / (math.sqrt(2 * math.pi) * std)
    return [peak * math.exp(-((value - mean) ** 2) / (2 * std**2)) for value in values]


@pytest.mark.parametrize("normalize", ["density", "peak"])
@pytest.mark.parametrize("stats", ["sample", "batch"])
def test_the_gaussian_by_a_loop(stats, normalize):
    values = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)) * 0.2 + torch.tensor([[0.0], [1.0], [4.0]])
    rows = values.tolist()
    if stats == "sample":
        expected = [gaussian_by_loop(row, normalize) for row in rows]
    else:
        flat = gaussian_by_loop([value for row in rows for value in row], normalize)
        expected = [flat[start : start + 5] for start in (0, 5, 10)]
    torch.testing.assert_close(gaussian_gate(values, stats, normalize), torch.tensor(expected))


def test_the_gaussian_by_hand():
    # mean 2, std sqrt((1 + 0 + 1) / 2) = 1 with n - 1: 1 / sqrt(2 pi) = 0.39894, times exp(-1/2) = 0.24197
    found = gaussian_gate(torch.tensor([[1.0, 2.0, 3.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.24197, 0.39894, 0.24197]]), atol=1e-5, rtol=0)


def test_mean_and_std_take_no_gradient():
    values = torch.tensor([[0.0, 1.0, 5.0]], requires_grad=True)
    gate = gaussian_gate(values)
    gate[0, 0].backward()
    std = math.sqrt(7)  # of 0, 1, 5 around 2
    expected = gate[0, 0].item() * 2 / std**2  # dG/dz = -(z - mean) / std^2 G, at z - mean = -2
    torch.testing.assert_close(values.grad, torch.tensor([[expected, 0.0, 0.0]]))


@pytest.mark.parametrize("normalize", ["density", "peak"])
@pytest.mark.parametrize("stats", ["sample", "batch"])
@pytest.mark.parametrize(
    "values",
    [torch.zeros(2, 3), torch.full((2, 3), 1234.567), torch.tensor([[7.0]]), torch.full((1, 1, 9, 9), -0.1)],
    ids=["zeros", "constant", "single", "map"],
)
def test_where_nothing_differs_the_gate_is_open(values, stats, normalize):
    values = values.clone().requires_grad_()
    gate = gaussian_gate(values, stats, normalize)
    gate.sum().backward()
    assert torch.equal(gate, torch.ones_like(gate))
    assert values.grad.isfinite().all()


# The module


def amm_by_loop(modifier, maps, stats, normalize):
    """Both gates cell by cell, in the order of the listing, for a modifier in eval mode."""
    batch, channels, height, width = maps.shape
    first, second = modifier.mlp[0], modifier.mlp[2]
    scores = []
    for image in range(batch):
        pooled = [maps[image, c].sum().item() / (height * width) for c in range(channels)]
        hidden = [
            max(0.0, sum(first.weight[u, c].item() * pooled[c] for c in range(channels)) + first.bias[u].item())
            for u in range(first.out_features)
        ]
        scores.append(
            [
                sum(second.weight[c, u].item() * hidden[u] for u in range(len(hidden))) + second.bias[c].item()
                for c in range(channels)
            ]
        )
    gates = gaussian_over(scores, stats, normalize)
    gated = maps.clone()
    for image in range(batch):
        for c in range(channels):
            gated[image, c] *= gates[image][c]
    norm, kernel = modifier.norm, modifier.conv.weight[0]
    scores = []
    for image in range(batch):
        row = []
        for y in range(height):
            for x in range(width):
                total = 0.0
                for dy in range(-3, 4):
                    for dx in range(-3, 4):
                        if 0 <= y + dy < height and 0 <= x + dx < width:
                            cell = gated[image, :, y + dy, x + dx]
                            total += kernel[0, dy + 3, dx + 3].item() * cell.max().item()
                            total += kernel[1, dy + 3, dx + 3].item() * cell.mean().item()
                scaled = (total - norm.running_mean.item()) / math.sqrt(norm.running_var.item() + norm.eps)
                row.append(norm.weight.item() * scaled + norm.bias.item())
        scores.append(row)
    gates = torch.tensor(gaussian_over(scores, stats, normalize)).view(batch, 1, height, width)
    return gated * gates


def gaussian_over(rows, stats, normalize):
    if stats == "sample":
        return [gaussian_by_loop(row, normalize) for row in rows]
    flat = gaussian_by_loop([value for row in rows for value in row], normalize)
    size = len(rows[0])
    return [flat[start : start + size] for start in range(0, len(flat), size)]


@pytest.mark.parametrize("normalize", ["density", "peak"])
@pytest.mark.parametrize("stats", ["sample", "batch"])
def test_both_gates_by_loops(stats, normalize):
    torch.manual_seed(0)
    modifier = AMM(4, reduction=2, stats=stats, normalize=normalize).eval()
    with torch.no_grad():
        modifier.norm.weight.fill_(1.5)
        modifier.norm.bias.fill_(-0.3)
        modifier.norm.running_mean.fill_(0.2)
        modifier.norm.running_var.fill_(2.0)
        maps = torch.randn(2, 4, 3, 4)
        torch.testing.assert_close(modifier(maps), amm_by_loop(modifier, maps, stats, normalize), rtol=1e-4, atol=1e-5)


def test_in_training_the_norm_takes_the_batch_s_statistics_and_follows_them_slowly():
    torch.manual_seed(0)
    modifier = AMM(4, stats="batch", normalize="peak")
    maps = torch.randn(3, 4, 5, 5)
    gated = maps * modifier.channel_gate(maps)
    scores = modifier.conv(torch.stack([gated.amax(1), gated.mean(1)], 1))
    expected = torch.exp(-((scores - scores.mean()) ** 2) / (2 * scores.std() ** 2))  # the norm scales both alike
    torch.testing.assert_close(modifier(maps), gated * expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(modifier.norm.running_mean, 0.01 * scores.mean().detach()[None])


@torch.no_grad()
def test_an_image_depends_on_its_batch_with_batch_statistics_only():
    torch.manual_seed(0)
    maps = torch.randn(3, 8, 6, 6) * torch.tensor([0.1, 1.0, 10.0]).view(3, 1, 1, 1)
    alone = AMM(8, stats="sample").eval()
    torch.testing.assert_close(alone(maps)[:1], alone(maps[:1]))
    together = AMM(8, stats="batch").eval()
    together.load_state_dict(alone.state_dict())
    assert not torch.allclose(together(maps)[:1], together(maps[:1]), rtol=0.05)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("stats", ["sample", "batch"])
@pytest.mark.parametrize("shape", [(1, 4, 1, 1), (1, 1, 1, 1), (2, 4, 1, 1), (1, 4, 7, 7)])
def test_nothing_becomes_nan(shape, stats, training):
    modifier = AMM(shape[1], stats=stats).train(training)
    for maps in (torch.zeros(shape), torch.full(shape, 3.0), torch.randn(shape)):
        maps.requires_grad_()
        gated = modifier(maps)
        gated.square().sum().backward()
        assert gated.isfinite().all()
        assert maps.grad.isfinite().all()
        assert all(parameter.grad.isfinite().all() for parameter in modifier.parameters())


def test_in_bf16_the_statistics_are_float32():
    torch.manual_seed(0)
    modifier = AMM(32).eval()
    maps = torch.randn(2, 32, 8, 8).bfloat16()
    seen = []
    modifier.mlp.register_forward_hook(lambda _module, inputs, output: seen.extend([inputs[0].dtype, output.dtype]))
    modifier.norm.register_forward_hook(lambda _module, inputs, output: seen.extend([inputs[0].dtype, output.dtype]))
    with torch.autocast("cpu", torch.bfloat16):
        found = modifier(maps)
    assert seen == [torch.float32] * 4
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), modifier(maps.float()), rtol=0.03, atol=0.03)


def test_it_works_in_evaluation_behind_any_module():
    backbone = TimmBackbone("resnet10t", levels=["layer4"])
    images = torch.rand(1, 3, 64, 64)
    before = backbone.eval()(images)["layer4"]
    attached = attach_modifier(backbone, "layer4", {"type": "AMM"})
    assert attached.modifier.eval().channels == 512
    after = backbone(images)["layer4"]
    torch.testing.assert_close(after, attached.modifier(before))
    assert not torch.allclose(after, before, rtol=0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stats": "image"}, "stats of AMM should be one of 'sample', 'batch', but got 'image'"),
        ({"normalize": "max"}, "normalize of AMM should be one of 'density', 'peak', but got 'max'"),
        ({"eps": 0}, "eps of AMM should be a number above 0, but got 0"),
        ({"reduction": 0}, "reduction of AMM should be a whole number of at least 1, but got 0"),
    ],
)
def test_wrong_settings_are_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        AMM(8, **options)


def test_maps_of_other_channels_are_refused():
    with pytest.raises(ShapeError, match=r"AMM was built for maps of 8 channels.*but got \(2, 4, 3, 3\).*channels=4"):
        AMM(8)(torch.rand(2, 4, 3, 3))


# The backbone

ACTIVE = {"zero_init_last": False}
"""timm's random ResNets begin with branches of zeros, which no gate changes."""


@pytest.fixture(scope="module")
def resnet18():
    torch.manual_seed(0)
    return CCNNBackbone("resnet18", **ACTIVE)


@pytest.mark.parametrize(
    ("name", "options", "third", "fourth", "gates"),
    [
        ("resnet18", {}, 256, 512, 2),
        ("resnet34", {}, 256, 512, 3),
        ("resnet50", {}, 1024, 2048, 3),
        ("resnet101", {}, 1024, 2048, 3),
        ("mobilenetv2_100", {"pad_type": "same"}, 96, 320, 2),
        ("mobilenetv2_100", {"pad_type": "same", "levels": ["final"]}, 96, 1280, 2),
        ("convnext_atto", {}, 160, 320, 2),
        ("regnetx_002", {}, 152, 368, 7),
        ("efficientnet_b0", {}, 112, 320, 3),
    ],
)
def test_the_shapes_of_every_network(name, options, third, fourth, gates):
    backbone = CCNNBackbone(name, **options).eval()
    assert list(backbone.channels.values()) == [third, fourth, fourth, 2 * fourth + third]
    assert list(backbone.channels)[2:] == ["amm", "concat"]
    assert set(backbone.strides.values()) == {16}
    assert len(backbone.amm_stage.gates) == gates
    with torch.no_grad():
        levels = backbone(torch.rand(1, 3, 64, 96))
    assert [level.shape for level in levels.values()] == [(1, c, 4, 6) for c in backbone.channels.values()]


def test_resnet50_gives_the_5120_channels_of_the_report():
    assert CCNNBackbone("resnet50").channels["concat"] == 5120 == 2048 + 2048 + 1024


@pytest.mark.parametrize(
    ("name", "options"),
    [("resnet18", ACTIVE), ("resnet26", ACTIVE), ("mobilenetv2_100", {"levels": ["final"]}), ("regnety_002", ACTIVE)],
)
def test_with_open_gates_the_second_stage_is_the_first(name, options):
    torch.manual_seed(0)
    backbone = CCNNBackbone(name, **options).eval()
    for gate in backbone.amm_stage.gates.values():
        gate.modify = lambda maps: maps
    with torch.no_grad():
        levels = backbone(torch.rand(2, 3, 64, 64))
    fourth = list(levels)[1]
    torch.testing.assert_close(levels["amm"], levels[fourth])


@torch.no_grad()
def test_the_gate_sits_behind_the_last_norm_and_before_the_addition(resnet18):
    images = torch.rand(2, 3, 64, 64)
    resnet18.eval()
    maps = resnet18(images)["layer3"]
    stage = resnet18.amm_stage
    for number, block in enumerate(stage.parts["layer4"]):
        branch = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(maps)))))
        shortcut = maps if block.downsample is None else block.downsample(maps)
        maps = torch.relu(stage.gates[f"layer4_{number}"](branch) + shortcut)
    torch.testing.assert_close(resnet18(images)["amm"], maps)


def note_output(seen, key, _module, _inputs, output):
    seen[key] = output.clone()


def note_input(seen, key, _module, inputs, _output):
    seen[key] = inputs[0].clone()


@torch.no_grad()
def test_the_gate_of_a_bottleneck_and_of_an_inverted_residual():
    for name, part, last in (("resnet26", "layer4", "bn3"), ("mobilenetv2_100", "blocks_5", "bn3")):
        backbone = CCNNBackbone(name).eval()
        seen, inputs = {}, {}
        for key, block in backbone.amm_stage.parts[part].named_children():
            getattr(block, last).register_forward_hook(partial(note_output, seen, key))
        for key, gate in backbone.amm_stage.gates.items():
            gate.register_forward_hook(partial(note_input, inputs, key))
        backbone(torch.rand(1, 3, 64, 64))
        assert inputs
        for key, given in inputs.items():
            assert torch.equal(given, seen[key.removeprefix(f"{part}_")])


def test_blocks_that_add_nothing_get_no_gate():
    backbone = CCNNBackbone("mobilenetv2_100")
    # blocks.5.0 and blocks.6.0 change the number of channels and have no shortcut
    assert list(backbone.amm_stage.gates) == ["blocks_5_1", "blocks_5_2"]


@torch.no_grad()
def test_the_concatenation_is_amm_then_stage_4_then_stage_3(resnet18):
    levels = resnet18.eval()(torch.rand(2, 3, 64, 64))
    assert list(levels) == ["layer3", "layer4", "amm", "concat"]
    amm, fourth, third = levels["concat"].split([512, 512, 256], 1)
    assert torch.equal(amm, levels["amm"])
    assert torch.equal(fourth, levels["layer4"])
    assert torch.equal(third, levels["layer3"])
    assert not torch.allclose(amm, fourth)


@torch.no_grad()
def test_a_finer_stage_3_is_averaged():
    backbone = CCNNBackbone("resnet18", output_stride=32, levels=["layer2"]).eval()
    assert backbone.strides == {"layer2": 8, "layer3": 16, "layer4": 32, "amm": 32, "concat": 32}
    levels = backbone(torch.rand(1, 3, 64, 96))
    third = levels["layer3"]  # (1, 256, 4, 6)
    expected = (third[:, :, ::2, ::2] + third[:, :, 1::2, ::2] + third[:, :, ::2, 1::2] + third[:, :, 1::2, 1::2]) / 4
    torch.testing.assert_close(levels["concat"][:, 1024:], expected)


@torch.no_grad()
def test_the_trunk_is_the_plain_network(tmp_path):
    plain = TimmBackbone("resnet18", levels=["layer3", "layer4"], output_stride=16).eval()
    torch.save(plain.model.state_dict(), tmp_path / "weights.pth")
    backbone = CCNNBackbone("resnet18", weights=tmp_path / "weights.pth").eval()
    images = torch.rand(1, 3, 64, 64)
    for name, level in plain(images).items():
        torch.testing.assert_close(backbone(images)[name], level)


@torch.no_grad()
def test_without_dilation_as_the_report():
    torch.manual_seed(0)
    backbone = CCNNBackbone("resnet26", dilate=False, **ACTIVE).eval()
    images = torch.rand(1, 3, 64, 64)
    plain = TimmBackbone("resnet26", levels=["layer3", "layer4"]).eval()
    plain.model.load_state_dict(backbone.model.state_dict())
    plain.model.layer4[0].conv2.stride = plain.model.layer4[0].downsample[0].stride = (1, 1)
    torch.testing.assert_close(backbone(images)["layer4"], plain(images)["layer4"])
    dilated = CCNNBackbone("resnet26").eval()
    dilated.load_state_dict(backbone.state_dict())
    assert not torch.allclose(dilated(images)["layer4"], backbone(images)["layer4"], rtol=0.01)
    assert all(module.dilation == (1, 1) for module in backbone.amm_stage.modules() if isinstance(module, nn.Conv2d))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18", {}),
        ("mobilenetv2_100", {"levels": ["final"]}),
        ("mobilenetv2_100", {}),
        ("convnext_atto", {}),
        ("regnety_002", {}),
    ],
)
def test_every_parameter_gets_a_gradient(name, options):
    torch.manual_seed(0)
    backbone = CCNNBackbone(name, **options)
    backbone(torch.rand(2, 3, 64, 64))["concat"].square().mean().backward()
    without = [key for key, parameter in backbone.named_parameters() if parameter.grad is None]
    assert without == []
    assert all(parameter.grad.isfinite().all() for parameter in backbone.parameters())


def test_gates_can_be_left_as_the_report_left_them():
    backbone = CCNNBackbone("resnet18", amm={"train_gates": False, "stats": "batch", "normalize": "peak"})
    gates = dict(backbone.amm_stage.gates.named_parameters())
    assert {key for key, parameter in gates.items() if parameter.requires_grad} == {
        "layer4_0.conv.weight",
        "layer4_1.conv.weight",
    }
    assert {gate.stats + gate.normalize for gate in backbone.amm_stage.gates.values()} == {"batchpeak"}
    assert all(parameter.requires_grad for parameter in CCNNBackbone("resnet18").parameters())


@torch.no_grad()
def test_state_dict_and_deep_copy_carry_everything(resnet18):
    images = torch.rand(1, 3, 64, 64)
    resnet18.eval()
    other = CCNNBackbone("resnet18").eval()
    other.load_state_dict(resnet18.state_dict())
    twin = copy.deepcopy(resnet18)
    for backbone in (other, twin):
        assert torch.equal(backbone(images)["concat"], resnet18(images)["concat"])
    before = resnet18(images)["amm"]
    for gate in twin.amm_stage.gates.values():
        gate.conv.weight.zero_()
    assert torch.equal(resnet18(images)["amm"], before)
    assert not torch.equal(twin(images)["amm"], before)


def test_names_in_the_state_dict_are_fixed(resnet18):
    names = set(resnet18.state_dict())
    trunk = {name for name in names if name.startswith("model.")}
    stage = {name.replace("model.", "amm_stage.parts.") for name in trunk if name.startswith("model.layer4.")}
    gate = {
        *(f"mlp.{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")),
        "conv.weight",
        *(f"norm.{kind}" for kind in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")),
    }
    gates = {f"amm_stage.gates.layer4_{block}.{name}" for block in (0, 1) for name in gate}
    assert names == trunk | stage | gates
    plain = TimmBackbone("resnet18", levels=["layer4"]).state_dict()
    assert trunk == set(plain)


@pytest.mark.parametrize("name", ["vgg11", "densenet121", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_networks_without_residual_convolutions_are_refused(name):
    with pytest.raises(
        ConfigError,
        match=rf"timm's {name} has no convolutional block with a residual branch in its last stage .*"
        r"Choose a ResNet, RegNet, ConvNeXt, MobileNetV2 or EfficientNet; or put attention .*type='AMM', at=",
    ):
        CCNNBackbone(name, output_stride=None if name == "vgg11" else 16)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("resnet81", {}, "timm has no model 'resnet81'. Did you mean 'resnet18'"),
        (
            "resnet18",
            {"output_stride": 7},
            "output_stride of CCNNBackbone should be one of 8, 16, 32 or None, but got 7",
        ),
        ("mobilenetv3_small_050", {}, r"cannot be given output_stride=16, its own is 32. Set output_stride=32; CCNN"),
        ("resnet18", {"levels": "layer3"}, r"levels is a list of level names of resnet18, but got 'layer3'"),
        ("resnet18", {"levels": ["layer5"]}, "timm's resnet18 has no level 'layer5'"),
        ("resnet18", {"amm": {"stat": "batch"}}, "AMM takes no argument 'stat'. Did you mean 'stats'"),
        ("mixer_s32_224", {"output_stride": None}, "does more between 'blocks.6' and 'blocks.7' than to run blocks.7"),
        ("xception41", {}, "keeps its last two levels, 'blocks.11.stack.act3' and 'blocks.12', in different modules"),
    ],
)
def test_mistakes_are_explained(name, options, said):
    with pytest.raises(ConfigError, match=said):
        CCNNBackbone(name, **options)


# Weights


def plain_state(prefix=""):
    torch.manual_seed(3)
    model = TimmBackbone("resnet18", levels=["layer4"]).model
    return {prefix + key: value + torch.rand_like(value) if value.is_floating_point() else value
            for key, value in model.state_dict().items()}  # fmt: skip


def assert_both_stages_hold(backbone, state, prefix=""):
    own = backbone.state_dict()
    for key in own:
        if key.startswith("model."):
            assert torch.equal(own[key], state[prefix + key.removeprefix("model.")])
        elif key.startswith("amm_stage.parts."):
            assert torch.equal(own[key], state[prefix + key.removeprefix("amm_stage.parts.")])


def test_a_moco_checkpoint_starts_both_stages(tmp_path):
    state = plain_state("module.encoder_q.")
    queue = {"module.queue": torch.rand(8, 16), "module.encoder_q.fc.0.weight": torch.rand(4, 4)}
    keys = {key.replace("encoder_q", "encoder_k"): torch.rand_like(value.float()) for key, value in state.items()}
    torch.save({"epoch": 200, "arch": "resnet18", "state_dict": {**state, **keys, **queue}}, tmp_path / "moco.pth.tar")
    backbone = CCNNBackbone("resnet18", weights=tmp_path / "moco.pth.tar")
    assert backbone.report.prefix == "module.encoder_q."
    assert backbone.report.missing == ()
    assert "module.queue" in backbone.report.unexpected
    assert_both_stages_hold(backbone, state, "module.encoder_q.")


def test_weights_that_fit_too_little_are_refused(tmp_path):
    state = {f"module.encoder_q.{key}": value for key, value in plain_state().items() if "layer4" not in key}
    torch.save(state, tmp_path / "cut.pth")
    with pytest.raises(CheckpointError, match=r"cut\.pth fits ResNet too little: .* min_match asks for 90%"):
        CCNNBackbone("resnet18", weights=tmp_path / "cut.pth")
    assert CCNNBackbone("resnet18", weights=tmp_path / "cut.pth", min_match=0.5).report.ratio < 0.9


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_a_trained_ccnn_loads_whole(tmp_path, prefix):
    torch.manual_seed(1)
    trained = CCNNBackbone("resnet18")
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(torch.rand_like(parameter))
    state = {prefix + key: value for key, value in trained.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "last.pth")
    loaded = CCNNBackbone("resnet18", weights=tmp_path / "last.pth")
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, trained.state_dict()[key]), key


def report_state(prefix="", first="resnet50", second="resnet50_2", blocks=2):
    """A checkpoint by the listing: two networks with classifiers, and the aliases that share their tensors."""
    torch.manual_seed(4)
    state, width = {}, 512
    for network in (first, second):
        state.update({f"{network}.{key}": torch.rand_like(value.float()) for key, value in plain_state().items()})
        state[f"{network}.fc.weight"], state[f"{network}.fc.bias"] = torch.rand(1000, width), torch.rand(1000)
    for block in range(blocks):
        gate = f"{second}.layer4.{block}.amm."
        state[gate + "ChannelAMM.mlp.1.weight"] = torch.rand(width // 16, width)
        state[gate + "ChannelAMM.mlp.1.bias"] = torch.rand(width // 16)
        state[gate + "ChannelAMM.mlp.3.weight"] = torch.rand(width, width // 16)
        state[gate + "ChannelAMM.mlp.3.bias"] = torch.rand(width)
        state[gate + "SpatialAMM.spatial.conv.weight"] = torch.rand(1, 2, 7, 7)
        for name in ("weight", "bias", "running_mean", "running_var"):
            state[gate + f"SpatialAMM.spatial.bn.{name}"] = torch.rand(1)
        state[gate + "SpatialAMM.spatial.bn.num_batches_tracked"] = torch.tensor(5)
    for key in list(state):
        network, _, rest = key.partition(".")
        if rest.startswith("layer"):
            stage = "stage2_" if network == second else "stage"
            state[f"{stage}{rest[5]}.0.{rest[7:]}"] = state[key]
        elif network == first and rest.startswith(("conv1", "bn1")):
            state[rest] = state[key]
    return {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize("prefix", ["", "module.backbone."])
@pytest.mark.parametrize("second", ["resnet50_2", "resnet50amm"])
def test_a_checkpoint_of_the_report_s_code_loads_whole(tmp_path, prefix, second):
    state = report_state(prefix, second=second)
    state["module.ac_head.activation_head.weight"] = torch.rand(1, 1280, 3, 3)
    torch.save({"state_dict": state, "epoch": 10, "Flag": True}, tmp_path / "report.pth")
    backbone = CCNNBackbone("resnet18", dilate=False, weights=tmp_path / "report.pth")
    assert backbone.report.ratio == 1
    assert backbone.report.unexpected == ()
    own = backbone.state_dict()
    for ours, theirs in {
        "model.conv1.weight": "resnet50.conv1.weight",
        "model.layer3.1.bn2.running_var": "resnet50.layer3.1.bn2.running_var",
        "model.layer4.0.downsample.0.weight": "resnet50.layer4.0.downsample.0.weight",
        "amm_stage.parts.layer4.0.downsample.0.weight": f"{second}.layer4.0.downsample.0.weight",
        "amm_stage.parts.layer4.1.conv2.weight": f"{second}.layer4.1.conv2.weight",
        "amm_stage.gates.layer4_0.mlp.0.weight": f"{second}.layer4.0.amm.ChannelAMM.mlp.1.weight",
        "amm_stage.gates.layer4_1.mlp.2.bias": f"{second}.layer4.1.amm.ChannelAMM.mlp.3.bias",
        "amm_stage.gates.layer4_1.conv.weight": f"{second}.layer4.1.amm.SpatialAMM.spatial.conv.weight",
        "amm_stage.gates.layer4_0.norm.running_mean": f"{second}.layer4.0.amm.SpatialAMM.spatial.bn.running_mean",
    }.items():
        assert torch.equal(own[ours], state[prefix + theirs]), ours
    assert len(report_keys(state)) == len(own)


def test_other_layouts_are_not_taken_for_the_report_s():
    with pytest.raises(CheckpointError, match=r"no '\*\.layer4\.0\.amm\.ChannelAMM\.\*'.*begins with 'conv1\.weight'"):
        report_keys(plain_state())
    half = {key: value for key, value in report_state().items() if key.startswith("resnet50_2.")}
    with pytest.raises(CheckpointError, match=r"second network, resnet50_2\.\*, but not its first, resnet50\.\*"):
        report_keys(half)


# Under every head


def localizer(head, losses=("CrossEntropy",), **options):
    return MODELS.build(
        {
            "type": "Localizer",
            "backbone": {"type": "CCNNBackbone", "name": "resnet18"},
            "head": head,
            "losses": [{"type": loss} for loss in losses],
            **options,
        }
    )


def one_step(model, labels):
    """Train on a tiny batch, check that every trained parameter moved or may move, then predict."""
    data = {
        "inputs": torch.randint(0, 256, (len(labels), 3, 64, 64), dtype=torch.uint8),
        "labels": labels,
        "image_ids": [str(number) for number in range(len(labels))],
    }
    model.train()
    batch = model.data_preprocessor(data, True)
    loss, _ = model.parse_losses(model(**batch, mode="loss"))
    loss.backward()
    assert loss.isfinite()
    without = [name for name, value in model.named_parameters() if value.requires_grad and value.grad is None]
    assert without == []
    assert all(value.grad.isfinite().all() for value in model.parameters() if value.grad is not None)
    with torch.no_grad():
        for value in model.parameters():
            if value.grad is not None:
                value -= 1e-4 * value.grad
    model.eval()
    predictions = model(**model.data_preprocessor(data, False), mode="predict")
    assert len(predictions) == len(labels)
    for prediction in predictions:
        assert prediction.maps.shape[1:] == (64, 64)
        assert 0 <= prediction.maps.min() <= prediction.maps.max() <= 1
    assert model.boxes(predictions[0].maps[0]).boxes.shape[1] == 4


POOLINGS_OF_THE_CORE = [name for name in poolings.__all__ if inspect.isclass(getattr(poolings, name))]


@pytest.mark.parametrize(
    "head",
    [
        {"type": "LinearHead"},
        {"type": "CAMHead"},
        {"type": "CAMHead", "form": "conv"},
        *({"type": "ConvHead", "maps_per_class": 2, "pooling": {"type": name}} for name in POOLINGS_OF_THE_CORE),
        *({"type": "LinearHead", "pooling": {"type": name}} for name in POOLINGS_OF_THE_CORE),
    ],
    ids=str,
)
def test_one_step_under_every_head_and_pooling(head):
    torch.manual_seed(0)
    model = localizer({**head, "num_classes": 3})
    assert model.head.level == "concat"
    assert model.head.classifier.weight.shape[1] == 1280
    one_step(model, torch.tensor([0, 2]))


def test_another_level_can_be_read():
    model = localizer({"type": "LinearHead", "num_classes": 3, "level": "amm"})
    assert model.head.classifier.in_features == 512


def test_frozen_modules_are_found_by_the_names_of_the_trunk():
    model = localizer({"type": "LinearHead", "num_classes": 3}, freeze=["conv1", "bn1", "layer1", "layer4"])
    frozen = {name.split(".")[2] for name, value in model.named_parameters() if not value.requires_grad}
    assert frozen == {"conv1", "bn1", "layer1", "layer4"}
    assert all(value.requires_grad for value in model.backbone.amm_stage.parameters())
    groups = group_parameters(model, 0.1, None, {"backbone": 0.1, "backbone.amm_stage.gates": 1.0}, {})
    gates = {id(value) for value in model.backbone.amm_stage.gates.parameters()}
    (fast,) = [group for group in groups if "lr" not in group]
    assert gates < {id(value) for value in fast["params"]}
    assert not any(id(value) in gates for group in groups if "lr" in group for value in group["params"])


def test_modifiers_at_the_trunk_s_modules():
    model = localizer(
        {"type": "LinearHead", "num_classes": 3}, modifiers=[{"type": "DropBlock", "at": "layer4", "block_size": 3}]
    )
    one_step(model, torch.tensor([1, 2]))


@pytest.mark.slow
def test_bf16_and_channels_last():
    torch.manual_seed(0)
    plain = localizer({"type": "LinearHead", "num_classes": 3}, precision="fp32", channels_last=False).eval()
    images = torch.rand(2, 3, 64, 64)
    expected = plain.activate(images).features.detach()
    for options in (
        {"precision": "fp32"},
        {"precision": "bf16"},
    ):
        model = localizer({"type": "LinearHead", "num_classes": 3}, **options)
        model.load_state_dict(plain.state_dict())
        found = model.eval().activate(images).features.float()
        error = (found - expected).norm() / expected.norm()
        assert error < (0.05 if options["precision"] == "bf16" else 1e-4), options
        one_step(model, torch.tensor([0, 1]))


# The configurations and the method


def test_configs_in_sub_folders_are_found_by_name():
    files = config_files()
    assert files["ccnn_cam_birds50"].parent.name == "mix"
    config = load_config("ccnn_cam_birds50", {"weights": None})
    assert config.model.head.type == "CAMHead"
    assert config.train_dataloader.dataset.type == "WsolMetadata"


@pytest.mark.parametrize("name", [name for name in CONFIGS if not name.endswith(("_moco", "_ilsvrc", "resnet50_voc"))])
def test_every_config_builds_and_takes_a_step(name):
    """Networks of the configurations, on images of 64 x 64 without weights."""
    torch.manual_seed(0)
    config = load_config(name, {"weights": None})
    model_config = copy.deepcopy(config.model)
    assert model_config.backbone.type == "CCNNBackbone"
    if "num_classes" in HEADS.get(model_config.head.type).__init__.__annotations__:
        model_config.head.num_classes = 4
    if model_config.cam_method and model_config.cam_method.type == "MultiScaleMaps":
        model_config.cam_method.scales = (1.0,)
    for loss in model_config.losses:
        loss.pop("batch_size", None)
    model = MODELS.build(model_config)
    channels = 5120 if "resnet50" in name else 2656
    assert model.backbone.channels["concat"] == channels
    paramwise = config.optim_wrapper.paramwise_cfg
    group_parameters(model, config.optim_wrapper.optimizer.lr, 1e-4, paramwise.lr_mult, paramwise.get("decay_mult", {}))
    one_step(model, torch.tensor([0, 3]))


@pytest.mark.parametrize("name", [name for name in CONFIGS if "resnet50" in name])
def test_the_report_s_settings(name):
    config = load_config(name, {"weights": "file.pth"})
    assert config.model.backbone.weights == "file.pth"
    assert config.optim_wrapper.optimizer.lr == 1e-4
    (loss,) = config.model.losses
    alphas = {"cub": 0.05, "ilsvrc": 0.05, "voc": 0.25, "cub_moco": 0.75, "ilsvrc_moco": 0.05, "voc_moco": 0.25}
    assert loss.alpha == alphas[name.removeprefix("ccnn_resnet50_")]
    if "cub" in name:
        assert (config.train_dataloader.batch_size, config.train_cfg.max_epochs) == (16, 10)


def test_the_components_and_the_method_are_found():
    assert BACKBONES.get("CCNNBackbone") is CCNNBackbone
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "CCNN"]
    assert isinstance(found, Method)
    assert source.plugin == "ccnn"
    assert set(found.configs) == set(CONFIGS)
    assert set(found.configs) <= set(config_files())
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.2f}" in card, f"the card lacks {value}"
