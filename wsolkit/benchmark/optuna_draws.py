"""The next settings of a search, drawn by Optuna's TPE from the trials before; Optuna is an extra."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wsolkit.benchmark.benchmark_file import STARTUP
from wsolkit.errors import ConfigError
from wsolkit.plugins.search_ranges import SearchRange, rounded

__all__ = ["import_optuna", "next_values"]


def import_optuna() -> Any:
    """Return the library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            f"search.sampler='optuna' needs Optuna, which cannot be imported ({error}): pip install optuna. "
            "Without it: search.sampler='random'."
        ) from None
    return optuna


def next_values(
    ranges: Mapping[str, SearchRange], earlier: Sequence[tuple[Mapping[str, Any], float | None]], seed: int
) -> dict[str, Any]:
    """Return the values that the tree-structured Parzen estimator (Bergstra et al. 2011) tries next, as Optuna has it.

    The same trials and seed give the same values.

    Args:
        ranges: what is searched, by name.
        earlier: values and score of each trial before, higher is better; None for one that failed.
        seed: seed of the draw.

    Raises:
        ConfigError: Optuna is not installed.
    """
    optuna = import_optuna()
    distributions = {name: distribution_of(each, optuna) for name, each in ranges.items()}
    draw = int(np.random.SeedSequence([seed, len(earlier)]).generate_state(1)[0])
    with without_its_log(optuna):
        sampler = optuna.samplers.TPESampler(seed=draw, n_startup_trials=STARTUP)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for values, score in earlier:
            known = score is not None and math.isfinite(score)
            trial = optuna.trial.create_trial(
                state=optuna.trial.TrialState.COMPLETE if known else optuna.trial.TrialState.FAIL,
                params={name: to_optuna(each, values[name]) for name, each in ranges.items()},
                distributions=distributions,
                value=score if known else None,
            )
            study.add_trial(trial)
        asked = study.ask(distributions).params
    return {name: from_optuna(each, asked[name]) for name, each in ranges.items()}


@contextmanager
def without_its_log(optuna: Any) -> Iterator[None]:
    """Keep Optuna from telling of each study that it begins."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def distribution_of(given: SearchRange, optuna: Any) -> Any:
    """Return a range as Optuna has it; a choice by its place, since Optuna takes no lists."""
    if given.kind == "choice":
        return optuna.distributions.CategoricalDistribution(tuple(range(len(given.choices))))
    if given.kind == "integer":
        return optuna.distributions.IntDistribution(int(given.low), int(given.high))
    return optuna.distributions.FloatDistribution(given.low, given.high, log=given.kind == "log")


def to_optuna(given: SearchRange, value: Any) -> Any:
    """Return a value as Optuna has it; rounded ones may lie just beyond their range."""
    return given.place_of(value) if given.kind == "choice" else min(max(value, given.low), given.high)


def from_optuna(given: SearchRange, value: Any) -> Any:
    """Return a value of Optuna's as an option has it."""
    if given.kind == "choice":
        return given.choices[value]
    return value if given.kind == "integer" else rounded(value)
