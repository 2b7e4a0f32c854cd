"""Checks what names and files alone tell, in the order they are given, before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["check_given"]


def check_given(
    config: str | Path | None, checkpoint: str | Path | None = None, images: Iterable[str | Path] = ()
) -> None:
    """Look for a configuration, a checkpoint and images, as far as they are given.

    Raises:
        ConfigError: there is no such configuration.
        CheckpointError: there is no such file of weights.
        DataError: there are no such images.
    """
    if config is not None:
        from wsolkit.config.find import find_config

        find_config(config)
    if checkpoint is not None:
        from wsolkit.weights.files import existing_weights

        existing_weights(checkpoint)
    for source in images:
        if not Path(source).exists():
            from wsolkit.datasets.image_files import find_images

            find_images([source])
