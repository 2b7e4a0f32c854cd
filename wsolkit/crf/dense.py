"""A dense CRF: labels that agree with the image's edges (Kraehenbuehl and Koltun, NIPS 2011).

Every pixel votes for the labels of all others: of those nearby (Gaussian kernel), and of those nearby with a similar
colour (bilateral kernel). The sums over all pairs of pixels are approximated in a permutohedral lattice; see there.

Conventions are those of pydensecrf: symmetric normalisation of the kernels, Potts compatibility, x before y, energies
that are negative logarithms of probabilities. Results differ from its own by rounding alone, which the iterations may
amplify where two labels are about as likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wsolkit.crf.mean_field import infer, no_kernel
from wsolkit.crf.permutohedral import Lattice, build_lattice, normalise
from wsolkit.errors import ConfigError, DataError, MapError, ShapeError

__all__ = ["BilateralKernel", "GaussianKernel", "crf_label_energy", "crf_probability_energy", "dense_crf"]


def deviations(name: str, given: float | tuple[float, ...], count: int) -> np.ndarray:
    """Return standard deviations for each axis, (count,) float32.

    Raises:
        ConfigError: there are too few or too many, or one is not positive and finite.

    >>> deviations("sxy", 3, 2).tolist()
    [3.0, 3.0]
    """
    found = np.asarray(given)
    kind = np.issubdtype(found.dtype, np.floating) or np.issubdtype(found.dtype, np.integer)
    if not kind or found.shape not in ((), (count,)) or not (np.isfinite(found) & (found >= 1e-6)).all():
        raise ConfigError(
            f"{name} should be a positive number (1e-6 or more), or {count} of them, one per axis, but got {given!r}."
        )
    return np.broadcast_to(found.astype(np.float32), (count,))


def check_compat(compat: float) -> None:
    """Refuse a weight that is not positive.

    Raises:
        ConfigError: it is not.
    """
    if isinstance(compat, bool) or not isinstance(compat, (int, float, np.number)) or not 0 < compat < np.inf:
        raise ConfigError(f"compat should be a positive number, but got {compat!r}. Use None for no kernel.")


@dataclass(frozen=True)
class GaussianKernel:
    """The kernel that smooths.

    Attributes:
        sxy: standard deviation in pixels, or one for x and one for y.
        compat: weight of its votes.
    """

    sxy: float | tuple[float, float] = 3
    compat: float = 3

    def __post_init__(self) -> None:
        deviations("sxy", self.sxy, 2)
        check_compat(self.compat)


@dataclass(frozen=True)
class BilateralKernel:
    """The kernel that follows edges.

    Attributes:
        sxy: standard deviation in pixels, or one for x and one for y.
        srgb: standard deviation in steps of colour (0 to 255), or one each for red, green and blue.
        compat: weight of its votes.
    """

    sxy: float | tuple[float, float] = 50
    srgb: float | tuple[float, float, float] = 5
    compat: float = 10

    def __post_init__(self) -> None:
        deviations("sxy", self.sxy, 2)
        deviations("srgb", self.srgb, 3)
        check_compat(self.compat)


GAUSSIAN = GaussianKernel()
BILATERAL = BilateralKernel()


def dense_crf(
    image: np.ndarray,
    unary: np.ndarray,
    iterations: int = 10,
    gaussian: GaussianKernel | None = GAUSSIAN,
    bilateral: BilateralKernel | None = BILATERAL,
) -> np.ndarray:
    """Return the probabilities of labels after mean field inference.

    It uses one thread and releases the interpreter's lock most of the time: threads or processes may share images.

    Args:
        image: (H, W, 3) uint8, RGB.
        unary: (L, H, W) energies of L labels, at least 2, as of ``crf_label_energy`` or ``crf_probability_energy``.
        iterations: 0 gives the probabilities of the energies alone.
        gaussian: kernel that smooths, or None.
        bilateral: kernel that follows edges, or None.

    Returns:
        (L, H, W) float32, adding up to 1.

    Raises:
        ShapeError: image and energies do not fit each other or what is said here.
        DataError: the image is not uint8, or the energies are no floating point numbers.
        MapError: an energy is NaN or infinite.
        ConfigError: ``iterations`` is no number of iterations, or a standard deviation is too small.

    Source: Algorithm 1 of the paper, with the pixel itself among the voters, as in the authors' program.

    >>> image = np.zeros((4, 6, 3), np.uint8)
    >>> image[:, 3:] = 200
    >>> labels = np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0)
    >>> labels[1, 1] = 1
    >>> dense_crf(image, crf_label_energy(labels, classes=2)).argmax(0)[1].tolist()
    [0, 0, 0, 1, 1, 1]
    """
    if unary.ndim != 3 or len(unary) < 2 or not unary.size:
        raise ShapeError(f"Energies should be (L, H, W) with 2 or more labels, but got shape {unary.shape}.")
    height, width = unary.shape[1:]
    if image.shape != (height, width, 3):
        raise ShapeError(
            f"Energies {unary.shape} need an image ({height}, {width}, 3), but got shape {image.shape}. "
            "Resize one of the two."
        )
    if image.dtype != np.uint8:
        raise DataError(f"The image should be uint8, 0 to 255, since srgb counts in its steps, but got {image.dtype}.")
    if not np.issubdtype(unary.dtype, np.floating):
        raise DataError(
            f"Energies should be float32, but got {unary.dtype}. For labels, use crf_label_energy(labels, classes)."
        )
    if isinstance(iterations, bool) or not isinstance(iterations, (int, np.integer)) or iterations < 0:
        raise ConfigError(f"iterations should be a whole number from 0, but got {iterations!r}.")
    with np.errstate(over="ignore"):
        energies = unary.reshape(len(unary), -1).astype(np.float32, copy=False)
    if not np.isfinite(energies).all():
        raise MapError(
            "Energies should be finite, but some are NaN or infinite. Raise probabilities of 0 to a small number "
            "first; crf_probability_energy does so."
        )
    smooth = edges = no_kernel(height * width)
    if gaussian is not None and iterations:
        smooth = kernel_lattice(positions(height, width, gaussian.sxy), gaussian.compat)
    if bilateral is not None and iterations:
        features = np.empty((height * width, 5), np.float32)
        features[:, :2] = positions(height, width, bilateral.sxy)
        features[:, 2:] = image.reshape(-1, 3) / deviations("srgb", bilateral.srgb, 3)
        edges = kernel_lattice(features, bilateral.compat)
    return infer(energies, smooth, edges, int(iterations)).reshape(unary.shape)


def crf_label_energy(labels: np.ndarray, classes: int, gt_prob: float = 0.7, zero_unsure: bool = False) -> np.ndarray:
    """Return energies of a label map that is right with probability ``gt_prob``, all other labels being as likely.

    Args:
        labels: (H, W) whole numbers, 0 to ``classes`` - 1.
        classes: L, at least 2.
        gt_prob: how much the map is believed, in (0, 1).
        zero_unsure: 0 means "may be anything" and l + 1 means label l, so that the numbers run from 0 to ``classes``.

    Returns:
        (L, H, W) float32.

    Raises:
        ConfigError: ``classes`` or ``gt_prob`` is out of range.
        ShapeError: the labels are not (H, W).
        DataError: the labels are no whole numbers, or out of range.

    >>> np.exp(-crf_label_energy(np.array([[0, 2]]), classes=3, gt_prob=0.8))[:, 0].astype(float).round(2).tolist()
    [[0.8, 0.1], [0.1, 0.1], [0.1, 0.8]]
    >>> np.exp(-crf_label_energy(np.array([[0, 2]]), classes=2, zero_unsure=True))[:, 0].astype(float).round(2).tolist()
    [[0.5, 0.3], [0.5, 0.7]]
    """
    if isinstance(classes, bool) or not isinstance(classes, (int, np.integer)) or classes < 2:
        raise ConfigError(f"A CRF needs 2 or more classes, but got {classes!r}.")
    if not 0 < gt_prob < 1:
        raise ConfigError(f"gt_prob should lie between 0 and 1, but got {gt_prob}.")
    if labels.ndim != 2 or not labels.size:
        raise ShapeError(f"Labels should be (H, W), but got shape {labels.shape}.")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"Labels should be whole numbers, but got {labels.dtype}.")
    last = classes if zero_unsure else classes - 1
    if labels.min() < 0 or labels.max() > last:
        raise DataError(
            f"Labels should lie in 0..{last}, but got {labels.min()}..{labels.max()}. Pixels without a label "
            "can be 0 with zero_unsure=True, all other labels counted from 1."
        )
    chances = np.full((classes, classes + 1), (1 - gt_prob) / (classes - 1))  # of each label, for each number of a map
    chances[:, 0] = 1 / classes
    np.fill_diagonal(chances[:, 1:], gt_prob)
    energies = -np.log(chances[:, 0 if zero_unsure else 1 :]).astype(np.float32)
    return np.ascontiguousarray(energies[:, labels])


def crf_probability_energy(probabilities: np.ndarray, floor: float = 1e-5) -> np.ndarray:
    """Return energies of probabilities: their negative logarithms.

    Args:
        probabilities: (L, H, W) in [0, 1].
        floor: what smaller probabilities are raised to, in (0, 1).

    Returns:
        (L, H, W) float32.

    Raises:
        ConfigError: ``floor`` is out of range.
        ShapeError: the probabilities are not (L, H, W) of 2 or more labels.
        MapError: a probability is NaN or outside of [0, 1].

    >>> crf_probability_energy(np.array([[[0.25]], [[0.0]]]), floor=0.5).astype(float).round(3).ravel().tolist()
    [0.693, 0.693]
    """
    if not 0 < floor < 1:
        raise ConfigError(f"floor should lie between 0 and 1, but got {floor}.")
    if probabilities.ndim != 3 or len(probabilities) < 2 or not probabilities.size:
        raise ShapeError(f"Probabilities should be (L, H, W) with 2 or more labels, but got {probabilities.shape}.")
    low, high = probabilities.min(), probabilities.max()
    if not (low >= 0 and high <= 1 + 1e-5):
        raise MapError(f"Probabilities should lie in [0, 1] without NaN, but got {low:.4g}..{high:.4g}.")
    return -np.log(np.clip(probabilities, floor, 1)).astype(np.float32)


def kernel_lattice(features: np.ndarray, compat: float) -> Lattice:
    """Return the normalised lattice of features (N, d), divided by their standard deviations."""
    lattice = build_lattice(features)
    normalise(lattice, compat)
    return lattice


def positions(height: int, width: int, sxy: float | tuple[float, float]) -> np.ndarray:
    """Return x and y of every pixel, divided by their standard deviations, (H * W, 2) float32."""
    found = np.empty((height, width, 2), np.float32)
    x, y = deviations("sxy", sxy, 2)
    found[..., 0] = np.arange(width, dtype=np.float32) / x
    found[..., 1] = (np.arange(height, dtype=np.float32) / y)[:, None]
    return found.reshape(-1, 2)
