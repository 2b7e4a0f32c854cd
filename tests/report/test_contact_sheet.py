"""Contact sheets: every picture in its place and colour, below its caption."""

import numpy as np
from PIL import Image

from wsolkit.report import contact_sheet, evenly, write_contact_sheet
from wsolkit.report.contact_sheet import CAPTION, GAP, HEIGHT, PAPER, TEXT, end_of
from wsolkit.report.drawing import font

COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}
RED, GREEN, BLUE = (np.full((10, 20, 3), colour, np.uint8) for colour in COLOURS.values())
GREY = np.full((10, 10), 200, np.uint8)


def centres(sheet, widths, rows):
    """Return the colour in the middle of every cell, row by row."""
    found = []
    for row in range(rows):
        top = GAP + CAPTION + row * (CAPTION + HEIGHT + GAP) + HEIGHT // 2
        lefts = [GAP + sum(widths[:column]) + GAP * column for column in range(len(widths))]
        found += [sheet[top, left + HEIGHT // 2].astype(int) for left in lefts]
    return found


def test_every_picture_is_in_its_place():
    sheet = contact_sheet([("a", RED), ("b", GREEN), ("c", BLUE), ("d", GREY)], columns=2)
    wide = 2 * HEIGHT
    assert sheet.shape == (2 * (CAPTION + HEIGHT + GAP) + GAP, 2 * wide + 3 * GAP, 3)
    expected = [*COLOURS.values(), (200, 200, 200)]
    for found, colour in zip(centres(sheet, [wide, wide], 2), expected, strict=True):
        assert tuple(found) == colour


def test_a_last_row_that_is_not_full_and_columns_nobody_needs():
    sheet = contact_sheet([("", RED), ("", GREEN), ("", BLUE)], columns=2)
    *_, blue, empty = centres(sheet, [2 * HEIGHT] * 2, 2)
    assert (tuple(blue), tuple(empty)) == (COLOURS["blue"], PAPER)
    assert contact_sheet([("", GREY)], columns=4).shape[1] == HEIGHT + 2 * GAP


def test_captions_stand_above_and_keep_their_end():
    sheet = contact_sheet([("cat", GREY), ("", GREY)], columns=2)
    strip = sheet[GAP : GAP + CAPTION].astype(int)
    written = np.abs(strip - np.array(PAPER)).max(2) > 40
    assert written[:, : GAP + HEIGHT].any()
    assert not written[:, 2 * GAP + HEIGHT :].any()
    assert end_of("cat", 100) == "cat"
    shown = end_of("a/long/folder/" * 9 + "image.jpg", 100)
    assert shown.endswith("/image.jpg")
    assert 80 < font(TEXT).getlength(shown) <= 100


def test_a_long_picture_is_no_wider_than_four_heights():
    assert contact_sheet([("", np.zeros((1, 900), np.uint8))], columns=1).shape[1] == 4 * HEIGHT + 2 * GAP


def test_a_sheet_is_a_jpeg_file_and_no_pictures_are_none(tmp_path):
    write_contact_sheet(tmp_path / "none.jpg", [], columns=3)
    assert list(tmp_path.iterdir()) == []
    write_contact_sheet(tmp_path / "sheet.jpg", [("a", RED)], columns=3)
    with Image.open(tmp_path / "sheet.jpg") as found:
        assert found.format == "JPEG"
        (red,) = centres(np.asarray(found), [2 * HEIGHT], 1)
    assert np.abs(red - COLOURS["red"]).max() < 12


def test_pictures_are_spread_evenly():
    assert evenly(24, 5) == [0, 6, 12, 17, 23]
    assert all(type(number) is int for number in evenly(5, 3))
