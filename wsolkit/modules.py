"""Modules of a backbone by their dotted names: found, frozen, or with their batch norms at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from wsolkit.errors import ConfigError, nearest

__all__ = [
    "find_module",
    "freeze_modules",
    "in_float32",
    "keep_resting",
    "module_names",
    "names_in",
    "with_fixed_statistics",
    "without_gradients",
]

UPPER = 2
"""Names of modules with fewer dots are those of the upper levels."""

FEW, MOST = 12, 60
"""As many names are offered whole; more of the upper levels are not."""


def in_float32(module: nn.Module, values: Tensor) -> Tensor:
    """Return what a module makes of values in float32, also where the module's own numbers are of half precision.

    Then running statistics that it collects in training are not kept.

    >>> import torch
    >>> in_float32(nn.Linear(2, 1).half(), torch.ones(1, 2)).dtype
    torch.float32
    """
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    other = [each for each in state.values() if each.is_floating_point() and each.dtype != torch.float32]
    if not other:
        return module(values.float())
    state = {name: each.float() if each.is_floating_point() else each for name, each in state.items()}
    found: Tensor = functional_call(module, state, (values.float(),))
    return found


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


@contextmanager
def without_gradients(backbone: nn.Module, names: Iterable[str]) -> Iterator[None]:
    """Let modules compute without gradients of their weights; those of what they are given flow.

    >>> layer, given = nn.Linear(1, 1), torch.ones(1, requires_grad=True)
    >>> with without_gradients(nn.Sequential(layer), ["0"]):
    ...     found = layer(given)
    >>> found.backward()
    >>> layer.weight.grad, given.grad.shape
    (None, torch.Size([1]))
    """
    weights = [each for name in names for each in backbone.get_submodule(name).parameters() if each.requires_grad]
    for each in weights:
        each.requires_grad_(False)
    try:
        yield
    finally:
        for each in weights:
            each.requires_grad_(True)


@contextmanager
def with_fixed_statistics(*parts: nn.Module) -> Iterator[None]:
    """Let the batch norms inside some modules leave their running statistics as they are.

    In training they go on normalising by the batch.

    >>> norm = nn.BatchNorm1d(1).train()
    >>> with with_fixed_statistics(norm):
    ...     norm(torch.tensor([[1.0], [3.0]])).round().flatten().tolist()
    [-1.0, 1.0]
    >>> norm.running_mean.item(), norm.num_batches_tracked.item(), norm.track_running_stats
    (0.0, 0, True)
    """
    norms = [each for part in parts for each in part.modules() if isinstance(each, _BatchNorm)]
    collecting = [norm for norm in norms if norm.training and norm.track_running_stats]
    for norm in collecting:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in collecting:
            norm.track_running_stats = True


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


def find_module(backbone: nn.Module, at: str) -> tuple[str, nn.Module]:
    """Return the full name and the module that ``at`` means.

    Args:
        backbone: the module to look in.
        at: its dotted name, with or without the name of a direct child that wraps it.

    Raises:
        ConfigError: no module, or several, answer to the name.

    >>> find_module(nn.ModuleDict({"model": nn.ModuleDict({"layer1": nn.ReLU()})}), "layer1")
    ('model.layer1', ReLU())
    """
    modules = dict(backbone.named_modules())
    if at in modules and at:
        return at, modules[at]
    found = [f"{child}.{at}" for child, _ in backbone.named_children() if f"{child}.{at}" in modules]
    if len(found) == 1:
        return found[0], modules[found[0]]
    if found:
        raise ConfigError(f"{at!r} may mean {' or '.join(map(repr, found))}. Give the full name.")
    raise ConfigError(f"{type(backbone).__name__} has no module {at!r}. {offered(at, names_in(backbone))}")


def offered(at: str, names: Sequence[str]) -> str:
    """Return a sentence that offers the nearest names of modules, or those of the upper two levels.

    >>> offered("layer3", ["stem", *(f"blocks.{n}{below}" for n in range(9) for below in ("", ".conv"))])
    "The upper names: 'stem', 'blocks.0' to 'blocks.8'. All: wsolkit show CONFIG --modules."
    """
    found = nearest(at, names)
    upper = [name for name in names if name.count(".") < UPPER]
    if found.startswith("Did you mean") or len(names) <= FEW or len(upper) > MOST:
        return found
    shown: list[str] = []
    for holder, group in groupby(upper, lambda name: name.rpartition(".")[0]):
        inside = [repr(name) for name in group]
        numbered = holder and len(inside) > 1 and all(name.strip("'").rpartition(".")[2].isdigit() for name in inside)
        shown += [f"{inside[0]} to {inside[-1]}"] if numbered else inside
    return f"The upper names: {', '.join(shown)}. All: wsolkit show CONFIG --modules."


def names_in(backbone: nn.Module) -> list[str]:
    """Return the names that ``find_module`` takes, without the long ones where one child wraps everything."""
    names = [name for name, _ in backbone.named_modules() if name]
    behind = Counter(name.partition(".")[2] for name in names)
    short = [name for name, number in behind.items() if name and number == 1]
    children = [child for child, _ in backbone.named_children()]
    return [*children, *short] if len(children) == 1 else [*names, *short]
