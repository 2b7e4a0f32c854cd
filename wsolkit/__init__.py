"""wsolkit: class activation maps, boxes and masks from image labels alone."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsolkit.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        MapError,
        PluginError,
        ShapeError,
        WsolkitError,
    )
    from wsolkit.files import whole_file, write_json, write_text
    from wsolkit.hookspecs import hookimpl
    from wsolkit.interfaces import (
        Activation,
        ActivationHead,
        Backbone,
        Batch,
        BoxExtractor,
        CamMethod,
        Levels,
        Loss,
        MapModifier,
        Pooling,
        Prediction,
        ScoredBoxes,
        Stage,
        Targets,
    )
    from wsolkit.methods import Method
    from wsolkit.plugins import load_plugins
    from wsolkit.registry import (
        BACKBONES,
        BOX_EXTRACTORS,
        CAM_METHODS,
        HEADS,
        LOSSES,
        METRICS,
        MODELS,
        MODIFIERS,
        POOLINGS,
        STAGES,
    )

__version__ = "0.1.0"

__all__ = [
    "BACKBONES",
    "BOX_EXTRACTORS",
    "CAM_METHODS",
    "HEADS",
    "LOSSES",
    "METRICS",
    "MODELS",
    "MODIFIERS",
    "POOLINGS",
    "STAGES",
    "Activation",
    "ActivationHead",
    "Backbone",
    "Batch",
    "BoxExtractor",
    "CamMethod",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "Levels",
    "Loss",
    "MapError",
    "MapModifier",
    "Method",
    "PluginError",
    "Pooling",
    "Prediction",
    "ScoredBoxes",
    "ShapeError",
    "Stage",
    "Targets",
    "WsolkitError",
    "hookimpl",
    "load_plugins",
    "whole_file",
    "write_json",
    "write_text",
]

_MODULES = {
    "errors": (
        "CheckpointError",
        "ConfigError",
        "DataError",
        "MapError",
        "PluginError",
        "ShapeError",
        "WsolkitError",
    ),
    "files": ("whole_file", "write_json", "write_text"),
    "hookspecs": ("hookimpl",),
    "methods": ("Method",),
    "plugins": ("load_plugins",),
    "registry": (
        "BACKBONES",
        "BOX_EXTRACTORS",
        "CAM_METHODS",
        "HEADS",
        "LOSSES",
        "METRICS",
        "MODELS",
        "MODIFIERS",
        "POOLINGS",
        "STAGES",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``wsolkit --help`` need not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module 'wsolkit' has no attribute {name!r}")
    found = getattr(import_module(f"wsolkit.{_HOMES.get(name, 'interfaces')}"), name)
    globals()[name] = found
    return found
