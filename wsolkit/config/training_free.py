"""Models without a training: what their configurations leave out, and which of them need no checkpoint at all."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from wsolkit.config.classes import with_class_facts
from wsolkit.errors import ConfigError
from wsolkit.model.localizer import Localizer
from wsolkit.model.memory import within_memory
from wsolkit.registry import BACKBONES, MODELS
from wsolkit.weights.files import SUFFIXES

__all__ = ["check_training_free", "trained_parts", "warn_of_no_weights", "without_training"]


def trained_parts(model: Localizer) -> list[str]:
    """Return the parts beside the backbone that hold what only a training can have found, in words.

    >>> from wsolkit.registry import MODELS
    >>> backbone = {"type": "TimmBackbone", "name": "test_resnet"}
    >>> head = {"type": "ConvHead", "num_classes": 2}
    >>> trained_parts(MODELS.build({"type": "Localizer", "backbone": backbone, "head": head}))
    ['the head ConvHead']
    >>> trained_parts(MODELS.build({"type": "Localizer", "backbone": backbone, "head": {"type": "FeatureHead"}}))
    []
    """
    parts = [("head", model.head)]
    parts += [("loss", loss) for loss in model.losses.values()]
    parts += [("modifier", modifier) for name, modifier in model.named_modifiers() if not name.startswith("maps")]
    return [f"the {kind} {type(part).__name__}" for kind, part in parts if is_trained(part)]


def is_trained(part: nn.Module) -> bool:
    """Whether a module has parameters, or norms that remember what they saw."""
    return any(True for _ in part.parameters()) or any(isinstance(module, _NormBase) for module in part.modules())


def check_training_free(model: Mapping[str, Any], name: str) -> None:
    """Look whether a model can be used without a checkpoint; its weights are not read for it.

    Args:
        model: its configuration.
        name: what the whole configuration is called.

    Raises:
        ConfigError: it has trained parameters, or there is none.
    """
    if not model:
        raise ConfigError(f"Configuration {name} has no model to predict with. Add model=dict(...).")
    with within_memory():
        built = MODELS.build(without_training(model, ("object",)))
    trained = trained_parts(built) if isinstance(built, Localizer) else [f"the model {type(built).__name__}"]
    if trained:
        raise ConfigError(
            f"A model needs a checkpoint, but got the configuration {name} only: {trained[0]} has trained parameters. "
            f"Give the checkpoint as well, or the checkpoint alone (a {', '.join(SUFFIXES)} file), which knows its "
            "configuration."
        )


def without_training(
    model: Mapping[str, Any], classes: Sequence[str] = (), keep_weights: bool = False
) -> dict[str, Any]:
    """Return a model's configuration without what only training needs: weights, batch transforms and compilation.

    Parts that ask about the classes are told the class names, where nobody said them. A model that is used without a
    training keeps the weights.

    >>> without_training({"type": "Localizer", "backbone": {"type": "TimmBackbone", "pretrained": True}})
    {'type': 'Localizer', 'backbone': {'type': 'TimmBackbone', 'pretrained': False}}
    """
    changed = dict(model)
    backbone = changed.get("backbone")
    if isinstance(backbone, Mapping) and not keep_weights:
        empty = {"pretrained": False, "weights": None}
        changed["backbone"] = {key: empty.get(key, value) for key, value in backbone.items()}
    for key in ("compile", "init_cfg", "batch_transforms"):
        changed.pop(key, None)
    return with_class_facts(changed, classes)


def warn_of_no_weights(backbone: Any) -> None:
    """Warn where a configuration gives its backbone no weights, so that a model without a training knows nothing.

    Args:
        backbone: the backbone's configuration.
    """
    kind = backbone.get("type") if isinstance(backbone, Mapping) else None
    built = BACKBONES.get(kind) if isinstance(kind, str) else kind
    if built is None or "weights" not in inspect.signature(built).parameters:
        return
    if not any(backbone.get(name) not in (None, False, "none") for name in ("weights", "pretrained")):
        warnings.warn(
            f"The model is used without a training, and its {built.__name__} starts from random weights, so that its "
            "maps tell nothing. Give weights=..., such as --cfg-options model.backbone.weights=FILE.",
            stacklevel=2,
        )
