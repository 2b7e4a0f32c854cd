"""Gaussian filtering of many values at scattered points: the permutohedral lattice (Adams, Baek and Davis, 2010).

Every point lies in a simplex of a lattice in d dimensions. Its value is shared out to the d + 1 corners of the simplex
(splat), the corners are blurred along the d + 1 directions of the lattice, and the point collects what its corners
hold then (slice). The result is about that of a sum over all pairs of points, with weights
exp(-|f - g|^2 / 2) for features f and g, in time linear in the number of points.

Conventions: features are divided by their standard deviations; N points, d dimensions, M corners in use, numbered from
1 in the order in which they are met. Corner 0 stands for all that no point touches; it holds 0. Only corners that a
point touches take part in the blur. The kernels are compiled by numba when they are first called and kept in its cache;
they use one thread and release the interpreter's lock, so that images can share the cores.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, ShapeError
from wsolkit.kernels import compiled

__all__ = ["Lattice", "blur", "build_lattice", "gaussian_filter", "normalise"]


class Lattice(NamedTuple):
    """Where N points lie in a lattice of M corners.

    Attributes:
        corners: (N, d + 1) uint32, the corners of each point's simplex.
        weights: (N, d + 1) float32, the point's share in each of them; they add up to 1.
        neighbours: (d + 1, M + 1, 2) uint32, the corners before and behind each corner in every direction.
    """

    corners: np.ndarray
    weights: np.ndarray
    neighbours: np.ndarray


def build_lattice(features: np.ndarray) -> Lattice:
    """Return the lattice of some points.

    Args:
        features: (N, d) float32, finite, divided by their standard deviations; N and d at least 1.

    Raises:
        ShapeError: the features are not a table.
        ConfigError: they are so large that the lattice has more places than can be numbered.

    >>> lattice = build_lattice(np.zeros((3, 2), np.float32))
    >>> lattice.corners.tolist()
    [[1, 2, 3], [1, 2, 3], [1, 2, 3]]
    >>> lattice.weights[0].tolist()
    [1.0, 0.0, 0.0]
    """
    if features.ndim != 2 or not features.size:
        raise ShapeError(f"Features should be (N, d) with N and d at least 1, but got shape {features.shape}.")
    features = np.ascontiguousarray(features, np.float32)
    count, dimensions = features.shape
    axes = np.arange(1, dimensions + 1)
    # The blur has a variance of 2/3 in units of d + 1 (Adams et al., page 6), and the embedding is orthogonal (page 5).
    scale = (np.float32((dimensions + 1) * np.sqrt(2 / 3)) / np.sqrt(axes * (axes + 1))).astype(np.float32)
    low, strides = numbering(features, scale)
    corners = np.empty((count, dimensions + 1), np.uint32)
    weights = np.empty((count, dimensions + 1), np.float32)
    table, keys = place_points(features, scale, low, strides, corners, weights)
    return Lattice(corners, weights, find_neighbours(table, keys, strides))


def gaussian_filter(lattice: Lattice, values: np.ndarray) -> np.ndarray:
    """Return for every point about the sum of the values of all points, weighted by exp(-|f - g|^2 / 2).

    Sums are smaller than the true ones by a factor that depends on d, 0.88 where d is 2. Apart from that they are
    within 1.5 % in the midst of many points, and less exact where there are few.

    Args:
        lattice: of the points, with features f and g.
        values: (N,) float32.

    Returns:
        (N,) float32.

    Raises:
        ShapeError: there is not one value for each point.

    >>> points = np.array([[0], [1], [50]], np.float32)
    >>> gaussian_filter(build_lattice(points), np.array([1, 2, 7], np.float32)).astype(float).round(1).tolist()
    [2.0, 2.4, 5.4]
    """
    if values.shape != (len(lattice.corners),):
        raise ShapeError(f"The lattice has {len(lattice.corners)} points, but the values have shape {values.shape}.")
    # Where all its neighbours are there, a point should weigh 1 in its own sum; d + 1 steps to one side lead back too.
    return pass_through(lattice, values) / np.float32(1 + 0.5 ** (lattice.corners.shape[1] - 1))


def normalise(lattice: Lattice, compat: float) -> None:
    """Scale the weights so that splat, blur and slice give the symmetrically normalised filter, times ``compat``.

    That is compat * k(f, g) / sqrt(n(f) n(g)), where n is the filter of ones. A constant factor of the filter is lost.

    >>> lattice = build_lattice(np.zeros((4, 2), np.float32))
    >>> normalise(lattice, 3.0)
    >>> pass_through(lattice, np.ones(4, np.float32)).round(5).tolist()
    [3.0, 3.0, 3.0, 3.0]
    """
    ones = pass_through(lattice, np.ones(len(lattice.corners), np.float32))
    lattice.weights[:] *= np.sqrt(np.float32(compat) / ones)[:, None]


def pass_through(lattice: Lattice, values: np.ndarray) -> np.ndarray:
    """Return the values (N,) after splat, blur and slice, the filter up to a constant factor."""
    held = np.zeros(lattice.neighbours.shape[1], np.float32)
    splat(lattice, values.astype(np.float32, copy=False), held)
    held, _ = blur(lattice, held, np.zeros_like(held))
    return collect(lattice, held)


def blur(lattice: Lattice, held: np.ndarray, spare: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blur what the corners hold in every direction.

    Args:
        lattice: of M corners.
        held: (M + 1,) or (M + 1, P) float32, 0 at corner 0; overwritten.
        spare: the same, anything elsewhere; overwritten.

    Returns:
        The two arrays, the result first.
    """
    kernel = blur_one if held.ndim == 1 else blur_many
    for neighbours in lattice.neighbours:
        kernel(neighbours, held, spare)
        held, spare = spare, held
    return held, spare


def numbering(features: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return lower bounds of a corner's first d coordinates, and what each counts in the corner's number, each (d,).

    Raises:
        ConfigError: numbers would not fit.
    """
    dimensions = len(scale)
    matrix = np.triu(np.broadcast_to(scale, (dimensions, dimensions))).astype(np.float64)
    matrix[np.arange(1, dimensions), np.arange(dimensions - 1)] = -np.arange(1, dimensions) * scale[:-1]
    ends = matrix * features.min(0), matrix * features.max(0)
    margin = 3 * (dimensions + 1)  # the corners of a simplex, and their neighbours
    low = np.floor(np.minimum(*ends).sum(1)) - margin
    places = np.ceil(np.maximum(*ends).sum(1)) + margin - low + 1
    if not (places.max() < 1 << 24 and places.prod() < 1 << 62):  # nor where they are not finite
        spread = ", ".join(f"{each:.3g}" for each in np.ptp(features, 0))
        raise ConfigError(
            f"Points spread over {spread} standard deviations need a lattice with more places than can be numbered. "
            "Use larger standard deviations."
        )
    strides = np.ones(dimensions, np.int64)
    strides[:-1] = places[:0:-1].astype(np.int64).cumprod()[::-1]
    return low.astype(np.int64), strides


@compiled()
def slot_of(table: np.ndarray, key: int) -> np.uint64:
    """Return where a key is in a hash table of (key, corner), or the free place where it belongs."""
    last = np.uint64(len(table) - 1)
    slot = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20) & last
    while table[slot, 0] != 0 and table[slot, 0] != key:
        slot = (slot + np.uint64(1)) & last
    return slot


@compiled()
def place_points(
    features: np.ndarray,
    scale: np.ndarray,
    low: np.ndarray,
    strides: np.ndarray,
    corners: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Write corners and weights of all points; return the hash table of corners, and the key of each.

    A corner's key numbers its first d coordinates, counted from ``low``; the last one follows from them.
    """
    count, dimensions = features.shape
    whole = np.float32(dimensions + 1)
    part = np.float32(1) / whole
    all_strides = strides.sum()
    capacity = 1024
    while capacity < count // 4:
        capacity *= 2
    table = np.zeros((capacity, 2), np.int64)
    keys = np.zeros(capacity // 2 + 1, np.int64)
    used = 0
    embedded = np.empty(dimensions + 1, np.float32)
    nearest = np.empty(dimensions + 1, np.float32)
    above = np.empty(dimensions + 1, np.float32)
    rank = np.empty(dimensions + 1, np.int64)
    ranked = np.empty(dimensions + 1, np.float32)
    ranked_stride = np.empty(dimensions + 1, np.int64)
    before = np.zeros(dimensions + 1, np.int64)
    for point in range(count):
        rest = np.float32(0)
        for axis in range(dimensions, 0, -1):
            scaled = features[point, axis - 1] * scale[axis - 1]
            embedded[axis] = rest - np.float32(axis) * scaled
            rest += scaled
        embedded[0] = rest
        # The nearest point whose coordinates are multiples of d + 1, and how far the coordinates lie above it.
        off = np.float32(0)
        for axis in range(dimensions + 1):
            multiple = np.rint(part * embedded[axis])
            nearest[axis] = multiple * whole
            above[axis] = embedded[axis] - nearest[axis]
            off += multiple
            rank[axis] = 0
        for axis in range(dimensions):
            for other in range(axis + 1, dimensions + 1):
                less = above[axis] < above[other]
                rank[axis] += less
                rank[other] += not less
        # Coordinates of a corner add up to 0; where they do not, those that were rounded furthest go back.
        key = np.int64(0)
        for axis in range(dimensions + 1):
            turned = rank[axis] + np.int64(off)
            if turned < 0:
                turned += dimensions + 1
                nearest[axis] += whole
            elif turned > dimensions:
                turned -= dimensions + 1
                nearest[axis] -= whole
            ranked[turned] = embedded[axis] - nearest[axis]
            ranked_stride[turned] = 0
            if axis < dimensions:
                key += (np.int64(nearest[axis]) - low[axis]) * strides[axis]
                ranked_stride[turned] = (dimensions + 1) * strides[axis]
        # From corner to corner: one step along all coordinates, and the largest falls back by d + 1.
        if 2 * (used + dimensions + 2) > len(table):
            table, keys = grown(table, keys, used)
        for corner in range(dimensions + 1):
            if corner == 0:
                weights[point, 0] = np.float32(1) + (ranked[dimensions] - ranked[0]) * part
            else:
                weights[point, corner] = (ranked[dimensions - corner] - ranked[dimensions + 1 - corner]) * part
                key += all_strides - ranked_stride[dimensions + 1 - corner]
            if key == before[corner]:
                corners[point, corner] = corners[point - 1, corner]
                continue
            before[corner] = key
            slot = slot_of(table, key)
            if table[slot, 0] == 0:
                used += 1
                table[slot, 0] = key
                table[slot, 1] = used
                keys[used] = key
            corners[point, corner] = table[slot, 1]
    return table, keys[: used + 1]


@compiled()
def grown(table: np.ndarray, keys: np.ndarray, used: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a hash table and a list of keys with room for twice as many corners."""
    larger = np.zeros((2 * len(table), 2), np.int64)
    more = np.zeros(len(table) + 1, np.int64)
    for corner in range(1, used + 1):
        more[corner] = keys[corner]
        slot = slot_of(larger, keys[corner])
        larger[slot, 0] = keys[corner]
        larger[slot, 1] = corner
    return larger, more


@compiled()
def find_neighbours(table: np.ndarray, keys: np.ndarray, strides: np.ndarray) -> np.ndarray:
    """Return the two neighbours of every corner in every direction, (d + 1, M + 1, 2) uint32."""
    dimensions = len(strides)
    neighbours = np.zeros((dimensions + 1, len(keys), 2), np.uint32)
    for axis in range(dimensions + 1):
        step = -strides.sum()
        if axis < dimensions:
            step += (dimensions + 1) * strides[axis]
        for corner in range(1, len(keys)):
            slot = slot_of(table, keys[corner] + step)
            if table[slot, 0] != 0:
                neighbours[axis, corner, 0] = table[slot, 1]
                neighbours[axis, table[slot, 1], 1] = corner
    return neighbours


@compiled()
def splat(lattice: Lattice, values: np.ndarray, held: np.ndarray) -> None:
    """Add the points' values (N,) to what their corners hold, (M + 1,)."""
    for point in range(len(lattice.corners)):
        for corner in range(lattice.corners.shape[1]):
            held[lattice.corners[point, corner]] += lattice.weights[point, corner] * values[point]


@compiled()
def collect(lattice: Lattice, held: np.ndarray) -> np.ndarray:
    """Return what the corners, which hold (M + 1,), give to the points, (N,)."""
    values = np.zeros(len(lattice.corners), np.float32)
    for point in range(len(lattice.corners)):
        for corner in range(lattice.corners.shape[1]):
            values[point] += lattice.weights[point, corner] * held[lattice.corners[point, corner]]
    return values


@compiled(fastmath={"contract"})
def blur_one(neighbours: np.ndarray, held: np.ndarray, blurred: np.ndarray) -> None:
    """Blur one value per corner, (M + 1,), in one direction."""
    half = np.float32(0.5)
    for corner in range(1, len(held)):
        blurred[corner] = held[corner] + half * (held[neighbours[corner, 0]] + held[neighbours[corner, 1]])


@compiled(fastmath={"contract"})
def blur_many(neighbours: np.ndarray, held: np.ndarray, blurred: np.ndarray) -> None:
    """Blur P values per corner, (M + 1, P), in one direction."""
    half = np.float32(0.5)
    for corner in range(1, len(held)):
        before, behind = neighbours[corner, 0], neighbours[corner, 1]
        for value in range(held.shape[1]):
            blurred[corner, value] = held[corner, value] + half * (held[before, value] + held[behind, value])
