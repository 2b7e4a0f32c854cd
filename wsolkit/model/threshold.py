"""Where the box extractor of a model cuts its score maps."""

from __future__ import annotations

import math

from wsolkit.errors import ConfigError
from wsolkit.model.localizer import Localizer

__all__ = ["MAPS_ALONE", "ON_VAL", "THRESHOLD_SOURCE", "choose_threshold"]

THRESHOLD_SOURCE = "threshold_source"
"""The entry of a checkpoint's ``meta`` that says how its threshold was chosen, where not on the validation split."""

ON_VAL = "chosen on the validation split"
MAPS_ALONE = "label-free, from the maps alone"
"""Where a threshold that is kept with weights may come from, in words."""


def choose_threshold(model: Localizer, given: float | None = None) -> tuple[float, str]:
    """Return where the box extractor is to cut, and where that number comes from, in words.

    The given threshold comes first, then the one kept with the weights (``Localizer.threshold_source`` says how it was
    chosen), then the configuration's.

    Raises:
        ConfigError: it is not in [0, 1), or the box extractor chooses its own.
    """
    name = type(model.box_extractor).__name__
    if model.box_extractor.chooses_threshold:
        if given is not None:
            raise ConfigError(
                f"{name} chooses a threshold for each map, so threshold={given:g} would change nothing. Leave it out, "
                "or take another box extractor."
            )
        return float(model.box_extractor.threshold), f"where {name} finds none of its own"
    chosen = float(model.chosen_threshold)
    if given is not None:
        found, source = float(given), "given"
    elif math.isfinite(chosen):
        found, source = chosen, model.threshold_source or ON_VAL
    else:
        found, source = float(model.box_extractor.threshold), "from the configuration"
    if not 0 <= found < 1:
        raise ConfigError(
            f"A box threshold is a fraction of the map's maximum in [0, 1), but the one {source} is {found:g}. "
            "Give another one with threshold."
        )
    return round(found, 6), source  # the buffer is float32: 0.2 and not 0.20000000298
