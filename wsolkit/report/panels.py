"""Draws what the parts of a model show of an image: each panel over the photo, with its name, in one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from wsolkit.interfaces import Panel
from wsolkit.report.contact_sheet import contact_sheet
from wsolkit.report.drawing import heat_overlay, resize_to_panel

__all__ = ["panel_picture", "panel_sheet"]

SIDE = 300
COLUMNS = 5
DIMMED = 0.2
"""How bright a photo is where a mask is false."""

LINE = (255, 60, 60)


def panel_sheet(image: np.ndarray, panels: Sequence[Panel]) -> np.ndarray:
    """Return the photo and the panels over it in rows of five, each below its name.

    Args:
        image: (h, w, 3) uint8, RGB, upright.
        panels: at least one.

    Returns:
        (h', w', 3) uint8.

    >>> sheet = panel_sheet(np.zeros((8, 8, 3), np.uint8), [Panel("mask", np.eye(2, dtype=bool))])
    >>> sheet.shape
    (176, 312, 3)
    """
    photo = resize_to_panel(image, SIDE)
    drawn = [("photo", photo), *((panel.name, panel_picture(photo, panel)) for panel in panels)]
    return contact_sheet(drawn, COLUMNS)


def panel_picture(photo: np.ndarray, panel: Panel) -> np.ndarray:
    """Return a photo (h, w, 3) with a panel: scores as heat, a mask as what is left bright, the box as a line."""
    height, width = photo.shape[:2]
    if panel.picture.dtype == bool:
        mask = cv2.resize(panel.picture.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        drawn = np.where(mask[..., None] > 0, photo, (photo * DIMMED).astype(np.uint8))
    else:
        drawn = heat_overlay(photo, panel.picture)
    if panel.box is not None:
        x0, y0, x1, y1 = panel.box
        first = (round(x0 * width), round(y0 * height))
        last = (max(round(x1 * width) - 1, first[0]), max(round(y1 * height) - 1, first[1]))
        drawn = cv2.rectangle(np.ascontiguousarray(drawn), first, last, LINE, 2)
    return drawn
