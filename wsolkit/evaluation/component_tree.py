"""Every connected component of a map at every level, from one flood over its pixels.

The components of ``levels > T`` for all T are nested: they form the component tree (max-tree; Salembier et al. 1998).
One flood from the peaks down, always taking the highest pixel of its edge next, meets them all in time linear in the
number of pixels (Nister and Stewenius, ECCV 2008). The kernels are compiled by numba when they are first called and
kept in its cache; they release the interpreter's lock, so that threads share the cores.

Conventions: pixels are (x, y) from the upper left corner; a component's bounds are inclusive; levels are small integers
from 0.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from wsolkit.errors import ShapeError
from wsolkit.kernels import compiled

__all__ = ["LEVEL", "TAKEN", "Components", "components_in_scratch", "components_of", "lowest_bits", "scratch_for"]


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


class Scratch(NamedTuple):
    """Memory that the kernels of one thread use again and again; new memory for every map costs a fifth of the time."""

    cells: np.ndarray
    chained: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bounds: np.ndarray
    size: np.ndarray
    first: np.ndarray


class Kept(threading.local):
    """The scratch memory of this thread."""

    scratch: Scratch | None = None


KEPT = Kept()


def scratch_for(height: int, width: int) -> Scratch:
    """Return memory for a map; it is valid until the next call in the same thread."""
    stride = 1 << max(width + 1, 1).bit_length()
    count = (height + 2) * stride
    if KEPT.scratch is None or len(KEPT.scratch.cells) < count:
        KEPT.scratch = Scratch(
            cells=np.empty(count, np.uint32),
            chained=np.empty(count, np.uint32),
            low=np.empty(2 * count, np.int32),  # components, and the holes between them
            high=np.empty(2 * count, np.int32),
            bounds=np.empty((2 * count, 4), np.int32),
            size=np.empty(2 * count, np.int32),
            first=np.empty(2 * count, np.int32),
        )
    return KEPT.scratch


def components_of(
    levels: np.ndarray, weights: np.ndarray | None = None, diagonal: bool = True, inner: bool = False
) -> Components:
    """Return the connected components of ``levels > T`` for every T from 0 on.

    Args:
        levels: (H, W) uint8 or uint16.
        weights: (H, W) uint8 what each pixel adds to the size of its components; 1 by default.
        diagonal: whether pixels that touch at a corner are connected (8-connectivity).
        inner: leave out components that touch the border of the map.

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
    if weights is not None and weights.shape != levels.shape:
        raise ShapeError(f"Levels are {levels.shape}, but the weights of their pixels {weights.shape}.")
    return Components(*(part.copy() for part in components_in_scratch(levels, weights, diagonal, inner)))


def components_in_scratch(
    levels: np.ndarray, weights: np.ndarray | None = None, diagonal: bool = True, inner: bool = False, behind: int = 0
) -> Components:
    """Return ``components_of`` in memory that the next call in this thread overwrites, behind so many earlier ones."""
    if weights is None:
        weights = np.ones(levels.shape, np.uint8)
    scratch = scratch_for(*levels.shape)
    count = flood(levels.astype(np.uint16, copy=False), weights, diagonal, inner, scratch, behind)
    return Components(*(part[:count] for part in scratch[2:]))


TAKEN = np.uint32(1 << 31)
LEVEL = np.uint32(0xFFFF)
FAR = np.int32(1 << 30)
# Indices are unsigned throughout, so that numba need not look for negative ones; offsets wrap around.


@compiled()
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


@compiled()
def flood(levels: np.ndarray, weights: np.ndarray, diagonal: bool, inner: bool, scratch: Scratch, count: int) -> int:
    """Write every component into the scratch memory behind the first ``count``, and return how many are there then.

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
    cells, chained, low, high, bounds, size, first = scratch
    cells[: (height + 2) * np.int64(stride)] = TAKEN
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

    # Components not complete yet, each inside the one before, levels rising; that of the current pixel in variables.
    open_level = np.empty(np.int64(highest) + 2, np.int32)
    open_parts = np.empty((np.int64(highest) + 2, 6), np.int32)
    top = 0
    x0, y0, x1, y1, whole, start = FAR, FAR, np.int32(-1), np.int32(-1), np.int32(0), FAR

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
            outer = inner and (x0 == 0 or y0 == 0 or x1 == width - 1 or y1 == height - 1)
            if open_level[top] > below and not outer:
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
    return count
