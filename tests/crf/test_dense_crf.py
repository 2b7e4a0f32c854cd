"""The dense CRF against slow ones: the same lattice in dictionaries, exact sums over all pairs, pydensecrf2."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from wsolkit import ConfigError, DataError, MapError, ShapeError
from wsolkit.crf import BilateralKernel, GaussianKernel, crf_label_energy, crf_probability_energy, dense_crf
from wsolkit.crf.mean_field import exponential
from wsolkit.crf.permutohedral import build_lattice, gaussian_filter, normalise, pass_through


def slow_simplex(feature):
    """The corners of the simplex around a feature, and its barycentric coordinates, in double precision."""
    d = len(feature)
    y = np.zeros(d + 1)
    for axis in range(d):  # rows of the orthogonal basis of the plane of coordinates that add up to 0
        direction = np.zeros(d + 1)
        direction[: axis + 1] = 1
        direction[axis + 1] = -(axis + 1)
        y += feature[axis] * direction / np.linalg.norm(direction)
    y *= (d + 1) * np.sqrt(2 / 3)
    nearest = (d + 1) * np.round(y / (d + 1))
    too_much = round(nearest.sum() / (d + 1))
    order = np.argsort(nearest - y, kind="stable")  # of equal ones, the first coordinate counts as the larger
    if too_much > 0:
        nearest[order[-too_much:]] -= d + 1
    elif too_much < 0:
        nearest[order[:-too_much]] += d + 1
    order = np.argsort(nearest - y, kind="stable")
    corners = []
    for k in range(d + 1):
        corner = nearest.copy()
        corner[order[: d + 1 - k]] += k
        corner[order[d + 1 - k :]] += k - (d + 1)
        corners.append(corner)
    weights = np.linalg.lstsq(np.vstack([np.array(corners).T, np.ones(d + 1)]), np.append(y, 1), rcond=None)[0]
    assert (weights > -1e-9).all()
    return [tuple(corner.astype(int).tolist()) for corner in corners], weights


def slow_matrix(features):
    """What the lattice makes of every pair of points, (N, N), without a constant factor: splat, blur and slice."""
    simplices = [slow_simplex(feature) for feature in np.asarray(features, float)]
    number = {}
    for corners, _ in simplices:
        for corner in corners:
            number.setdefault(corner, len(number))
    splat = np.zeros((len(number), len(features)))
    for point, (corners, weights) in enumerate(simplices):
        for corner, weight in zip(corners, weights, strict=True):
            splat[number[corner], point] += weight
    d = features.shape[1]
    blurred = splat
    for axis in range(d + 1):
        step = np.full(d + 1, -1)
        step[axis] = d
        after = blurred.copy()
        for corner, row in number.items():
            for side in (step, -step):
                other = number.get(tuple((np.array(corner) + side).tolist()))
                if other is not None:
                    after[row] += blurred[other] / 2
        blurred = after
    return splat.T @ blurred


def exact_matrix(features):
    features = np.asarray(features, float)
    return np.exp(-((features[:, None] - features[None]) ** 2).sum(-1) / 2)


def image_features(image, gaussian, bilateral):
    """Features and weights of the kernels, pixel after pixel."""
    height, width = image.shape[:2]
    for kernel in (gaussian, bilateral):
        if kernel is None:
            continue
        sx, sy = np.broadcast_to(kernel.sxy, 2)
        rows = []
        for y in range(height):
            for x in range(width):
                colour = (image[y, x] / np.broadcast_to(kernel.srgb, 3)).tolist() if kernel is bilateral else []
                rows.append([x / sx, y / sy, *colour])
        yield np.array(rows), kernel.compat


def slow_crf(image, unary, iterations, gaussian, bilateral, matrix_of):
    """Mean field in double precision with dense matrices."""
    labels = len(unary)
    energies = unary.reshape(labels, -1).astype(float)
    matrices = []
    for features, compat in image_features(image, gaussian, bilateral):
        matrix = matrix_of(features)
        norm = 1 / np.sqrt(matrix.sum(1))
        matrices.append(compat * norm[:, None] * matrix * norm)
    found = np.exp(-energies) / np.exp(-energies).sum(0)
    for _ in range(iterations):
        favour = -energies
        for matrix in matrices:
            favour = favour + (matrix @ found.T).T
        favour -= favour.max(0)
        found = np.exp(favour) / np.exp(favour).sum(0)
    return found.reshape(unary.shape)


def picture(height, width, seed=0):
    """Two smooth regions of different colour with some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 3) ** 2
    colour = np.where(inside[..., None], [180, 90, 60], [60, 110, 150]) + (x * 0.7)[..., None]
    return (colour + rng.normal(0, 4, (height, width, 3))).clip(0, 255).astype(np.uint8)


def energies_for(labels, height, width, seed=0):
    return np.random.default_rng(seed).random((labels, height, width), np.float32) * 2


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
@pytest.mark.parametrize("spread", [1, 8], ids=["near", "far"])
def test_the_filter_is_that_of_a_slow_lattice(dimensions, spread):
    rng = np.random.default_rng(dimensions)
    features = (rng.standard_normal((400, dimensions)) * spread).astype(np.float32)
    values = rng.standard_normal(400).astype(np.float32)
    wanted = slow_matrix(features) @ values / (1 + 2.0**-dimensions)
    np.testing.assert_allclose(gaussian_filter(build_lattice(features), values), wanted, rtol=1e-4, atol=1e-4)


def test_the_lattice_grows_over_its_first_table():
    features = (np.random.default_rng(0).standard_normal((3000, 5)) * 20).astype(np.float32)
    lattice = build_lattice(features)
    corners = {corner for feature in features for corner in slow_simplex(feature.astype(float))[0]}
    assert lattice.neighbours.shape == (6, len(corners) + 1, 2)
    assert len(corners) > 10_000
    assert np.array_equal(np.unique(lattice.corners), np.arange(1, len(corners) + 1))
    np.testing.assert_allclose(lattice.weights.sum(1), 1, atol=1e-5)


def test_neighbours_are_mutual_and_nobody_has_corner_0():
    lattice = build_lattice(np.random.default_rng(0).random((500, 3), np.float32) * 4)
    assert (lattice.neighbours[:, 0] == 0).all()
    for before, behind in lattice.neighbours.transpose(0, 2, 1):
        there = np.flatnonzero(before)
        assert len(there)
        assert (behind[before[there]] == there).all()
        assert (behind > 0).sum() == len(there)


def test_the_filter_approximates_a_sum_of_gaussians():
    grid = np.stack(np.meshgrid(np.arange(40), np.arange(40)), -1).reshape(-1, 2).astype(np.float32) / 4
    values = np.random.default_rng(0).random(1600, np.float32)
    inside = ((grid > 2.5) & (grid < 7.5)).all(1)
    ratio = (gaussian_filter(build_lattice(grid), values) / (exact_matrix(grid) @ values))[inside]
    assert ratio.mean() == pytest.approx(0.883, abs=0.003)
    assert np.abs(ratio / ratio.mean() - 1).max() < 0.015


@pytest.mark.parametrize("labels", [2, 3, 9])
@pytest.mark.parametrize("iterations", [0, 1, 6])
@pytest.mark.parametrize(
    ("gaussian", "bilateral"),
    [
        (GaussianKernel(), BilateralKernel(sxy=9, srgb=12, compat=4)),
        (GaussianKernel(sxy=(1.5, 4), compat=2), None),
        (None, BilateralKernel(sxy=(20, 7), srgb=(9, 14, 30), compat=5)),
        (None, None),
    ],
    ids=["both", "gaussian", "bilateral", "none"],
)
def test_the_crf_is_mean_field_with_the_lattice_as_a_matrix(labels, iterations, gaussian, bilateral):
    image, unary = picture(11, 13), energies_for(labels, 11, 13)
    found = dense_crf(image, unary, iterations, gaussian, bilateral)
    wanted = slow_crf(image, unary, iterations, gaussian, bilateral, slow_matrix)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)


@pytest.mark.parametrize("labels", [2, 4])
def test_the_crf_is_near_mean_field_with_exact_sums(labels):
    image, gaussian, bilateral = picture(24, 30), GaussianKernel(), BilateralKernel(sxy=12, srgb=10, compat=4)
    truth = (np.random.default_rng(1).random((24, 30)) * labels).astype(int)
    unary = crf_label_energy(truth, labels, 0.7)
    found = dense_crf(image, unary, 5, gaussian, bilateral)
    wanted = slow_crf(image, unary, 5, gaussian, bilateral, exact_matrix)
    assert np.abs(found - wanted).mean() < 0.01
    assert np.abs(found - wanted).max() < 0.1
    assert (found.argmax(0) == wanted.argmax(0)).mean() > 0.97


def test_the_crf_restores_a_noisy_mask():
    height, width = 60, 80
    image = picture(height, width)
    truth = (image[..., 0] > 140) & (image[..., 2] < 140)
    noisy = truth ^ (np.random.default_rng(0).random(truth.shape) < 0.2)
    found = dense_crf(image, crf_label_energy(noisy.astype(np.uint8), 2)).argmax(0)
    assert (noisy != truth).mean() > 0.15
    assert (found != truth).mean() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2)])
@pytest.mark.parametrize("labels", [2, 3])
def test_images_of_one_line_or_one_pixel(size, labels):
    image, unary = picture(*size), energies_for(labels, *size)
    wanted = slow_crf(image, unary, 3, GaussianKernel(), BilateralKernel(), slow_matrix)
    np.testing.assert_allclose(dense_crf(image, unary, 3), wanted, atol=2e-5)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_constant_image(colour):
    image, unary = np.full((9, 12, 3), colour, np.uint8), energies_for(3, 9, 12)
    wanted = slow_crf(image, unary, 4, GaussianKernel(), BilateralKernel(), slow_matrix)
    np.testing.assert_allclose(dense_crf(image, unary, 4), wanted, atol=2e-5)


def test_two_labels_are_the_same_as_three_of_which_one_is_impossible():
    image, unary = picture(20, 25), energies_for(2, 20, 25)
    three = np.concatenate([unary, np.full((1, 20, 25), 100, np.float32)])
    np.testing.assert_allclose(dense_crf(image, three)[:2], dense_crf(image, unary), atol=2e-5)


def test_labels_are_treated_alike():
    image, unary = picture(20, 25), energies_for(5, 20, 25)
    order = [3, 1, 4, 0, 2]
    np.testing.assert_allclose(dense_crf(image, unary[order]), dense_crf(image, unary)[order], atol=1e-5)
    np.testing.assert_allclose(dense_crf(image, unary[1::-1]), dense_crf(image, unary[:2])[::-1], atol=1e-5)


def test_extreme_energies_stay_probabilities():
    unary = np.zeros((3, 6, 7), np.float32)
    unary[0] = 3e38
    unary[1, :3] = -1e30
    for energies in (unary, unary[:2]):
        found = dense_crf(picture(6, 7), energies, 2)
        assert np.isfinite(found).all()
        assert (found[1, :3] == 1).all()


def test_the_same_input_gives_the_same_output_in_any_thread_and_stays_as_it_was():
    image, unary = picture(30, 40), energies_for(4, 30, 40)
    image.setflags(write=False)
    unary.setflags(write=False)
    first = dense_crf(image, unary)
    with ThreadPoolExecutor(3) as pool:
        for again in pool.map(lambda _: dense_crf(image, unary), range(6)):
            assert np.array_equal(first, again)
    flipped = dense_crf(image[:, ::-1][:, ::-1], np.asfortranarray(unary).astype(np.float64))
    assert np.array_equal(first, flipped)


def test_the_exponential_function():
    x = np.linspace(-63.9, 0, 20_001).astype(np.float32)
    found = np.array([exponential(each) for each in x])
    np.testing.assert_allclose(found, np.exp(x.astype(float)), rtol=3e-7)
    assert exponential(np.float32(-65)) == exponential(np.float32(-np.inf)) == 0


def test_energies_of_labels():
    labels = np.array([[0, 1, 3], [2, 2, 0]])
    found = crf_label_energy(labels, 4, 0.6)
    unsure = crf_label_energy(labels, 4, 0.6, zero_unsure=True)
    assert found.dtype == unsure.dtype == np.float32
    for y in range(2):
        for x in range(3):
            for label in range(4):
                right = label == labels[y, x]
                assert found[label, y, x] == pytest.approx(-np.log(0.6 if right else 0.4 / 3))
                right = label == labels[y, x] - 1
                wanted = 0.25 if labels[y, x] == 0 else 0.6 if right else 0.4 / 3
                assert unsure[label, y, x] == pytest.approx(-np.log(wanted))


def test_energies_of_probabilities():
    found = crf_probability_energy(np.array([[[0.25, 1.0]], [[0.75, 0.0]]]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0], [[np.log(4), 0], [np.log(4 / 3), -np.log(1e-5)]], rtol=1e-6)


def test_normalisation_is_symmetric():
    features = np.random.default_rng(0).random((60, 2), np.float32) * 3
    lattice = build_lattice(features)
    normalise(lattice, 2.5)
    columns = np.array([pass_through(lattice, unit) for unit in np.eye(60, dtype=np.float32)])
    matrix = slow_matrix(features)
    norm = 1 / np.sqrt(matrix.sum(1))
    np.testing.assert_allclose(columns, (2.5 * norm[:, None] * matrix * norm).T, atol=1e-5)


IMAGE = np.zeros((4, 5, 3), np.uint8)
UNARY = np.zeros((2, 4, 5), np.float32)


@pytest.mark.parametrize(
    ("image", "unary", "error", "words"),
    [
        (IMAGE, UNARY[:1], ShapeError, r"2 or more labels, but got shape \(1, 4, 5\)"),
        (IMAGE, UNARY[0], ShapeError, r"\(L, H, W\) with 2 or more labels, but got shape \(4, 5\)"),
        (IMAGE, UNARY[:, :0], ShapeError, r"got shape \(2, 0, 5\)"),
        (IMAGE[:3], UNARY, ShapeError, r"need an image \(4, 5, 3\), but got shape \(3, 5, 3\). Resize"),
        (IMAGE[..., 0], UNARY, ShapeError, r"need an image \(4, 5, 3\), but got shape \(4, 5\)"),
        (IMAGE / 255, UNARY, DataError, "image should be uint8, .* but got float64"),
        (IMAGE, UNARY.astype(int), DataError, "should be float32, but got int64. For labels, use crf_label_energy"),
        (IMAGE, UNARY * np.nan, MapError, "NaN or infinite. Raise probabilities of 0"),
        (IMAGE, UNARY + np.inf, MapError, "NaN or infinite"),
        (IMAGE, UNARY + np.float64(1e300), MapError, "NaN or infinite"),
    ],
)
def test_bad_images_and_energies(image, unary, error, words):
    with pytest.raises(error, match=words):
        dense_crf(image, unary)


@pytest.mark.parametrize("iterations", [-1, 2.5, True, None])
def test_bad_iterations(iterations):
    with pytest.raises(ConfigError, match="whole number from 0, but got"):
        dense_crf(IMAGE, UNARY, iterations)


@pytest.mark.parametrize(
    ("kernel", "settings", "words"),
    [
        (GaussianKernel, {"sxy": -3}, "sxy should be a positive number .* but got -3"),
        (GaussianKernel, {"sxy": (3, 0)}, r"sxy should be .* 2 of them, one per axis, but got \(3, 0\)"),
        (GaussianKernel, {"sxy": (3, 3, 3)}, "2 of them"),
        (GaussianKernel, {"compat": -1}, "compat should be a positive number, but got -1. Use None"),
        (GaussianKernel, {"compat": "3"}, "compat should be a positive number, but got '3'"),
        (GaussianKernel, {"compat": float("nan")}, "compat should be a positive number, but got nan"),
        (BilateralKernel, {"sxy": float("nan")}, "sxy should be a positive number .* but got nan"),
        (BilateralKernel, {"srgb": (5, 5)}, r"srgb should be .* 3 of them, one per axis, but got \(5, 5\)"),
        (BilateralKernel, {"srgb": "5"}, "srgb should be a positive number .* but got '5'"),
        (BilateralKernel, {"srgb": 0}, "srgb should be a positive number .* but got 0"),
        (BilateralKernel, {"compat": float("inf")}, "compat should be .* but got inf"),
    ],
)
def test_bad_kernels(kernel, settings, words):
    with pytest.raises(ConfigError, match=words):
        kernel(**settings)


@pytest.mark.parametrize("kernels", [{"gaussian": GaussianKernel(sxy=1e-6)}, {"bilateral": BilateralKernel(srgb=1e-3)}])
def test_standard_deviations_too_small_for_the_lattice(kernels):
    with pytest.raises(ConfigError, match="more places than can be numbered. Use larger standard deviations"):
        dense_crf(picture(20, 30), energies_for(2, 20, 30), **kernels)


@pytest.mark.parametrize(
    ("labels", "settings", "error", "words"),
    [
        (IMAGE[..., 0], {"classes": 1}, ConfigError, "2 or more classes, but got 1"),
        (IMAGE[..., 0], {"classes": 2, "gt_prob": 1}, ConfigError, "gt_prob should lie between 0 and 1, but got 1"),
        (IMAGE[..., 0], {"classes": 2, "gt_prob": float("nan")}, ConfigError, "but got nan"),
        (IMAGE, {"classes": 2}, ShapeError, r"Labels should be \(H, W\), but got shape \(4, 5, 3\)"),
        (UNARY[0], {"classes": 2}, DataError, "whole numbers, but got float32"),
        (IMAGE[..., 0] + 255, {"classes": 21}, DataError, r"lie in 0..20, but got 255..255. .* zero_unsure=True"),
        (IMAGE[..., 0] - 1.0 > 0, {"classes": 2}, DataError, "whole numbers, but got bool"),
        (np.full((2, 2), -1), {"classes": 2, "zero_unsure": True}, DataError, r"lie in 0..2, but got -1..-1"),
    ],
)
def test_bad_labels(labels, settings, error, words):
    with pytest.raises(error, match=words):
        crf_label_energy(labels, **settings)


@pytest.mark.parametrize(
    ("probabilities", "floor", "error", "words"),
    [
        (UNARY, 0, ConfigError, "floor should lie between 0 and 1, but got 0"),
        (UNARY[:1], 1e-5, ShapeError, r"2 or more labels, but got \(1, 4, 5\)"),
        (UNARY + np.nan, 1e-5, MapError, r"lie in \[0, 1\] without NaN, but got nan..nan"),
        (UNARY + 2, 1e-5, MapError, "but got 2..2"),
        (UNARY - 0.5, 1e-5, MapError, r"but got -0.5..-0.5"),
    ],
)
def test_bad_probabilities(probabilities, floor, error, words):
    with pytest.raises(error, match=words):
        crf_probability_energy(probabilities, floor)


def test_bad_features():
    with pytest.raises(ShapeError, match=r"\(N, d\) with N and d at least 1, but got shape \(0, 2\)"):
        build_lattice(np.zeros((0, 2), np.float32))
    with pytest.raises(ConfigError, match="more places"):
        build_lattice(np.array([[0], [np.inf]], np.float32))
    with pytest.raises(ShapeError, match=r"has 3 points, but the values have shape \(4,\)"):
        gaussian_filter(build_lattice(np.zeros((3, 1), np.float32)), np.zeros(4, np.float32))


@pytest.mark.parametrize("labels", [2, 3, 21])
@pytest.mark.parametrize("size", [(60, 84), (41, 53)])
def test_the_crf_is_that_of_pydensecrf2(labels, size):
    pydensecrf = pytest.importorskip("pydensecrf.densecrf", reason="pydensecrf2 is not installed")
    image = picture(*size)
    unary = crf_label_energy(np.random.default_rng(0).integers(0, labels, size), labels)
    crf = pydensecrf.DenseCRF2D(size[1], size[0], labels)
    crf.setUnaryEnergy(unary.reshape(labels, -1))
    crf.addPairwiseGaussian(sxy=3, compat=3)
    crf.addPairwiseBilateral(sxy=50, srgb=5, rgbim=image, compat=10)
    wanted = np.array(crf.inference(10)).reshape(unary.shape)
    np.testing.assert_allclose(dense_crf(image, unary), wanted, atol=1e-4)
