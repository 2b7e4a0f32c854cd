"""Time of CAM methods beside pytorch-grad-cam and torch-cam and beside a bare forward pass, in one run.

    python benchmarks/cam_methods.py                        # ResNet-50, one image and 8
    python benchmarks/cam_methods.py --only score-cam       # ResNet-18

All sides see the same network in the same layout and number format and take turns; times are those of the processor, so
that other work on the machine counts little, and ratios are the median of the rounds. Before anything is timed, maps
have to agree. A library that is not installed is left out. Score-CAM is one round: half a minute and more.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from wsolkit import Localizer
from wsolkit_gradients import GradCAM, LayerCAM
from wsolkit_scorecam import ScoreCAM

Call = Callable[[], object]
LAYERS = ["layer1", "layer2", "layer3", "layer4"]


class Logits(nn.Module):
    """The network as the libraries take one."""

    def __init__(self, model: Localizer) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        logits = self.model.activate(images).logits
        assert logits is not None
        return logits


def network(name: str, precision: str = "fp32") -> Localizer:
    torch.manual_seed(0)
    model = Localizer(
        backbone={"type": "TimmBackbone", "name": name, "levels": LAYERS},
        head={"type": "LinearHead", "num_classes": 1000},
        precision=precision,
    )
    for module in model.backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
    return model.eval()


def seconds(call: Call) -> float:
    before = time.process_time()
    call()
    return time.process_time() - before


def compare(title: str, calls: dict[str, Call], rounds: int) -> None:
    """Run calls in turns, once before anything counts, and print each one's time as a multiple of the first one's."""
    for call in calls.values() if rounds > 1 else ():
        call()
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            found[name].append(seconds(call))
    first = found[next(iter(found))]
    print(title)
    for name, times in found.items():
        ratio = statistics.median(each / base for each, base in zip(times, first, strict=True))
        print(f"    {name:<46} {statistics.median(times):8.3f} s {ratio:7.2f}")


def of_pytorch_grad_cam(model: Localizer, name: str, layers: list[str], images: Tensor, classes: Tensor) -> Call | None:
    if find_spec("pytorch_grad_cam") is None:
        return None
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    modules = [model.backbone.get_submodule(f"model.{layer}") for layer in layers]
    targets = [ClassifierOutputTarget(int(label)) for label in classes]

    def call() -> Tensor:
        with contextlib.redirect_stderr(io.StringIO()):
            cam = getattr(pytorch_grad_cam, name)(Logits(model), modules)
            found = cam(images, targets=targets)
            cam.activations_and_grads.release()
        return torch.from_numpy(found)

    return call


def of_torch_cam(model: Localizer, name: str, layers: list[str], images: Tensor, classes: Tensor) -> Call | None:
    if find_spec("torchcam") is None:
        return None
    from torchcam import methods

    def call() -> Tensor:
        wrapped = Logits(model)
        with getattr(methods, name)(wrapped, [f"model.backbone.model.{layer}" for layer in layers]) as cam:
            found = cam(classes.tolist(), wrapped(images))
            return cam.fuse_cams(found)

    return call


@torch.no_grad()
def ours(model: Localizer, method: object, images: Tensor, classes: Tensor) -> Tensor:
    return method(model, images, classes)  # type: ignore[operator, no-any-return]


def agree(one: Tensor, other: Tensor) -> None:
    """Stop where two maps, resized in different ways, are not nearly the same."""
    other = nn.functional.interpolate(other[:, None], size=one.shape[-2:], mode="bilinear")[:, 0]
    some = one.flatten(1).any(1) | other.flatten(1).any(1)  # of a class that nothing speaks for, both are empty
    likeness = nn.functional.cosine_similarity(one.flatten(1), other.flatten(1), dim=1)[some]
    assert (likeness > 0.95).all(), f"maps differ: cosines {likeness.tolist()}"


def gradient_methods(batch: int, rounds: int) -> None:
    images = torch.randn(batch, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    classes = torch.arange(batch)
    for precision in ("fp32", "auto"):
        model = network("resnet50", precision)
        with torch.no_grad():
            model.activate(images)
        cases = (("GradCAM", GradCAM(), ["layer4"]), ("LayerCAM", LayerCAM(at=LAYERS, scaled="all"), LAYERS))
        for name, method, layers in cases:
            calls: dict[str, Call] = {
                "a bare forward pass": torch.no_grad()(lambda model=model: model.activate(images).logits),
                "wsolkit": lambda model=model, method=method: ours(model, method, images, classes),
            }
            for library, made in (("pytorch-grad-cam", of_pytorch_grad_cam), ("torch-cam", of_torch_cam)):
                call = made(model, name, layers, images, classes)
                if call is not None:
                    calls[library] = call
            if "torch-cam" in calls and precision == "fp32":
                agree(ours(model, method, images, classes), calls["torch-cam"]())  # type: ignore[arg-type]
            compare(f"{name} at {', '.join(layers)}, ResNet-50, batch {batch}, {precision}", calls, rounds)


def score_cam() -> None:
    images = torch.randn(1, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    classes = torch.tensor([3])
    plain, fast = network("resnet18"), network("resnet18", "auto")
    calls: dict[str, Call] = {}
    for library, made in (("pytorch-grad-cam", of_pytorch_grad_cam), ("torch-cam", of_torch_cam)):
        call = made(plain, "ScoreCAM", ["layer4"], images.contiguous(), classes)
        if call is not None:
            calls[library] = torch.no_grad()(call)
    method = ScoreCAM(definition="logit")
    calls["wsolkit, fp32"] = lambda: ours(plain, method, images, classes)
    calls["wsolkit, auto"] = lambda: ours(fast, method, images, classes)
    compare("Score-CAM, ResNet-18 (512 channels), one image", calls, rounds=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", choices=["gradients", "score-cam"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.only != "score-cam":
        for batch in arguments.batch:
            gradient_methods(batch, arguments.rounds)
    if arguments.only != "gradients":
        score_cam()


if __name__ == "__main__":
    main()
