"""Box extraction against a flood fill written out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from wsolkit import MapError
from wsolkit.components.boxes import AllComponents, LargestComponent, components, largest_box

MAPS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.sampled_from([0, 0.125, 0.25, 0.5, 0.75, 1]),
)


def flood(score_map, threshold):
    """Return [(area, box)] of the 8-connected regions in raster order, one pixel at a time."""
    inside = {tuple(p) for p in np.argwhere(score_map > threshold * score_map.max())}
    found = []
    for start in sorted(inside):
        if start not in inside:
            continue
        stack, region = [start], {start}
        inside.discard(start)
        while stack:
            y, x = stack.pop()
            for near in [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]:
                if near in inside:
                    inside.discard(near)
                    region.add(near)
                    stack.append(near)
        ys, xs = [p[0] for p in region], [p[1] for p in region]
        found.append((len(region), (min(xs), min(ys), max(xs) + 1, max(ys) + 1)))
    return found


@settings(max_examples=300, deadline=None)
@given(MAPS, st.sampled_from([0.0, 0.2, 0.5, 0.9]))
def test_components_equal_a_flood_fill(score_map, threshold):
    boxes, areas, _ = components(score_map, threshold)
    found = sorted((int(a), tuple(b)) for a, b in zip(areas, boxes.tolist(), strict=True))
    assert found == sorted(flood(score_map, threshold))


@settings(max_examples=300, deadline=None)
@given(MAPS, st.sampled_from([0.0, 0.2, 0.5, 0.9]))
def test_largest_box_is_one_of_the_largest_regions(score_map, threshold):
    expected = flood(score_map, threshold)
    box = largest_box(score_map, threshold)
    if not expected:
        assert box is None
    else:
        most = max(area for area, _ in expected)
        assert box in [region for area, region in expected if area == most]


@given(MAPS, st.floats(0.1, 10))
def test_boxes_do_not_depend_on_the_scale_of_the_map(score_map, factor):
    scaled = (score_map.astype(np.float64) * factor).astype(np.float64)
    assert (
        LargestComponent(0.3)(scaled).boxes.tolist()
        == LargestComponent(0.3)(score_map.astype(np.float64)).boxes.tolist()
    )


def test_a_ring_around_a_larger_blob_does_not_win():
    score_map = np.zeros((20, 20))
    score_map[0, :] = score_map[-1, :] = score_map[:, 0] = score_map[:, -1] = 1  # 76 pixels
    score_map[4:16, 4:16] = 1  # 144 pixels inside the ring
    assert largest_box(score_map, 0.5) == (4, 4, 16, 16)


def test_an_empty_map_gives_no_box():
    assert LargestComponent()(np.zeros((5, 5))).boxes.shape == (0, 4)
    assert AllComponents()(np.zeros((5, 5))).boxes.shape == (0, 4)


def test_all_components_come_best_first_with_their_mean_score():
    score_map = np.array([[0.6, 0.6, 0, 1.0], [0, 0, 0, 0.8]])
    boxes, scores = AllComponents(threshold=0.2)(score_map)
    assert boxes.tolist() == [[3, 0, 4, 2], [0, 0, 2, 1]]
    assert scores.tolist() == pytest.approx([0.9, 0.6])


def test_small_and_surplus_components_are_left_out():
    score_map = np.array([[1.0, 0, 0.9, 0.9], [0, 0, 0, 0]])
    assert AllComponents(min_area=0.2)(score_map).boxes.tolist() == [[2, 0, 4, 1]]
    assert AllComponents(max_boxes=1)(score_map).boxes.tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.5])
def test_scores_that_are_none_are_refused(bad):
    with pytest.raises(MapError, match="NaN, infinite or negative"):
        largest_box(np.array([[0.1, bad], [0.3, 0.2]]), 0.2)


def test_a_batch_of_maps_is_no_map():
    with pytest.raises(MapError, match=r"should be \(H, W\), but got shape \(1, 2, 2\)"):
        largest_box(np.zeros((1, 2, 2)), 0.2)
