"""A box's doubt: signs by hand on drawn maps, and the formula of the module on them."""

import numpy as np
import pytest

from wsolkit import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation import box_doubt, box_iou, box_signs, map_agreement
from wsolkit.evaluation.doubt import BIAS, NEARBY, SIDE, USUAL_MIRROR, WEIGHTS, stepped


def stairs(levels=(0.3, 0.5, 0.7, 1.0), side=40):
    """Return a map of nested squares, each 4 pixels narrower on every side than the one below."""
    score_map = np.zeros((side, side))
    for step, level in enumerate(levels):
        edge = 4 * (step + 1)
        score_map[edge : side - edge, edge : side - edge] = level
    return score_map


def test_signs_by_hand():
    signs = box_signs(stairs(), [8, 8, 32, 32], 0.4)
    boxes = {0.25: 32, 0.3: 24, 0.35: 24, 0.45: 24, 0.5: 16}  # strictly above: at .3 and .5 the stair itself is outside
    assert [0.4 + each for each in NEARBY] == pytest.approx(list(boxes))
    areas = [side**2 for side in boxes.values()]
    assert signs.steady == pytest.approx(np.mean([min(24**2, area) / max(24**2, area) for area in areas]))
    assert signs.area == pytest.approx(24**2 / 40**2)
    assert (signs.off, signs.rest) == (0, 0)
    assert np.isnan(signs.mirror)


def test_what_lies_elsewhere():
    score_map = np.zeros((20, 40))
    score_map[5:15, 0:20] = 1
    mirrored = np.roll(score_map, 5, 1)
    score_map[0:5, 30:40] = 0.9
    signs = box_signs(score_map, [0, 5, 20, 15], 0.5, mirror_map=mirrored)
    assert signs.rest == pytest.approx(50 / 250)
    assert signs.off == pytest.approx(0.5)  # x: 10 of 40 pixels; y: the middle
    assert signs.mirror == pytest.approx(150 / 250)


def test_the_doubt_is_the_regression_of_the_signs():
    score_map, box = stairs(), [8, 8, 32, 32]
    for mirror in (None, np.roll(score_map, 6, 0)):
        signs = box_signs(score_map, box, 0.4, mirror_map=mirror)
        values = [USUAL_MIRROR if np.isnan(each) else each for each in signs]
        expected = 1 / (1 + np.exp(-(BIAS + sum(w * v for w, v in zip(WEIGHTS, values, strict=True)))))
        assert box_doubt(score_map, box, 0.4, mirror_map=mirror) == pytest.approx(expected)


def test_a_fading_box_at_the_edge_is_more_doubtful_than_a_clear_one():
    y, x = np.mgrid[:40, :40]
    clear = ((abs(y - 20) < 12) & (abs(x - 20) < 12)).astype(float)
    fading = np.clip(1 - np.hypot(y - 4, x - 35) / 40, 0, 1)
    assert box_doubt(clear, [9, 9, 32, 32], 0.5) < 0.05
    assert box_doubt(fading, [16, 0, 40, 24], 0.5) > 0.15


@pytest.mark.parametrize("side", [64, 65, 96, 127, 224, 500])
def test_large_maps_say_the_same(side):
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    bump = np.exp(-(((y - 0.4) / 0.2) ** 2 + ((x - 0.6) / 0.25) ** 2))
    rows, columns = (np.flatnonzero((bump > 0.5 * bump.max()).any(axis)) for axis in (1, 0))
    box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    small, step = stepped(bump)
    assert max(small.shape) <= SIDE
    assert step == -(-side // SIDE)
    signs = box_signs(bump, box, 0.5, mirror_map=bump)
    near = [np.log(0.5 + each) / np.log(0.5) for each in NEARBY]  # a bump's box has an area of -log of the cut
    assert signs.steady == pytest.approx(np.mean([min(each, 1 / each) for each in near]), abs=0.08)
    assert signs.mirror > 0.84
    assert signs.rest < 0.03


def test_agreement_is_the_mean_over_maps():
    first, second = np.zeros((8, 8)), np.zeros((8, 8))
    first[2:6, 2:6] = 1
    second[4:8, 4:8] = 1
    box = np.array([2, 2, 6, 6])
    expected = (1 + box_iou(box, [4, 4, 8, 8])[0, 0]) / 2
    assert map_agreement(box, [first, second], 0.5) == pytest.approx(expected)
    assert np.isnan(map_agreement(box, [], 0.5))


def test_a_map_of_nothing_is_doubtful():
    assert box_doubt(np.zeros((8, 8)), [2, 2, 6, 6], 0.5) > 0.9


def test_bad_arguments():
    score_map = stairs()
    with pytest.raises(ConfigError, match=r"fraction of the map's maximum in \[0, 1\), but got 1"):
        box_doubt(score_map, [8, 8, 32, 32], 1)
    with pytest.raises(DataError, match="outside"):
        box_doubt(score_map, [8, 8, 32, 52], 0.5)
    with pytest.raises(MapError, match="NaN"):
        box_doubt(np.full((4, 4), np.nan), [0, 0, 2, 2], 0.5)
    with pytest.raises(ShapeError, match=r"\(40, 40\) of the box's map, but got \(39, 40\). Resize them alike"):
        box_doubt(score_map, [8, 8, 32, 32], 0.5, mirror_map=score_map[1:])
