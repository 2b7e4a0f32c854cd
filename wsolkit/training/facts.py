"""What a training saw and how it computed: what a fair table has to know of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner
from torch import nn

from wsolkit.config.seed_free import seed_free_hash
from wsolkit.datasets.unseen import names_with_split
from wsolkit.datasets.wrapped import innermost
from wsolkit.model.localizer import BOXED_IMAGES, Localizer
from wsolkit.model.precision import number_format
from wsolkit.training.runner import bare

__all__ = ["boxes_of_training", "configuration_facts", "training_facts"]

RUN_ONLY = ("randomness", "work_dir", "resume", "launcher", "experiment_name", "env_cfg", "log_level", "track")
"""What a configuration says of one run and not of the method."""


def training_facts(runner: Runner) -> dict[str, Any]:
    """Return the seed, the number format and the boxes of a training, as plain data.

    Of a model that sees boxes which people drew, the names of their images as well.
    """
    model = bare(runner.model)
    precision = model.precision if isinstance(model, Localizer) else "fp32"
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    amp = isinstance(runner.optim_wrapper, AmpOptimWrapper)
    dataset = runner.train_dataloader.dataset
    boxed = {BOXED_IMAGES: names_with_split(dataset)} if getattr(model, "trained_with", "") == "boxes" else {}
    return {
        "seed": runner.seed,
        "number_format": "mmengine's autocast" if amp else number_format(precision, device),
        "boxes": boxes_of_training(model, dataset),
        **boxed,
        **configuration_facts(runner.cfg),
    }


def configuration_facts(config: Any) -> dict[str, str]:
    """Return the name of a configuration, and a hash of what it says apart from seeds, folders and machines.

    Trainings of one name and hash differ in nothing but their seed.

    >>> one, two = ({"model": {"type": "A"}, "randomness": {"seed": seed}, "work_dir": str(seed)} for seed in (0, 1))
    >>> configuration_facts(one) == configuration_facts(two)
    True
    """
    said = {name: value for name, value in config.items() if name not in RUN_ONLY}
    name = str(config.get("experiment_name") or "")
    return {"configuration": name, "configuration_hash": seed_free_hash(said)}


def boxes_of_training(model: nn.Module, dataset: Any) -> str:
    """Return which boxes or masks a model is trained with, by the names of their files; ``none`` for labels alone.

    A ``Localizer`` hands its losses images and labels, never boxes, whatever the data set reads; unless it says so.
    """
    parts = [each for each in innermost(dataset) if getattr(each, "load_targets", False)]
    if (isinstance(model, Localizer) and model.trained_with != "boxes") or not parts:
        return "none"
    sources = [vars(each).get(name) for each in parts for name in ("annotations", "boxes")]
    files = {Path(str(source)).name for source in sources if source}
    return ", ".join(sorted(files)) or "those of the training data"
