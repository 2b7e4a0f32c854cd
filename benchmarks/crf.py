"""Milliseconds for a dense CRF beside pydensecrf2 (C++), one thread each, in turns.

    OMP_NUM_THREADS=1 python benchmarks/crf.py [--size 500 375] [--labels 2 21] [--repeats 7] [--image photo.jpg]
    OMP_NUM_THREADS=1 python benchmarks/crf.py --memory --size 2000 1500 --labels 2     peak memory of ours

Energies are those of a label map in patches, of smooth probabilities, and pure noise; the numbers are medians of the
processor time and of the clock, and the largest difference between the two programs' probabilities. Where pydensecrf2
is not installed (it needs a C++ compiler), ours runs alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from wsolkit.crf import BilateralKernel, GaussianKernel, crf_label_energy, crf_probability_energy, dense_crf

try:
    import pydensecrf.densecrf as pydensecrf
except ImportError:
    pydensecrf = None

GAUSSIAN = GaussianKernel(sxy=3, compat=3)
ON_LABELS = BilateralKernel(sxy=50, srgb=5, compat=10)
ON_PROBABILITIES = BilateralKernel(sxy=80, srgb=13, compat=10)


def made_photo(width: int, height: int) -> np.ndarray:
    """Patches of colour with soft shading and the noise of a camera."""
    rng = np.random.default_rng(0)
    patches = cv2.resize(rng.integers(30, 220, (9, 12, 3)).astype(np.uint8), (width, height), interpolation=0)
    shading = cv2.resize(rng.normal(0, 18, (24, 32, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    noise = cv2.GaussianBlur(rng.normal(0, 6, (height, width, 3)), (0, 0), 0.8)
    return (cv2.GaussianBlur(patches, (0, 0), 1.5) + shading + noise).clip(0, 255).astype(np.uint8)


def energies(width: int, height: int, labels: int) -> Iterator[tuple[str, np.ndarray, BilateralKernel]]:
    rng = np.random.default_rng(labels)
    drawn = cv2.resize(rng.integers(0, labels, (6, 8)).astype(np.uint8), (width, height), interpolation=0)
    yield "label map", crf_label_energy(drawn, labels, 0.7), ON_LABELS
    scores = [cv2.resize(rng.random((14, 14)) * 6, (width, height), interpolation=2) for _ in range(labels)]
    chances = np.exp(scores) / np.exp(scores).sum(0)
    yield "probabilities", crf_probability_energy(chances), ON_PROBABILITIES
    yield "noise", 3 * rng.random((labels, height, width), np.float32), ON_LABELS


def theirs(image: np.ndarray, unary: np.ndarray, iterations: int, bilateral: BilateralKernel) -> np.ndarray:
    labels, height, width = unary.shape
    crf = pydensecrf.DenseCRF2D(width, height, labels)
    crf.setUnaryEnergy(np.ascontiguousarray(unary.reshape(labels, -1)))
    crf.addPairwiseGaussian(sxy=GAUSSIAN.sxy, compat=GAUSSIAN.compat)
    crf.addPairwiseBilateral(sxy=bilateral.sxy, srgb=bilateral.srgb, rgbim=image, compat=bilateral.compat)
    return np.array(crf.inference(iterations)).reshape(unary.shape)


def ours(image: np.ndarray, unary: np.ndarray, iterations: int, bilateral: BilateralKernel) -> np.ndarray:
    return dense_crf(image, unary, iterations, GAUSSIAN, bilateral)


def timed(function: Callable[..., np.ndarray], *args: object) -> tuple[float, float, np.ndarray]:
    clock, processor = time.perf_counter(), time.process_time()
    result = function(*args)
    return 1e3 * (time.process_time() - processor), 1e3 * (time.perf_counter() - clock), result


def side_by_side(image: np.ndarray, labels: list[int], iterations: int, repeats: int) -> None:
    height, width = image.shape[:2]
    start = time.perf_counter()
    for few in (2, 3):
        ours(image[:8, :8].copy(), np.zeros((few, *image[:8, :8].shape[:2]), np.float32), 1, ON_LABELS)
    print(f"first call (compiling, or reading numba's cache): {time.perf_counter() - start:.1f} s")
    print(f"{width}x{height}, {iterations} iterations; ms of processor time (of the clock)\n")
    print(f"{'labels':>6}  {'energies':15}{'wsolkit':>16}{'pydensecrf2':>16}{'ratio':>7}{'largest difference':>20}")
    for count in labels:
        for name, unary, bilateral in energies(width, height, count):
            times: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
            for _ in range(repeats):
                *took, mine = timed(ours, image, unary, iterations, bilateral)
                times["ours"].append((took[0], took[1]))
                if pydensecrf is not None:
                    *took, wanted = timed(theirs, image, unary, iterations, bilateral)
                    times["theirs"].append((took[0], took[1]))
            row = f"{count:6}  {name:15}{shown(times['ours']):>16}"
            if pydensecrf is not None:
                ratio = statistics.median(t[0] for t in times["ours"]) / statistics.median(
                    t[0] for t in times["theirs"]
                )
                row += f"{shown(times['theirs']):>16}{ratio:7.2f}{np.abs(mine - wanted).max():20.1e}"
            print(row, flush=True)
    if pydensecrf is None:
        print("\npydensecrf2 is not installed (pip install pydensecrf2, with a C++ compiler): nothing to compare with.")


def shown(times: list[tuple[float, float]]) -> str:
    return "{:.0f} ({:.0f})".format(*(statistics.median(each) for each in zip(*times, strict=True)))


def memory(image: np.ndarray, labels: int, iterations: int) -> None:
    """The process's peak over what it takes with image and energies loaded and the code compiled (Linux)."""
    height, width = image.shape[:2]
    unary = next(energies(width, height, labels))[1]
    dense_crf(image[:8, :8].copy(), unary[:, :8, :8].copy(), 1)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = memory_line("VmRSS")
    ours(image, unary, iterations, ON_LABELS)
    print(f"{width}x{height}, {labels} labels: {memory_line('VmHWM') - before:.0f} MiB beside image and energies")


def memory_line(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(500, 375), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--labels", type=int, nargs="+", default=[2, 21])
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--image", help="a photo, resized to the size; one is made up by default")
    parser.add_argument("--memory", action="store_true", help="peak memory of one run for the first number of labels")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    photo = made_photo(*args.size)
    if args.image:
        read = cv2.imread(args.image, cv2.IMREAD_COLOR_RGB)
        if read is None:
            parser.error(f"{args.image} is no image that can be read.")
        photo = cv2.resize(read, tuple(args.size), interpolation=cv2.INTER_AREA)
    if args.memory:
        memory(photo, args.labels[0], args.iterations)
    else:
        side_by_side(photo, args.labels, args.iterations, args.repeats)
