"""Finds width and height that are swapped somewhere: in a list of sizes, in maps that were transposed.

Nothing is refused by it, since an image that lies may be meant; whoever reads numbers or boxes is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wsolkit.errors import DataError, first_few
from wsolkit.formats.image_headers import displayed_size

__all__ = ["LOOKED_AT", "Turned", "lies", "turned_parts"]

LOOKED_AT = 100
"""Files whose size is compared with the stated one: the mistake is one of a list, not of an image."""
SIZES = "Sizes are written id,width,height, of the image as it is displayed."
WORDS = {
    "maps": "maps have the shape of their image turned by 90 degrees: {}. Where they were transposed, save them as "
    f"(H, W). {SIZES}",
    "files": f"images are stated with the width and height of their file swapped: {{}}. {SIZES}",
}


def lies(shape: Sequence[int], size: tuple[int, int]) -> bool:
    """Whether a map (H, W) has the shape of its image (width, height) turned by 90 degrees, and not that of the image.

    >>> lies((640, 480), (640, 480)), lies((48, 64), (640, 480)), lies((7, 7), (640, 480))
    (True, False, False)
    """
    (h, w), (width, height) = shape[-2:], size
    if h == w or width == height or h * height != w * width:
        return False
    return abs(w * height / width - h) >= 1 and abs(h * width / height - w) >= 1


def turned_parts(
    size: tuple[int, int] | None,
    shapes: Iterable[Sequence[int]] = (),
    path: str = "",
) -> set[str]:
    """Return which of an image's ``maps`` and ``files`` fit its size only where that is turned.

    Args:
        size: (width, height) as stated, or None.
        shapes: (H, W) of its maps, as stored.
        path: its file, to compare sizes with; empty to leave that out.
    """
    if size is None:
        return set()
    found = {"maps"} if any(lies(shape, size) for shape in shapes) else set()
    width, height = size
    if width == height:
        return found
    if path:
        try:
            real = displayed_size(path)
        except DataError:  # what is wrong with the file is another matter
            return found
        if real == (height, width):
            found.add("files")
    return found


class Turned:
    """Collects the images of a run, in order, and says what is turned."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, image_id: str, parts: Iterable[str]) -> None:
        """Take what ``turned_parts`` found of one image."""
        for part in parts:
            self.found.setdefault(part, []).append(image_id)

    def remarks(self) -> list[str]:
        """Return a sentence for each kind.

        >>> turned = Turned()
        >>> turned.add("a", {"maps"})
        >>> turned.remarks()[0][:65]
        "1 maps have the shape of their image turned by 90 degrees: 'a'. W"
        """
        kinds = [kind for kind in WORDS if kind in self.found]
        return [f"{len(self.found[kind])} {WORDS[kind].format(first_few(self.found[kind]))}" for kind in kinds]
