import pytest
import torch
import torchvision

from wsolkit.components.backbones.inception import InceptionV3
from wsolkit.errors import CheckpointError, ConfigError


@pytest.mark.parametrize(
    ("options", "pixels", "shallow", "deep"),
    [
        ({"variant": "wsol"}, 224, 28, 14),
        ({"variant": "wsol", "large_feature_map": True}, 224, 28, 28),
        ({"variant": "torchvision"}, 224, 25, 12),
        ({"variant": "torchvision"}, 299, 35, 17),
    ],
)
def test_map_sizes(options, pixels, shallow, deep):
    with torch.device("meta"):
        levels = InceptionV3(extra_channels=1024, **options)(torch.zeros(2, 3, pixels, pixels))
    assert {name: tuple(maps.shape[1:]) for name, maps in levels.items()} == {
        "mixed_5d": (288, shallow, shallow),
        "mixed_6a": (768, deep, deep),
        "mixed_6b": (768, deep, deep),
        "mixed_6e": (768, deep, deep),
        "conv_extra": (1024, deep, deep),
    }


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    model = torchvision.models.inception_v3(init_weights=False, aux_logits=True, transform_input=True)
    return model.eval()


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "inception_v3.pth"
    torch.save(reference.state_dict(), path)
    return path


@torch.no_grad()
def test_the_original_variant_gives_torchvisions_features(reference, weights):
    backbone = InceptionV3(variant="torchvision", transform_input=True, weights=weights).eval()
    seen = {}
    for name in ("Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6e"):
        reference.get_submodule(name).register_forward_hook(lambda m, i, out, name=name: seen.update({name: out}))
    images = torch.rand(1, 3, 107, 107)

    reference(images)
    levels = backbone(images)

    assert backbone.report.ratio == 1
    assert {name.split(".")[0] for name in backbone.report.unexpected} == {
        "AuxLogits", "Mixed_7a", "Mixed_7b", "Mixed_7c", "fc",
    }  # fmt: skip
    for name, maps in seen.items():
        torch.testing.assert_close(levels[name.lower()], maps)


@torch.no_grad()
def test_the_stride_free_mixed_6a_sees_what_the_strided_one_sees(weights):
    large = InceptionV3(large_feature_map=True, weights=weights).eval().Mixed_6a
    strided = InceptionV3(variant="torchvision", weights=weights).eval().Mixed_6a
    maps = torch.rand(1, 288, 9, 9)
    torch.testing.assert_close(large(maps)[:, :, 1:-1:2, 1:-1:2], strided(maps))


def test_extra_convolutions_are_fresh_and_train(weights):
    backbone = InceptionV3(extra_channels=8, weights=weights)
    assert backbone.report.ratio == 1
    backbone(torch.rand(2, 3, 64, 64))["conv_extra"].sum().backward()
    assert backbone.conv_extra[4].weight.grad is not None


def test_wrong_options_and_failed_downloads_are_explained(monkeypatch):
    with pytest.raises(
        ConfigError, match="variant of InceptionV3 should be one of 'wsol', 'torchvision', but got 'google'"
    ):
        InceptionV3(variant="google")
    with pytest.raises(ConfigError, match="large feature map in the variant 'wsol' only"):
        InceptionV3(variant="torchvision", large_feature_map=True)

    def no_network(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models.Inception_V3_Weights, "get_state_dict", no_network)
    with torch.device("meta"), pytest.raises(CheckpointError, match=r"inception_v3 could not be downloaded"):
        InceptionV3(pretrained=True)
