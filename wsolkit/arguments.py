"""What a component accepts, as its annotations say it.

``Literal["a", "b"]`` is a choice, ``Annotated[float, "in [0, 1)"]`` a number within bounds (as of ``errors.in_range``),
``int``, ``float`` and ``bool`` are what they are, ``| None`` allows None, ``Sequence[...]`` asks each item. Whatever
other annotations there are is left to the component.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from wsolkit.errors import ConfigError, limits_of, within

__all__ = ["Checked", "annotations_of", "check_value", "check_values", "without_annotation"]

SCALARS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "True or False", type(None): "None"}


class Checked:
    """A part whose arguments are compared with their annotations when it is made, by a registry or by hand.

    Raises:
        ConfigError: an argument is not what its annotation says.

    >>> class Blur(Checked):
    ...     def __init__(self, mode: Literal["box", "gauss"] = "box", share: Annotated[float, "in [0, 1]"] = 0.5): ...
    >>> Blur("median")
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: mode of Blur should be one of 'box', 'gauss', but got 'median'.
    >>> Blur(share=2)
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: share of Blur should be a number in [0, 1], but got 2.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = with_checks(vars(cls)["__init__"])  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        """Look at the fields of a dataclass, whose ``__init__`` is written after the class."""
        check_values(type(self).__name__, annotations_of(type(self)), vars(self))


def with_checks(init: Callable[..., None]) -> Callable[..., None]:
    """Return an ``__init__`` that looks at its arguments first."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            given = signature.bind(self, *args, **kwargs).arguments
        except TypeError:
            given = {}  # Python says it better
        check_values(type(self).__name__, annotations_of(init), given)
        init(self, *args, **kwargs)

    return checked


def check_values(owner: str, annotations: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Compare the given arguments with their annotations.

    Args:
        owner: whose arguments they are, for messages.
        annotations: of ``annotations_of``.
        given: values by name; names without an annotation pass.

    Raises:
        ConfigError: one is not what its annotation says, or bounds in an annotation, also of one that is not given,
            cannot be read.
    """
    for name, annotation in annotations.items():
        for bounds in all_bounds(annotation):
            limits_of(bounds, f"{name} of {owner}")
    for name in sorted(given.keys() & annotations.keys()):
        check_value(f"{name} of {owner}", given[name], annotations[name])


def check_value(what: str, value: Any, annotation: Any) -> None:
    """Compare a value with an annotation.

    Raises:
        ConfigError: it is not what the annotation says.

    >>> check_value("kmax of WildcatPooling", 2, float | None)
    """
    if not accepts(annotation, value):
        raise ConfigError(f"{what} should be {in_words(annotation)}, but got {value!r}.")


def accepts(annotation: Any, value: Any) -> bool:
    """Whether an annotation allows a value.

    >>> accepts(float, 1), accepts(int, 1.0), accepts(Sequence[Annotated[int, "above 0"]], [1, 0]), accepts(str, 1)
    (True, False, False, True)
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        plain = [part for part in parts if part in SCALARS]
        if len(plain) < len(parts):
            return any(accepts(part, value) for part in parts)
        return accepts_scalar(plain, value)
    if origin is Literal:
        return any(value == part and isinstance(value, type(part)) for part in parts)
    if origin is Annotated and bounds_of(annotation):
        return accepts(parts[0], value) and isinstance(value, Real) and within(value, bounds_of(annotation))
    if origin in (list, tuple, Sequence) and isinstance(value, (list, tuple)) and is_limited(annotation):
        return all(accepts(parts[0], item) for item in value)
    if annotation is type(None):
        return value is None
    return annotation not in SCALARS or accepts_scalar([annotation], value)


def accepts_scalar(kinds: Sequence[Any], value: Any) -> bool:
    """Whether a value is no text, no container, and no broken number where a whole one is due."""
    broken = isinstance(value, float) and float not in kinds
    return not broken and not isinstance(value, (str, Mapping, list, tuple))


def bounds_of(annotation: Any) -> str:
    """Return the bounds that ``Annotated`` holds; empty where it holds something else."""
    return next((each for each in get_args(annotation)[1:] if isinstance(each, str)), "")


def all_bounds(annotation: Any) -> Iterator[str]:
    """Yield the bounds in an annotation and in its parts.

    >>> list(all_bounds(Sequence[Annotated[int, "above 0"]] | Annotated[float, "in [0, 1]"] | None))
    ['above 0', 'in [0, 1]']
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from filter(None, [bounds_of(annotation)])
        parts = parts[:1]
    if origin is not Literal:
        for part in parts:
            yield from all_bounds(part)


def is_limited(annotation: Any) -> bool:
    """Whether the items of a sequence, all of one kind, are choices or numbers within bounds."""
    parts = [part for part in get_args(annotation) if part is not Ellipsis]
    return len(parts) == 1 and get_origin(parts[0]) in (Literal, Annotated)


def in_words(annotation: Any) -> str:
    """Return what an annotation allows in words.

    >>> in_words(Annotated[int, "at least 1"] | None), in_words(Sequence[Literal["a", "b"]])
    ('a whole number of at least 1 or None', "a list, each one of 'a', 'b'")
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        known = [kind for kind in SCALARS if kind in parts]
        rest = [part for part in parts if part not in SCALARS]
        return " or ".join(in_words(part) for part in (*rest, *known))
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    if origin is Annotated and bounds_of(annotation):
        bounds = bounds_of(annotation)
        return f"{in_words(parts[0])} {'of ' if bounds.startswith('at') else ''}{bounds}"
    if origin in (list, tuple, Sequence) and is_limited(annotation):
        return f"a list, each {in_words(parts[0])}"
    return SCALARS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def without_annotation(component: type) -> list[str]:
    """Return the arguments that the ``__init__`` of a class, or of a parent in its package, leaves without annotation.

    >>> class Blur:
    ...     def __init__(self, size, share: float = 0.5, **more): ...
    >>> without_annotation(Blur)
    ['size']
    """
    home = component.__module__.partition(".")[0]
    found: dict[str, None] = {}
    for cls in reversed(component.__mro__):
        init = vars(cls).get("__init__")
        if inspect.isfunction(init) and cls.__module__.partition(".")[0] == home:
            _, *own = inspect.signature(inspect.unwrap(init)).parameters.values()
            found |= {
                each.name: None
                for each in own
                if each.annotation is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
            }
    return list(found)


def annotations_of(component: Any) -> dict[str, Any]:
    """Return the annotations of a component's arguments by name: of a class those of its parents' as well.

    One that names what only type checkers know is left out.
    """
    if not isinstance(component, type):
        return dict(resolved(inspect.unwrap(component)))
    found: dict[str, Any] = {}
    for cls in reversed(component.__mro__):
        if inspect.isfunction(init := vars(cls).get("__init__")):
            found |= resolved(inspect.unwrap(init))
    return found


@functools.cache
def resolved(function: Any) -> Mapping[str, Any]:
    """Return the annotations of a function's arguments, those written as text evaluated where they stand."""
    found: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if (
            parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            or parameter.annotation is parameter.empty
        ):
            continue
        holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
        try:
            found |= get_type_hints(holder, function.__globals__, include_extras=True)
        except (NameError, AttributeError, TypeError, SyntaxError):  # known to type checkers alone
            continue
    return types.MappingProxyType(found)
