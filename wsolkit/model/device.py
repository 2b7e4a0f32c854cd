"""Chooses where a model computes."""

from __future__ import annotations

import os

import torch

from wsolkit.errors import ConfigError

__all__ = ["choose_device"]


def choose_device(name: str | torch.device | None = None) -> torch.device:
    """Return the device of that name, or by default a GPU if there is one: each process of a run its own.

    Raises:
        ConfigError: there is no such device.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name is None:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % count) if count else torch.device("cpu")
    there = ", ".join(["cpu", *(f"cuda:{number}" for number in range(count))])
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"There is no device {name!r}. Here there is: {there}.") from error
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ConfigError(f"There is no device {str(name)!r} here. There is: {there}.")
    return device
