"""The sheet of candidates: every photograph beside its maps and boxes of every method."""

import numpy as np
import pytest
from PIL import Image

from wsolkit import ConfigError
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.labelling.sheet import write_method_sheet
from wsolkit.report.contact_sheet import CAPTION, GAP, HEIGHT


def results(folder, count, value, box):
    """Return results of grey photographs, with a map that is ``value`` on its left half."""
    found = []
    for number in range(count):
        path = folder / f"{number}.png"
        if not path.exists():
            Image.fromarray(np.full((100, 100, 3), 120, np.uint8)).save(path)
        score_map = np.zeros((10, 10), np.float32)
        score_map[:, :5] = value
        boxes = [FoundBox(box, 0, "robin", 1.0, 1.0)]
        found.append(ImageResult(f"{number}.png", str(path), (100, 100), boxes, maps={0: score_map}))
    return found


def test_each_row_shows_a_photograph_and_every_method(tmp_path):
    hot, cold = results(tmp_path, 3, 1.0, (60, 10, 90, 40)), results(tmp_path, 3, 0.0, (10, 60, 40, 90))
    shown = write_method_sheet(tmp_path / "sheet.jpg", {"objects": hot, "parts": cold})
    assert shown == ["0.png", "1.png", "2.png"]
    sheet = np.asarray(Image.open(tmp_path / "sheet.jpg")).astype(int)
    assert sheet.shape == (3 * (CAPTION + HEIGHT + GAP) + GAP, 3 * HEIGHT + 4 * GAP, 3)
    top = GAP + CAPTION
    photo, objects, parts = (sheet[top : top + HEIGHT, GAP + n * (HEIGHT + GAP) :][:, :HEIGHT] for n in range(3))
    middle_left = (slice(65, 85), slice(10, 60))
    assert abs(photo[middle_left] - 120).max() < 8
    assert objects[middle_left][..., 1].mean() < 60 < 90 < parts[middle_left][..., 1].mean(), "red on the left"
    assert objects[20:60, 80:85, 1].mean() > 90
    assert objects[15:20, 90:135].max() > 220 > parts[15:20, 90:135].max(), "the white frame of its own box"
    assert parts[130:136, 15:60].max() > 220


def test_the_photographs_are_spread_evenly_and_stand_side_by_side(tmp_path):
    found = results(tmp_path, 30, 1.0, (0, 0, 50, 50))
    shown = write_method_sheet(tmp_path / "sheet.jpg", {"objects": found}, most=16)
    assert (len(shown), shown[0], shown[-1]) == (16, "0.png", "29.png")
    width = Image.open(tmp_path / "sheet.jpg").width
    assert width == 4 * HEIGHT + 5 * GAP, "two photographs and their maps in a row"


def test_a_photograph_that_cannot_be_read_is_left_out(tmp_path):
    found = results(tmp_path, 3, 1.0, (0, 0, 50, 50))
    (tmp_path / "1.png").write_bytes(b"no picture")
    assert write_method_sheet(tmp_path / "sheet.jpg", {"objects": found}) == ["0.png", "2.png"]


def test_every_method_is_shown_on_the_same_photographs(tmp_path):
    found = results(tmp_path, 3, 1.0, (0, 0, 50, 50))
    with pytest.raises(ConfigError, match="the same photographs under each method, but 'parts' has others"):
        write_method_sheet(tmp_path / "sheet.jpg", {"objects": found, "parts": found[:2]})
    assert write_method_sheet(tmp_path / "none.jpg", {}) == []
    assert not (tmp_path / "none.jpg").exists()
