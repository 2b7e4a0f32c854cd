"""Parts of a backbone that training leaves alone: whole modules, or the statistics of their batch norms."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from wsolkit.modifiers.attach import find_module

__all__ = ["freeze_modules", "keep_resting", "module_names"]


def module_names(backbone: nn.Module, names: Sequence[str]) -> list[str]:
    """Return the full names of modules, see ``find_module``.

    Raises:
        ConfigError: a module does not exist, or several answer to a name.
    """
    return [find_module(backbone, name)[0] for name in names]


def freeze_modules(backbone: nn.Module, names: Sequence[str]) -> list[str]:
    """Take modules out of the training and return their full names, for ``keep_resting``.

    Raises:
        ConfigError: a module does not exist, or several answer to a name.
    """
    found = module_names(backbone, names)
    for name in found:
        backbone.get_submodule(name).requires_grad_(False)
    return found


def keep_resting(backbone: nn.Module, frozen: Sequence[str], norms: Sequence[str] = ()) -> None:
    """Put modules, and all batch norms inside others, into evaluation; to be called whenever the mode has changed.

    Modules are looked up by name each time, because converting norms for several processes puts others in their place.

    Args:
        backbone: the backbone.
        frozen: full names of modules that rest.
        norms: full names of modules whose batch norms rest; an empty name means the backbone.

    >>> backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    >>> keep_resting(backbone, [], [""])
    >>> backbone[0].training, backbone[1].training
    (True, False)
    """
    for name in frozen:
        backbone.get_submodule(name).eval()
    for name in norms:
        for module in backbone.get_submodule(name).modules():
            if isinstance(module, _BatchNorm):
                module.eval()
