"""Time and memory of the methods' modules: ours beside a loop that writes the equations down, in one run.

    python benchmarks/modules.py                    # all of them, at the papers' shapes
    python benchmarks/modules.py --only drop coaug

Each loop goes over images, classes, maps, pairs or thresholds as the equation is printed. Both sides run forwards, and
backwards as well where it says so and for pairs and regions; before anything is timed they have to agree. They take
turns; the ratio is the median of the pairs. Memory is the largest sum of what a call holds at once (torch's
allocations, or numpy's where the module works on numpy), inputs not counted.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from wsolkit_ass import AttentionSelection
from wsolkit_c2am import region_embeddings
from wsolkit_csoa import pair_terms
from wsolkit_excam import SequentialDrop
from wsolkit_rcam import TwoStageBox
from wsolkit_wildcat import WildcatPooling

Call = Callable[[], object]


@dataclass
class Case:
    """A module beside its loop.

    Attributes:
        name: what is compared, and at which shape.
        loop: the equation, element by element.
        ours: the module.
        same: largest allowed difference of their results.
        repeats: how often the pair is timed.
    """

    name: str
    loop: Call
    ours: Call
    same: float = 1e-3
    repeats: int = 5


def with_gradient(forward: Callable[[Tensor], Tensor], given: Tensor) -> Call:
    """Return a call that runs a function of a tensor forwards and backwards, and answers value and gradient."""

    def call() -> tuple[Tensor, Tensor]:
        leaf = given.detach().requires_grad_()
        value = forward(leaf)
        (gradient,) = torch.autograd.grad(value.square().sum(), leaf)
        return value.detach(), gradient

    return call


def sequential_drop_loop(maps: Tensor, per_class: int, delta: float) -> Tensor:
    """The fixed reading of ex-CAM's drop: a map keeps what no earlier map of its class found important."""
    images = []
    for b in range(len(maps)):
        kept = []
        for first in range(0, maps.shape[1], per_class):
            allowed = torch.ones_like(maps[b, 0])
            for m in range(per_class):
                one = maps[b, first + m]
                unimportant = (torch.sigmoid(one) < delta).to(one.dtype)
                kept.append((1 - unimportant) * one if m == 0 else allowed * one)
                allowed = allowed * unimportant
        images.append(torch.stack(kept))
    return torch.stack(images)


def drop_case(side: int, backwards: bool) -> Case:
    """ex-CAM's sequential drop: 16 images, 20 classes, 8 maps of each."""
    maps = torch.randn(16, 160, side, side)
    module = SequentialDrop(maps_per_class=8).train()

    def loop(given: Tensor) -> Tensor:
        return sequential_drop_loop(given, 8, 0.5)

    name = f"sequential drop (ex-CAM), B 16, K 20, M 8, {side} x {side}"
    if backwards:
        return Case(f"{name}, and back", with_gradient(loop, maps), with_gradient(module, maps), repeats=3)
    return Case(name, lambda: loop(maps), lambda: module(maps))


def wildcat_by_sort(maps: Tensor, share: float, alpha: float) -> Tensor:
    """WILDCAT's pooling by sorting every map."""
    ordered = maps.flatten(2).sort(dim=2, descending=True).values
    count = round(share * ordered.shape[2])
    return (ordered[..., :count].mean(2) + alpha * ordered[..., -count:].mean(2)) / 2


def wildcat_case() -> Case:
    """WILDCAT's pooling: 16 images, 200 classes."""
    maps = torch.randn(16, 200, 28, 28)
    return Case(
        "WILDCAT pooling, B 16, K 200, 28 x 28 (beside a sort)",
        lambda: wildcat_by_sort(maps, 0.2, 0.7),
        lambda: WildcatPooling(0.2, 0.2, 0.7)(maps),
    )


def selection_loop(features: Tensor) -> Tensor:
    """ASS image by image, as the algorithm is printed, with the thresholds of its section on details."""
    results = []
    for image in features:
        attention = image.mean(0)
        most = attention.max()
        peak = attention >= 0.8 * most
        rows, columns = torch.nonzero(peak, as_tuple=True)
        spread = rows.float().var(correction=0) + columns.float().var(correction=0)
        target = int((attention >= 0.3 * most).sum())
        drop = (~peak).to(image.dtype)
        if spread >= 40 and len(rows) >= 4:
            mask = drop * (attention >= 0.2 * most).to(image.dtype)
        elif target / attention.numel() < 0.2 or len(rows) / target > 0.3:
            mask = torch.ones_like(drop)
        else:
            mask = drop
        results.append(image * mask)
    return torch.stack(results)


def selection_case() -> Case:
    """ASS at VGG16's third pooling."""
    features = torch.rand(32, 256, 28, 28) * torch.rand(32, 1, 28, 28).pow(2)
    return Case(
        "selection (ASS), B 32, 256 x 28 x 28",
        lambda: selection_loop(features),
        lambda: AttentionSelection().train()(features),
        repeats=15,
    )


def pairs_loop(vectors: Tensor, labels: Tensor, eps: float = 1e-6) -> Tensor:
    """CoAug's two terms, pair by pair (CSoA, eq. 12)."""
    foreground, background, masked = vectors
    different, same = [], []
    for m in range(len(labels)):
        for n in range(m + 1, len(labels)):
            back = (background[m] - masked[m]).norm() + (background[n] - masked[n]).norm()
            cam = ((foreground[m] - background[m]).norm() + (foreground[n] - background[n]).norm()) / 2
            between = (foreground[m] - foreground[n]).norm()
            if labels[m] == labels[n]:
                same.append((back + between) / (cam + eps))
            else:
                different.append(back / (between + cam + eps))
    return torch.stack([torch.stack(different).mean(), torch.stack(same).mean()])


def pairs_case() -> Case:
    """CoAug's pairs: 12 classes of 4 images, the 4096 numbers of AlexNet."""
    vectors = torch.randn(3, 48, 4096)
    labels = torch.arange(48) // 4
    return Case(
        "CoAug pairs (CSoA), n 48, d 4096",
        with_gradient(lambda given: pairs_loop(given, labels), vectors),
        with_gradient(lambda given: torch.stack(list(pair_terms(*given, labels))), vectors),
    )


def two_stage_loop(score_map: np.ndarray, features: np.ndarray) -> list[float]:
    """RCAM's choice, threshold by threshold and seed by seed."""
    _, rows, columns = features.shape
    height, width = score_map.shape
    best, chosen = np.inf, [0.0, 0.0, 0.0, 0.0]
    for number in range(1, 20):
        inside = (score_map > np.float32(0.05 * number) * score_map.max()).astype(np.uint8)
        contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            continue
        contour = max(contours, key=cv2.contourArea)[:, 0]
        x0, y0, x1, y1 = *contour.min(0), *(contour.max(0) + 1)
        area = (x1 - x0) * (y1 - y0)
        if len(contour) < 4 or not 4 * height * width / (rows * columns) <= area < 0.95 * height * width:
            continue
        seeds = {
            (int(y) * rows // height, int(x) * columns // width)
            for x, y in contour
            if x in (x0, x1 - 1) or y in (y0, y1 - 1)
        }
        means = []
        for i in range(rows):
            for j in range(columns):
                cosines = [
                    features[:, i, j]
                    @ features[:, a, b]
                    / max(np.linalg.norm(features[:, i, j]) * np.linalg.norm(features[:, a, b]), 1e-8)
                    for a, b in seeds
                    if (a, b) != (i, j)
                ]
                if cosines:
                    means.append(np.mean(cosines))
        if np.var(means) < best:
            best, chosen = np.var(means), [x0, y0, x1, y1]
    return [float(side) for side in chosen]


def two_stage_case(images: int) -> Case:
    """RCAM's box for each image: 512 channels, 14 x 14 cells, 19 thresholds."""
    generator = np.random.default_rng(0)
    coarse = generator.random((images, 14, 14)).astype(np.float32)
    maps = [cv2.resize(cv2.GaussianBlur(one, (0, 0), 2), (224, 224), interpolation=cv2.INTER_CUBIC) for one in coarse]
    maps = [(one - one.min()) / (one.max() - one.min()) for one in maps]
    features = generator.random((images, 512, 14, 14)).astype(np.float32)
    box = TwoStageBox(step=0.05)
    return Case(
        f"two-stage box (RCAM), B {images}, 512 x 14 x 14, 19 thresholds",
        lambda: np.array([two_stage_loop(*pair) for pair in zip(maps, features, strict=True)]),
        lambda: np.array([box(*pair).boxes[0] for pair in zip(maps, features, strict=True)]),
        repeats=2,
    )


def c2am_case() -> Case:
    """The mean features of C2AM's two regions: two matrix products of permuted features, or one."""
    features = torch.randn(16, 3072, 14, 14).contiguous(memory_format=torch.channels_last)
    p = torch.rand(16, 1, 14, 14)

    def both(given: Tensor) -> Tensor:
        cells = given.flatten(2).permute(0, 2, 1).contiguous()  # (B, h * w, C)
        front, back = p.flatten(2), (1 - p).flatten(2)
        return torch.stack([torch.matmul(front, cells)[:, 0], torch.matmul(back, cells)[:, 0]]) / cells.shape[1]

    return Case(
        "regions (C2AM), 16 x 3072 x 14 x 14 (beside two products)",
        with_gradient(both, features),
        with_gradient(lambda given: torch.stack(region_embeddings(given, p)), features),
        same=1e-2,
    )


def arrays(found: object) -> list[np.ndarray]:
    """Return results as arrays."""
    if isinstance(found, Tensor):
        return [found.detach().numpy()]
    return [found] if isinstance(found, np.ndarray) else [array for each in found for array in arrays(each)]  # type: ignore[attr-defined]


def seconds(call: Call) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def megabytes(call: Call) -> float:
    """Return the largest sum of torch's and numpy's allocations during a call."""
    tracemalloc.start()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        call()
    _, numpy_peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return (most if events else numpy_peak) / 1e6


CASES: dict[str, Callable[[], list[Case]]] = {
    "coaug": lambda: [pairs_case()],
    "drop": lambda: [drop_case(side, backwards) for side in (14, 28) for backwards in (False, True)],
    "wildcat": lambda: [wildcat_case()],
    "ass": lambda: [selection_case()],
    "rcam": lambda: [two_stage_case(8)],
    "c2am": lambda: [c2am_case()],
}


def compare(case: Case) -> None:
    """Check that both sides agree and print time, ratio and memory."""
    loop, ours = arrays(case.loop()), arrays(case.ours())
    worst = max(float(np.abs(a - b).max()) for a, b in zip(loop, ours, strict=True))
    if not worst <= case.same:
        raise SystemExit(f"{case.name}: the loop and the module differ by {worst}, more than {case.same}.")
    pairs = [(seconds(case.loop), seconds(case.ours)) for _ in range(case.repeats)]
    ratios = [first / second for first, second in pairs]
    slow, fast = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"{case.name:66s} {slow:9.1f} ms {fast:8.2f} ms   ratio {statistics.median(ratios):6.1f} "
        f"({min(ratios):.1f} to {max(ratios):.1f})   {megabytes(case.loop):7.1f} MB {megabytes(case.ours):7.1f} MB",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES), metavar="NAME")
    args = parser.parse_args()
    torch.manual_seed(0)
    print(f"loop, ours; {torch.get_num_threads()} threads")
    for name in args.only:
        for one in CASES[name]():
            compare(one)
