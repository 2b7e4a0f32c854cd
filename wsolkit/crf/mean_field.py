"""Mean field inference of a fully connected CRF with Potts compatibility (Kraehenbuehl and Koltun, NIPS 2011).

One iteration: every pixel collects the filtered probabilities of all pixels from the lattices of the kernels, adds its
own energies, normalises, and shares out its probabilities; then the lattices are blurred. A kernel's normalisation and
weight are part of its lattice's weights, so that one pass over the pixels does all of it.

Conventions: N pixels, L labels, M corners of a lattice. Two labels need one value per pixel, the difference of their
probabilities. A pixel is among those that vote for its own label, as in the authors' program; the paper leaves it out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from wsolkit.crf.permutohedral import Lattice, blur
from wsolkit.kernels import compiled

__all__ = ["infer", "no_kernel"]


def infer(energies: np.ndarray, gaussian: Lattice, bilateral: Lattice, iterations: int) -> np.ndarray:
    """Return the probabilities of the labels after so many iterations.

    Args:
        energies: (L, N) float32, finite; L at least 2.
        gaussian: normalised lattice of one kernel, or ``no_kernel(N)``.
        bilateral: normalised lattice of the other kernel, or ``no_kernel(N)``.
        iterations: 0 gives the probabilities of the energies alone.

    Returns:
        (L, N) float32.

    >>> alone = no_kernel(1)
    >>> infer(-np.log(np.array([[1], [2], [2]], np.float32)), alone, alone, 0).astype(float).round(4).tolist()
    [[0.2], [0.4], [0.4]]
    """
    two = len(energies) == 2
    by_pixel = energies[0] - energies[1] if two else np.array(energies.T, order="C")
    update = update_two if two else update_many
    found = np.empty(energies.shape, np.float32)
    lattices = gaussian, bilateral
    held = [np.zeros((each.neighbours.shape[1], *by_pixel.shape[1:]), np.float32) for each in lattices]
    spare = [np.zeros_like(each) for each in held]
    for iteration in range(iterations + 1):
        last = iteration == iterations
        update(by_pixel, gaussian, bilateral, *held, *spare, found, iteration > 0, last)
        if not last:
            for number, lattice in enumerate(lattices):
                held[number], spare[number] = blur(lattice, spare[number], held[number])
                spare[number].fill(0)
    return found


def no_kernel(pixels: int) -> Lattice:
    """Return a lattice that adds nothing."""
    return Lattice(np.empty((pixels, 0), np.uint32), np.empty((pixels, 0), np.float32), np.empty((0, 1, 2), np.uint32))


@intrinsic
def float_of_bits(typing_context: Any, bits: Any) -> Any:  # noqa: ARG001
    """Read the bits of an int32 as a float32."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), build


SMALLEST = np.float32(-64)
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH = np.float32(0.693359375)  # few bits, so that its multiples are exact
LN2_LOW = np.float32(-2.12194440054690583e-4)


@compiled(inline="always")
def exponential(x: np.float32) -> np.float32:
    """Return e to the power of x <= 0, as float32, correct to 3e-7; 0 from e^-64 on, before numbers become slow.

    >>> float(exponential(np.float32(0))), float(exponential(np.float32(-64)))
    (1.0, 0.0)
    """
    raised = max(x, SMALLEST)
    twos = np.floor(raised * LOG2_E + np.float32(0.5))
    rest = raised - twos * LN2_HIGH - twos * LN2_LOW
    series = np.float32(1 / 5040)
    series = series * rest + np.float32(1 / 720)
    series = series * rest + np.float32(1 / 120)
    series = series * rest + np.float32(1 / 24)
    series = series * rest + np.float32(1 / 6)
    series = series * rest + np.float32(0.5)
    series = series * rest + np.float32(1)
    series = series * rest + np.float32(1)
    power = float_of_bits((np.int32(twos) + np.int32(127)) << np.int32(23))
    return series * power if x > SMALLEST else np.float32(0)


@compiled(fastmath={"contract", "reassoc", "nsz"})
def update_many(
    energies: np.ndarray,
    gaussian: Lattice,
    bilateral: Lattice,
    first: np.ndarray,
    second: np.ndarray,
    first_next: np.ndarray,
    second_next: np.ndarray,
    found: np.ndarray,
    collects: bool,
    last: bool,
) -> None:
    """Compute the probabilities of every pixel; write them down if they are the last, else share them out.

    Args:
        energies: (N, L).
        gaussian: lattice of the first kernel.
        bilateral: lattice of the second.
        first: (M + 1, L) what the corners of the first lattice hold.
        second: the same of the second lattice.
        first_next: the same, 0, to add to.
        second_next: the same of the second lattice.
        found: (L, N) to write to.
        collects: whether the corners hold anything yet.
        last: whether to write.
    """
    labels = len(found)
    sums = np.empty(labels, np.float32)
    for pixel in range(len(energies)):
        for label in range(labels):
            sums[label] = -energies[pixel, label]
        if collects:
            collect_many(gaussian, pixel, first, sums)
            collect_many(bilateral, pixel, second, sums)
        highest = sums[0]
        for label in range(1, labels):
            highest = max(highest, sums[label])
        for label in range(labels):
            sums[label] = exponential(sums[label] - highest)
        total = np.float32(0)
        for label in range(labels):
            total += sums[label]
        scale = np.float32(1) / total
        for label in range(labels):
            sums[label] *= scale
        if last:
            for label in range(labels):
                found[label, pixel] = sums[label]
        else:
            share_many(gaussian, pixel, sums, first_next)
            share_many(bilateral, pixel, sums, second_next)


@compiled(inline="always")
def collect_many(lattice: Lattice, pixel: int, held: np.ndarray, sums: np.ndarray) -> None:
    """Add what a pixel's corners hold, (M + 1, L), to its sums (L,)."""
    for number in range(lattice.corners.shape[1]):
        corner, weight = lattice.corners[pixel, number], lattice.weights[pixel, number]
        for label in range(held.shape[1]):
            sums[label] += weight * held[corner, label]


@compiled(inline="always")
def share_many(lattice: Lattice, pixel: int, values: np.ndarray, held: np.ndarray) -> None:
    """Add a pixel's values (L,) to what its corners hold, (M + 1, L)."""
    for number in range(lattice.corners.shape[1]):
        corner, weight = lattice.corners[pixel, number], lattice.weights[pixel, number]
        for label in range(held.shape[1]):
            held[corner, label] += weight * values[label]


@compiled(fastmath={"contract"})
def update_two(
    energies: np.ndarray,
    gaussian: Lattice,
    bilateral: Lattice,
    first: np.ndarray,
    second: np.ndarray,
    first_next: np.ndarray,
    second_next: np.ndarray,
    found: np.ndarray,
    collects: bool,
    last: bool,
) -> None:
    """Do as ``update_many``, with energies (N,) of label 0 less those of label 1, and corners that hold (M + 1,).

    They hold the probability of label 1 less that of label 0.
    """
    for pixel in range(len(energies)):
        favour = energies[pixel]
        if collects:
            favour += collected(gaussian, pixel, first) + collected(bilateral, pixel, second)
        less = exponential(-abs(favour))
        more = np.float32(1) / (np.float32(1) + less)
        less *= more
        if last:
            found[0, pixel] = less if favour > 0 else more
            found[1, pixel] = more if favour > 0 else less
        else:
            difference = more - less if favour > 0 else less - more
            for number in range(gaussian.corners.shape[1]):
                first_next[gaussian.corners[pixel, number]] += gaussian.weights[pixel, number] * difference
            for number in range(bilateral.corners.shape[1]):
                second_next[bilateral.corners[pixel, number]] += bilateral.weights[pixel, number] * difference


@compiled(inline="always")
def collected(lattice: Lattice, pixel: int, held: np.ndarray) -> np.float32:
    """Return what a pixel's corners hold, (M + 1,), for it."""
    total = np.float32(0)
    for number in range(lattice.corners.shape[1]):
        total += lattice.weights[pixel, number] * held[lattice.corners[pixel, number]]
    return total
