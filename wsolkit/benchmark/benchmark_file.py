"""Reads the file of a benchmark: methods x backbones x data sets x seeds, and the budget that all of them have.

    methods = {
        "CAM": dict(config="cam_lite0_{data}"),
        "Grad-CAM": dict(config="cam_lite0_{data}", cam_method=dict(type="GradCAM")),
        "C2AM": dict(config="c2am_lite0_{data}", only=["birds50"]),
    }
    data = {"birds50": dict(root="data/birds50"), "voc": dict(root="data/voc", options={...})}
    seeds = [0, 1, 2]
    budget = dict(epochs=6)
    baseline = "CAM"
    processes = 4           # of each training, a share of every batch each; torchrun starts them

``{data}`` and ``{backbone}`` in the name of a configuration are filled in. Options are those of ``--cfg-options``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsolkit.benchmark.values import checked, mapping_of, names_of, options_of, part_of, seeds_of
from wsolkit.config.find import find_benchmark
from wsolkit.config.read import check_computed, read_config
from wsolkit.errors import ConfigError, nearest, one_of
from wsolkit.plugins.search_ranges import SearchRange, ranges_of

__all__ = ["STARTUP", "Benchmark", "Budget", "Entry", "Method", "Search", "read_benchmark"]

METHOD = (
    "config", "pipeline", "result", "options", "cam_method", "box_extractor", "budget", "seeds", "only", "checkpoint",
    "search", "card",
)  # fmt: skip
OF_CONFIGS = ("cam_method", "box_extractor", "budget", "checkpoint", "search")
"""What a method that is a pipeline cannot have."""

ENTRY = ("options",)
DATA = ("root", "options")
BUDGET = ("epochs", "iterations")
CHECKPOINTS = ("last", "best")
LR = "optim_wrapper.optimizer.lr"
SEARCH = ("trials", "metric", "seed", "ranges", "sampler")
SAMPLERS = ("random", "optuna")
STARTUP = 10
"""The first trials of a search, which every sampler draws at random: what Optuna's has to begin with."""

TOP = (
    "methods", "backbones", "data", "seeds", "budget", "options", "checkpoint", "protocols", "baseline", "search",
    "processes",
)  # fmt: skip


@dataclass(frozen=True)
class Budget:
    """How long a training may be.

    Attributes:
        epochs: how many epochs; as the configuration says for None.
        iterations: how many iterations, for trainings that count these.
    """

    epochs: int | None = None
    iterations: int | None = None


@dataclass(frozen=True)
class Search:
    """How hyper-parameters are searched, by every method alike.

    Attributes:
        trials: how many settings of each method are tried on each backbone and data set.
        metric: the number on the validation split that chooses.
        seed: seed of the settings and of their trainings.
        ranges: what a method without ranges of its own is searched in.
        sampler: ``random``, or ``optuna``: its TPE draws each trial from those before.
    """

    trials: int = 30
    metric: str = "MaxBoxAccV2"
    seed: int = 0
    ranges: Mapping[str, SearchRange] = field(default_factory=lambda: {LR: SearchRange("log", 1e-5, 1.0)})
    sampler: str = "random"

    def drawn_by(self, trial: int) -> str:
        """Return which sampler draws a trial, by its number from 0."""
        return "random" if trial < STARTUP else self.sampler


@dataclass(frozen=True)
class Entry:
    """A backbone or a data set: what stands for it in names, and the options that choose it."""

    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """A method of the table.

    Attributes:
        name: what the table calls it.
        config: name or path of its configuration or pipeline, with ``{data}`` and ``{backbone}``.
        result: of a pipeline, the stage whose results are the method's; None for a configuration.
        options: entries of the configuration to change, for training and test.
        test_options: those to change for the test alone: another CAM method or box extractor.
        budget: how long it is trained.
        seeds: its seeds.
        only: names of the data sets and backbones it is for; all where it names none of a kind.
        checkpoint: ``last`` or ``best``: which weights are tested.
        search: what its hyper-parameters are searched in; None for what its card says.
        card: the method whose card that is.
    """

    name: str
    config: str
    options: Mapping[str, Any]
    test_options: Mapping[str, Any]
    budget: Budget
    seeds: Sequence[int]
    only: Sequence[str]
    checkpoint: str
    result: str | None = None
    search: Mapping[str, SearchRange] | None = None
    card: str = ""


@dataclass(frozen=True)
class Benchmark:
    """What the file of a benchmark asks for.

    Attributes:
        name: name of the file.
        methods: the methods, in the order of the table.
        backbones: the backbones; one without a name where the file names none.
        data: the data sets, alike.
        options: entries of every configuration to change.
        protocols: published protocols to compute; those that fit the data where it names none.
        baseline: the method that others are compared with.
        budget: how long methods are trained that have no budget of their own.
        search: how hyper-parameters are searched, where that is asked for.
        processes: how many train each model.
    """

    name: str
    methods: Sequence[Method]
    backbones: Sequence[Entry]
    data: Sequence[Entry]
    options: Mapping[str, Any]
    protocols: Sequence[str]
    baseline: str
    budget: Budget
    search: Search = field(default_factory=Search)
    processes: int = 1


def read_benchmark(name_or_path: str | Path, variables: Mapping[str, Any] | None = None) -> Benchmark:
    """Read a benchmark by path or by name.

    Args:
        name_or_path: a file, or the name of a shipped benchmark (``wsolkit list benchmarks``).
        variables: values of plain variables of the file, which replace its own.

    Raises:
        ConfigError: there is no such file, or something in it is wrong; says where.
    """
    path = find_benchmark(name_or_path)
    content = read_config(path).to_dict()
    if variables:
        for name in variables:
            if name not in content:
                raise ConfigError(
                    f"The option {name} leads nowhere: {path} has no such variable. {nearest(name, content)}"
                )
        content = read_config(path, variables).to_dict()
        check_computed(variables, content, path)
    try:
        return benchmark_of(path.stem, content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def benchmark_of(name: str, content: Mapping[str, Any]) -> Benchmark:
    """Return the benchmark that the names of a file make; see ``read_benchmark``."""
    check_top(content)
    seeds = seeds_of(content.get("seeds", [0]), "seeds")
    budget = budget_of(content.get("budget"), "budget")
    checkpoint = one_of("checkpoint", content.get("checkpoint", "last"), CHECKPOINTS)
    backbones = entries_of(content.get("backbones"), "backbones")
    data = entries_of(content.get("data"), "data")
    known = [entry.name for entry in (*backbones, *data) if entry.name]
    methods = [
        method_of(str(each), given, budget, seeds, checkpoint, known)
        for each, given in mapping_of(content["methods"], "methods").items()
    ]
    if not methods:
        raise ConfigError('methods names none. Write methods = {"CAM": dict(config="cam_synthetic")}.')
    names = [method.name for method in methods]
    baseline = str(content.get("baseline") or names[0])
    if baseline not in names:
        raise ConfigError(f"baseline is {baseline!r}, which is none of the methods. {nearest(baseline, names)}")
    protocols = names_of(content.get("protocols", ()), "protocols")
    options = options_of(content.get("options"), "options")
    search = search_of(content.get("search"), "search")
    processes = content.get("processes", 1)
    if type(processes) is not int or processes < 1:
        raise ConfigError(f"processes is how many train each model, a whole number, at least 1, but got {processes!r}.")
    return Benchmark(name, methods, backbones, data, options, protocols, baseline, budget, search, processes)


def check_top(content: Mapping[str, Any]) -> None:
    """Look for the methods, and for names that nearly mean something.

    Raises:
        ConfigError: there are none, or an entry is misspelt.
    """
    for wanted in TOP:
        close = difflib.get_close_matches(wanted, [each for each in content if each not in TOP], n=1, cutoff=0.85)
        if wanted not in content and close:
            raise ConfigError(f"it sets {close[0]!r}, which nothing reads. Did you mean {wanted!r}?")
    if "methods" not in content:
        other = " It is a training: run it with `wsolkit train`." if "model" in content else ""
        other = " It is a pipeline: run it with `wsolkit pipeline`." if "stages" in content else other
        raise ConfigError(
            f'this is no benchmark: it has no methods.{other} Write methods = {{"CAM": dict(config="cam_synthetic")}}.'
        )


def method_of(
    name: str, given: Any, budget: Budget, seeds: Sequence[int], checkpoint: str, known: Sequence[str]
) -> Method:
    """Return a method as the file names it.

    Raises:
        ConfigError: an entry is unknown or of another kind.
    """
    place = f"methods[{name!r}]"
    given = checked({"config": given} if isinstance(given, str) else given, METHOD, place, 'dict(config="NAME")')
    kind = "pipeline" if "pipeline" in given else "config"
    config, result = given.get(kind), given.get("result")
    if not isinstance(config, str) or not config or {"config", "pipeline"} <= set(given):
        raise ConfigError(
            f'{place} should name one configuration or one pipeline. Write {name!r}: dict(config="NAME"), or '
            'dict(pipeline="NAME", result="STAGE").'
        )
    if (kind == "pipeline") != isinstance(result, str):
        raise ConfigError(f"{place}.result names the stage of a pipeline whose results are taken, but got {result!r}.")
    misplaced = [key for key in OF_CONFIGS if kind == "pipeline" and key in given]
    if misplaced:
        raise ConfigError(f"{place} is a pipeline, whose stages say that themselves; leave {misplaced[0]!r} out.")
    only = names_of(given.get("only", ()), f"{place}.only")
    for each in only:
        if each not in known:
            raise ConfigError(f"{place}.only names {each!r}, which is no data set or backbone. {nearest(each, known)}")
    test = {
        f"model.{part}": part_of(given[part], f"{place}.{part}")
        for part in ("cam_method", "box_extractor")
        if part in given
    }
    return Method(
        name,
        config,
        options_of(given.get("options"), f"{place}.options"),
        test,
        budget_of(given["budget"], f"{place}.budget") if "budget" in given else budget,
        seeds_of(given["seeds"], f"{place}.seeds") if "seeds" in given else seeds,
        only,
        one_of(f"{place}.checkpoint", given.get("checkpoint", checkpoint), CHECKPOINTS),
        result,
        ranges_of(given["search"], f"{place}.search") if "search" in given else None,
        str(given.get("card") or name),
    )


def entries_of(given: Any, place: str) -> list[Entry]:
    """Return the backbones or the data sets: a list of names, or names with what chooses them.

    Raises:
        ConfigError: they are something else.
    """
    if not given:
        return [Entry()]
    if isinstance(given, (list, tuple)):
        return [Entry(name) for name in names_of(given, place)]
    found = []
    for name, value in mapping_of(given, place).items():
        inside, keys = f"{place}[{name!r}]", DATA if place == "data" else ENTRY
        value = {"root": value} if isinstance(value, str) and place == "data" else value
        value = checked({} if value is None else value, keys, inside, "dict(options={...})")
        options = options_of(value.get("options"), f"{inside}.options")
        root = value.get("root")
        if root is not None and not isinstance(root, str):
            raise ConfigError(f"{inside}.root should be a folder, but got {root!r}.")
        found.append(Entry(str(name), {**({} if root is None else {"data_root": root}), **options}))
    return found


def budget_of(given: Any, place: str) -> Budget:
    """Return a budget.

    Raises:
        ConfigError: it is of another kind, or a number is below 1.
    """
    found = checked({} if given is None else given, BUDGET, place, "dict(epochs=6)")
    for key, value in found.items():
        if value is not None and (type(value) is not int or value < 1):
            raise ConfigError(f"{place}.{key} should be a whole number, at least 1, but got {value!r}.")
    return Budget(**found)


def search_of(given: Any, place: str) -> Search:
    """Return how hyper-parameters are searched.

    Raises:
        ConfigError: an entry is unknown or of another kind.
    """
    found = checked({} if given is None else given, SEARCH, place, "dict(trials=30)")
    for key, least in (("trials", 1), ("seed", 0)):
        value = found.get(key, least)
        if type(value) is not int or not least <= value < 2**32:
            raise ConfigError(f"{place}.{key} should be a whole number, at least {least}, but got {value!r}.")
    if not isinstance(found.get("metric", ""), str):
        raise ConfigError(
            f"{place}.metric is the name of a number, such as 'MaxBoxAccV2', but got {found['metric']!r}."
        )
    if "ranges" in found:
        found["ranges"] = ranges_of(found["ranges"], f"{place}.ranges")
    one_of(f"{place}.sampler", found.get("sampler", "random"), SAMPLERS)
    search = Search(**found)
    if search.sampler != "random" and search.trials <= STARTUP:
        raise ConfigError(
            f"{place}.sampler is {search.sampler!r}, whose first {STARTUP} trials are drawn at random, but "
            f"{place}.trials is {search.trials}. Give it more trials, or leave the sampler out."
        )
    return search
