"""Numbers of a configuration that have a least value: epochs, batches, sides of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsolkit.errors import ConfigError

__all__ = ["check_numbers"]

LEAST: dict[str, dict[str, int]] = {
    "train_cfg": {"max_epochs": 1, "max_iters": 1, "val_interval": 1},
    "randomness": {"seed": 0},
    **{f"{split}_dataloader": {"batch_size": 1, "num_workers": 0} for split in ("train", "val", "test")},
}
"""Least whole numbers, by section and key."""

MAY_BE_NONE = ("seed", "batch_size", "max_iters")

SIDES = ("size", "crop")
"""Arguments of transforms that are sides of images."""


def check_numbers(config: Mapping[str, Any]) -> None:
    """Compare the numbers of a configuration with their least values.

    Raises:
        ConfigError: one is smaller, or none.

    >>> check_numbers({"train_cfg": {"max_epochs": 6}, "train_dataloader": {"batch_size": 32, "num_workers": 0}})
    """
    for section, known in LEAST.items():
        given = config.get(section) or {}
        for key, least in known.items():
            value = given.get(key, least)
            if not (value is None and key in MAY_BE_NONE) and not (is_whole(value) and value >= least):
                raise ConfigError(
                    f"{section}.{key} should be a whole number of at least {least}, but got {value!r}. "
                    f"Set {section}.{key} to one."
                )
            if key == "seed" and value is not None and value >= 2**32:
                raise ConfigError(f"{section}.{key} should be below 2**32, but got {value}. Set {section}.{key} lower.")
        check_sides(f"{section}.dataset", given.get("dataset"))
    check_no_text("optim_wrapper", config.get("optim_wrapper"))
    check_no_text("param_scheduler", config.get("param_scheduler"))


def check_no_text(path: str, node: Any) -> None:
    """Look for numbers that are text, as YAML reads 1e-3.

    Raises:
        ConfigError: there is one; with its place.

    >>> check_no_text("optimizer", {"type": "SGD", "lr": "1e-3"})
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: optimizer.lr should be a number, but is the text '1e-3'. Write 0.001.
    """
    if isinstance(node, (list, tuple)):
        node = dict(enumerate(node))
    for key, value in node.items() if isinstance(node, Mapping) else ():
        check_no_text(f"{path}.{key}", value)
        try:
            number = float(value) if isinstance(value, str) and key != "norm_type" else None  # torch takes "inf" there
        except ValueError:
            continue
        if number is not None:
            raise ConfigError(f"{path}.{key} should be a number, but is the text {value!r}. Write {number}.")


def check_sides(path: str, node: Any) -> None:
    """Look for sides of images below 1 in the pipelines of a data set.

    Raises:
        ConfigError: there is one; with its place.
    """
    if isinstance(node, (list, tuple)):
        for number, item in enumerate(node):
            check_sides(f"{path}.{number}", item)
    if not isinstance(node, Mapping):
        return
    for key, value in node.items():
        if ".pipeline." in path and key in SIDES:
            sides = value if isinstance(value, Sequence) else [value]
            if any(isinstance(side, (int, float)) and not side >= 1 for side in sides):
                raise ConfigError(f"{path}.{key} holds sides of images in pixels, 1 or more, but got {value!r}.")
        check_sides(f"{path}.{key}", value)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)
