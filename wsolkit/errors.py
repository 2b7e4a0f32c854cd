"""The errors wsolkit explains itself: each says what was wrong, what was given and what to do next."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any, TypeVar

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "HeadError",
    "MapError",
    "PluginError",
    "ShapeError",
    "WsolkitError",
    "first_few",
    "in_range",
    "limits_of",
    "naming",
    "nearest",
    "noting",
    "one_of",
    "printable",
    "shortened",
    "telling",
    "within",
]

T = TypeVar("T")
N = TypeVar("N", int, float)
BOUNDS = re.compile(r"(at least|above|at most|below) (\S+)|in ([\[(])(\S+), (\S+)([\])])")
ORDER: dict[str, Callable[[Any, float], bool]] = {
    **dict.fromkeys(("at least", "["), operator.ge),
    **dict.fromkeys(("above", "("), operator.gt),
    **dict.fromkeys(("at most", "]"), operator.le),
    **dict.fromkeys(("below", ")"), operator.lt),
}
"""How each word and bracket of bounds compares a number with a limit."""


class WsolkitError(Exception):
    """A mistake in the input that the message explains; the command line prints it without a traceback.

    Args:
        message: what was wrong, what was given and what to do next.
        about: names that the message tells already, of an image or of parts, so that nobody has to add them.

    >>> DataError("The image 'cat' has no pixels.", about="cat").about
    ('cat',)
    """

    def __init__(self, message: object = "", about: str | Iterable[str] = ()) -> None:
        super().__init__(message)
        self.about = (about,) if isinstance(about, str) else tuple(about)


class ConfigError(WsolkitError):
    """A configuration names something that does not exist or does not fit."""


class HeadError(ConfigError):
    """A part needs something that the model's head does not give; see ``Activation.need``.

    Args:
        message: what was wrong, what was given and what to do next.
        about: names that the message tells already.
        heads: configurations of heads that give it, but for what every head is told.
    """

    def __init__(
        self, message: object = "", about: str | Iterable[str] = (), heads: Iterable[dict[str, Any]] = ()
    ) -> None:
        super().__init__(message, about)
        self.heads = tuple(heads)


class PluginError(WsolkitError):
    """Two plugins clash, or a plugin hands over something that is no component."""


class DataError(WsolkitError):
    """Images, labels or boxes are missing, unreadable or contradict each other."""


class CheckpointError(WsolkitError):
    """A checkpoint or a weight file is missing, truncated, unsafe or made for another model."""


class ShapeError(WsolkitError):
    """Two parts disagree about a shape."""


class MapError(WsolkitError):
    """A score map holds numbers that are no scores."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the known names nearest to a misspelt one, or lists a few.

    >>> nearest("TimBackbone", ["TimmBackbone", "VGG16GAP"])
    "Did you mean 'TimmBackbone'?"
    >>> nearest("zzz", ["a", "b"])
    "Known names: 'a', 'b'."
    >>> nearest("zzz", [])
    'Nothing is known here.'
    """
    names = sorted(set(known))
    folded = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(repr(folded[match]) for match in close) + "?"
    if not names:
        return "Nothing is known here."
    shown = ", ".join(repr(candidate) for candidate in names[:12])
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"Known names: {shown}{more}."


@contextmanager
def naming(name: str, what: str = "Image") -> Iterator[None]:
    """Put a name before what errors inside say, unless they are about it already.

    Raises:
        WsolkitError: of the class that was raised inside.

    >>> with naming("cat"):
    ...     raise ShapeError("The map is empty.")
    Traceback (most recent call last):
    wsolkit.errors.ShapeError: Image 'cat': The map is empty.
    """
    try:
        yield
    except WsolkitError as error:
        if name in error.about:
            raise
        raise type(error)(f"{what} {name!r}: {error}", about=(*error.about, name)) from error


@contextmanager
def telling(*names: str) -> Iterator[None]:
    """Note that errors inside tell names in their words, so that nobody adds them.

    >>> with naming("cat"), telling("cat"):
    ...     raise MapError("The map of image 'cat' is empty.")
    Traceback (most recent call last):
    wsolkit.errors.MapError: The map of image 'cat' is empty.
    """
    try:
        yield
    except WsolkitError as error:
        error.about = tuple(dict.fromkeys((*error.about, *names)))
        raise


@contextmanager
def noting(note: str, *names: str, only: str | None = None) -> Iterator[None]:
    """Put a note in brackets behind what errors inside say, unless they are about all of its names already.

    Args:
        note: a sentence that tells the names.
        names: whom the note names.
        only: leave errors alone that are not about this.

    Raises:
        WsolkitError: of the class that was raised inside.

    >>> with noting("The loss is Focal.", "Focal"):
    ...     raise ShapeError("There are no labels.")
    Traceback (most recent call last):
    wsolkit.errors.ShapeError: There are no labels. (The loss is Focal.)
    """
    try:
        yield
    except WsolkitError as error:
        if set(names) <= set(error.about) or (only is not None and only not in error.about):
            raise
        raise type(error)(f"{error} ({note})", about=dict.fromkeys((*error.about, *names))) from error


def one_of(what: str, given: T, allowed: Collection[T]) -> T:
    """Return a choice that is one of the allowed ones.

    Raises:
        ConfigError: it is none of them.

    >>> one_of("resize", "nearest", ("bicubic", "none"))
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: resize should be one of 'bicubic', 'none', but got 'nearest'.
    """
    if given not in allowed:
        raise ConfigError(f"{what} should be one of {', '.join(map(repr, allowed))}, but got {given!r}.")
    return given


def in_range(what: str, given: N, bounds: str) -> N:
    """Return a number that is within bounds.

    Args:
        what: what the number is.
        given: the number; NaN is within no bounds.
        bounds: ``in [0, 1)``, ``at least 1``, ``above 0``, ``at most 1`` or ``below 1``.

    Raises:
        ConfigError: it is not, or is no number; or the bounds are written otherwise.

    >>> in_range("threshold", 1.0, "in [0, 1)")
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: threshold should be in [0, 1), but got 1.0.
    """
    limits_of(bounds, what)
    if not (isinstance(given, Real) and within(given, bounds)):
        raise ConfigError(f"{what} should be {bounds}, but got {given!r}.")
    return given


def within(number: Real | float, bounds: str) -> bool:
    """Whether a number is within bounds, which are written as of ``in_range``.

    >>> within(0.5, "in (0, inf)"), within(float("nan"), "at least 0")
    (True, False)
    """
    return all(ORDER[order](number, limit) for order, limit in limits_of(bounds))


def limits_of(bounds: str, what: str = "A number") -> list[tuple[str, float]]:
    """Return the ends of bounds, each with the word or the bracket that says on which side of it a number has to be.

    Args:
        bounds: as of ``in_range``.
        what: the number that has them, for messages.

    Raises:
        ConfigError: they are written otherwise.

    >>> limits_of("in [0, 1)"), limits_of("at least 2")
    ([('[', 0.0), (')', 1.0)], [('at least', 2.0)])
    >>> limits_of("more than 0", "share of Blur")
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: share of Blur has the bounds 'more than 0', which cannot be read. Write ...
    """
    found = BOUNDS.fullmatch(bounds)
    word, limit, left, low, high, right = found.groups() if found is not None else [None] * 6
    limits = [(word, limit)] if word else [(left, low), (right, high)]
    try:
        return [(str(order), float(end or "")) for order, end in limits]
    except ValueError:
        raise ConfigError(
            f"{what} has the bounds {bounds!r}, which cannot be read. Write 'in [0, 1)', 'at least 1', 'above 0', "
            "'at most 1' or 'below 1'."
        ) from None


def first_few(names: Sequence[str], most: int = 3) -> str:
    """Return the first names of a list in words.

    >>> first_few(["a", "b", "c", "d"])
    "'a', 'b', 'c', ..."
    """
    return ", ".join(repr(name) for name in names[:most]) + (", ..." if len(names) > most else "")


def shortened(text: str, most: int = 80) -> str:
    """Return the beginning of a text, which a file or a configuration may have made as long as it likes.

    >>> shortened("1" * 5000, 10)
    '1111111...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def printable(name: str) -> str:
    """Return a file's name as text that can be written anywhere, also where its bytes are no UTF-8.

    >>> printable("caf" + chr(0xDCE9)) == "caf" + chr(92) + "udce9"
    True
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
