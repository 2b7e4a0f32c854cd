"""Where a hyper-parameter is searched, as a card or a benchmark writes it: ``log 1e-5 1``, ``uniform 0 1``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsolkit.errors import ConfigError, shortened

__all__ = ["SearchRange", "options_in", "ranges_of", "rounded", "share_of"]

KINDS = ("log", "uniform", "integer")


@dataclass(frozen=True)
class SearchRange:
    """Where the values of one option are drawn.

    Attributes:
        kind: ``log`` (uniform in the logarithm), ``uniform``, ``integer`` (both ends included) or ``choice``.
        low: the lowest value.
        high: the highest.
        choices: the values of a ``choice``.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Any, ...] = ()

    @classmethod
    def of(cls, given: Any, place: str) -> SearchRange:
        """Read a range: text of a kind and two numbers, or a list of choices.

        Raises:
            ConfigError: it is none.

        >>> SearchRange.of("log 1e-5 1", "lr")
        SearchRange(kind='log', low=1e-05, high=1.0, choices=())
        >>> SearchRange.of([14, 28], "size").choices
        (14, 28)
        """
        if isinstance(given, (list, tuple)) and given:
            return cls("choice", choices=tuple(given))
        words = given.split() if isinstance(given, str) else []
        try:
            kind, low, high = words[0], float(words[1]), float(words[2])
            good = len(words) == 3 and kind in KINDS and -math.inf < low < high < math.inf
            good &= kind != "log" or low > 0
            good &= kind != "integer" or (low == int(low) and high == int(high))
        except (IndexError, ValueError):
            good = False
        if not good:
            raise ConfigError(
                f"{place} is searched in 'log 1e-5 1', 'uniform 0 1', 'integer 1 9' or a list of choices, but got "
                f"{shortened(repr(given))}."
            )
        return cls(kind, low, high)

    def value(self, share: float) -> Any:
        """Return the value that lies at a share of the range.

        Args:
            share: in [0, 1); uniform shares give the range's distribution.

        >>> SearchRange("log", 1e-4, 1.0).value(0.5), SearchRange("integer", 1, 3).value(0.99)
        (0.01, 3)
        """
        if self.kind == "choice":
            return self.choices[int(share * len(self.choices))]
        if self.kind == "integer":
            return int(self.low + math.floor(share * (self.high - self.low + 1)))
        if self.kind == "log":
            return rounded(math.exp(math.log(self.low) + share * math.log(self.high / self.low)))
        return rounded(self.low + share * (self.high - self.low))

    def holds(self, value: Any) -> bool:
        """Whether a value may have been drawn from the range.

        >>> SearchRange("log", 1e-4, 1.0).holds(0.01), SearchRange("log", 1e-4, 1.0).holds(2.0)
        (True, False)
        """
        if self.kind == "choice":
            return self.place_of(value) is not None
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and rounded(self.low) <= value <= rounded(self.high)

    def place_of(self, value: Any) -> int | None:
        """Return the place of a value among the choices, also of one that was read from JSON; None where it is none.

        >>> SearchRange("choice", choices=((1, 2), "a")).place_of([1, 2])
        0
        """
        texts = [json.dumps(each, sort_keys=True, default=str) for each in (value, *self.choices)]
        return texts.index(texts[0], 1) - 1 if texts[0] in texts[1:] else None


def rounded(value: float) -> float:
    """Return a number with four digits, as tables show it."""
    return float(f"{value:.4g}")


def ranges_of(given: Any, place: str) -> dict[str, SearchRange]:
    """Return ranges by the dotted names of options.

    Raises:
        ConfigError: they are something else.

    >>> ranges_of({"train_cfg.max_epochs": "integer 1 9"}, "search")["train_cfg.max_epochs"].high
    9.0
    """
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ConfigError(f"{place} should be {{'dotted.name': 'log 1e-5 1'}}, but got {shortened(repr(given))}.")
    return {name: SearchRange.of(value, f"{place}[{name!r}]") for name, value in given.items()}


def options_in(name: str) -> list[str]:
    """Return the options that a range is of: several that get one value, where numbers stand in braces.

    >>> options_in("model.modifiers.{0,1}.drop_rate")
    ['model.modifiers.0.drop_rate', 'model.modifiers.1.drop_rate']
    >>> options_in("optim_wrapper.optimizer.lr")
    ['optim_wrapper.optimizer.lr']
    """
    found = re.search(r"\{([0-9,]+)\}", name)
    return [name[: found.start()] + each + name[found.end() :] for each in found[1].split(",")] if found else [name]


def share_of(seed: int, trial: int, option: str) -> float:
    """Return a uniform number in [0, 1), always the same for the same seed, trial and option, whatever the method."""
    return float(np.random.default_rng([seed, trial, *option.encode()]).random())
