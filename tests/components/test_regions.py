"""Regions of maps: their mean features, the map of what an image shows, and what is left when it erases, by loops."""

import pytest
import torch

from wsolkit import ShapeError
from wsolkit.components import below, map_of_present, normalized_maximum, pool_regions


def drawn(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("per", ["weight", "cell"])
def test_the_mean_features_of_regions_by_a_loop(per):
    features, regions = drawn(2, 3, 4, 5) - 0.5, drawn(2, 2, 4, 5, seed=1)
    found = pool_regions(features, regions, per)
    for image in range(2):
        for region in range(2):
            total, weight = torch.zeros(3), 0.0
            for row in range(4):
                for column in range(5):
                    total += regions[image, region, row, column] * features[image, :, row, column]
                    weight += float(regions[image, region, row, column])
            expected = total / (weight + 1e-6 if per == "weight" else 20)
            torch.testing.assert_close(found[image, region], expected, atol=1e-6, rtol=1e-5)
    assert not pool_regions(features, torch.zeros_like(regions), per).any()


def test_gradients_reach_features_and_regions():
    features, regions = drawn(1, 2, 3, 3).requires_grad_(), drawn(1, 1, 3, 3, seed=1).requires_grad_()
    pool_regions(features, regions).sum().backward()
    torch.testing.assert_close(features.grad.sum((0, 2, 3)), torch.ones(2), atol=1e-4, rtol=0)
    assert bool(regions.grad.any())


def test_the_map_of_the_present_classes_by_a_loop():
    maps = drawn(3, 4, 2, 5) * 7 - 3
    labels = torch.tensor([[0.0, 1, 0, 0.2], [0, 0, 0, 0], [1, 1, 1, 1]])
    found = map_of_present(maps, labels)
    for image in range(3):
        for row in range(2):
            for column in range(5):
                scores = [0.0]
                for k in range(4):
                    low, high = float(maps[image, k].min()), float(maps[image, k].max())
                    if labels[image, k] > 0:
                        scores.append((float(maps[image, k, row, column]) - low) / (high - low))
                assert float(found[image, 0, row, column]) == pytest.approx(max(scores), abs=1e-6)
    one = torch.tensor([1, 3, 0])
    torch.testing.assert_close(map_of_present(maps, one), map_of_present(maps, torch.eye(4)[one]))
    torch.testing.assert_close(map_of_present(maps[:, :1], one), map_of_present(maps[:, :1], torch.zeros(3).long()))
    assert not map_of_present(maps.requires_grad_(), one).requires_grad
    with pytest.raises(ShapeError, match=r"maps \(3, 4, 2, 5\) should be \(B,\) or \(B, K\), but got .*2, 4"):
        map_of_present(maps, labels[:2])


def test_maps_of_present_classes_are_resized_before_they_are_normalised():
    maps, labels = drawn(3, 4, 2, 5) - 0.5, torch.tensor([[0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]])
    large = torch.nn.functional.interpolate(maps, size=(7, 6), mode="bilinear", align_corners=False)
    for each in (labels, torch.tensor([1, 3, 0])):
        torch.testing.assert_close(map_of_present(maps, each, size=(7, 6)), map_of_present(large, each))


def test_a_cell_at_the_threshold_is_erased():
    maps = torch.tensor([[[[-2.0, 0.0, 2.0, 4.0]]], [[[5.0, 5.0, 5.0, 5.0]]]])
    assert below(maps, 0.5).flatten(1).tolist() == [[1, 1, 0, 0], [0, 0, 0, 0]]
    assert below(maps, 0.5, "minmax").flatten(1).tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert below(maps / 4, 0.6, "none").flatten(1).tolist() == [[1, 1, 1, 0], [0, 0, 0, 0]]


def test_the_larger_of_two_normalised_maps_by_a_loop():
    one, two = drawn(2, 3, 2, 4) * 5, drawn(2, 3, 2, 4, seed=1) - 3
    found = normalized_maximum(one, two)
    for image in range(2):
        for k in range(3):
            scaled = [(each - each.min()) / (each.max() - each.min()) for each in (one[image, k], two[image, k])]
            for row in range(2):
                for column in range(4):
                    expected = max(float(each[row, column]) for each in scaled)
                    assert float(found[image, k, row, column]) == pytest.approx(expected, abs=1e-6)
