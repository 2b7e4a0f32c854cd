"""Folded norms: the same outputs and the same model, wherever somebody looks and whatever changes meanwhile."""

import copy
import pickle

import pytest
import timm
import torch
from torch import nn

from wsolkit.interfaces import Batch
from wsolkit.model.folded import fold_norms, folded_pairs, unfold_norms
from wsolkit.model.localizer import Localizer

FAMILIES = {
    "resnet18": 20,
    "mobilenetv2_050": 52,
    "tf_efficientnet_lite0": 49,
    "vgg11_bn": 8,
    "convnext_atto": 0,
    "vit_tiny_patch16_224": 0,
}


def untidy(module):
    """Give every norm numbers that are not those of a fresh one."""
    generator = torch.Generator().manual_seed(1)
    for norm in (each for each in module.modules() if isinstance(each, nn.BatchNorm2d)):
        for tensor in (norm.weight, norm.running_var):
            tensor.data.uniform_(0.8, 1.2, generator=generator)
        for tensor in (norm.bias, norm.running_mean):
            tensor.data.normal_(0, 0.1, generator=generator)
    return module


def small():
    torch.manual_seed(0)
    return untidy(
        nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 1))
    ).eval()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_gives_the_same(name):
    torch.manual_seed(0)
    size = 224 if name.startswith("vit") else 64
    network = untidy(timm.create_model(name, num_classes=0)).eval()
    images = torch.randn(2, 3, size, size)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        features, levels = network.forward_intermediates(images)
        fold_norms(network, images)
        assert len(folded_pairs(network)) == FAMILIES[name]
        folded_features, folded_levels = network.forward_intermediates(images)
    for found, wanted in zip([folded_features, *folded_levels], [features, *levels], strict=True):
        assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()
    assert list(network.state_dict()) == list(state)
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_the_norm_has_nothing_left_to_do():
    network = small()
    images = torch.randn(2, 3, 8, 8)
    fold_norms(network, images)
    seen = []
    network[0].forward = (lambda inner: lambda maps: seen.append(inner(maps)) or seen[-1])(network[0].forward)
    with torch.no_grad():
        network(images)
        scale = network[1].weight / torch.sqrt(network[1].running_var + network[1].eps)
        conv = nn.functional.conv2d(images, network[0].weight, network[0].bias, padding=1)
        by_hand = (conv - network[1].running_mean[:, None, None]) * scale[:, None, None] + network[1].bias[
            :, None, None
        ]
    torch.testing.assert_close(seen[0], by_hand.relu())  # the activation worked in place on it


def test_weights_and_statistics_may_change_afterwards():
    network = small()
    images = torch.randn(2, 3, 8, 8)
    fold_norms(network, images)
    with torch.no_grad():
        network(images)
        network[0].weight.mul_(2)
        network[1].running_mean.add_(1)
        torch.testing.assert_close(network(images), unfold_norms(copy.deepcopy(network))(images))
        network.load_state_dict(small().state_dict())
        torch.testing.assert_close(network(images), small()(images))


def test_training_and_gradients_are_those_of_the_plain_network():
    folded, plain = fold_norms(small(), torch.zeros(1, 3, 8, 8)), small()
    images = torch.randn(4, 3, 8, 8)
    for network in (folded, plain):
        network(images).sum().backward()  # in eval mode
        network.train()(images).sum().backward()
        network.eval()
    for (name, mine), other in zip(folded.named_parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad), name
    assert torch.equal(folded[1].running_mean, plain[1].running_mean)
    torch.testing.assert_close(folded(images), plain(images))


def test_a_look_between_the_two_sees_what_was_there():
    network, images, seen = small(), torch.randn(2, 3, 8, 8), []
    fold_norms(network, images)
    with torch.no_grad():
        plain = nn.Conv2d.forward(network[0], images)
        handle = network[0].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        network(images)
        handle.remove()
        handle = network[1].register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
        network(images)
        handle.remove()
        assert torch.equal(seen[0], plain)
        assert torch.equal(seen[1], plain)
        network(images)
    assert len(seen) == 2


class ReadTwice(nn.Module):
    """A convolution whose output goes past its norm as well."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

    def forward(self, images):
        maps = self.conv(images)
        return self.norm(maps) + maps


class Returned(nn.Module):
    """A convolution whose output is a level of its own."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Sequential(nn.Conv2d(3, 4, 1)), nn.BatchNorm2d(4)

    def forward(self, images):
        maps = self.conv(images)
        return [maps, self.norm(maps)]


class Standardised(nn.Conv2d):
    """A convolution that is none."""

    def forward(self, maps):
        return self._conv_forward(maps, self.weight - self.weight.mean(), self.bias)


def without_statistics():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False))


@pytest.mark.parametrize(
    "make", [ReadTwice, Returned, without_statistics, lambda: nn.Sequential(Standardised(3, 4, 1), nn.BatchNorm2d(4))]
)
def test_what_cannot_be_folded_stays(make):
    network = make().eval()
    assert folded_pairs(fold_norms(network, torch.zeros(1, 3, 8, 8))) == []


def test_another_norm_in_its_place_is_asked():
    network, images = small(), torch.randn(2, 3, 8, 8)
    fold_norms(network, images)
    network[1] = nn.Identity()
    with torch.no_grad():
        wanted = nn.Sequential(*copy.deepcopy(unfold_norms(network)))(images)
        torch.testing.assert_close(network(images), wanted)


def test_copies_are_independent():
    network, images = small(), torch.randn(2, 3, 8, 8)
    fold_norms(network, images)
    with torch.no_grad():
        before = network(images)
        for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            assert folded_pairs(other) == [("0", "1")]
            other[0].weight.zero_()
            assert not torch.allclose(other(images), before)
        assert torch.equal(network(images), before)


def localizer(**options):
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet18", "levels": ["layer1"]},
        head={"type": "LinearHead", "num_classes": 2},
        losses=[{"type": "CrossEntropy"}],
        precision="fp32",
        **options,
    )


def test_a_localizer_folds_what_rests():
    images = torch.randn(2, 3, 32, 32)
    trained = localizer()
    trained.train().activate(images)
    assert folded_pairs(trained.backbone) == []
    with torch.no_grad():
        first = trained.eval().activate(images).maps
        assert folded_pairs(trained.backbone)
        assert torch.equal(trained.activate(images).maps, first)  # also the first pass is a folded one
    frozen = localizer(freeze=["model"]).train()
    keys = list(frozen.state_dict())
    frozen.loss(Batch(images, torch.tensor([0, 1])))
    assert folded_pairs(frozen.backbone)
    assert list(frozen.state_dict()) == keys
