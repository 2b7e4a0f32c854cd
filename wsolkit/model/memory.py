"""Refuses a model that is larger than the machine's memory while it is built, before its numbers are written."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from wsolkit.errors import ConfigError

__all__ = ["machine_memory", "within_memory"]

NO_MEMORY = re.compile("can't allocate|out of memory|overflow|too large", re.IGNORECASE)
"""How torch says that a tensor would be too large."""


def machine_memory() -> int:
    """Return the bytes of memory that the machine has, or all that can be addressed where it does not say."""
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@contextmanager
def within_memory(limit: int | None = None) -> Iterator[None]:
    """Watch the tensors of the modules that are built inside.

    Args:
        limit: bytes that they may take together; what the machine has by default.

    Raises:
        ConfigError: they take more.

    >>> with within_memory(1000):
    ...     model = nn.Linear(8, 4000)
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: The model is too large: with weight (4000 x 8) of Linear it takes ...
    """
    most = machine_memory() if limit is None else limit
    taken = 0

    def count(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal taken
        if tensor is None or tensor.device.type == "meta":
            return
        taken += tensor.numel() * tensor.element_size()
        if taken > most:
            shape = " x ".join(map(str, tensor.shape))
            raise ConfigError(
                f"The model is too large: with {name} ({shape}) of {type(module).__name__} it takes {in_words(taken)}, "
                f"and the machine has {in_words(most)}. Correct the sizes in model, such as num_classes."
            )

    hooks = [
        register(count)
        for register in (register_module_parameter_registration_hook, register_module_buffer_registration_hook)
    ]
    try:
        yield
    except (MemoryError, OverflowError, RuntimeError, TypeError) as error:
        if isinstance(error, (RuntimeError, TypeError)) and not NO_MEMORY.search(str(error)):
            raise
        reason = (str(error).splitlines() or ["there is no memory for it"])[0]
        raise ConfigError(
            f"The model is too large: {reason}. Correct the sizes in model, such as num_classes."
        ) from error
    finally:
        for hook in hooks:
            hook.remove()


def in_words(size: int) -> str:
    """Return a number of bytes in gigabytes.

    >>> in_words(3 * 2**30 // 2)
    '1.5 GB'
    """
    return f"{size / 2**30:.1f} GB"
