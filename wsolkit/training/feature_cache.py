"""A training on features computed once: ``feature_cache=dict(level="blocks.5", folder=..., most_gb=4.0)``.

Everything else stays: the runner, its hooks and loops, the sampler, the head, the losses and what is saved. A mirrored
image becomes the mirror image's features, drawn as the data set would have drawn it. With a level, the modules after it
are trained, with the modifiers that sit on them at work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from wsolkit.features.frozen import checked_model
from wsolkit.features.loader import Cached, CacheOptions, cached_loader, loader_for_evaluation, source_of
from wsolkit.training.runner import bare

__all__ = ["FeatureCache", "from_config"]


class FeatureCache(Hook):
    """Puts the features of a frozen backbone, or of its first part, in the place of the training images.

    They are computed when the training begins, with the weights it begins with; see
    ``wsolkit.features.compute.compute_features``.

    Args:
        runner: a runner that was built.
        options: see ``wsolkit.features.loader.CacheOptions``.

    Raises:
        ConfigError: the backbone is trained there, something changes images or its features at random, or the images
            are made and not read.
    """

    priority = "VERY_HIGH"

    def __init__(self, runner: Runner, options: CacheOptions) -> None:
        self.options = options
        self.model = checked_model(bare(runner.model), options.level)
        self.train = source_of(runner.train_loop.dataloader.dataset)
        self.evaluates = options.evaluate and runner.val_loop is not None
        if self.evaluates:
            source_of(runner.val_loop.dataloader.dataset)

    def before_train(self, runner: Runner) -> None:
        """Compute what is missing, and read batches from the features."""
        default = Path(runner.work_dir) / "features"
        cached = cached_loader(self.options, self.model, runner.train_loop.dataloader, self.train, default)
        runner.train_loop.dataloader = cached.loader
        runner.logger.info(told("training", cached, self.options.level))
        if self.evaluates:
            cached = loader_for_evaluation(self.options, self.model, runner.val_loop.dataloader, default)
            runner.val_loop.dataloader = cached.loader
            runner.logger.info(told("validation", cached, self.options.level))


def told(what: str, cached: Cached, level: str | None) -> str:
    """Return what features save, in words."""
    upto = "" if level is None else f" up to {level!r}"
    text = f"{cached.kept} of {cached.images} {what} images have their features{upto} in {cached.folder}."
    if cached.seconds_each is None:
        return text
    each = 1000 * cached.seconds_each
    return f"{text} One takes {each:.3g} ms: about {cached.kept * cached.seconds_each:.3g} s are saved in each pass."


def from_config(runner: Runner, given: Any) -> FeatureCache | None:
    """Return the hook that a configuration asks for, or None.

    Raises:
        ConfigError: the entry is no mapping, or see ``FeatureCache``.
    """
    options = CacheOptions.of(given)
    return None if options is None else FeatureCache(runner, options)
