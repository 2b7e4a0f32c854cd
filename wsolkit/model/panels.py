"""What the parts of a model show of an image: masks, branches, candidates. The core knows none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from wsolkit.interfaces import BoxExtractor, MapModifier, Panel
from wsolkit.model.localizer import Localizer

__all__ = ["collect_panels"]


@torch.no_grad()
def collect_panels(model: Localizer, inputs: Tensor, label: int, extractor: BoxExtractor) -> list[Panel]:
    """Return the panels of all parts that have some: of the modifiers, the CAM method and the box extractor.

    Args:
        model: a localizer in eval mode.
        inputs: one image (1, 3, H, W) uint8.
        label: the class that is asked for; 0 where the map is of no class.
        extractor: the box extractor, at the threshold that is used.
    """
    images = model.data_preprocessor({"inputs": inputs})["inputs"]
    found: list[Panel] = []
    showing = {name: each for name, each in model.named_modifiers() if type(each).panels is not MapModifier.panels}
    if showing:
        with as_in_training(showing.values()), watched(showing) as seen:
            model.activate(images)
        for name, maps in seen:
            place = name.partition(".")[2] if name.startswith("features.") else name.partition(".")[0]
            panels = showing[name].panels(maps.detach(), label)
            found += [panel._replace(name=f"{place}: {panel.name}") for panel in panels]
        for each in showing.values():
            each.scalars()  # what it noted is no training's
    activation = model.activate(images)
    found += model.cam_method.panels(model, images, label, activation)
    classes = torch.tensor([label], device=images.device)
    score_map = model.cam_method(model, images, classes, activation)[0].float().cpu().numpy()
    features: np.ndarray | None = None if activation.features is None else activation.features[0].float().cpu().numpy()
    found += extractor.panels(score_map, features)
    return found


@contextmanager
def as_in_training(modifiers: Iterable[MapModifier]) -> Iterator[None]:
    """Let modifiers work as in training, and nothing else: norms and other modifiers keep their mode."""
    before = [(each, each.training) for each in modifiers]
    try:
        for each, _ in before:
            each.train()
        yield
    finally:
        for each, mode in before:
            each.train(mode)


@contextmanager
def watched(modifiers: dict[str, MapModifier]) -> Iterator[list[tuple[str, Tensor]]]:
    """Collect the maps that modifiers are given, by their names, in the order they are called."""
    seen: list[tuple[str, Tensor]] = []
    handles = [
        each.register_forward_pre_hook(lambda _, given, name=name: seen.append((name, given[0])))
        for name, each in modifiers.items()
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
