"""ASS (Zhang and Bui, ICPR 2020): features are hidden only in the images whose attention map asks for it."""

from wsolkit import Method, hookimpl
from wsolkit_ass.dispersion import component_counts, coordinate_variance, uniform_variance
from wsolkit_ass.paper import ASS
from wsolkit_ass.rules import CLUTTER, HIDE, PASS, SelectionRule, at_least, attention_maps
from wsolkit_ass.selection import AttentionSelection

__all__ = [
    "CLUTTER",
    "HIDE",
    "PASS",
    "AttentionSelection",
    "SelectionRule",
    "at_least",
    "attention_maps",
    "component_counts",
    "coordinate_variance",
    "uniform_variance",
]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [AttentionSelection]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [ASS]
