from .dispersion import (
    component_counts as component_counts,
    coordinate_variance as coordinate_variance,
    uniform_variance as uniform_variance,
)
from .rules import (
    CLUTTER as CLUTTER,
    HIDE as HIDE,
    PASS as PASS,
    SelectionRule as SelectionRule,
    at_least as at_least,
    attention_maps as attention_maps,
)
from .selection import AttentionSelection as AttentionSelection
