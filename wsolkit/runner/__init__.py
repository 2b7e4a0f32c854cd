"""Running: configurations, training with exact resume, evaluation."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsolkit.checkpoint import load_weights, read_checkpoint
    from wsolkit.precision import autocast_context
    from wsolkit.runner.config import load_config

__all__ = ["autocast_context", "load_config", "load_weights", "read_checkpoint"]

_HOMES = {
    "autocast_context": "wsolkit.precision",
    "load_weights": "wsolkit.checkpoint",
    "read_checkpoint": "wsolkit.checkpoint",
    "load_config": "wsolkit.runner.config",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'wsolkit.runner' has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
