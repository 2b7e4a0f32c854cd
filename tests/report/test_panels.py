"""Sheets of panels: what is bright, what is heat, where the box is."""

import numpy as np

from wsolkit.interfaces import Panel
from wsolkit.report.panels import panel_picture, panel_sheet


def test_a_mask_leaves_bright_what_it_keeps_and_a_box_lies_at_its_fractions():
    photo = np.full((100, 200, 3), 200, np.uint8)
    mask = np.zeros((2, 4), bool)
    mask[0, 1] = True
    drawn = panel_picture(photo, Panel("mask", mask))
    assert (drawn[:50, 50:100] == 200).all()
    drawn[:50, 50:100] = 40
    assert (drawn == 40).all()
    drawn = panel_picture(photo, Panel("box", np.ones((1, 1), bool), (0.25, 0.2, 0.75, 1.0))).astype(int)
    rows, columns = np.nonzero(drawn[..., 1] < 100)
    assert (columns.min(), columns.max(), rows.min()) == (49, 150, 19)
    assert (photo == 200).all()


def test_scores_are_heat_and_each_panel_stands_below_its_name():
    photo = np.full((90, 90, 3), 120, np.uint8)
    scores = np.zeros((3, 3), np.float32)
    scores[2, 2] = 1
    heat = panel_picture(photo, Panel("map", scores)).astype(int)
    assert heat[85, 85, 0] - heat[85, 85, 2] > 50
    sheet = panel_sheet(photo, [Panel("map", scores)] * 6)
    assert sheet.shape == (2 * 172 + 4, 5 * 154 + 4, 3)
