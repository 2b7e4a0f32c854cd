"""How contracts are told: parts are built as a model builds them, and what breaks a promise is named with numbers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from wsolkit.arguments import without_annotation
from wsolkit.errors import WsolkitError
from wsolkit.weights.checkpoint import load_weights

__all__ = ["NAMES", "built", "check_annotations", "finite", "kept_whole", "promised", "takes"]

NAMES = ("barn owl", "house wren", "snowy owl")
"""The classes of every contract; two have their last word in common."""

FIRST_LINE = "begins its __init__ with super().__init__(...)"
"""What is promised of a class whose parents have to be set up."""

T = TypeVar("T")


def takes(part: type, argument: str) -> bool:
    """Whether a part's ``__init__`` takes an argument."""
    return argument in inspect.signature(part).parameters


def built(part: type[T], settings: Mapping[str, Any], **known: Any) -> T:
    """Build a part with settings of one's own, and with what a model tells it where it asks for that.

    Raises:
        AssertionError: its ``__init__`` leaves an argument without annotation, wants one that is not given, or does not
            call that of its interface.
        ConfigError: a setting is not what its annotation says, or bounds of one cannot be read.

    >>> built(dict, {"a": 1}, channels=6)
    {'a': 1}
    """
    try:
        parameters = inspect.signature(part).parameters
    except ValueError:  # a class of C that does not say
        return part(**settings)
    check_annotations(part)
    given = {**{name: value for name, value in known.items() if name in parameters}, **settings}
    lacking = [
        name
        for name, each in parameters.items()
        if each.default is each.empty and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    ]
    if wanted := [name for name in lacking if name not in given]:
        arguments = ", ".join(f"{name}=..." for name in wanted)
        raise AssertionError(
            f"{part.__name__} wants {', '.join(wanted)}, so it cannot be built from its defaults. Give its check the "
            f"values behind the class, check_...({part.__name__}, {arguments}), and check_plugin "
            f'settings={{"{part.__name__}": dict({arguments})}}; or write defaults.'
        )
    try:
        made = part(**given)
    except AttributeError as error:  # torch's words where a module or a parameter is set before
        promised(part, "Module.__init__() call" not in str(error), FIRST_LINE, error)
        raise
    check_begun(part, made)
    return made


def check_begun(part: type, made: object) -> None:
    """Hold a part to call the ``__init__`` of its interface, which sets what the interface works with.

    Raises:
        AssertionError: something of that is not there.
    """
    names = ["_modules"] if isinstance(made, nn.Module) else []
    for cls in part.__mro__:
        if cls.__module__.startswith("wsolkit.interfaces.") and "__init__" in vars(cls):
            names += inspect.signature(cls).parameters
    lost = [name for name in names if not hasattr(made, name)]
    promised(part, not lost, FIRST_LINE, f"a part without {', '.join(lost)}")


def check_annotations(part: type) -> None:
    """Hold a part to annotations, by which what a configuration gives is checked.

    Raises:
        AssertionError: an argument has none.
    """
    for name in without_annotation(part):
        raise AssertionError(
            f"{part.__name__}: `{name}` has no annotation, so a configuration may give it anything. Write one into its "
            f'__init__, such as `{name}: float` or `{name}: Annotated[float, "in [0, 1]"]`.'
        )


def promised(part: object, kept: object, promise: str, found: object = "") -> None:
    """Hold a part to a promise.

    Args:
        part: the class, or an instance of it.
        kept: whether the promise was kept.
        promise: what it promises, as a sentence begins: ``keeps the shape``.
        found: the numbers that break it.

    Raises:
        AssertionError: it does not keep it.

    >>> promised(dict, False, "keeps the shape (2, 3)", (2, 4))
    Traceback (most recent call last):
    AssertionError: dict keeps the shape (2, 3): it does not, found (2, 4).
    """
    if not kept:
        name = part.__name__ if isinstance(part, type) else type(part).__name__
        raise AssertionError(f"{name} {promise}: it does not{f', found {found}' if str(found) else ''}.")


def finite(part: object, what: str, numbers: Tensor) -> None:
    """Hold a part to finite numbers.

    Raises:
        AssertionError: some are NaN or infinite.
    """
    broken = int((~numbers.detach().isfinite()).sum())
    promised(part, not broken, f"gives finite {what}", f"{broken} of {numbers.numel()} that are NaN or infinite")


def kept_whole(part: object, used: nn.Module, fresh: nn.Module) -> None:
    """Hold a part to its state: what a checkpoint keeps of one that was used goes into one that was not.

    Raises:
        AssertionError: it does not, or something of it is lost.
    """
    promise, state = "goes on from a checkpoint", used.state_dict()
    try:
        load_weights(fresh, {"state_dict": state}, "of its own")
    except WsolkitError as error:
        promised(part, False, promise, error)
    there = fresh.state_dict()
    lost = [name for name, numbers in state.items() if not torch.equal(numbers, there[name])]
    promised(part, not lost, promise, f"other numbers of {', '.join(lost)}")
