import os
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file

from wsolkit.components.backbones.timm_backbone import TimmBackbone, as_map
from wsolkit.errors import CheckpointError, ConfigError, ShapeError

# name, options, (height, width) of the input, levels with (channels, stride, height, width)
TABLE = [
    ("resnet18", {}, (96, 160), {
        "act1": (64, 2, 48, 80), "layer1": (64, 4, 24, 40), "layer2": (128, 8, 12, 20),
        "layer3": (256, 16, 6, 10), "layer4": (512, 32, 3, 5)}),
    ("resnet50", {"output_stride": 16, "levels": ["layer4", "layer3"]}, (224, 224), {
        "layer3": (1024, 16, 14, 14), "layer4": (2048, 16, 14, 14)}),
    ("resnet50", {"output_stride": 8, "levels": ["layer3", "layer4"]}, (224, 224), {
        "layer3": (1024, 8, 28, 28), "layer4": (2048, 8, 28, 28)}),
    ("mobilenetv2_100", {"pad_type": "same", "output_stride": 16, "levels": ["final"]}, (224, 224), {
        "final": (1280, 16, 14, 14)}),
    ("mobilenetv2_100", {}, (96, 160), {
        "blocks.0": (16, 2, 48, 80), "blocks.1": (24, 4, 24, 40), "blocks.2": (32, 8, 12, 20),
        "blocks.4": (96, 16, 6, 10), "blocks.6": (320, 32, 3, 5), "final": (1280, 32, 3, 5)}),
    ("mobilenetv3_small_100", {"levels": ["blocks.3", "blocks.5"]}, (96, 160), {
        "blocks.3": (48, 16, 6, 10), "blocks.5": (576, 32, 3, 5)}),
    ("efficientnet_b0", {"output_stride": 8, "levels": ["blocks.4", "blocks.6", "final"]}, (64, 96), {
        "blocks.4": (112, 8, 8, 12), "blocks.6": (320, 8, 8, 12), "final": (1280, 8, 8, 12)}),
    ("densenet121", {"levels": ["features.denseblock3", "features.norm5"]}, (96, 160), {
        "features.denseblock3": (1024, 16, 6, 10), "features.norm5": (1024, 32, 3, 5)}),
    ("convnext_atto", {"output_stride": 16}, (96, 160), {
        "stages.0": (40, 4, 24, 40), "stages.1": (80, 8, 12, 20), "stages.2": (160, 16, 6, 10),
        "stages.3": (320, 16, 6, 10)}),
    ("regnety_002", {"output_stride": 8, "levels": ["s3", "s4"]}, (96, 160), {
        "s3": (152, 8, 12, 20), "s4": (368, 8, 12, 20)}),
    ("vgg16_bn", {"levels": ["features.32", "features.42"]}, (224, 224), {
        "features.32": (512, 8, 28, 28), "features.42": (512, 16, 14, 14)}),
    ("inception_v3", {"levels": ["Mixed_5d", "Mixed_6e"]}, (299, 299), {
        "Mixed_5d": (288, 8, 35, 35), "Mixed_6e": (768, 16, 17, 17)}),
    ("vit_tiny_patch16_224", {}, (96, 160), {"final": (192, 16, 6, 10)}),
    ("vit_tiny_patch16_224", {"levels": ["blocks.8", "blocks.11"], "output_stride": 16}, (224, 224), {
        "blocks.8": (192, 16, 14, 14), "blocks.11": (192, 16, 14, 14)}),
    ("deit_tiny_distilled_patch16_224", {}, (96, 160), {"final": (192, 16, 6, 10)}),
    ("vit_small_patch14_reg4_dinov2", {}, (112, 168), {"final": (384, 14, 8, 12)}),
    ("swin_tiny_patch4_window7_224", {}, (96, 160), {
        "layers.0": (96, 4, 24, 40), "layers.1": (192, 8, 12, 20), "layers.2": (384, 16, 6, 10),
        "layers.3": (768, 32, 3, 5), "final": (768, 32, 3, 5)}),
    ("maxvit_rmlp_pico_rw_256", {"levels": ["stages.2", "stages.3"]}, (256, 256), {
        "stages.2": (128, 16, 16, 16), "stages.3": (256, 32, 8, 8)}),
    ("mobilevit_xxs", {"output_stride": 16, "levels": ["stages.3", "final_conv"]}, (96, 160), {
        "stages.3": (64, 16, 6, 10), "final_conv": (320, 16, 6, 10)}),
    ("pvt_v2_b0", {"levels": ["stages.3"]}, (96, 160), {"stages.3": (256, 32, 3, 5)}),
    ("hrnet_w18_small", {"levels": ["stage4", "final"]}, (96, 160), {
        "stage4": (1024, 32, 3, 5), "final": (2048, 32, 3, 5)}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "size", "levels"), TABLE, ids=[f"{row[0]}-{i}" for i, row in enumerate(TABLE)]
)
@torch.no_grad()
def test_levels_have_the_sizes_written_down(name, options, size, levels):
    with torch.device("meta"):
        backbone = TimmBackbone(name, **options)
        found = backbone(torch.zeros(2, 3, *size))

    assert {level: tuple(maps.shape) for level, maps in found.items()} == {
        level: (2, channels, height, width) for level, (channels, _, height, width) in levels.items()
    }
    assert list(found) == list(levels) == list(backbone.channels) == list(backbone.strides)
    assert backbone.channels == {level: row[0] for level, row in levels.items()}
    assert backbone.strides == {level: row[1] for level, row in levels.items()}


@pytest.fixture(scope="module")
def vit():
    torch.manual_seed(0)
    return TimmBackbone("vit_tiny_patch16_224", depth=2, levels=["blocks.0", "final"]).eval()


@torch.no_grad()
def test_tokens_become_the_map_they_stand_for(vit):
    images = torch.rand(2, 3, 48, 80)
    tokens = vit.model.forward_features(images)

    maps = vit(images)["final"]

    assert maps.shape == (2, 192, 3, 5)
    for row in range(3):
        for column in range(5):
            assert torch.equal(maps[:, :, row, column], tokens[:, 1 + row * 5 + column])


@torch.no_grad()
def test_channels_last_models_give_channels_first():
    options = {"embed_dim": 16, "depths": (1, 1), "num_heads": (2, 2)}
    backbone = TimmBackbone("swin_tiny_patch4_window7_224", **options).eval()
    images = torch.rand(1, 3, 56, 84)

    levels = backbone(images)

    assert list(levels) == ["layers.0", "layers.1", "final"]
    assert levels["final"].shape == (1, 32, 7, 11)
    assert torch.equal(levels["final"].permute(0, 2, 3, 1), backbone.model.forward_features(images))


@torch.no_grad()
def test_a_grid_of_tokens_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"\(1, 3, 8\) are no map of 2 x 3 cells"):
        as_map(torch.zeros(1, 3, 8), torch.zeros(1, 8, 2, 3))


def test_layers_below_the_last_level_are_cut_off():
    short = TimmBackbone("resnet18", levels=["layer2"])
    assert not list(short.model.layer3.parameters())
    levels = short(torch.rand(1, 3, 32, 32))
    levels["layer2"].sum().backward()
    assert all(parameter.grad is not None for parameter in short.parameters())


def test_building_leaves_the_model_in_training_mode_and_its_statistics_alone():
    backbone = TimmBackbone("resnet18", levels=["layer1"])
    assert all(module.training for module in backbone.modules())
    assert backbone.model.bn1.num_batches_tracked == 0


def test_runs_under_autocast_and_channels_last():
    backbone = TimmBackbone("resnet18", levels=["layer4"]).to(memory_format=torch.channels_last)
    images = torch.rand(2, 3, 64, 64).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        maps = backbone(images)["layer4"]
    assert maps.dtype == torch.bfloat16
    assert maps.is_contiguous(memory_format=torch.channels_last)
    maps.float().mean().backward()
    assert backbone.model.conv1.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("resnet19", {}, r"timm has no model 'resnet19'. Did you mean '.*resnet18'"),
        ("resnet18", {"levels": ["layer5"]}, r"resnet18 has no level 'layer5'.*Did you mean 'layer"),
        (
            "resnet18",
            {"levels": "layer4"},
            r"^levels is a list of names of levels of timm's resnet18, but got 'layer4'\. Write \['layer4'\]\.$",
        ),
        (
            "resnet18",
            {"levels": "layr4"},
            r"^levels is a list of names.*but got 'layr4'\. Write \[NAME, \.\.\.\]\. Did you mean 'layer4' or",
        ),
        ("resnet18", {"levels": []}, r"levels is a list of one or more names"),
        (
            "resnet18",
            {"output_stride": 12},
            "output_stride of TimmBackbone should be one of 8, 16, 32 or None, but got 12",
        ),
        ("resnet18", {"pad_typo": "same"}, r"resnet18 cannot be built with pad_typo='same': .*unexpected.*pad_typo"),
        (
            "vgg11",
            {"output_stride": 16},
            r"vgg11 cannot be given output_stride=16, its own is 32. Its level 'features.*",
        ),
        (
            "vit_tiny_patch16_224",
            {"output_stride": 8, "depth": 1},
            r"cannot be given output_stride=8, its own is 16. Mod",
        ),
        ("crossvit_tiny_240", {}, r"CrossVit gives .*not one map per level.*several streams"),
        ("resnet18", {"pretrained": True, "weights": "a.pth"}, r"either pretrained=True or weights='a.pth'"),
    ],
)
def test_what_timm_cannot_do_is_said_in_words(name, options, words):
    with torch.device("meta"), pytest.raises(ConfigError, match=words):
        TimmBackbone(name, **options)


def test_image_sizes_a_model_cannot_take_are_said_in_words(vit):
    with pytest.raises(ShapeError, match=r"cells of 16 x 16 pixels, but got 40 x 64.*dynamic_img_pad=True"):
        vit(torch.zeros(1, 3, 40, 64))
    with torch.device("meta"):
        fixed = TimmBackbone("maxvit_rmlp_pico_rw_256", img_size=(128, 160), levels=["stages.3"])
        assert fixed(torch.zeros(1, 3, 128, 160))["stages.3"].shape == (1, 256, 4, 5)
        with pytest.raises(
            ShapeError, match=r"128 x 160 pixels \(height x width\) only, but got 96 x 96. Set img_size"
        ):
            fixed(torch.zeros(1, 3, 96, 96))


def test_a_timm_too_old_for_a_model_is_named(monkeypatch):
    monkeypatch.delattr(timm.models.resnet.ResNet, "forward_intermediates")
    with torch.device("meta"), pytest.raises(ConfigError, match=rf"timm {timm.__version__} cannot give .*newer timm"):
        TimmBackbone("resnet18")


def test_a_failed_download_is_a_checkpoint_error(monkeypatch):
    def create_model(name, pretrained, **options):
        raise ConnectionError("name resolution failed")

    monkeypatch.setattr(timm, "create_model", create_model)
    with pytest.raises(CheckpointError, match=r"timm's resnet18 could not be downloaded.*weights=PATH"):
        TimmBackbone("resnet18", weights="timm")


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenetv3_small_050", "regnety_002", "convnext_atto", "vit_tiny_patch16_224"]
)
@torch.no_grad()
def test_a_real_timm_state_dict_fits_whole(tmp_path, name):
    torch.manual_seed(0)
    model = timm.create_model(name).eval()
    torch.save(model.state_dict(), tmp_path / "timm.pth")

    backbone = TimmBackbone(name, weights=tmp_path / "timm.pth").eval()

    assert backbone.report.ratio == 1
    assert backbone.report.missing == backbone.report.mismatched == ()
    assert all(key.split(".")[0] in ("fc", "head", "classifier", "conv_head") for key in backbone.report.unexpected)
    images = torch.rand(1, 3, 64, 64) if "vit" not in name else torch.rand(1, 3, 224, 224)
    expected = model.forward_features(images)
    if expected.ndim == 3:
        expected = expected[:, 1:].transpose(1, 2).unflatten(2, (14, 14))
    assert torch.equal(list(backbone(images).values())[-1], expected)


@torch.no_grad()
def test_positions_are_resampled_to_another_image_size(tmp_path):
    torch.manual_seed(0)
    torch.save(timm.create_model("vit_tiny_patch16_224", depth=1).state_dict(), tmp_path / "vit.pth")
    backbone = TimmBackbone("vit_tiny_patch16_224", depth=1, img_size=(96, 160), weights=tmp_path / "vit.pth")
    assert backbone.report.ratio == 1
    assert backbone.model.pos_embed.shape == (1, 1 + 6 * 10, 192)


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save(timm.create_model("resnet18").state_dict(), tmp_path / "r18.pth")
    with pytest.raises(CheckpointError, match=r"r18.pth fits RegNet too little.*made for this architecture"):
        TimmBackbone("regnety_002", weights=tmp_path / "r18.pth")


DATA = os.environ.get("WSOLKIT_DATA", "")


@pytest.mark.skipif(
    not DATA, reason="set WSOLKIT_DATA to the folder with weights/mobilenetv2_100.tf2_ptq_in1k.safetensors"
)
@torch.no_grad()
def test_the_real_mobilenet_weights_give_the_classifiers_features():
    path = Path(DATA) / "weights" / "mobilenetv2_100.tf2_ptq_in1k.safetensors"
    model = timm.create_model("mobilenetv2_100", pad_type="same", output_stride=16).eval()
    model.load_state_dict(load_file(path))

    backbone = TimmBackbone("mobilenetv2_100", pad_type="same", output_stride=16, weights=path).eval()

    assert backbone.report.ratio == 1
    assert set(backbone.report.unexpected) == {"classifier.weight", "classifier.bias"}
    images = torch.rand(1, 3, 224, 224) * 2 - 1
    final = backbone(images)["final"]
    assert final.shape == (1, 1280, 14, 14)
    assert torch.equal(final, model.forward_features(images))


@pytest.mark.parametrize(
    "options",
    [
        {"checkpoint_path": "a.pth"},
        {"pretrained_cfg_overlay": {"file": "a.pth"}},
        {"pretrained_cfg": {"file": "a.pth"}},
    ],
)
def test_timm_reads_no_file_itself(options):
    with pytest.raises(ConfigError, match=r"timm's resnet18 was given .*a\.pth.*Give weights=PATH instead"):
        TimmBackbone("resnet18", **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [({}, r"cannot get its model local-dir:nowhere .*config.json"), ({"weights": "timm"}, "would read the weights of")],
)
def test_a_model_in_a_folder_that_timm_cannot_or_should_not_read(options, words):
    with pytest.raises(ConfigError, match=words):
        TimmBackbone("local-dir:nowhere", **options)
