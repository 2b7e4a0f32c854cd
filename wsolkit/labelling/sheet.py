"""The sheet of candidates: the same photographs under each method, map and boxes, for a person to choose by eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wsolkit.datasets.decode import read_pixels
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.found_boxes import ImageResult
from wsolkit.report.contact_sheet import evenly, write_contact_sheet
from wsolkit.report.drawing import colours_of, draw_boxes, heat_overlay, resize_to_panel

__all__ = ["SHOWN", "write_method_sheet"]

SHOWN = 24
"""How many photographs are shown where nobody says: as many as one looks at in a minute."""

ROWS = 12
"""Most rows of the sheet; more photographs stand side by side."""


def write_method_sheet(path: str | Path, results: Mapping[str, Sequence[ImageResult]], most: int = SHOWN) -> list[str]:
    """Write a picture of photographs, each followed by its map and boxes of every method, and return what is shown.

    The photographs are spread evenly over those there are; one that cannot be read is left out.

    Args:
        path: the JPEG file to write; none is written where there is no photograph.
        results: of each method the same photographs in the same order, with their maps.
        most: how many photographs to show, at most.

    Returns:
        The names of the photographs.

    Raises:
        ConfigError: the methods were given different photographs.
    """
    lists = list(results.values())
    names = [result.image_id for result in lists[0]] if lists else []
    for method, each in results.items():
        if [result.image_id for result in each] != names:
            raise ConfigError(f"The sheet shows the same photographs under each method, but {method!r} has others.")
    shown, pictures = [], []
    for place in evenly(len(names), most):
        try:
            photo = resize_to_panel(read_pixels(lists[0][place].path))
        except DataError:
            continue
        shown.append(names[place])
        pictures.append((names[place], photo))
        pictures += [(method, marked(photo, each[place])) for method, each in results.items()]
    across = max(1, -(-len(shown) // ROWS))
    write_contact_sheet(path, pictures, columns=across * (1 + len(lists)))
    return shown


def marked(photo: np.ndarray, result: ImageResult) -> np.ndarray:
    """Return a photograph (h, w, 3) with the strongest score of its maps as heat, and with its boxes."""
    maps = list(result.maps.values())
    drawn = heat_overlay(photo, np.maximum.reduce(maps)) if maps else photo
    return draw_boxes(drawn, result.boxes, photo.shape[1] / result.size[0], colours_of(result.boxes))
