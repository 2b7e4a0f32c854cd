"""Images per second and memory of a training step of CCNN: ours beside the report's construction, in one run.

    python benchmarks/ccnn.py            # ResNet-50, 224 pixels, batch 16

The report builds two whole ResNet-50s. The first one's stage 3 feeds its own stage 4 and the second one's, which has
attention in each block; the rest of the second network and both classifiers stay unused. It trains in float32 and
NCHW, and its optimizer gets the convolutions alone. Ours is ``CCNNBackbone`` as a configuration runs it: one trunk,
bf16 where it is fast, channels last, fused SGD over all parameters.

The steps take turns on a batch in memory, each with the same head and loss (C2AM's); the ratio is the median of the
pairs. Memory counts weights, gradients and momentum.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import timm
import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from wsolkit import HEADS, LOSSES, Activation, Batch
from wsolkit.model.localizer import Localizer
from wsolkit_ccnn import AMM

Step = Callable[[], None]


class TwoTrunks(nn.Module):
    """The report's construction: two classifiers, of which the second lends its last stage."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.first = timm.create_model(name)
        self.second = timm.create_model(name)
        for network in (self.first, self.second):  # stage 4 keeps the size of stage 3
            network.layer4[0].conv2.stride = (1, 1)
            network.layer4[0].downsample[0].stride = (1, 1)
        width = self.second.num_features
        self.attention = nn.ModuleList(AMM(width, stats="batch", train_gates=False) for _ in self.second.layer4)
        for block, gate in zip(self.second.layer4, self.attention, strict=True):
            block.drop_path = gate  # the last module of the residual branch
        self.head = HEADS.build({"type": "C2AMHead", "channels": {"concat": 2 * width + width // 2}})

    def forward(self, images: Tensor) -> Activation:
        network = self.first
        maps = network.maxpool(network.act1(network.bn1(network.conv1(images))))
        third = network.layer3(network.layer2(network.layer1(maps)))
        features = torch.cat([self.second.layer4(third), network.layer4(third), third], 1)
        return self.head({"concat": features})


def report_step(name: str, images: Tensor) -> tuple[Step, nn.Module, torch.optim.Optimizer]:
    """Return a step of the report's construction, with its model and optimizer."""
    model = TwoTrunks(name).train()
    loss_of = LOSSES.build({"type": "C2AMLoss", "alpha": 0.05})
    convolutions = [module.weight for module in model.modules() if isinstance(module, nn.Conv2d)]
    optimizer = torch.optim.SGD(convolutions, lr=1e-4, momentum=0.9, weight_decay=1e-4)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def step() -> None:
        inputs = (images.float() / 255 - mean) / std
        losses = loss_of(model(inputs), Batch(inputs))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()

    return step, model, optimizer


def our_step(name: str, images: Tensor, precision: str = "auto") -> tuple[Step, nn.Module, torch.optim.Optimizer]:
    """Return a step as a configuration runs it, with its model and optimizer."""
    model = Localizer(
        backbone={"type": "CCNNBackbone", "name": name},
        head={"type": "C2AMHead"},
        losses=[{"type": "C2AMLoss", "alpha": 0.05}],
        precision=precision,
    ).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1e-4, momentum=0.9, weight_decay=1e-4, fused=True)
    wrapper = OptimWrapper(optimizer)
    data = {"inputs": images, "image_ids": [str(number) for number in range(len(images))]}

    def step() -> None:
        model.train_step(data, wrapper)

    return step, model, optimizer


def megabytes(step: Step, model: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    """Return the size of weights, of the gradients that a step makes, and of the optimizer's state."""
    tensors: list[Tensor] = list(model.parameters())
    handles = [
        parameter.register_post_accumulate_grad_hook(tensors.append)  # a gradient is as large as its parameter
        for parameter in model.parameters()
        if parameter.requires_grad
    ]
    step()
    for handle in handles:
        handle.remove()
    tensors += [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6


def seconds(step: Step) -> float:
    """Return how long a step takes."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def compare(name: str, size: int, batch: int, repeats: int) -> None:
    """Print images per second, the ratio pair by pair, and the memory."""
    images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    built = {
        "report: two trunks, fp32, NCHW": report_step(name, images),
        "ours, as configured by default": our_step(name, images),
        "ours, float32": our_step(name, images, "fp32"),
    }
    times: dict[str, list[float]] = {label: [] for label in built}
    for step, _, _ in built.values():
        step()
    for _ in range(repeats):
        for label, (step, _, _) in built.items():
            times[label].append(seconds(step))
    base = next(iter(times.values()))
    print(
        f"CCNN {name}, {size} px, batch {batch}, {torch.get_num_threads()} threads, {repeats} alternating repetitions"
    )
    for label, found in times.items():
        ratios = [first / second for first, second in zip(base, found, strict=True)]
        print(
            f"  {label:32s} {batch / statistics.median(found):7.2f} images/s"
            f"   ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            f"   {megabytes(*built[label]):6.0f} MB of weights, gradients and momentum"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet50", help="timm's ResNet with bottlenecks (default: resnet50)")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    compare(args.model, args.size, args.batch, args.repeats)
