"""Localizers of regions by a loop, and what they come to where all of them are one."""

import torch

from tests.support.largest import Largest
from tests.support.random_network import random_network
from wsolkit import watch
from wsolkit_bagcams import BagCAMs, bag_of_localizers

IMAGES = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
CLASSES = torch.tensor([[0, 2], [1, 3]])


def by_loop(a, g):
    """Region by region, localizer by localizer."""
    channels, height, width = a.shape
    found = torch.zeros(height, width)
    places = [(i, j) for i in range(height) for j in range(width)]
    for i, j in places:
        votes = [max(sum(float(g[c, m, n] * a[c, i, j]) for c in range(channels)), 0.0) for m, n in places]
        found[i, j] = sum(votes) / len(votes)
    return found


def grad_cam(tape, wanted):
    weights = tape.gradients(wanted)[0].mean((2, 3), keepdim=True)
    return (weights * tape.activations()[0]).sum(1).relu()


def test_the_votes_by_a_loop():
    generator = torch.Generator().manual_seed(0)
    a, g = torch.randn(2, 3, 4, 5, generator=generator).relu(), torch.randn(2, 3, 4, 5, generator=generator)
    found = bag_of_localizers(a, g)
    for image in range(2):
        torch.testing.assert_close(found[image], by_loop(a[image], g[image]), atol=1e-5, rtol=1e-5)
    flat = g.mean((2, 3), keepdim=True)
    torch.testing.assert_close(
        bag_of_localizers(a, flat), bag_of_localizers(a, flat.expand_as(g)), atol=1e-5, rtol=1e-5
    )


@torch.no_grad()
def test_many_regions_vote_a_part_at_a_time(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    a, g = torch.randn(1, 2, 50, 50, generator=generator), torch.randn(1, 2, 50, 50, generator=generator)
    with Largest() as largest:
        found = bag_of_localizers(a, g)
    assert largest.numbers <= 2**22 < 2500**2
    monkeypatch.setattr("wsolkit_bagcams.regional_localizers.SEEN_AT_ONCE", 2500 * 701)
    torch.testing.assert_close(bag_of_localizers(a, g), found, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_network_s_gradients_vote_and_at_the_end_it_is_grad_cam():
    net = random_network()
    tape = watch(net, IMAGES, ["layer3"], "Test")[1]
    found = BagCAMs("layer3").raw_maps(net, IMAGES, CLASSES)
    last = watch(net, IMAGES, ["layer4"], "Test")[1]
    at_the_end = BagCAMs().raw_maps(net, IMAGES, CLASSES)
    for t in range(2):
        wanted = torch.nn.functional.one_hot(CLASSES[:, t], 4).float()
        expected = bag_of_localizers(tape.activations()[0], tape.gradients(wanted)[0])
        torch.testing.assert_close(found[:, t], expected, atol=1e-5, rtol=1e-3)
        assert not torch.allclose(found[:, t], grad_cam(tape, wanted), atol=1e-4)
        torch.testing.assert_close(at_the_end[:, t], grad_cam(last, wanted), atol=1e-5, rtol=1e-4)
