"""AlexNet: its three levels, and the weights they share."""

import pytest
import torch

from wsolkit.components import AlexNet
from wsolkit.errors import ConfigError


def test_alexnet_gives_its_dense_layer_or_its_convolutions(tmp_path):
    dense = AlexNet().eval()
    images = torch.rand(2, 3, 70, 90)
    assert dense(images)["fc7"].shape == (2, 4096, 1, 1)
    torch.save(dense.state_dict(), tmp_path / "alexnet.pth")
    other = AlexNet(level="features", weights=tmp_path / "alexnet.pth").eval()
    assert other.report.ratio == 1
    torch.testing.assert_close(other(images)["features"], dense.features(images))
    assert other(torch.rand(1, 3, 16, 16))["features"].shape == (1, 256, 1, 1)
    last = AlexNet(level="conv5", weights=tmp_path / "alexnet.pth").eval()
    assert last(torch.zeros(1, 3, 224, 224))["conv5"].shape == (1, 256, 13, 13)
    pooled = torch.nn.functional.max_pool2d(last(images)["conv5"], 3, 2)
    torch.testing.assert_close(pooled, other(images)["features"])
    with pytest.raises(
        ConfigError, match="level of AlexNet should be one of 'conv5', 'features', 'fc7', but got 'fc6'"
    ):
        AlexNet(level="fc6")
    with pytest.raises(ConfigError, match="Set either pretrained=True or weights='a.pth' for AlexNet"):
        AlexNet(weights="a.pth", pretrained=True)


@torch.no_grad()
def test_the_last_convolution_is_what_is_pooled():
    with torch.device("meta"):
        last = AlexNet(level="conv5")
        assert last(torch.zeros(1, 3, 224, 224))["conv5"].shape == (1, 256, 13, 13)
        pooled = AlexNet(level="features")
    assert [*map(str, pooled.features)][:-1] == [*map(str, last.features)]
    assert isinstance(pooled.features[-1], torch.nn.MaxPool2d)
    assert (last.channels, last.strides) == ({"conv5": 256}, {"conv5": 16})
