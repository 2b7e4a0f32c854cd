"""Images per second of a training step: ours as configured by default beside a plain float32 NCHW loop, in one run.

    python benchmarks/train_throughput.py                      # speed: ResNet-50 at 224, batch 16
    python benchmarks/train_throughput.py --overhead           # the runner's share of a step, ResNet-18 at 112
    python benchmarks/train_throughput.py --quality --seeds 3  # does bf16 move accuracy or localization?

Speed: the two steps take turns on the same batch in memory, same network, same optimiser; the ratio is the median of
the pairs. Overhead: the same training by the runner with all hooks and by a bare loop over the same batches.
Quality: ``cam_synthetic`` is trained with both number formats; the difference is held against the spread over seeds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import timm
import torch
from mmengine.optim import OptimWrapper

from wsolkit.config.load import load_config
from wsolkit.model.localizer import Localizer
from wsolkit.training.train import train

CLASSES = 200


def plain_step(name: str, size: int, batch: int) -> Callable[[], None]:
    """Return a step of the loop that reference implementations run: float32, NCHW, SGD."""
    model = timm.create_model(name, num_classes=CLASSES).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (batch,))
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(model((images.float() / 255 - mean) / std), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def localizer(name: str, precision: str = "auto") -> Localizer:
    """Return the localizer of the default configuration with another network."""
    return Localizer(
        backbone={"type": "TimmBackbone", "name": name, "levels": ["layer4"]},
        head={"type": "CAMHead", "num_classes": CLASSES},
        losses=[{"type": "CrossEntropy"}],
        precision=precision,
    ).train()


def our_step(name: str, size: int, batch: int, precision: str = "auto") -> Callable[[], None]:
    """Return a step of our default configuration: bf16 where it is fast, channels last, fused SGD."""
    model = localizer(name, precision)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4, fused=True)
    wrapper = OptimWrapper(optimizer)
    data = {
        "inputs": torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8),
        "labels": torch.randint(0, CLASSES, (batch,)),
        "image_ids": [str(number) for number in range(batch)],
    }
    return lambda: model.train_step(data, wrapper) and None


def seconds(step: Callable[[], None]) -> float:
    """Return how long a step takes."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def speed(name: str, size: int, batch: int, repeats: int) -> None:
    """Print images per second of both, and the ratio pair by pair."""
    steps = {"plain float32 NCHW loop": plain_step(name, size, batch)}
    steps["ours, as configured by default"] = our_step(name, size, batch)
    steps["ours, float32"] = our_step(name, size, batch, "fp32")
    for step in steps.values():
        step()
    times: dict[str, list[float]] = {label: [] for label in steps}
    for _ in range(repeats):
        for label, step in steps.items():
            times[label].append(seconds(step))
    base = times["plain float32 NCHW loop"]
    print(f"{name}, {size} px, batch {batch}, {torch.get_num_threads()} threads, {repeats} alternating repetitions")
    for label, found in times.items():
        ratios = [first / second for first, second in zip(base, found, strict=True)]
        print(
            f"  {label:32s} {batch / statistics.median(found):7.2f} images/s"
            f"   ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def overhead(name: str, size: int, batch: int, iterations: int) -> None:
    """Print the time of an iteration by the runner and by a bare loop over the same samples."""
    options = {
        "model.backbone": {"_delete_": True, "type": "TimmBackbone", "name": name, "levels": ["layer4"]},
        "train_dataloader.batch_size": batch,
        "train_dataloader.num_workers": 0,
        "train_dataloader.persistent_workers": False,
        "train_dataloader.dataset.num_images": batch * iterations,
        "train_dataloader.dataset.image_size": size,
        "train_dataloader.dataset.clutter": 0.0,
        "train_cfg.max_epochs": 1,
        "val_dataloader": None,
        "val_evaluator": None,
        "val_cfg": None,
    }
    config = load_config("cam_synthetic", options)
    model = localizer(name)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True))
    spans: dict[str, list[float]] = {"step": [], "all": []}
    real = Localizer.train_step

    def timed(self: Localizer, data: dict, optim_wrapper: OptimWrapper) -> dict:
        began = time.perf_counter()
        log = real(self, data, optim_wrapper)
        spans["step"].append(time.perf_counter() - began)
        spans["all"].append(began)
        return log

    Localizer.train_step = timed
    try:
        with tempfile.TemporaryDirectory() as folder:
            train(config, folder)
    finally:
        Localizer.train_step = real
    from mmengine.runner import Runner

    loader = Runner.build_dataloader(config.train_dataloader, seed=0)
    bare: list[float] = []
    inside: list[float] = []
    for data in loader:
        began = time.perf_counter()
        real(model, data, wrapper)
        inside.append(time.perf_counter() - began)
        bare.append(began)
    gap = between(spans["all"], spans["step"]) - between(bare, inside)
    step = statistics.median(spans["step"])
    print(
        f"{name}, {size} px, batch {batch}: step {1000 * step:.1f} ms, runner and hooks {1000 * gap:.2f} ms beside it"
    )
    print(
        f"  overhead {100 * gap / step:.2f} % of the step (median of {iterations} iterations; a bare loop subtracted)"
    )


def between(starts: list[float], lengths: list[float]) -> float:
    """Return the median time between the end of one step and the start of the next."""
    return statistics.median(
        later - start - length for start, later, length in zip(starts[:-1], starts[1:], lengths[:-1], strict=True)
    )


def quality(seeds: int, epochs: int) -> None:
    """Print the final validation numbers of both number formats over several seeds."""
    import json

    found: dict[str, dict[str, list[float]]] = {}
    for precision in ("fp32", "bf16"):
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as folder:
                options = {"model.precision": precision, "train_cfg.max_epochs": epochs}
                train(load_config("cam_synthetic", options), folder, seed=seed)
                scalars = next(Path(folder).glob("*/vis_data/scalars.json")).read_text().splitlines()
            last = [json.loads(line) for line in scalars if "GT-known" in line][-1]
            for name in ("top1", "GT-known", "top1_loc"):
                found.setdefault(name, {}).setdefault(precision, []).append(last[name])
    print(f"cam_synthetic, validation split after {epochs} epochs, {seeds} seeds: mean (lowest to highest)")
    for name, by in found.items():
        cells = [f"{p} {statistics.mean(v):5.1f} ({min(v):.1f} to {max(v):.1f})" for p, v in by.items()]
        moved = statistics.mean(by["bf16"]) - statistics.mean(by["fp32"])
        spread = max(max(values) - min(values) for values in by.values())
        print(f"  {name:10s} {'   '.join(cells)}   moved {moved:+.1f}, spread over seeds {spread:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None, help="timm name (default: resnet50; resnet18 for --overhead)")
    parser.add_argument("--size", type=int, default=None, help="pixels (default: 224; 112 for --overhead)")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--overhead", action="store_true")
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6, help="epochs of each training of --quality (default: 6)")
    args = parser.parse_args()
    if args.overhead:
        overhead(args.model or "resnet18", args.size or 112, args.batch, iterations=40)
    elif args.quality:
        quality(args.seeds, args.epochs)
    else:
        speed(args.model or "resnet50", args.size or 224, args.batch, args.repeats)
