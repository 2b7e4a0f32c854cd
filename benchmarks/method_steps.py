"""What a training step costs with each method, relative to plain CAM: shipped configurations, in one run.

    python benchmarks/method_steps.py                                       # on birds50's and VOC's MobileNetV2
    python benchmarks/method_steps.py cam_resnet50_cub adh_resnet50_cub     # the first one is the measure

Each configuration's model, from random weights, trains on the same drawn batch in memory with its own losses,
modifiers and frozen stages; reading images costs the same for all and is left out. The steps take turns; a ratio is the
median over the turns of a step's time over that of the first configuration in its group.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Sequence

import torch
from mmengine.optim import OptimWrapper

from wsolkit.config.load import load_config
from wsolkit.registry import MODELS

BIRDS = [
    f"{method}_mobilenetv2_birds50"
    for method in ("cam", "rcam", "ass", "adh", "csoa_confseg", "csoa_coaug", "csoa", "c2am", "ccnn")
]
VOC = [f"{method}_mobilenetv2_voc" for method in ("cam", "wildcat", "excam", "excam_exclusive", "excam_adl")]
CLASSES = 20


def step_of(name: str, images: torch.Tensor, multi_label: bool) -> Callable[[], object]:
    """Return a training step of a shipped configuration on the given uint8 images (B, 3, H, W)."""
    config = load_config(name, {"weights": None})
    settings = config["model"]
    settings["backbone"]["weights"] = None
    if settings["head"]["type"] != "C2AMHead":
        settings["head"]["num_classes"] = CLASSES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # random weights are meant
        model = MODELS.build(settings).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    wrapper = OptimWrapper(torch.optim.SGD(trained, lr=1e-3, momentum=0.9, fused=True))
    labels = torch.arange(len(images)) // 4 % CLASSES  # four of a class, as pairs of images want it
    if multi_label:
        labels = torch.nn.functional.one_hot(labels, CLASSES).float()
    data = {"inputs": images, "labels": labels, "image_ids": [str(number) for number in range(len(images))]}
    return lambda: model.train_step(data, wrapper)


def seconds(step: Callable[[], object]) -> float:
    """Return how long a step takes."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def compare(names: Sequence[str], size: int, batch: int, repeats: int) -> None:
    """Print the step of each configuration and its ratio to that of the first."""
    images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    steps = {name: step_of(name, images, "voc" in name) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    for step in steps.values():
        step()
    for _ in range(repeats):
        for name, step in steps.items():
            times[name].append(seconds(step))
    print(f"{size} px, batch {batch}, {torch.get_num_threads()} threads, {repeats} alternating repetitions")
    for name, found in times.items():
        ratios = [one / first for one, first in zip(found, times[names[0]], strict=True)]
        print(
            f"  {name:36s} {statistics.median(found):7.2f} s   {statistics.median(ratios):5.2f} times {names[0]} "
            f"({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", help="names of training configurations; the first is the measure")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    for group in [args.configs] if args.configs else [BIRDS, VOC]:
        compare(group, args.size, args.batch, args.repeats)
