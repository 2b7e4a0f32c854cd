"""Which module of a network makes which of its feature maps, so that the rest can be run again from any of them.

One run on an empty image is watched: every module that takes one tensor and gives one is an arrow between the two. What
follows a level is the shortest chain of arrows from its maps to the deeper ones, which takes the largest modules there
are. Where a network does something between modules (adds, concatenates, reshapes) there is no arrow, and no chain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

__all__ = ["Call", "Flow", "Place", "as_level", "find_places", "watch"]

Key = tuple[int, int]
"""A tensor at one moment: its number, and how often it was written to."""

Layout = Literal["maps", "last", "tokens"]

MOST_PREFIX_TOKENS = 16
"""Class, distillation and register tokens that may stand before those of the cells."""


@dataclass(frozen=True)
class Call:
    """One call of a module with one tensor: its name, what else it was given, and the tensors before and after."""

    name: str
    given: Key
    made: Key
    more: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A point of a network where its maps can be taken out and put in.

    Attributes:
        key: the tensor there.
        layout: ``maps`` for (B, C, h, w), ``last`` for (B, h, w, C), ``tokens`` for (B, P + h * w, C).
        prefix: P, tokens that are no cells.
    """

    key: Key
    layout: Layout = "maps"
    prefix: int = 0


class Flow:
    """The calls of one run, in the order in which they ended."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.tensors: dict[Key, Tensor] = {}  # held while watching, so that numbers stay their own

    def key(self, tensor: Tensor) -> Key:
        """Return the key of a tensor as it is now."""
        found = (id(tensor), tensor._version)
        self.tensors.setdefault(found, tensor)
        return found

    def made(self, key: Key) -> bool:
        """Whether a module gave this tensor."""
        return any(call.made == key for call in self.calls)

    def maker(self, key: Key) -> str:
        """Return the name of the outermost module that gave a tensor."""
        return [call.name for call in self.calls if call.made == key and call.given != key][-1]

    def output_of(self, name: str) -> Tensor | None:
        """Return what a module gave, or None where it did not run, or more than once; only while tensors are held."""
        made = [call.made for call in self.calls if call.name == name]
        return self.tensors[made[0]] if len(made) == 1 else None

    def order(self, key: Key) -> int:
        """Return when a tensor was made, in calls."""
        return next((number for number, call in enumerate(self.calls) if call.made == key), -1)

    def chain(self, start: Key, end: Key) -> list[Call] | None:
        """Return the shortest chain of calls from one tensor to another, or None where there is none."""
        arrows: dict[Key, list[Call]] = {}
        for call in sorted(self.calls, key=lambda call: call.name.count(".")):
            if call.given != call.made:
                arrows.setdefault(call.given, []).append(call)
        came: dict[Key, Call | None] = {start: None}
        waiting = deque([start])
        while waiting and end not in came:
            for call in arrows.get(waiting.popleft(), ()):
                if call.made not in came:
                    came[call.made] = call
                    waiting.append(call.made)
        if end not in came:
            return None
        found: list[Call] = []
        while (last := came[end]) is not None:
            found.append(last)
            end = last.given
        return found[::-1]

    def forget(self) -> None:
        """Let go of the tensors; names and keys stay."""
        self.tensors.clear()


@contextmanager
def watch(model: nn.Module) -> Iterator[Flow]:
    """Watch what the modules inside a model do within the context; to be used without gradients."""
    flow = Flow()
    given: list[Key | None] = []
    names = {module: name for name, module in model.named_modules()}

    def before(_module: nn.Module, inputs: Sequence[Any], _options: Mapping[str, Any]) -> None:
        given.append(flow.key(inputs[0]) if inputs and isinstance(inputs[0], Tensor) else None)

    def after(module: nn.Module, inputs: Sequence[Any], options: Mapping[str, Any], output: Any) -> None:
        key, more = given.pop(), tuple(inputs[1:])
        if key is not None and isinstance(output, Tensor) and all(map(_plain, (*more, *options.values()))):
            flow.calls.append(Call(names[module], key, flow.key(output), more, dict(options)))

    handles = []
    for module in names:
        handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        handles.append(module.register_forward_hook(after, with_kwargs=True))
    try:
        yield flow
    finally:
        for handle in handles:
            handle.remove()


def _plain(value: Any) -> bool:
    """Whether a module may be given this again with other maps."""
    return value is None or isinstance(value, (bool, int, float, str))


def find_places(flow: Flow, levels: Mapping[str, Tensor], last: Mapping[str, Tensor] | None = None) -> dict[str, Place]:
    """Return where a network that was watched has maps, by the names of its levels and of its modules.

    Args:
        flow: what was watched, with its tensors.
        levels: the levels (B, C, h, w) by name, often those of modules.
        last: what the network gave for levels that are not named after a module.
    """
    grids = [tuple(level.shape[-2:]) for level in levels.values()]
    found: dict[str, Place] = {}
    for call in flow.calls:
        output = flow.output_of(call.name)
        place = None if output is None or not call.name else _place_of(call.made, output, grids)
        if place is not None:
            found[call.name] = place
    for name, level in levels.items():
        output = (last or {}).get(name, level)
        source = output if flow.made(flow.key(output)) else flow.output_of(name)
        place = None if source is None else _place_of(flow.key(source), source, [tuple(level.shape[-2:])])
        found.pop(name, None)
        if place is None or source is None:
            continue
        same = as_level(source, place, level.shape[-2:])
        if same.is_meta or torch.equal(same, level):  # a network without numbers has its sizes looked at only
            found[name] = place
    return found


def _place_of(key: Key, output: Tensor, grids: Sequence[tuple[int, ...]]) -> Place | None:
    """Return the place of what a module gave, or None where it is no map."""
    if output.ndim == 4:
        last = tuple(output.shape[1:3]) in grids and tuple(output.shape[2:]) not in grids
        return Place(key, "last" if last else "maps")
    if output.ndim == 3:
        for height, width in grids:
            if 0 <= output.shape[1] - height * width <= MOST_PREFIX_TOKENS:
                return Place(key, "tokens", output.shape[1] - height * width)
    return None


def as_level(output: Tensor, place: Place, grid: Sequence[int]) -> Tensor:
    """Return what a module gave at a place as maps (B, C, h, w); ``grid`` is (h, w)."""
    if place.layout == "maps":
        return output
    if place.layout == "last":
        return output.permute(0, 3, 1, 2).contiguous()
    return output[:, place.prefix :].transpose(1, 2).unflatten(2, tuple(grid)).contiguous()
