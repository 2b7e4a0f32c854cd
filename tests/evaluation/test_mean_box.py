"""The mean box of a split and its map, against loops; and that tables have it beside a method where val has boxes."""

import numpy as np
import pytest

from wsolkit.errors import DataError
from wsolkit.evaluation import MEAN_BOX, MeanBox, box_map
from wsolkit.evaluation.map_boxes import largest_boxes


def test_every_box_counts_the_same_in_fractions_of_its_image():
    rng = np.random.default_rng(0)
    metric, rows = MeanBox(), []
    for name, (size, count) in enumerate([((40, 20), 1), ((10, 30), 3), ((7, 9), 2)]):
        corners = rng.random((count, 2)) * 3
        boxes = np.concatenate([corners, corners + 2], 1)
        metric.update(str(name), boxes, size)
        rows += [[x0 / size[0], y0 / size[1], x1 / size[0], y1 / size[1]] for x0, y0, x1, y1 in boxes]
    expected = [sum(row[side] for row in rows) / len(rows) for side in range(4)]
    assert metric.box() == pytest.approx(tuple(expected))
    halves = MeanBox(), MeanBox()
    for number, (name, row) in enumerate(metric.rows.items()):
        halves[number % 2].add(name, row)
    halves[0].merge(halves[1])
    assert halves[0].box() == metric.box()


def test_without_a_box_there_is_no_mean():
    with pytest.raises(DataError, match="MeanBox has seen no image"):
        MeanBox().box()


@pytest.mark.parametrize("box", [(0.1, 0.2, 0.7, 0.9), (0.0, 0.0, 1.0, 1.0), (0.5, 0.5, 0.501, 0.501)])
def test_its_map_is_the_cells_whose_middle_it_holds(box):
    found = box_map(box, (6, 10))
    middles = [((x + 0.5) / 10, (y + 0.5) / 6) for y in range(6) for x in range(10)]
    inside = [box[0] <= x < box[2] and box[1] <= y < box[3] for x, y in middles]
    if any(inside):
        assert found.flatten().tolist() == [float(each) for each in inside]
    else:
        assert found.sum() == 1
        assert found[3, 5] == 1 or found[2, 4] == 1
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


def test_it_is_one_box_at_every_threshold():
    boxes = largest_boxes(box_map((0.2, 0.25, 0.8, 1.0), (8, 10)), np.array([0.0, 0.3, 0.99]))
    assert boxes.tolist() == [[2, 2, 8, 8]] * 3


def test_its_name_says_that_it_is_told_by_boxes():
    assert "trained with boxes" in MEAN_BOX
