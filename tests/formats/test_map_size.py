"""Resizing and normalising, against numbers found by hand."""

import numpy as np
import pytest

from wsolkit.errors import ConfigError, ShapeError
from wsolkit.formats.map_size import check_options, fit_map, parse_size, size_for


def linear_by_hand(row, pixels):
    """Resize a row with half-pixel centres and clamped borders."""
    found = []
    for pixel in range(pixels):
        place = (pixel + 0.5) * len(row) / pixels - 0.5
        left = int(np.floor(place))
        share = place - left
        ends = [row[min(max(cell, 0), len(row) - 1)] for cell in (left, left + 1)]
        found.append(ends[0] * (1 - share) + ends[1] * share)
    return found


def test_linear_in_both_directions():
    row = np.array([0.0, 1.0, 0.25])
    wide = fit_map(row[None], (2, 7))
    assert wide.shape == (2, 7)  # height, width: OpenCV takes them the other way round
    assert np.allclose(wide, [linear_by_hand(row, 7)] * 2)
    high = fit_map(row[:, None], (7, 2))
    assert np.allclose(high, np.array([linear_by_hand(row, 7)] * 2).T)


def test_cubic_is_cut_off_to_the_range():
    step = np.zeros((1, 8))
    step[:, 4:] = 1
    cubic = fit_map(step, (1, 32), "cubic")
    assert cubic.min() == 0
    assert cubic.max() == 1
    assert not np.allclose(cubic, fit_map(step, (1, 32)))
    assert np.allclose(cubic + cubic[:, ::-1], 1)


def test_minmax_comes_after_resizing():
    peak = np.array([[0.0, 3.0, 0.0, 0.0]])
    fitted = fit_map(peak, (1, 2), normalize="minmax")  # linear halves are 1.5 and 0
    assert fitted.tolist() == [[1.0, 0.0]]


def test_the_same_size_changes_nothing():
    scores = np.random.default_rng(0).random((5, 3))
    assert np.array_equal(fit_map(scores, (5, 3), "cubic"), scores)


def test_another_size_may_be_refused():
    assert fit_map(np.zeros((2, 3)), (2, 3), "refuse").shape == (2, 3)
    with pytest.raises(ShapeError, match=r"The map of 'a' is 2 x 3 \(H x W\), but 4 x 4 is wanted.*--resize linear"):
        fit_map(np.zeros((2, 3)), (4, 4), "refuse", what="The map of 'a'")


def test_sizes_in_words():
    assert parse_size("112x56") == (112, 56)
    assert size_for("map", (3, 4), (80, 60)) == (3, 4)
    assert size_for("original", (3, 4), (80, 60)) == (60, 80)
    for text in ("0", "224x", "-1", "large", "99999", "2.5"):
        with pytest.raises(ConfigError, match=f"--size should be .* but got '{text}'"):
            parse_size(text)
    with pytest.raises(ConfigError, match="--size original needs the sizes of the images"):
        size_for("original", (3, 4), None)


def test_unknown_words_are_refused():
    with pytest.raises(ConfigError, match="resize should be one of .*'nearest'"):
        fit_map(np.zeros((2, 2)), (3, 3), "nearest")
    with pytest.raises(ConfigError, match="normalize should be one of .*'max'"):
        fit_map(np.zeros((2, 2)), (3, 3), normalize="max")


def test_options_that_do_not_exist():
    check_options("cubic", "none")
    with pytest.raises(ConfigError, match="--resize should be one of 'linear', 'cubic', 'refuse', but got 'nearest'"):
        check_options("nearest", "none")
    with pytest.raises(ConfigError, match="--normalize should be one of 'none', 'minmax', but got 'max'"):
        check_options("linear", "max")
