"""What the outer contours of components enclose: holes filled at every level, and areas counted pixel by pixel.

The kernels are compiled by numba when they are first called, kept in its cache, and release the interpreter's lock.
"""

from __future__ import annotations

import numpy as np

from wsolkit.evaluation.component_tree import LEVEL, TAKEN, lowest_bits, scratch_for
from wsolkit.kernels import compiled

__all__ = ["enclosed_area_weights", "fill_holes"]


def fill_holes(levels: np.ndarray) -> np.ndarray:
    """Return levels (H, W) uint16 with every hole filled at every level: each pixel rises to its way out.

    A hole is a 4-connected set of pixels at or below a level from which no 4-connected way at or below that level leads
    to the border of the map.

    >>> fill_holes(np.array([[3, 3, 3], [3, 0, 3], [3, 3, 2]], np.uint16)).tolist()
    [[3, 3, 3], [3, 3, 3], [3, 3, 2]]
    """
    scratch = scratch_for(*levels.shape)
    return filled_levels(levels, scratch.cells, scratch.chained)


@compiled()
def filled_levels(levels: np.ndarray, cells: np.ndarray, chained: np.ndarray) -> np.ndarray:
    """Do what ``fill_holes`` says, in scratch memory."""
    height, width = levels.shape
    stride = np.uint64(width + 2)
    one = np.uint64(1)
    cells[: (height + 2) * (width + 2)] = TAKEN
    highest = np.uint32(0)
    for y in range(height):
        row = np.uint64(y + 1) * stride + one
        for x in range(width):
            cells[row + np.uint64(x)] = levels[y, x]
            highest = max(highest, np.uint32(levels[y, x]))
    head = np.zeros(np.int64(highest) + 1, np.uint32)  # 0, a pixel of the frame, ends a chain
    for y in range(height):
        step = 1 if y == 0 or y == height - 1 else max(width - 1, 1)
        for x in range(0, width, step):
            pixel = np.uint64(y + 1) * stride + np.uint64(x + 1)
            level = cells[pixel]
            cells[pixel] = level | TAKEN
            chained[pixel] = head[level]
            head[level] = np.uint32(pixel)
    around = np.empty(4, np.uint64)
    around[0], around[1], around[2], around[3] = one, stride, -one, -stride
    lowest_bit = lowest_bits(16)
    for number in range(np.int64(highest) + 1):
        now = np.uint32(number)
        pixel = np.uint64(head[now])
        while pixel:
            kept = chained[pixel]
            free = (
                (~cells[pixel + one] >> np.uint32(31))
                | (~cells[pixel + stride] >> np.uint32(30) & np.uint32(2))
                | (~cells[pixel - one] >> np.uint32(29) & np.uint32(4))
                | (~cells[pixel - stride] >> np.uint32(28) & np.uint32(8))
            )
            while free:
                other = pixel + around[lowest_bit[free]]
                free &= free - np.uint32(1)
                rise = max(cells[other], now)
                cells[other] = rise | TAKEN
                if rise == now:
                    chained[other] = kept
                    kept = np.uint32(other)
                else:
                    chained[other] = head[rise]
                    head[rise] = np.uint32(other)
            pixel = np.uint64(kept)
    filled = np.empty((height, width), np.uint16)
    for y in range(height):
        row = np.uint64(y + 1) * stride + one
        for x in range(width):
            filled[y, x] = cells[row + np.uint64(x)] & LEVEL
    return filled


@compiled()
def enclosed_area_weights(levels: np.ndarray) -> np.ndarray:
    """Return weights (H, W) uint8 that add up to twice the area inside a component's outer contour, at every level.

    The contour goes through the centres of the outermost pixels, so a component without holes encloses half a unit of
    area for every 2 x 2 block with three of its pixels and one unit for every block with four. A block's third pixel,
    from the highest down, brings the first half and its fourth the second. ``levels`` (H, W) uint16 have no holes (see
    ``fill_holes``).

    >>> enclosed_area_weights(np.array([[1, 1, 0], [1, 1, 1]], np.uint16)).tolist()
    [[1, 2, 1], [0, 0, 0]]
    """
    height, width = levels.shape
    weights = np.zeros((height, width), np.uint8)
    for y in range(height - 1):
        for x in range(width - 1):
            a, b, c, d = levels[y, x], levels[y, x + 1], levels[y + 1, x], levels[y + 1, x + 1]
            # The lower pixel of each row, then the lowest of all and the lower of the two that are left.
            row, other_row = x + (b < a), x + (d < c)
            least, other_least = min(a, b), min(c, d)
            most, other_most = max(a, b), max(c, d)
            if least <= other_least:
                weights[y, row] += 1
                if most <= other_least:
                    weights[y, 2 * x + 1 - row] += 1
                else:
                    weights[y + 1, other_row] += 1
            else:
                weights[y + 1, other_row] += 1
                if other_most <= least:
                    weights[y + 1, 2 * x + 1 - other_row] += 1
                else:
                    weights[y, row] += 1
    return weights
