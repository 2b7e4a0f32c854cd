"""The component tree against labelling every level, and its two preparations against contours and floods."""

import cv2
import numpy as np
import pytest

from tests.support.drawn_maps import KINDS, drawn_map
from wsolkit import ShapeError
from wsolkit.evaluation.component_tree import components_of
from wsolkit.evaluation.outer_contours import enclosed_area_weights, fill_holes


def drawn_levels(kind, seed, levels=12):
    rng = np.random.default_rng(seed)
    return (drawn_map(kind, rng, 24) * levels).astype(np.uint16)


def labelled(inside, connectivity):
    """Return the components of a binary image as sorted (x0, y0, x1, y1, pixels, first pixel)."""
    count, labels = cv2.connectedComponents(inside.astype(np.uint8), connectivity=connectivity, ltype=cv2.CV_32S)
    found = []
    for number in range(1, count):
        y, x = np.nonzero(labels == number)
        found.append((x.min(), y.min(), x.max(), y.max(), len(x), np.flatnonzero(labels == number)[0]))
    return sorted(found)


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_level_has_the_components_that_labelling_finds(kind, diagonal):
    for seed in range(12):
        levels = drawn_levels(kind, seed)
        found = components_of(levels, diagonal=diagonal)
        for cut in range(int(levels.max()) + 1):
            alive = (found.low <= cut) & (cut < found.high)
            wanted = labelled(levels > cut, 8 if diagonal else 4)
            mine = [
                (*bounds, size)
                for bounds, size in zip(found.bounds[alive].tolist(), found.size[alive].tolist(), strict=True)
            ]
            assert sorted(mine) == sorted(one[:5] for one in wanted)
            order = np.argsort(found.first[alive])
            raster = sorted(wanted, key=lambda one: one[5])
            assert found.bounds[alive][order].tolist() == [list(one[:4]) for one in raster]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_filling_closes_what_has_no_way_out_at_any_level(kind):
    for seed in range(12):
        levels = drawn_levels(kind, seed)
        filled = fill_holes(levels)
        for cut in range(int(levels.max()) + 1):
            padded = np.pad((levels <= cut).astype(np.uint8), 1, constant_values=1)
            outside = cv2.connectedComponents(padded, connectivity=4)[1]
            reachable = (outside == outside[0, 0]) & (padded > 0)
            assert ((filled <= cut) == reachable[1:-1, 1:-1]).all()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_weights_add_up_to_twice_the_area_of_the_outer_contour(kind):
    for seed in range(12):
        filled = fill_holes(drawn_levels(kind, seed))
        found = components_of(filled, enclosed_area_weights(filled))
        for cut in range(int(filled.max()) + 1):
            contours = cv2.findContours((filled > cut).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
            alive = (found.low <= cut) & (cut < found.high)
            assert sorted(found.size[alive].tolist()) == sorted(2 * cv2.contourArea(contour) for contour in contours)


def test_one_pixel_and_one_row():
    assert [part.tolist() for part in components_of(np.array([[3]], np.uint8))[:4]] == [[0], [3], [[0, 0, 0, 0]], [1]]
    assert components_of(np.array([[1, 0, 2, 0, 1]], np.uint8)).bounds[:, 0].tolist() in ([0, 2, 4], [2, 0, 4])
    assert len(components_of(np.zeros((4, 5), np.uint8)).low) == 0


def test_sizes_are_sums_of_the_weights():
    levels = np.array([[1, 1, 0, 1]], np.uint16)
    found = components_of(levels, np.array([[5, 6, 7, 8]], np.uint8))
    assert sorted(found.size.tolist()) == [8, 11]


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"Levels should be \(H, W\) with at least one pixel, but got shape \(3,\)"):
        components_of(np.zeros(3, np.uint8))
    with pytest.raises(ShapeError, match=r"Levels are \(2, 3\), but the weights of their pixels \(3, 2\)"):
        components_of(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))
