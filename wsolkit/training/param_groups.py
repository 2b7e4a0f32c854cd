"""Optimizer parameter groups by part of the model and by kind of parameter: few, so that fused optimizers stay fast."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from wsolkit.errors import ConfigError, nearest

__all__ = ["PartOptimWrapperConstructor", "freeze_kinds", "group_parameters", "kind_of"]

KINDS = ("norm", "bias", "vector", "weight")
NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
OPTIONS = ("lr_mult", "decay_mult", "freeze_kinds")
AS_HEAD = re.compile(r"^(feature|image)_modifiers(?=\.)")
"""Modifiers of a ``Localizer`` on images and inside the backbone: their parameters begin anew, as the head's do."""


def kind_of(module: nn.Module, name: str, parameter: nn.Parameter) -> str:
    """Return what weight decay tells apart: ``norm``, ``bias``, another ``vector`` (ndim <= 1), or ``weight``.

    >>> kind_of(nn.Linear(2, 2), "bias", nn.Linear(2, 2).bias)
    'bias'
    """
    if isinstance(module, NORMS) or "Norm" in type(module).__name__:
        return "norm"
    if name == "bias":
        return "bias"
    return "vector" if parameter.ndim <= 1 else "weight"


def part_of(name: str, prefixes: Iterable[str]) -> str:
    """Return the longest of the dotted prefixes of a parameter's name, or an empty string."""
    return max((prefix for prefix in prefixes if f"{name}.".startswith(f"{prefix}.")), key=len, default="")


def check_multipliers(given: Mapping[str, Any], what: str) -> None:
    """Look whether multipliers are numbers that are not negative.

    Raises:
        ConfigError: one is not.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(f"{what} is written as dict(NAME=NUMBER), but got {given!r}. Write it so.")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ConfigError(f"{what} of {name!r} should be a number >= 0, but got {value!r}.")


def kinds_of(model: nn.Module) -> dict[str, str]:
    """Return the kind of every parameter by its dotted name."""
    kinds: dict[str, str] = {}
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            kinds.setdefault(f"{prefix}.{name}" if prefix else name, kind_of(module, name, parameter))
    return kinds


def freeze_kinds(model: nn.Module, frozen: Iterable[str]) -> None:
    """Take all parameters of some kinds out of the training; running statistics of norms go on.

    Args:
        model: the model.
        frozen: kinds of parameters: ``norm``, ``bias``, ``vector``, ``weight``.

    Raises:
        ConfigError: a kind does not exist.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    >>> freeze_kinds(model, ["norm"])
    >>> [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    ['0.weight', '0.bias']
    """
    frozen = [frozen] if isinstance(frozen, str) else list(frozen)
    for kind in frozen:
        if kind not in KINDS:
            raise ConfigError(f"freeze_kinds goes by kind of parameter, but got {kind!r}. {nearest(kind, KINDS)}")
    kinds = kinds_of(model)
    for name, parameter in model.named_parameters():
        if kinds[name] in frozen:
            parameter.requires_grad_(False)


def group_parameters(
    model: nn.Module,
    lr: float | None,
    weight_decay: float | None,
    lr_mult: Mapping[str, float],
    decay_mult: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Sort the trainable parameters into groups of one learning rate and one weight decay.

    Args:
        model: the model.
        lr: the learning rate that ``lr_mult`` multiplies.
        weight_decay: the weight decay that ``decay_mult`` multiplies.
        lr_mult: by dotted name of a part (``backbone``, ``backbone.layer4``); the longest that fits counts. Modifiers
            on the images and inside the backbone begin anew as the head does: where they are not named themselves
            (``feature_modifiers``), the head's number counts for them.
        decay_mult: by kind of parameter: ``norm``, ``bias``, ``vector`` (others of at most one dimension), ``weight``.

    Returns:
        Groups with ``params``, ``name`` and, where multiplied, ``lr`` and ``weight_decay``; unscaled parts first.

    Raises:
        ConfigError: a part or a kind does not exist, a multiplier has nothing to multiply, or nothing is trainable.
    """
    check_multipliers(lr_mult, "lr_mult")
    check_multipliers(decay_mult, "decay_mult")
    for kind in decay_mult:
        if kind not in KINDS:
            raise ConfigError(f"decay_mult goes by kind of parameter, but got {kind!r}. {nearest(kind, KINDS)}")
    if decay_mult and weight_decay is None:
        raise ConfigError("decay_mult multiplies the optimizer's weight_decay, which is not set. Add weight_decay=...")
    if lr_mult and lr is None:
        raise ConfigError("lr_mult multiplies the optimizer's lr, which is not set. Add lr=...")

    kinds = kinds_of(model)
    names = [name for name, _ in model.named_parameters()]
    for prefix in lr_mult:
        if not any(part_of(name, [prefix]) for name in names):
            parts = {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 1)}
            raise ConfigError(f"lr_mult names {prefix!r}, but no parameter lies there. {nearest(prefix, parts)}")

    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        part = part_of(name, lr_mult) or part_of(AS_HEAD.sub("head", name), lr_mult)
        kind = kinds[name] if kinds[name] in decay_mult else ""
        rate, decay = lr_mult.get(part, 1.0), decay_mult.get(kind, 1.0)
        group = groups.setdefault((rate, decay), {"params": [], "labels": {}})
        group["params"].append(parameter)
        group["labels"][".".join(filter(None, (part, kind))) or "rest"] = None
        if rate != 1.0 and lr is not None:
            group["lr"] = lr * rate
        if decay != 1.0 and weight_decay is not None:
            group["weight_decay"] = weight_decay * decay
    ordered = [groups[key] for key in sorted(groups, key=lambda key: (key[0] != 1.0, key[1] != 1.0))]
    for group in ordered:
        group["name"] = "+".join(group.pop("labels"))
    check_complete(model, ordered)
    return ordered


def check_complete(model: nn.Module, groups: Iterable[Mapping[str, Any]]) -> None:
    """Look whether every trainable parameter is in exactly one group.

    Raises:
        ConfigError: one is in none or in several, by name; or nothing is trainable.
    """
    counts: dict[int, int] = {}
    for group in groups:
        for parameter in group["params"]:
            counts[id(parameter)] = counts.get(id(parameter), 0) + 1
    trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if not trainable:
        raise ConfigError("The model has no trainable parameter: everything is frozen. Unfreeze a part of it.")
    for name, parameter in trainable.items():
        if counts.get(id(parameter), 0) != 1:
            raise ConfigError(
                f"The parameter {name} is in {counts.get(id(parameter), 0)} groups of the optimizer instead of one."
            )


class PartOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Builds the optimizer with few parameter groups.

    ``paramwise_cfg=dict(lr_mult=dict(backbone=0.1), decay_mult=dict(norm=0, bias=0))`` multiplies learning rates by
    part of the model and weight decay by kind of parameter; see ``group_parameters``. ``freeze_kinds=["norm"]`` takes
    kinds of parameters out of the training; see ``freeze_kinds``.

    Raises:
        ConfigError: an option, a part or a kind is unknown.
    """

    def _validate_cfg(self) -> None:
        """Look at the options now, before the model is there."""
        self.paramwise_cfg: dict[str, Any] = dict(self.paramwise_cfg or {})
        for option in self.paramwise_cfg:
            if option not in OPTIONS:
                raise ConfigError(f"paramwise_cfg takes no {option!r}. {nearest(option, OPTIONS)}")
        for option in OPTIONS:  # never empty, so that frozen parameters are left out as well
            self.paramwise_cfg.setdefault(option, {})

    def add_params(self, params: list[dict], module: nn.Module, **_: Any) -> None:
        """Fill mmengine's list of groups."""
        freeze_kinds(module, self.paramwise_cfg["freeze_kinds"])
        params.extend(
            group_parameters(
                module,
                self.base_lr,
                self.base_wd,
                self.paramwise_cfg["lr_mult"],
                self.paramwise_cfg["decay_mult"],
            )
        )
