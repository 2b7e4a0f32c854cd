"""Combinations that hold every pair of choices, found while it is learned which pairs refuse each other."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

__all__ = ["Combination", "Explored", "Outcome", "Pair", "drawn", "explore", "fill_up", "pairs_between", "pairs_of"]

Pair = frozenset[Any]
Combination = tuple[Any, ...]


@dataclass
class Outcome:
    """What became of a combination.

    Attributes:
        runs: whether it trained and predicted.
        named: the choices that its refusal names; fewer than two where it failed in another way.
        message: what it said.
    """

    runs: bool
    named: tuple[Any, ...] = ()
    message: str = ""


def pairs_of(combination: Iterable[Hashable]) -> set[Pair]:
    """Return the pairs of a combination."""
    return {frozenset(pair) for pair in combinations(combination, 2)}


def pairs_between(axes: Sequence[Sequence[Hashable]]) -> list[Pair]:
    """Return all pairs of choices on two axes, those of the longest axes first."""
    couples = sorted(combinations(axes, 2), key=lambda couple: -len(couple[0]) * len(couple[1]))
    return [frozenset(pair) for first, second in couples for pair in product(first, second)]


def fill_up(
    axes: Sequence[Sequence[Any]], chosen: Iterable[Any], wanted: set[Pair], refused: Iterable[Pair]
) -> Combination | None:
    """Complete choices to a combination without refusing pairs that holds many wanted ones, or return None.

    Args:
        axes: the choices; earlier ones are taken where nothing else decides.
        chosen: what the combination has to hold.
        wanted: pairs that should be in it.
        refused: pairs that must not be in it.
    """
    foes: dict[Any, set[Any]] = {}
    for first, second in map(tuple, refused):
        foes.setdefault(first, set()).add(second)
        foes.setdefault(second, set()).add(first)
    kept = list(chosen)
    if any(second in foes.get(first, ()) for first, second in combinations(kept, 2)):
        return None
    open_axes = sorted((axis for axis in axes if not set(axis) & set(kept)), key=len, reverse=True)

    def extend(kept: list[Any], open_axes: list[Sequence[Any]]) -> list[Any] | None:
        if not open_axes:
            return kept
        allowed = [[item for item in axis if not foes.get(item, set()) & set(kept)] for axis in open_axes]
        if not all(allowed):
            return None
        gains = {item: sum(frozenset((item, other)) in wanted for other in kept) for item in allowed[0]}
        for item in sorted(allowed[0], key=lambda item: -gains[item]):  # stable: earlier ones first
            found = extend([*kept, item], open_axes[1:])
            if found is not None:
                return found
        return None

    found = extend(kept, open_axes)
    return None if found is None else tuple(next(item for item in found if item in axis) for axis in axes)


@dataclass
class Explored:
    """What a search found.

    Attributes:
        outcomes: what became of each combination that was tried.
        covered: pairs that were in a combination that ran.
        refused: what the refusal of each refusing pair said.
        apart: pairs that cannot meet, as every combination of both holds a refusing pair.
        failures: combinations that neither ran nor refused with a reason that holds elsewhere, and why.
    """

    outcomes: dict[Combination, Outcome] = field(default_factory=dict)
    covered: set[Pair] = field(default_factory=set)
    refused: dict[Pair, str] = field(default_factory=dict)
    apart: set[Pair] = field(default_factory=set)
    failures: dict[Combination, str] = field(default_factory=dict)


def drawn(pair: Pair, every: int) -> bool:
    """Whether a pair is among about one in ``every``; the choice depends on its words alone."""
    return zlib.crc32(" x ".join(sorted(map(str, pair))).encode()) % every == 0


def explore(
    axes: Sequence[Sequence[Any]],
    run: Callable[[Combination], Outcome],
    never: Iterable[Pair] = (),
    wanted: Callable[[Pair], bool] = lambda _: True,
) -> Explored:
    """Try combinations until every pair has run, or refused, or cannot meet.

    A refusal hides the other pairs of its combination, so these are tried again in others. A pair only counts as
    refusing where a second combination, with everything else exchanged, is refused for the same pair.

    Args:
        axes: the choices for each place.
        run: tries one combination.
        never: pairs that are not to be tried.
        wanted: whether a pair has to be tried; the others are tried as it happens.
    """
    return Search(axes, run, set(never), wanted).explore()


class Search:
    """The search behind ``explore``."""

    def __init__(
        self,
        axes: Sequence[Sequence[Any]],
        run: Callable[[Combination], Outcome],
        avoided: set[Pair],
        wanted: Callable[[Pair], bool],
    ) -> None:
        self.axes = axes
        self.run = run
        self.avoided = set(avoided)
        self.found = Explored()
        self.open_pairs = dict.fromkeys(pair for pair in pairs_between(axes) if pair not in avoided and wanted(pair))

    def explore(self) -> Explored:
        """Return what became of every pair."""
        while self.open_pairs:
            pair = next(iter(self.open_pairs))
            combination = fill_up(self.axes, pair, set(self.open_pairs), self.avoided)
            if combination is None:
                self.found.apart.add(pair)
                self.close([pair])
            elif not self.attempt(combination).runs:
                self.blame(combination)
        return self.found

    def close(self, pairs: Iterable[Pair]) -> None:
        """Take pairs off the list of those to try."""
        for pair in pairs:
            self.open_pairs.pop(pair, None)

    def attempt(self, combination: Combination) -> Outcome:
        """Try a combination once, and note what follows if it runs or crashes."""
        if combination not in self.found.outcomes:
            outcome = self.found.outcomes[combination] = self.run(combination)
            if outcome.runs:
                self.found.covered |= pairs_of(combination)
                self.close(pairs_of(combination))
            elif len(outcome.named) < 2:
                self.fail(combination, outcome.message)
        return self.found.outcomes[combination]

    def fail(self, combination: Combination, reason: str) -> None:
        """Note a failure; its pairs are not tried again."""
        self.found.failures[combination] = reason
        self.close(pairs_of(combination))

    def blame(self, combination: Combination) -> bool:
        """Find the pair that a refusal is about, and avoid it from there on; return whether there is one."""
        outcome = self.found.outcomes[combination]
        if combination in self.found.failures:
            return False
        for pair in map(frozenset, combinations(outcome.named, 2)):
            if self.refuses_elsewhere(pair, combination):
                self.found.refused[pair] = outcome.message
                self.avoided.add(pair)
                self.close([pair])
                return True
        self.fail(combination, f"refused here, but nothing it names refuses elsewhere: {outcome.message}")
        return False

    def refuses_elsewhere(self, pair: Pair, combination: Combination) -> bool:
        """Whether a pair is refused by name in another combination as well, or there is no other one."""
        axes = [[item for item in axis if item in pair or item not in combination] or axis for axis in self.axes]
        while True:
            again = fill_up(axes, pair, set(), self.avoided) or fill_up(self.axes, pair, set(), self.avoided)
            if again is None or again == combination:
                return True
            outcome = self.attempt(again)
            if outcome.runs or pair <= set(outcome.named):
                return not outcome.runs
            if not self.blame(again):  # refused for something else, which is avoided next time
                return False
