"""Loads what fits of weights that were made for another layout of a network, with a report of what fitted.

The same network comes in many layouts: names behind a prefix (``module.`` of a parallel wrapper, ``module.encoder_q.``
of MoCo v2 and DetCo, ``backbone.`` of mmengine and wsolkit). Instead of a list of layouts, the prefix that makes most
names fit is stripped. What did not fit is reported, and weights that fit too little are refused: a network that
silently keeps its random weights looks like a bad method.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mmengine.logging import print_log
from torch import Tensor, nn

from wsolkit.errors import CheckpointError

__all__ = ["LoadReport", "check_fit", "choose_prefix", "fit_weights"]

Convert = Callable[[dict[str, Tensor], nn.Module], dict[str, Tensor]]


@dataclass(frozen=True)
class LoadReport:
    """What fitted when weights were loaded.

    Attributes:
        matched: names of the model that were loaded.
        missing: names of the model that the weights lack.
        unexpected: names of the weights that the model has no use for, such as those of the classifier.
        mismatched: names of the model whose shape differs, each with the shape in the file and in the model.
        prefix: what was stripped from the names of the weights.
        ratio: the part of the tensors asked for that was loaded, in [0, 1].
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    prefix: str
    ratio: float

    def summary(self) -> str:
        """Return counts and a few examples in one line.

        >>> LoadReport(("a",), ("b",), (), (("c", (2,), (3,)),), "module.", 1 / 3).summary()
        "1 loaded after stripping 'module.', 1 missing ('b'), 0 not used, 1 of another shape (c is (2,), not (3,))"
        """
        stripped = f" after stripping {self.prefix!r}" if self.prefix else ""
        shapes = ", ".join(f"{name} is {theirs}, not {ours}" for name, theirs, ours in self.mismatched[:3])
        return (
            f"{len(self.matched)} loaded{stripped}, {len(self.missing)} missing{_examples(self.missing)}, "
            f"{len(self.unexpected)} not used{_examples(self.unexpected)}, "
            f"{len(self.mismatched)} of another shape{f' ({shapes})' if shapes else ''}"
        )

    def log(self, what: str) -> None:
        """Write the summary to the training log, as a warning where something is missing."""
        level = logging.INFO if self.ratio == 1 else logging.WARNING
        print_log(f"Weights from {what}: {self.summary()}.", logger="current", level=level)


def fit_weights(
    module: nn.Module,
    state: Mapping[str, Tensor],
    min_match: float = 0.9,
    *,
    fresh: tuple[str, ...] = (),
    aliases: Mapping[str, str] | None = None,
    convert: Convert | None = None,
    origin: str = "The state dict",
) -> LoadReport:
    """Load what fits into a module, report what did not, and refuse weights that fit too little.

    Values take the module's own type, so float16 files become float32 weights. ``num_batches_tracked`` is loaded where
    there but never counted, because old files lack it.

    Args:
        module: the model.
        state: names and tensors, in the layout of any file that ``read_weights`` reads.
        min_match: the least ``LoadReport.ratio`` that is accepted, in [0, 1].
        fresh: beginnings of names that are new in this model and may be missing without being counted.
        aliases: what other layouts call a submodule, as ``{"features.0": "conv1_1"}`` (theirs: ours).
        convert: a function of (state dict, module) that rewrites another layout; tried where names or shapes differ.
        origin: where the weights come from, for messages.

    Raises:
        CheckpointError: the ratio is below ``min_match``.

    >>> import torch
    >>> report = fit_weights(nn.Linear(2, 1), {"module.weight": torch.ones(1, 2), "module.bias": torch.zeros(1)})
    >>> report.prefix, report.ratio
    ('module.', 1.0)
    """
    chosen, report = _find_fitting(module, state, min_match, fresh, aliases or {}, convert, origin)
    module.load_state_dict(chosen, strict=False)
    return report


def check_fit(
    module: nn.Module, state: Mapping[str, Tensor], min_match: float = 0.9, *, origin: str = "The state dict"
) -> LoadReport:
    """Say what of a state dict ``fit_weights`` would load into a module, and leave the module as it is.

    Args:
        module: the model.
        state: names and tensors.
        min_match: the least ``LoadReport.ratio`` that is accepted, in [0, 1].
        origin: where the weights come from, for messages.

    Raises:
        CheckpointError: the ratio is below ``min_match``.
    """
    return _find_fitting(module, state, min_match, (), {}, None, origin)[1]


def _find_fitting(
    module: nn.Module,
    state: Mapping[str, Tensor],
    min_match: float,
    fresh: tuple[str, ...],
    aliases: Mapping[str, str],
    convert: Convert | None,
    origin: str,
) -> tuple[dict[str, Tensor], LoadReport]:
    """Return what of a state dict fits a module, or refuse it; the arguments are those of ``fit_weights``."""
    own = module.state_dict()
    names = _known_names(own, aliases)
    prefix, found = _strip(state, names)
    chosen, report = _match(own, names, found, prefix, fresh)
    if convert is not None and report.ratio < 1:
        converted = _try_convert(convert, found, module)
        second, second_report = _match(own, names, converted, prefix, fresh)
        if second_report.ratio > report.ratio:
            chosen, report = second, second_report
    if report.ratio < min_match:
        raise CheckpointError(
            f"{origin} fits {type(module).__name__} too little: {report.ratio:.0%} of its tensors, and min_match asks "
            f"for {min_match:.0%}. {report.summary()}. Give weights made for this architecture, or lower min_match if "
            "the rest shall start from random numbers."
        )
    return chosen, report


def choose_prefix(names: Iterable[str], wanted: Iterable[str]) -> str:
    """Return the dotted prefix to strip so that most names are wanted ones; of equals, the first met.

    >>> choose_prefix(["module.encoder_q.conv1.weight", "module.queue", "conv1.bias"], ["conv1.weight", "conv1.bias"])
    'module.encoder_q.'
    >>> choose_prefix(["head.weight"], ["conv1.weight"])
    ''
    """
    known = set(wanted)
    hits: Counter[str] = Counter()
    for name in names:
        start = 0
        while True:
            if name[start:] in known:
                hits[name[:start]] += 1
            dot = name.find(".", start)
            if dot < 0:
                break
            start = dot + 1
    return max(hits, key=hits.__getitem__, default="")


def _known_names(own: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """Return the module's name for each name that a file may use."""
    foreign = {ours: theirs for theirs, ours in aliases.items()}
    names = {}
    for name in own:
        names[name] = name
        place, _, leaf = name.rpartition(".")
        if place in foreign:
            names[f"{foreign[place]}.{leaf}"] = name
    return names


def _strip(state: Mapping[str, Tensor], names: Iterable[str]) -> tuple[str, dict[str, Tensor]]:
    """Strip the prefix that fits best; names without it are kept whole, to be reported."""
    prefix = choose_prefix(state, names)
    return prefix, {name.removeprefix(prefix): value for name, value in state.items()}


def _try_convert(convert: Convert, state: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Convert, or return the state as it is where the conversion was not made for it."""
    try:
        return convert(dict(state), module)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError, AssertionError):
        return state


def _match(
    own: Mapping[str, Tensor],
    names: Mapping[str, str],
    state: Mapping[str, Tensor],
    prefix: str,
    fresh: tuple[str, ...],
) -> tuple[dict[str, Tensor], LoadReport]:
    """Sort the entries of a file into those that fit and those that do not."""
    chosen: dict[str, Tensor] = {}
    unexpected, mismatched = [], []
    for name, value in state.items():
        ours = names.get(name)
        if ours is None:
            unexpected.append(name)
        elif value.shape != own[ours].shape:
            mismatched.append((ours, tuple(value.shape), tuple(own[ours].shape)))
        else:
            chosen[ours] = value
    wrong = {name for name, _, _ in mismatched}
    counted = [name for name in own if not name.endswith("num_batches_tracked")]
    counted = [name for name in counted if name in chosen or name in wrong or not name.startswith(fresh)]
    matched = tuple(name for name in counted if name in chosen)
    missing = tuple(name for name in counted if name not in chosen and name not in wrong)
    ratio = len(matched) / len(counted) if counted else 1.0
    return chosen, LoadReport(matched, missing, tuple(unexpected), tuple(mismatched), prefix, ratio)


def _examples(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
    return f" ({shown})" if names else ""
