"""Gradients at any place against autograd through the whole network, and what must not change on the way."""

import threading

import pytest
import torch

from tests.support.random_network import random_network
from wsolkit import ConfigError, KnownLevels, Localizer, watch
from wsolkit.model.folded import folded_pairs
from wsolkit.modules import find_module

IMAGES = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
WANTED = torch.tensor([[1.0, 0, 0, 0], [0, 0, 2.0, -1.0]])
PLACES = ["layer2.0.conv1", "layer3", "layer4"]


@pytest.fixture(scope="module")
def net():
    return random_network()


def by_autograd(model, places, images=IMAGES, wanted=WANTED):
    """Everything with a graph, every output cloned, as nobody would do it who has to pay for it."""
    kept, hooks = {}, []
    for place in places:

        def hook(_module, _inputs, output, place=place):
            kept[place] = output
            return output.clone()

        hooks.append(find_module(model.backbone, place)[1].register_forward_hook(hook))
    leaf = images.clone().requires_grad_()
    logits = model.activate(leaf).logits
    for each in hooks:
        each.remove()
    gradients = torch.autograd.grad((logits * wanted).sum(), [*kept.values(), leaf])
    return logits, kept, gradients[:-1], gradients[-1]


def test_activations_and_gradients_are_those_of_autograd(net):
    logits, kept, gradients, at_image = by_autograd(net, PLACES)
    with torch.no_grad():
        activation, tape = watch(net, IMAGES, PLACES, "Test")
        found = tape.gradients(WANTED)
    torch.testing.assert_close(activation.logits, logits.detach(), atol=1e-4, rtol=1e-4)
    for place, one, other in zip(PLACES, tape.activations(), found, strict=True):
        torch.testing.assert_close(one, kept[place].detach(), atol=1e-4, rtol=1e-4)
        expected = gradients[PLACES.index(place)]
        torch.testing.assert_close(other, expected, atol=1e-5 * float(expected.abs().max()), rtol=1e-4)
    again = tape.gradients(WANTED)  # the graph is kept for further classes
    assert all(torch.equal(one, other) for one, other in zip(found, again, strict=True))
    _, tape = watch(net, IMAGES, ["image"], "Test")
    torch.testing.assert_close(tape.gradients(WANTED)[0], at_image, atol=1e-6, rtol=1e-3)


def test_nothing_before_the_first_place_has_a_graph_and_norms_stay_folded(net):
    net.activate(IMAGES)
    folded = folded_pairs(net.backbone)
    assert folded
    activation, tape = watch(net, IMAGES, ["layer3", "layer4"], "Test")
    assert tape.outputs["layer3"].is_leaf
    assert not tape.outputs["layer4"].is_leaf
    assert folded_pairs(net.backbone) == folded
    assert not activation.logits.requires_grad
    assert not activation.features.requires_grad
    assert not activation.maps.requires_grad
    assert all(weight.requires_grad for weight in net.parameters())
    assert all(weight.grad is None for weight in net.parameters())
    assert not any(module._forward_hooks for module in net.backbone.modules())


def test_frozen_weights_stay_frozen_and_give_the_same():
    free, frozen = random_network(), random_network(freeze=["conv1", "layer1", "layer2", "layer3", "layer4"])
    found = [watch(each, IMAGES, ["layer2"], "Test")[1].gradients(WANTED)[0] for each in (free, frozen)]
    assert torch.equal(*found)
    assert [weight.requires_grad for weight in frozen.backbone.parameters()].count(True) < 4


def test_places_without_gradients_are_watched_without_a_graph(net):
    with torch.no_grad():
        expected = watch(net, IMAGES, PLACES, "Test")[1].activations()
        activation, tape = watch(net, IMAGES, PLACES, "Test", gradients=False)
    for one, other in zip(tape.activations(), expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    assert tape.logits is None
    assert activation.logits is not None


@pytest.mark.parametrize("head", [{"type": "LinearHead"}, {"type": "ConvHead", "maps_per_class": 2}])
def test_cached_levels_give_the_gradients_of_images(head):
    net = random_network(head, levels=["layer3", "layer4"])
    known = KnownLevels({name: each.detach() for name, each in net.levels_of(IMAGES).items()}, (64, 96))
    expected = watch(net, IMAGES, ["layer4"], "Test")[1].gradients(WANTED)[0]
    torch.testing.assert_close(watch(net, known, ["layer4"], "Test")[1].gradients(WANTED)[0], expected)
    with pytest.raises(ConfigError, match="Test asks for 'layer2', but the images are known by their cached features "):
        watch(net, known, ["layer2"], "Test")
    tape = watch(net, known, ["layer3"], "Test")[1]
    with pytest.raises(ConfigError, match="also read the level 'layer4', which is made of 'layer3' on a way that is "):
        tape.gradients(WANTED)


def test_a_level_that_is_no_module_is_a_place_and_so_are_tokens_and_maps_with_channels_last():
    for name, deep, shallow in (
        ("test_vit", "final", "blocks.2"),
        ("test_convnext", "stages.3", "stages.1"),
        ("mobilenetv2_050", "final", "blocks.3"),
    ):
        net = random_network(name=name, levels=[deep])
        images = torch.randn(2, 3, *net.backbone.probe_size)
        tape = watch(net, images, [shallow, deep], "Test")[1]
        for activation, gradient in zip(tape.activations(), tape.gradients(WANTED), strict=True):
            assert activation.shape == gradient.shape
            assert activation.ndim == 4
        mean = net.head.classifier.weight[0] / gradient[0, 0].numel()
        torch.testing.assert_close(gradient[0], mean[:, None, None].expand_as(gradient[0]).detach())


def test_other_threads_are_not_watched(net):
    seen = []
    inside, done = threading.Event(), threading.Event()

    def wait(*_):
        inside.set()
        done.wait(10)

    hook = net.backbone.model.layer1.register_forward_hook(wait)

    def other():
        inside.wait(10)
        hook.remove()
        with torch.no_grad():
            seen.append(net.activate(IMAGES[:1]).logits)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    _, tape = watch(net, IMAGES, ["layer3"], "Test")
    thread.join()
    assert len(seen[0]) == 1
    assert len(tape.outputs["layer3"]) == 2
    assert not seen[0].requires_grad


def test_what_cannot_be_watched_is_refused_in_words(net):
    with pytest.raises(ConfigError, match="has no module 'layer5'. Did you mean 'layer4'"):
        watch(net, IMAGES, ["layer5"], "Test")
    with pytest.raises(ConfigError, match="'model' is never called as a whole by TimmBackbone, so Test finds nothing"):
        watch(net, IMAGES, ["model"], "Test")
    early = random_network({"level": "layer3"}, levels=["layer3", "layer4"])
    with pytest.raises(ConfigError, match="class scores of LinearHead do not depend on what 'layer4' gives, so that"):
        watch(early, IMAGES, ["layer4"], "Test")[1].gradients(WANTED)
    maps_only = Localizer({"type": "TimmBackbone", "name": "resnet10t"}, {"type": "C2AMHead"}).eval()
    with pytest.raises(ConfigError, match="Test needs logits, but C2AMHead gives none"):
        watch(maps_only, IMAGES, ["layer4"], "Test")


def test_bf16_is_recorded_as_it_is_computed():
    net = random_network()
    exact = watch(net, IMAGES, ["layer3"], "Test")[1].gradients(WANTED)[0]
    net.precision = "bf16"
    tape = watch(net, IMAGES, ["layer3"], "Test")[1]
    assert tape.outputs["layer3"].dtype == torch.bfloat16
    found = tape.gradients(WANTED)[0]
    assert found.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(found.flatten(), exact.flatten(), dim=0) > 0.95
