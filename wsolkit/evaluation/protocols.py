"""The published protocols of the core, and the choice among them by what data have.

They come by the same door as a plugin's; ``PROTOCOLS`` has them by name without torch and without any plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wsolkit.errors import ConfigError, nearest
from wsolkit.evaluation.box_protocols import (
    BoxAccProtocol,
    BoxMAPProtocol,
    CorLocProtocol,
    ExactMaxBoxAccProtocol,
    GivenBoxMAPProtocol,
    LocalizationProtocol,
    MaxBoxAccProtocol,
    MaxBoxAccV2Protocol,
    PointMAPProtocol,
)
from wsolkit.evaluation.classification_protocols import AccuracyProtocol, LabelMAPProtocol
from wsolkit.evaluation.mask_protocols import MeanIoUProtocol, PxAPProtocol
from wsolkit.evaluation.protocol import BOXES, LOGITS, MASKS, Protocol

__all__ = ["PROTOCOLS", "choose_protocols"]

WHERE = {
    BOXES: "Boxes are in localization.txt, COCO's annotations or VOC's Annotations",
    MASKS: "Masks are named in localization.txt (with --masks), or in SegmentationClass",
    LOGITS: "Class scores are given with --logits",
}
"""Where one finds what a protocol needs."""

PROTOCOLS: Mapping[str, type[Protocol]] = {
    each.name: each
    for each in (
        AccuracyProtocol,
        LabelMAPProtocol,
        LocalizationProtocol,
        MaxBoxAccProtocol,
        MaxBoxAccV2Protocol,
        ExactMaxBoxAccProtocol,
        BoxAccProtocol,
        CorLocProtocol,
        PointMAPProtocol,
        BoxMAPProtocol,
        GivenBoxMAPProtocol,
        PxAPProtocol,
        MeanIoUProtocol,
    )
}
"""The core's protocols by name, in the order of tables."""


def choose_protocols(
    names: Iterable[str], has: Iterable[str], known: Mapping[str, type[Protocol]] = PROTOCOLS
) -> list[type[Protocol]]:
    """Return the protocols of the given names; where there are none, all usual ones that fit the data.

    Args:
        names: names of protocols.
        has: what the data has, see ``Protocol.needs``.
        known: the protocols there are, by name.

    Raises:
        ConfigError: a name is unknown, a protocol needs what the data lacks, or none fits.

    >>> from wsolkit.evaluation import BOXES, SINGLE_LABEL
    >>> [each.name for each in choose_protocols([], [BOXES, SINGLE_LABEL])]
    ['localization', 'MaxBoxAcc', 'MaxBoxAccV2', 'BoxAcc', 'CorLoc']
    """
    there = set(has)
    names = list(dict.fromkeys(names))
    for name in names:
        if name not in known:
            raise ConfigError(f"There is no protocol {name!r}. {nearest(name, known)}")
        lacking = sorted(known[name].needs - there)
        if lacking:
            raise ConfigError(
                f"Protocol {name} needs {', '.join(sorted(known[name].needs))}, but there is no {lacking[0]} here. "
                f"{WHERE.get(lacking[0], 'Take other data')}, or leave the protocol out."
            )
    if names:
        return [known[name] for name in names]
    fitting = [each for each in known.values() if each.by_default and each.needs <= there]
    if not fitting:
        raise ConfigError(
            f"No protocol can be computed from {', '.join(sorted(there)) or 'nothing'}. Boxes, masks or logits are "
            "needed."
        )
    return fitting
