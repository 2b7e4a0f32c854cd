"""Every connected component of a map at every level, from one flood over its pixels.

The components of ``levels > T`` for all T are nested: they form the component tree (max-tree; Salembier et al. 1998).
One flood from the peaks down, always taking the highest pixel of its edge next, meets them all in time linear in the
number of pixels (Nister and Stewenius, ECCV 2008). The kernels are compiled by numba when they are first called and
kept in its cache; they release the interpreter's lock, so that threads share the cores.

Conventions: pixels are (x, y) from the upper left corner; a component's bounds are inclusive; levels are small integers
from 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from wsolkit.errors import ShapeError

__all__ = ["Components", "components_of", "enclosed_area_weights", "fill_holes"]


class Components(NamedTuple):
    """The components of ``levels > T`` for every T, n in all, each with the T it lives at.

    Attributes:
        low: (n,) int32, the lowest T.
        high: (n,) int32, one more than the highest T.
        bounds: (n, 4) int32, first and last column and row: x0, y0, x1, y1, all inclusive.
        size: (n,) int32, sum of the weights of its pixels.
        first: (n,) int32, place of its first pixel in raster order (of an unspecified row stride).
    """

    low: np.ndarray
    high: np.ndarray
    bounds: np.ndarray
    size: np.ndarray
    first: np.ndarray


def components_of(levels: np.ndarray, weights: np.ndarray | None = None, diagonal: bool = True) -> Components:
    """Return the connected components of ``levels > T`` for every T from 0 on.

    Args:
        levels: (H, W) uint8 or uint16.
        weights: (H, W) uint8 what each pixel adds to the size of its components; 1 by default.
        diagonal: whether pixels that touch at a corner are connected (8-connectivity).

    Raises:
        ShapeError: ``levels`` is not two-dimensional, is empty, or ``weights`` has another shape.

    >>> found = components_of(np.array([[2, 0, 1], [0, 0, 1]], np.uint8))
    >>> for low, high, bounds, size in sorted(zip(*[part.tolist() for part in found[:4]])):
    ...     print(f"T in [{low}, {high}): {bounds}, {size} pixels")
    T in [0, 1): [2, 0, 2, 1], 2 pixels
    T in [0, 2): [0, 0, 0, 0], 1 pixels
    """
    if levels.ndim != 2 or not levels.size:
        raise ShapeError(f"Levels should be (H, W) with at least one pixel, but got shape {levels.shape}.")
    if weights is None:
        weights = np.ones(levels.shape, np.uint8)
    if weights.shape != levels.shape:
        raise ShapeError(f"Levels are {levels.shape}, but the weights of their pixels {weights.shape}.")
    return Components(*flood(levels.astype(np.uint16, copy=False), weights, diagonal))


TAKEN = np.uint32(1 << 31)
LEVEL = np.uint32(0xFFFF)
FAR = np.int32(1 << 30)
# Indices are unsigned throughout, so that numba need not look for negative ones; offsets wrap around.


@njit(cache=True, nogil=True)
def lowest_bits(count: int) -> np.ndarray:
    """Return the place of the lowest set bit of every number below ``count``, as int8; 0 for 0.

    >>> lowest_bits(5).tolist()
    [0, 0, 1, 0, 2]
    """
    places = np.zeros(count, np.int8)
    for bits in range(1, count):
        while not bits >> places[bits] & 1:
            places[bits] += 1
    return places


@njit(cache=True, nogil=True)
def flood(
    levels: np.ndarray, weights: np.ndarray, diagonal: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return low, high, bounds, size and first of every component; see ``Components``.

    A cell holds a pixel's level, its weight above it, and whether it was reached; the frame around the map counts as
    reached. Pixels of the flood's edge wait in one chain per level, the last one first.
    """
    height, width = levels.shape
    shift = np.uint64(1)
    while (1 << shift) < width + 2:
        shift += np.uint64(1)
    stride = np.uint64(1) << shift
    column = stride - np.uint64(1)
    one = np.uint64(1)
    cells = np.full((height + 2) * np.int64(stride), TAKEN, np.uint32)
    highest = np.uint32(0)
    for y in range(height):
        row = np.uint64(y + 1) * stride + one
        for x in range(width):
            level = np.uint32(levels[y, x])
            cells[row + np.uint64(x)] = level | np.uint32(weights[y, x]) << np.uint32(16)
            highest = max(highest, level)
    around = np.empty(8, np.uint64)
    around[0], around[1], around[2], around[3] = one, stride, -one, -stride
    around[4], around[5], around[6], around[7] = stride + one, stride - one, one - stride, -stride - one
    looked_at = np.uint32(255 if diagonal else 15)
    lowest_bit = lowest_bits(256)
    head = np.zeros(np.int64(highest) + 1, np.uint32)  # 0, a pixel of the frame, ends a chain
    chained = np.empty(len(cells), np.uint32)

    # Components not complete yet, each inside the one before, levels rising; that of the current pixel in variables.
    open_level = np.empty(np.int64(highest) + 2, np.int32)
    open_parts = np.empty((np.int64(highest) + 2, 6), np.int32)
    top = 0
    x0, y0, x1, y1, whole, start = FAR, FAR, np.int32(-1), np.int32(-1), np.int32(0), FAR

    most = height * width
    low = np.empty(most, np.int32)
    high = np.empty(most, np.int32)
    bounds = np.empty((most, 4), np.int32)
    size = np.empty(most, np.int32)
    first = np.empty(most, np.int32)
    count = 0

    pixel = stride + one
    now = cells[pixel] & LEVEL
    cells[pixel] |= TAKEN
    open_level[0] = np.int32(now)
    while True:
        # Look around; climb to the first neighbour that is higher. Which of them are free is found without branches.
        while True:
            free = (
                (~cells[pixel + one] >> np.uint32(31))
                | (~cells[pixel + stride] >> np.uint32(30) & np.uint32(2))
                | (~cells[pixel - one] >> np.uint32(29) & np.uint32(4))
                | (~cells[pixel - stride] >> np.uint32(28) & np.uint32(8))
                | (~cells[pixel + stride + one] >> np.uint32(27) & np.uint32(16))
                | (~cells[pixel + stride - one] >> np.uint32(26) & np.uint32(32))
                | (~cells[pixel - stride + one] >> np.uint32(25) & np.uint32(64))
                | (~cells[pixel - stride - one] >> np.uint32(24) & np.uint32(128))
            ) & looked_at
            climbs = False
            other, level = pixel, now
            while free:
                other = pixel + around[lowest_bit[free]]
                free &= free - np.uint32(1)
                level = cells[other]
                cells[other] = level | TAKEN
                level &= LEVEL
                if level <= now:
                    chained[other] = head[level]
                    head[level] = np.uint32(other)
                else:
                    climbs = True
                    break
            if not climbs:
                break
            chained[pixel] = head[now]
            head[now] = np.uint32(pixel)
            open_parts[top, 0] = x0
            open_parts[top, 1] = y0
            open_parts[top, 2] = x1
            open_parts[top, 3] = y1
            open_parts[top, 4] = whole
            open_parts[top, 5] = start
            top += 1
            open_level[top] = np.int32(level)
            x0, y0, x1, y1, whole, start = FAR, FAR, np.int32(-1), np.int32(-1), np.int32(0), FAR
            pixel, now = other, level

        at_x, at_y = np.int32((pixel & column) - one), np.int32((pixel >> shift) - one)
        x0, y0, x1, y1 = min(x0, at_x), min(y0, at_y), max(x1, at_x), max(y1, at_y)
        whole += np.int32(cells[pixel] >> np.uint32(16) & np.uint32(0xFF))
        start = min(start, np.int32(pixel))

        while head[now] == 0 and now > 0:
            now -= np.uint32(1)
        pixel = np.uint64(head[now])
        head[now] = chained[pixel]
        ground = np.int32(now) if pixel else np.int32(-1)
        # Components above the next pixel's level are complete; at the end, all are.
        while open_level[top] > ground:
            below = max(ground, np.int32(0))
            joins = top > 0 and open_level[top - 1] >= below
            if joins:
                below = open_level[top - 1]
            if open_level[top] > below:
                low[count] = below
                high[count] = open_level[top]
                bounds[count, 0] = x0
                bounds[count, 1] = y0
                bounds[count, 2] = x1
                bounds[count, 3] = y1
                size[count] = whole
                first[count] = start
                count += 1
            if joins:
                top -= 1
                x0, y0 = min(x0, open_parts[top, 0]), min(y0, open_parts[top, 1])
                x1, y1 = max(x1, open_parts[top, 2]), max(y1, open_parts[top, 3])
                whole += open_parts[top, 4]
                start = min(start, open_parts[top, 5])
            else:
                open_level[top] = ground
                break
        if not pixel:
            break
    return low[:count], high[:count], bounds[:count], size[:count], first[:count]


@njit(cache=True, nogil=True)
def fill_holes(levels: np.ndarray) -> np.ndarray:
    """Return levels (H, W) uint16 with every hole filled at every level: each pixel rises to its way out.

    A hole is a 4-connected set of pixels at or below a level from which no 4-connected way at or below that level leads
    to the border of the map.

    >>> fill_holes(np.array([[3, 3, 3], [3, 0, 3], [3, 3, 2]], np.uint16)).tolist()
    [[3, 3, 3], [3, 3, 3], [3, 3, 2]]
    """
    height, width = levels.shape
    stride = np.uint64(width + 2)
    one = np.uint64(1)
    cells = np.full((height + 2) * (width + 2), TAKEN, np.uint32)
    highest = np.uint32(0)
    for y in range(height):
        row = np.uint64(y + 1) * stride + one
        for x in range(width):
            cells[row + np.uint64(x)] = levels[y, x]
            highest = max(highest, np.uint32(levels[y, x]))
    head = np.zeros(np.int64(highest) + 1, np.uint32)  # 0, a pixel of the frame, ends a chain
    chained = np.empty(len(cells), np.uint32)
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


@njit(cache=True, nogil=True)
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
