"""A backbone that runs its children one after the other, and can begin and end at any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from wsolkit.components.backbones.flow import Call, Flow, Place
from wsolkit.components.backbones.second_pass import SecondPass
from wsolkit.interfaces import Backbone

__all__ = ["ChildrenInOrder"]


class ChildrenInOrder(Backbone):
    """Runs its children in the order in which they were set, each on what the one before it gave.

    Attributes:
        level_of: the level that a child gives, by the child's name; one that is a key of ``channels`` gives itself.
    """

    level_of: ClassVar[Mapping[str, str]] = {}

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B, 3, H, W) to levels, each (B, C, h, w), shallow to deep."""
        maps = self.enter(images)
        levels = {}
        for name, module in self.named_children():
            maps = module(maps)
            level = self.level_of.get(name, name)
            if level in self.channels:
                levels[level] = maps
        return levels

    def enter(self, images: Tensor) -> Tensor:
        """Return images as the first child takes them."""
        return images

    def run_from(self, level: str, maps: Tensor, first: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run the children after a level, see ``Backbone``."""
        return self._second_pass().run_from(self, level, maps, first)

    def run_to(self, level: str, images: Tensor) -> dict[str, Tensor]:
        """Run the children up to a level, see ``Backbone``."""
        return self._second_pass().run_to(self, self.forward, level, images)

    def modules_after(self, level: str) -> list[str]:
        """Return the names of the children after a level, see ``Backbone``."""
        return self._second_pass().modules_after(level)

    def module_of(self, level: str) -> str:
        """Return the name of the child whose output is a level, see ``Backbone``."""
        return self._second_pass().module_of(level) or super().module_of(level)

    def _second_pass(self) -> SecondPass:
        flow, places = Flow(), {}
        for number, (name, _) in enumerate(self.named_children()):
            flow.calls.append(Call(name, (number, 0), (number + 1, 0)))
            places[self.level_of.get(name, name)] = places[name] = Place((number + 1, 0))
        return SecondPass(type(self).__name__, flow, places, self.channels)
