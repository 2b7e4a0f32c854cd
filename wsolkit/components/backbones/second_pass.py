"""The rest of a network, run again from a level with other maps, and the part before it run alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from wsolkit.components.backbones.flow import Call, Flow, Place, as_level
from wsolkit.components.backbones.token_levels import CLS, PREFIX, TokenTap, split_level, tokens_of
from wsolkit.errors import ConfigError, ShapeError, nearest

__all__ = ["SecondPass"]


class SecondPass:
    """What follows each place of a network.

    Args:
        network: its name, for errors.
        flow: which module makes what.
        places: where its maps are, by level or module.
        levels: the levels that its backbone gives, shallow to deep.
        taps: what keeps attention and keys, by block, where they are levels.
    """

    def __init__(
        self,
        network: str,
        flow: Flow,
        places: Mapping[str, Place],
        levels: Iterable[str],
        taps: Mapping[str, TokenTap] | None = None,
    ) -> None:
        self.network = network
        self.flow = flow
        self.places = dict(places)
        self.levels = list(levels)
        self.taps = {} if taps is None else taps

    def run_from(self, model: nn.Module, level: str, maps: Tensor, first: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the levels from one on, that one being ``maps``, see ``Backbone.run_from``."""
        place, goals = self.place(level), self.goals(level)
        self.check_whole(model, level, [call.name for chain in goals.values() for call in chain])
        grid = (maps.shape[-2], maps.shape[-1])
        state = _state(self.network, level, place, maps, first) if any(goals.values()) else maps
        known = {place.key: state}
        for chain in goals.values():
            for call in chain:
                if call.made not in known:
                    known[call.made] = _run(model.get_submodule(call.name), call, known[call.given], state)
        found = {level: maps} if level in self.levels else {}
        for name in goals:
            goal = self.places[split_level(name)[0]]
            same = goal.key == place.key and name in self.places
            found[name] = maps if same else self.read(name, known[goal.key], goal, grid)
        return found

    def read(self, name: str, output: Tensor, place: Place, grid: tuple[int, int]) -> Tensor:
        """Return a level of what a module gave at its place."""
        if not split_level(name)[1]:
            return as_level(output, place, grid)
        return tokens_of(name, self.taps, output[:, : place.prefix], grid)

    def run_to(self, model: nn.Module, run: Callable[[Tensor], Any], level: str, images: Tensor) -> dict[str, Tensor]:
        """Return what ``run_from`` needs and the levels that are no deeper, see ``Backbone.run_to``.

        Args:
            model: the network.
            run: runs it; broken off once the level is there.
            level: the level.
            images: (B, 3, H, W).
        """
        place = self.place(level)
        wanted = {name: self.places[split_level(name)[0]] for name in self.shallower(level)} | {level: place}
        makers = {name: self.flow.maker(each.key) for name, each in wanted.items()}
        seen: dict[str, Any] = {}
        handles = [
            model.get_submodule(maker).register_forward_hook(
                lambda _module, _inputs, output, maker=maker: seen.__setitem__(maker, output)
            )
            for maker in dict.fromkeys(makers.values())
        ]
        handles.append(model.get_submodule(makers[level]).register_forward_hook(_stop))
        try:
            run(images)
        except _ReachedError:
            pass
        finally:
            for handle in handles:
                handle.remove()
        found: dict[str, Tensor] = {}
        for name, each in wanted.items():
            output = seen[makers[name]]
            found[name] = self.read(name, output, each, _grid(self.network, images, output, each))
        if place.prefix:
            found[f"{level}.{PREFIX}"] = tokens_of(f"{level}.{PREFIX}", {}, output[:, : place.prefix], (0, 0))
        return found

    def modules_after(self, level: str) -> list[str]:
        """Return the names of the modules that ``run_from`` runs, in their order."""
        calls = {call.made: call for chain in self.goals(level).values() for call in chain}
        return [call.name for call in sorted(calls.values(), key=lambda call: self.flow.order(call.made))]

    def module_of(self, level: str) -> str | None:
        """Return the name of the module whose output is a level, or None where it is not known."""
        return self.flow.maker(self.places[level].key) if level in self.places else None

    def place(self, level: str) -> Place:
        """Return where a level is.

        Raises:
            ConfigError: the network has no such level, or does not take it apart at it.
        """
        if level not in self.places:
            raise ConfigError(
                f"{self.network} cannot be run again from {level!r}: there it takes more than one map, or has nothing "
                f"of this name. {nearest(level, self.places)}"
            )
        return self.places[level]

    def shallower(self, level: str) -> list[str]:
        """Return the levels before one; what else a block gives stands before its map."""
        begin = self.flow.order(self.place(level).key)
        found = []
        for name in self.levels:
            where, asked = split_level(name)
            order = self.flow.order(self.places[where].key) if where in self.places else len(self.flow.calls)
            if order < begin or (order == begin and asked and where == level):
                found.append(name)
        return found

    def goals(self, level: str) -> dict[str, list[Call]]:
        """Return the chains of calls to each of the levels after one.

        Raises:
            ConfigError: the network does more than to run modules one after the other.
        """
        start, before = self.place(level), self.shallower(level)
        goals: dict[str, list[Call]] = {}
        for name in self.levels:
            if name == level or name in before:
                continue
            goal = self.places.get(split_level(name)[0])
            chain = None if goal is None else self.flow.chain(start.key, goal.key)
            if chain is None:
                raise ConfigError(
                    f"{self.network} does more between {level!r} and {name!r} than to run modules one after the "
                    f"other, so it cannot be run again from {level!r}. Ask for levels up to {level!r}, or take another "
                    "network."
                )
            goals[name] = chain
        return goals

    def check_whole(self, model: nn.Module, level: str, names: Iterable[str]) -> None:
        """Look whether something sits behind a module of which only a part would be run.

        Raises:
            ConfigError: so it is.
        """
        whole = {call.name for call in self.flow.calls} - {""}
        for name in names:
            holder = name.rpartition(".")[0]
            while holder:
                if holder in whole and model.get_submodule(holder)._forward_hooks:
                    raise ConfigError(
                        f"A modifier sits behind {holder!r} of {self.network}, of which a second pass from {level!r} "
                        "would run only a part. Put it behind another module, or run again from an earlier level."
                    )
                holder = holder.rpartition(".")[0]


class _ReachedError(Exception):
    """The run has reached the place that was asked for."""


def _stop(_module: nn.Module, _inputs: Any, _output: Any) -> None:
    raise _ReachedError


def _run(module: nn.Module, call: Call, state: Tensor, own: Tensor) -> Tensor:
    """Run a module on what the one before it gave; maps that somebody else holds are not written to."""
    state = state.clone() if state is own and getattr(module, "inplace", False) else state
    found: Tensor = module(state, *call.more, **call.options)
    return found


def _state(network: str, level: str, place: Place, maps: Tensor, first: Mapping[str, Tensor]) -> Tensor:
    """Return maps (B, C, h, w) as the network has them at a place.

    Raises:
        ConfigError: the place has tokens before its cells, and nobody gave them.
        ShapeError: there are other maps or images than in the first pass.
    """
    if place.layout == "maps":
        return maps
    if place.layout == "last":
        return maps.permute(0, 2, 3, 1).contiguous()
    cells = maps.flatten(2).transpose(1, 2)  # (B, h * w, C)
    if not place.prefix:
        return cells.contiguous()
    given = first.get(f"{level}.{PREFIX}")
    if given is None and place.prefix == 1:
        given = first.get(f"{level}.{CLS}")
    if given is None:
        raise ConfigError(
            f"{network} has {place.prefix} token(s) before the cells of {level!r}, which a second pass needs as well. "
            f"Ask for them: levels=[{level!r}, '{level}.{PREFIX}', ...]."
        )
    if len(given) != len(maps) or (level in first and first[level].shape[-2:] != maps.shape[-2:]):
        raise ShapeError(
            f"A second pass of {network} from {level!r} goes on with the {place.prefix} token(s) of the first one, of "
            f"{len(given)} images, but got maps {tuple(maps.shape)}. Give maps of the same images and size."
        )
    return torch.cat([given.to(cells).squeeze(3).transpose(1, 2), cells], dim=1)


def _grid(network: str, images: Tensor, output: Tensor, place: Place) -> tuple[int, int]:
    """Return the (h, w) of tokens that cut images into equal cells."""
    if place.layout != "tokens":
        return (0, 0)
    cells, (height, width) = output.shape[1] - place.prefix, images.shape[-2:]
    rows = round((cells * height / width) ** 0.5)
    if rows * (cells // max(rows, 1)) != cells:
        raise ShapeError(f"{cells} tokens of {network} are no grid of images of {width} x {height} pixels.")
    return rows, cells // rows
