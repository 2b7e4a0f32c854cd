"""Which checkpoints a training leaves behind, known before it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config

from wsolkit.config.classes import fill_classes
from wsolkit.config.training_free import without_training
from wsolkit.datasets.collate import collate_samples
from wsolkit.datasets.images import ImageDataset
from wsolkit.model.localizer import Localizer
from wsolkit.registry import DATASETS, MODELS
from wsolkit.training.checkpoints import BEST, LAST

__all__ = ["has_nothing_to_monitor", "never_kept"]

NUMBERED = re.compile(r"(epoch|iter)_(\d+)\.pth")
TARGETS = ("boxes", "mask_paths", "segmentations")
"""What a record has where localization can be scored."""


def never_kept(config: Mapping[str, Any], file: str) -> str | None:
    """Say why a training with this configuration will not leave a checkpoint of that name; None where it may.

    Args:
        config: a loaded configuration.
        file: a name, such as ``best.pth``; other files than checkpoints are not judged.

    >>> never_kept({"train_cfg": {"max_epochs": 2}}, "best.pth")
    'the configuration has no validation, so nothing says which weights are best; take last.pth'
    >>> never_kept({"train_cfg": {"max_epochs": 2}}, "last.pth")
    """
    hook = (config.get("default_hooks") or {}).get("checkpoint", {"type": "Checkpoints"})
    if "/" in file or not file.endswith(".pth") or file == LAST or (hook or {}).get("type") != "Checkpoints":
        return None
    if file == BEST:
        if any(config.get(key) is None for key in ("val_dataloader", "val_evaluator")):
            return f"the configuration has no validation, so nothing says which weights are best; take {LAST}"
        return None
    found = NUMBERED.fullmatch(file)
    if found is None:
        return None if config.get("custom_hooks") else f"a training leaves {LAST} and {BEST}"
    every, number = hook.get("keep_every"), int(found[2])
    most = (config.get("train_cfg") or {}).get(f"max_{found[1]}s")
    if not every or number % every:
        return f"default_hooks.checkpoint.keep_every is {every}; set it, or take {LAST}"
    if most and number > most:
        return f"train_cfg.max_{found[1]}s is {most}; take {LAST}"
    return None


@torch.no_grad()
def has_nothing_to_monitor(config: Config) -> bool:
    """Whether validation is certain to return nothing that says which weights are best.

    So it is where the model does not classify and no image of the val split has a box. The data is read and the model
    is built for that, with random weights.

    Raises:
        WsolkitError: the data or the model is wrong.
    """
    evaluators = config.get("val_evaluator")
    kinds = [each.get("type") for each in (evaluators if isinstance(evaluators, (list, tuple)) else [evaluators])]
    monitor = ((config.get("default_hooks") or {}).get("checkpoint") or {}).get("monitor")
    if monitor or any(kind != "LocalizationMetric" for kind in kinds):
        return False
    dataset = DATASETS.build(config.val_dataloader.dataset)
    if not isinstance(dataset, ImageDataset) or not len(dataset):
        return False
    records = map(dataset.record, range(len(dataset))) if dataset.load_targets else ()
    if any(record.get(target) for record in records for target in TARGETS):
        return False
    complete = fill_classes(Config(config.to_dict()))
    model = MODELS.build(without_training(complete.model.to_dict(), complete.get("classes") or ()))
    if not isinstance(model, Localizer):
        return False
    return model.eval().val_step(collate_samples([dataset[0]]))[0].logits is None
