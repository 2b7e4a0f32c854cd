"""What may be cached: the part of a backbone that gives the same features all the time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from wsolkit.errors import ConfigError
from wsolkit.features.dataset import LEAVE
from wsolkit.model.attach import modified_modules
from wsolkit.model.batch_transforms import check_pixels
from wsolkit.model.localizer import Localizer

__all__ = ["checked_model"]


def checked_model(model: Any, level: str | None = None) -> Localizer:
    """Return a model whose backbone gives the same features all the time, up to a level or as a whole.

    Args:
        model: the model.
        level: the level; None for the whole backbone.

    Raises:
        ConfigError: it does not, or cannot be run in parts.
    """
    if not isinstance(model, Localizer):
        raise ConfigError(f"feature_cache goes with a Localizer, but the model is a {type(model).__name__}. {LEAVE}")
    after = () if level is None else tuple(model.backbone.modules_after(level))
    for modifier in model.image_modifiers.children():
        raise ConfigError(
            f"feature_cache keeps the features as they are without {type(modifier).__name__}, which sits on the "
            f"images. {LEAVE}"
        )
    for name, each in modified_modules(model.backbone):
        if not inside(name, after):
            where = "the backbone" if level is None else f"{name!r}, at {level!r} or before it"
            raise ConfigError(
                f"feature_cache keeps the features as they are without {type(each).__name__}, which sits on {where}. "
                "Put it behind a later module, cache an earlier level, or leave feature_cache out."
            )
    check_pixels(model.batch_transforms)
    trained = [
        name
        for name, each in model.backbone.named_parameters()
        if each.requires_grad and not inside(name.rpartition(".")[0], after)
    ]
    if trained:
        which = "all of it with model.freeze=['model']" if level is None else f"what comes before, {level!r} included"
        raise ConfigError(
            f"feature_cache keeps features that never change, but the backbone is trained"
            f"{'' if level is None else f' at {level!r} or before it'} ({trained[0]} and others). Freeze {which}, or "
            "leave feature_cache out."
        )
    restless = restless_modules(model, after)
    if restless:
        raise ConfigError(
            f"feature_cache keeps features that never change, but {restless[0]} "
            f"({type(model.backbone.get_submodule(restless[0])).__name__}) does something else in training. Name it in "
            "model.freeze, or leave feature_cache out."
        )
    return model


def restless_modules(model: Localizer, after: Iterable[str]) -> list[str]:
    """Return the norms and dropouts of the backbone that are in training mode in training, but for those inside."""
    training = model.training
    model.train()
    found = [
        name
        for name, module in model.backbone.named_modules()
        if module.training and changes_in_training(module) and not inside(name, tuple(after))
    ]
    model.train(training)
    return found


def changes_in_training(module: nn.Module) -> bool:
    """Whether a module itself, not one inside it, may give something else in training.

    >>> changes_in_training(nn.BatchNorm2d(3)), changes_in_training(nn.ReLU()), changes_in_training(nn.Dropout(0.1))
    (True, False, True)
    """
    kind = type(module).__name__
    return hasattr(module, "running_mean") or ("Drop" in kind and not any(module.children()))


def inside(name: str, modules: tuple[str, ...]) -> bool:
    """Whether a module is one of others, or inside one.

    >>> inside("model.layer4.0", ("model.layer4",)), inside("model.layer40", ("model.layer4",))
    (True, False)
    """
    return any(name == each or name.startswith(f"{each}.") for each in modules)
