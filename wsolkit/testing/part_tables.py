"""The parts that a matrix of pairs combines: everything that is registered, built from its defaults or from tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import torch

from wsolkit.errors import WsolkitError
from wsolkit.interfaces import (
    ActivationHead,
    Backbone,
    BatchTransform,
    BoxExtractor,
    CamMethod,
    Loss,
    MapModifier,
    Pooling,
)
from wsolkit.model.attach import attach_modifier
from wsolkit.plugins.loading import load_plugins
from wsolkit.registry import BACKBONES, HEADS
from wsolkit.testing.promises import takes

__all__ = ["CLASS_NAMES", "Part", "PartTables"]

CLASS_NAMES = ("barn owl", "house wren", "snowy owl", "marsh wren")  # not 3: class maps would look like images

PLAIN = ("LinearHead", "AveragePooling", "CrossEntropy", "HeadMaps", "LargestComponent")
"""What comes first among its kind, and so fills up combinations that leave the choice."""

PLACES = ("image", "inside", "maps")
"""Where a modifier may sit: on the images, behind a module of the backbone, on the head's maps."""

AXES: dict[str, type] = {
    "backbone": Backbone,
    "head": ActivationHead,
    "pooling": Pooling,
    "modifier": MapModifier,
    "loss": Loss,
    "CAM method": CamMethod,
    "box extractor": BoxExtractor,
    "batch transform": BatchTransform,
}
"""The places in a model, and the interface of what fills each."""

FIRST = "FIRST"
"""What stands in a part's settings for the checkpoint of a trained model."""


@dataclass(frozen=True, order=True)
class Part:
    """One choice for one place in a model.

    Attributes:
        axis: what it is: a key of ``AXES``, or labels.
        name: the name of its class; empty for no modifier, no pooling and no batch transform.
        label: what tells it from others of that class.
        config: its configuration.
        cost: cheaper ones are preferred where any will do.
    """

    axis: str
    name: str
    label: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)
    cost: float = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.name or 'no ' + self.axis}{f' ({self.label})' if self.label else ''}"


LABELS = [Part("labels", "labels", "one of each image"), Part("labels", "labels", "several of an image")]


@dataclass
class PartTables:
    """What is known of parts beside their defaults, and which of them are combined.

    Attributes:
        settings: of parts that cannot be built from their defaults, or that do different things by a setting, what is
            given instead, by the class's name and a label of one's own; ``FIRST`` for the path of a trained model.
        left_out: parts that no combination holds, and why.
        sides: pixels of the images where not 64, by the backbone's name.
        inside: the module of a backbone that modifiers sit behind, by its name and label.
        not_at: where a modifier cannot sit, by its name.
        packages: the import packages whose parts are combined; those of all plugins by default.
        first: the checkpoint of the trained model.
    """

    settings: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    sides: Mapping[str, int] = field(default_factory=dict)
    inside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    not_at: Mapping[str, Sequence[str]] = field(default_factory=dict)
    packages: Sequence[str] | None = None
    first: Path | None = None
    _built: dict[Part, Backbone] = field(default_factory=dict, repr=False)
    _places: dict[Part, str] = field(default_factory=dict, repr=False)

    def components(self, interface: type) -> list[type]:
        """Return the registered classes of an interface, the plain one first."""
        found = set()
        for component in load_plugins().components.values():
            package = component.source.module.partition(":")[0].partition(".")[0]
            if self.packages is None or package in self.packages:
                found.add(component)
        kept = {each.cls for each in found if issubclass(each.kind.cls, interface) and each.name not in self.left_out}
        return sorted(kept, key=lambda cls: (cls.__name__ not in PLAIN, cls.__name__))

    def settings_of(self, cls: type) -> Mapping[str, Mapping[str, Any]]:
        """Return what a class is built with, by label."""
        return self.settings.get(cls.__name__, {"": {}})

    def backbone(self, part: Part) -> Backbone:
        """Build a backbone once; it is copied for each combination."""
        if part not in self._built:
            torch.manual_seed(0)
            self._built[part] = BACKBONES.build(dict(part.config))
        return self._built[part]

    def place_inside(self, part: Part) -> str:
        """Return the module that modifiers sit behind: that of ``inside``, or the deepest one that gives maps."""
        if part.name in self.inside:
            return self.inside[part.name][part.label]
        if part not in self._places:
            self._places[part] = self._deepest_place(part)
        return self._places[part]

    def _deepest_place(self, part: Part) -> str:
        modules = [(name, module) for name, module in self.backbone(part).named_modules() if name]
        order = {name: number for number, (name, _) in enumerate(modules)}
        leaf = {name: not any(module.children()) for name, module in modules}
        for name in sorted(order, key=lambda name: (leaf[name], name.count("."), -order[name])):
            try:
                attach_modifier(deepcopy(self.backbone(part)), name, {"type": "SpatialDropout"})
            except WsolkitError:
                continue
            return name
        raise AssertionError(f"A modifier can sit nowhere in {part}.")

    def side(self, part: Part) -> int:
        """Return the pixels of the images a backbone is given."""
        return self.sides.get(part.name, 64)

    def parts(self, axis: str) -> list[Part]:
        """Return every choice for a place in the model, and none where there need not be one."""
        found = [
            Part(axis, cls.__name__, label, {"type": cls.__name__, **self._told(cls), **given})
            for cls in self.components(AXES[axis])
            for label, given in self.settings_of(cls).items()
        ]
        none = [Part(axis, "")]
        if axis == "backbone":
            return sorted(map(self._with_cost, found), key=lambda part: (part.cost, part.name, part.label))
        if axis == "modifier":
            return none + [at for part in found for at in self._at_places(part)]
        return found + none if axis == "pooling" else none + found if axis == "batch transform" else found

    def _told(self, cls: type) -> dict[str, Any]:
        facts = {"num_classes": len(CLASS_NAMES), "class_names": list(CLASS_NAMES)}
        asks = issubclass(cls, (ActivationHead, BatchTransform))
        return {name: fact for name, fact in facts.items() if asks and takes(cls, name)}

    def _with_cost(self, part: Part) -> Part:
        """Return a backbone's part with its millions of parameters as cost."""
        millions = sum(weight.numel() for weight in self.backbone(part).parameters()) / 1e6
        return Part(part.axis, part.name, part.label, part.config, millions)

    def _at_places(self, part: Part) -> list[Part]:
        labels = {place: ", ".join(filter(None, (part.label, place))) for place in PLACES}
        refused = self.not_at.get(part.name, ())
        return [
            Part(part.axis, part.name, labels[place], {**part.config, "at": place})
            for place in PLACES
            if place not in refused
        ]

    @cached_property
    def axes(self) -> list[list[Part]]:
        """The choices for each place in a model, and the kinds of labels."""
        choices = [self.parts(axis) for axis in AXES]
        return [*choices[:5], LABELS, *choices[5:]]

    @property
    def meaningless(self) -> set[frozenset[Part]]:
        """The pairs that cannot be written down: a head without a pooling, or with one it does not take."""
        return {
            frozenset((head, pooling))
            for head, pooling in product(self.axes[1], self.axes[2])
            if takes(HEADS.get(head.name), "pooling") != bool(pooling.name)
        }

    def with_checkpoint(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a configuration with the path of a trained model where it needs one."""
        return {key: str(self.first) if value == FIRST else value for key, value in config.items()}
