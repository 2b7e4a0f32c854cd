"""Milliseconds to evaluate a score map at 1000 thresholds, beside the rule of wsolevaluation, one contour search each.

    python benchmarks/evaluation.py [--repeats 5] [--maps 6] [--boxes 1]   maps of each kind, both metrics, one thread
    python benchmarks/evaluation.py --sizes                         time over the number of pixels
    python benchmarks/evaluation.py --conventions                   how often the two conventions disagree
    python benchmarks/evaluation.py --many 50000 --threads 2        a whole split in one process: minutes and memory
    python benchmarks/evaluation.py --many 5000 --processes 2       the same in processes, merged

An evaluation is: boxes at every threshold, their IoU with the true boxes, hits at IoU .3, .5 and .7. The rule beside it
was written for this file from the description of the protocol (1 threshold = 1 contour search). It is timed twice:
``rule``, with one IoU computation for all boxes, and ``rule as organised there``, where the best box of a threshold is
taken from the maxima of the whole IoU table, which are computed again for every threshold. Both give the same hits, and
so does wsolkit: every run compares them. Variants take turns; numbers are medians, the ratio is of medians.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np

from wsolkit.evaluation import box_hits
from wsolkit.evaluation.max_box_acc import MaxBoxAcc, MaxBoxAccV2
from wsolkit.threads import in_order

THRESHOLDS = np.arange(0, 1, 0.001)
IOUS = (0.3, 0.5, 0.7)
SIDE = 224
TRUTH = np.array([[60, 50, 170, 180], [20, 30, 90, 120], [140, 100, 200, 210]])


def stretched(score_map: np.ndarray) -> np.ndarray:
    return ((score_map - score_map.min()) / (score_map.max() - score_map.min())).astype(np.float32)


def cam(cells: int, rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A blob with some noise, on the grid of a network's last layer, resized as a CAM is."""
    y, x = np.mgrid[:cells, :cells] / cells
    middle = rng.uniform(0.3, 0.7, 2)
    coarse = np.exp(-8 * ((x - middle[0]) ** 2 + (y - middle[1]) ** 2)) + 0.2 * rng.random((cells, cells))
    return stretched(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))


def random_cells(rng: np.random.Generator) -> np.ndarray:
    return stretched(cv2.resize(rng.random((14, 14)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def rings(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    middle = rng.uniform(0.3, 0.7, 2) * SIDE
    return stretched(np.cos(np.hypot(y - middle[0], x - middle[1]) / 6) + 1)


def blurred_noise(rng: np.random.Generator) -> np.ndarray:
    return stretched(cv2.GaussianBlur(rng.random((SIDE, SIDE)), (0, 0), 1.5))


KINDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "CAM 7x7": lambda rng: cam(7, rng),
    "CAM 14x14": lambda rng: cam(14, rng),
    "CAM 28x28": lambda rng: cam(28, rng),
    "random 14x14": random_cells,
    "rings": rings,
    "blurred noise": blurred_noise,
}


def boxes_by_contours(score_map: np.ndarray, every: bool) -> tuple[list[list[int]], list[int]]:
    """The boxes of each threshold in turn, and how many each has."""
    height, width = score_map.shape
    image = (score_map * 255).astype(np.uint8)
    boxes, counts = [], []
    for threshold in THRESHOLDS:
        cut = int(threshold * np.max(image))
        _, binary = cv2.threshold(image, cut, 255, cv2.THRESH_BINARY)
        contours = cv2.findContours(binary, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
        if not contours:
            boxes.append([0, 0, 0, 0])
            counts.append(1)
            continue
        for contour in contours if every else [max(contours, key=cv2.contourArea)]:
            x, y, w, h = cv2.boundingRect(contour)
            boxes.append([x, y, min(x + w, width - 1), min(y + h, height - 1)])
        counts.append(len(contours) if every else 1)
    return boxes, counts


def table_of_ious(boxes: list[list[int]], truth: np.ndarray) -> np.ndarray:
    a, b = np.asarray(boxes)[:, None], np.asarray(truth)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]) + 1
    shared = np.clip(sides, 0, None).prod(-1)
    return shared / ((a[..., 2:] - a[..., :2] + 1).prod(-1) + (b[..., 2:] - b[..., :2] + 1).prod(-1) - shared)


def rule(score_map: np.ndarray, truth: np.ndarray, every: bool) -> np.ndarray:
    boxes, counts = boxes_by_contours(score_map, every)
    best = np.maximum.reduceat(table_of_ious(boxes, truth).max(1), np.cumsum([0, *counts[:-1]]))
    return best >= np.asarray(IOUS)[:, None]


def rule_as_organised(score_map: np.ndarray, truth: np.ndarray, every: bool) -> np.ndarray:
    boxes, counts = boxes_by_contours(score_map, every)
    table = table_of_ious(boxes, truth)
    best, start = [], 0
    for count in counts:
        best.append(max(table.max(1)[start : start + count]))
        start += count
    return np.asarray(best) >= np.asarray(IOUS)[:, None]


def ours(score_map: np.ndarray, truth: np.ndarray, every: bool) -> np.ndarray:
    return box_hits(score_map, truth, thresholds=THRESHOLDS, ious=IOUS, boxes="all" if every else "largest")


def seconds(function: Callable[..., np.ndarray], *args: object) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def side_by_side(repeats: int, count: int, boxes: int) -> None:
    truth = TRUTH[:boxes]
    start = time.perf_counter()
    ours(np.eye(8, dtype=np.float32), truth // 32, True)
    ours(np.eye(8, dtype=np.float32), truth // 32, False)
    print(f"first call (compiling, or reading numba's cache): {time.perf_counter() - start:.1f} s\n")
    print(f"{'':15}{'metric':8}{'rule':>9}{'organised':>11}{'wsolkit':>9}{'ratio':>8}{'ratio':>8}  (ms per map)")
    for name, draw in KINDS.items():
        rng = np.random.default_rng(0)
        maps = [draw(rng) for _ in range(count)]
        for metric, every in (("V1", False), ("V2", True)):
            slow = name == "blurred noise" and every
            times: dict[str, list[float]] = {"rule": [], "organised": [], "ours": []}
            for _ in range(1 if slow else repeats):
                for score_map in maps[: 1 if slow else count]:
                    took, mine = seconds(ours, score_map, truth, every)
                    times["ours"].append(took)
                    for variant, function in (("rule", rule), ("organised", rule_as_organised)):
                        took, wanted = seconds(function, score_map, truth, every)
                        times[variant].append(took)
                        assert (wanted == mine).all(), f"{name}: the hits differ"
            if slow:  # one slow comparison is enough, but not one fast measurement
                times["ours"] += [seconds(ours, each, truth, every)[0] for each in maps for _ in range(repeats)]
            ms = {variant: 1e3 * statistics.median(found) for variant, found in times.items()}
            print(
                f"{name:15}{metric:8}{ms['rule']:9.1f}{ms['organised']:11.1f}{ms['ours']:9.2f}"
                f"{ms['rule'] / ms['ours']:8.0f}{ms['organised'] / ms['ours']:8.0f}",
                flush=True,
            )


def sizes(repeats: int) -> None:
    print(f"{'side':>6}{'V1 ms':>9}{'V2 ms':>9}{'V1 ns/pixel':>13}{'V2 ns/pixel':>13}")
    for side in (56, 112, 224, 448, 896):
        score_map = cam(14, np.random.default_rng(0), side)
        truth = np.array([[side // 4, side // 4, side // 2, side // 2]])
        ms = [
            1e3 * statistics.median([seconds(ours, score_map, truth, every)[0] for _ in range(4 * repeats)])
            for every in (False, True)
        ]
        print(f"{side:6}{ms[0]:9.2f}{ms[1]:9.2f}{1e6 * ms[0] / side**2:13.1f}{1e6 * ms[1] / side**2:13.1f}")


def conventions(count: int) -> None:
    """How often a hit at IoU .5 differs between the conventions, and how far the rates over maps move."""
    print(f"{'':15}{'metric':8}{'differing hits %':>18}{'largest shift of a rate':>25}")
    for name, draw in KINDS.items():
        rng = np.random.default_rng(0)
        for metric, boxes in (("V1", "largest"), ("V2", "all")):
            differ, rates = [], []
            for _ in range(count):
                score_map = draw(rng)
                middle, half = rng.uniform(70, 154, 2), rng.uniform(20, 70, 2)
                x0, y0, x1, y1 = np.concatenate([middle - half, middle + half]).astype(int).tolist()
                options = {"thresholds": THRESHOLDS, "ious": (0.5,), "boxes": boxes}
                both = [
                    box_hits(score_map, np.array([[x0, y0, x1 + end, y1 + end]]), convention=convention, **options)[0]
                    for convention, end in (("wsoleval", 0), ("exact", 1))
                ]
                differ.append((both[0] != both[1]).mean())
                rates.append(both)
            moved = np.abs(np.diff(np.mean(rates, axis=0), axis=0)).max()
            print(f"{name:15}{metric:8}{100 * np.mean(differ):18.2f}{100 * moved:18.2f} points", flush=True)


def share(start: int, stop: int, threads: int = 1) -> tuple[MaxBoxAcc, MaxBoxAccV2, float]:
    """Evaluate maps number ``start`` to ``stop`` by both metrics; returns them and the seconds."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    pool = [cam(14, rng) for _ in range(64)]
    metrics = MaxBoxAcc(), MaxBoxAccV2()

    def rows(number: int) -> tuple[int, list]:
        return number, [metric.measure(pool[number % 64], TRUTH[:1], number % 1000) for metric in metrics]

    begin = time.perf_counter()
    for number, measured in in_order(rows, range(start, stop), threads):
        for metric, row in zip(metrics, measured, strict=True):
            metric.add(f"{number:06d}", row)
    return *metrics, time.perf_counter() - begin


def many(count: int, processes: int, threads: int) -> None:
    share(0, 1)
    begin = time.perf_counter()
    bounds = np.linspace(0, count, processes + 1).astype(int).tolist()
    if processes == 1:
        shares = [share(0, count, threads)]
    else:
        with ProcessPoolExecutor(processes) as pool:
            shares = list(pool.map(share, bounds[:-1], bounds[1:]))
    rate = sum((stop - start) / each[2] for start, stop, each in zip(bounds[:-1], bounds[1:], shares, strict=True))
    one, two, _ = shares[0]
    for first, second, _ in shares[1:]:
        one.merge(first)
        two.merge(second)
    for metric in (one, two):
        print(str(metric.compute(threshold=0.2)).splitlines()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{count} maps by both metrics, {processes} processes of {threads} threads: "
        f"{time.perf_counter() - begin:.1f} s with the numbers, {rate:.0f} maps/s, peak memory {peak / 1024:.0f} MiB "
        "(of this process)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--maps", type=int, default=6, help="maps of each kind")
    parser.add_argument("--boxes", type=int, default=1, choices=(1, 2, 3), help="true boxes of an image")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--conventions", action="store_true")
    parser.add_argument("--many", type=int, metavar="N")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="in one process")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.many:
        many(args.many, args.processes, args.threads)
    elif args.conventions:
        conventions(50 * args.maps)
    elif args.sizes:
        sizes(args.repeats)
    else:
        side_by_side(args.repeats, args.maps, args.boxes)
