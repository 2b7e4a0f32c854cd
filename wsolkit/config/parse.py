"""Options as people type them: ``KEY=VALUE``, with values as Python writes them; nothing is ever run."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError

__all__ = ["parse_options", "with_home"]

CLOSING = {"(": ")", "[": "]", "{": "}"}
WORDS: dict[str, Any] = {"true": True, "false": False, "True": True, "False": False, "None": None}
PLACEHOLDER = re.compile(r"\{+[A-Za-z][\w-]*\}")
"""``{name}`` at the start of a text: a folder of a pipeline, and no dictionary."""


class _UnreadableError(ValueError):
    """A text is not written as Python writes values."""


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """Turn ``KEY=VALUE`` texts of a command line into options.

    Numbers, True, False, None, lists, tuples, ``{...}`` and ``dict(...)`` are understood, nested as deep as needed;
    text in them needs no quotes. Whatever else is text as it stands; ``~/`` at its beginning is the home folder.

    Raises:
        ConfigError: a text has no ``=``, or begins with a bracket and cannot be read.

    >>> parse_options(["train_cfg.max_epochs=3", "model.losses.0.weight=0.5", "a=[1,2]", "b=None"])
    {'train_cfg.max_epochs': 3, 'model.losses.0.weight': 0.5, 'a': [1, 2], 'b': None}
    >>> parse_options(["model.modifiers=[dict(type='DropBlock', at='layer3')]"])
    {'model.modifiers': [{'type': 'DropBlock', 'at': 'layer3'}]}
    """
    options = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise ConfigError(f"An option is written KEY=VALUE, such as train_cfg.max_epochs=3, but got {text!r}.")
        try:
            options[key.strip()] = with_home(parse_value(value.strip()))
        except _UnreadableError as error:
            raise ConfigError(
                f"The option {text} cannot be read: {error}. Write values as Python does, such as "
                "[dict(type='DropBlock', at='layer3')], and text that begins with a bracket in quotes of its own: "
                f"\"{key.strip()}='[1].jpg'\"."
            ) from None
    return options


def with_home(value: Any) -> Any:
    """Return a value in which ``~`` and ``~/...`` name the home folder: a shell leaves that to us after ``=``.

    >>> with_home({"a": ["b~/c", "~/c"]})["a"][1] == os.path.expanduser("~/c")
    True
    """
    if isinstance(value, (str, Path)):
        named = str(value)[:2] in ("~", "~/")
        return type(value)(os.path.expanduser(value)) if named else value  # noqa: PTH111 - as it is without a home
    if isinstance(value, (list, tuple)):
        return type(value)(with_home(each) for each in value)
    return {key: with_home(each) for key, each in value.items()} if isinstance(value, dict) else value


def parse_value(text: str) -> Any:
    """Return the value a text stands for; commas outside brackets make it a list.

    Raises:
        _UnreadableError: it begins with a bracket and cannot be read.

    >>> parse_value("1e-3"), parse_value("a,b"), parse_value("runs(1"), parse_value("'1'")
    (0.001, ['a', 'b'], 'runs(1', '1')
    """
    try:
        values = [parse_item(part) for part in split(text, ",")]
    except _UnreadableError:
        if is_structured(text):
            raise
        return text
    return values[0] if len(values) == 1 and not text.endswith(",") else values or text


def parse_item(text: str) -> Any:
    """Return the value of a text without commas outside brackets.

    Raises:
        _UnreadableError: it cannot be read.
    """
    if re.match(r"dict\s*\(", text):
        return parse_pairs(inside(text, text.index("(")), "=", parse_name)
    if is_structured(text):
        within = inside(text, 0)
        if text[0] == "{":
            return parse_pairs(within, ":", parse_item)
        items = [parse_item(part) for part in split(within, ",")]
        return items if text[0] == "[" else tuple(items)
    if text[:1] in ("'", '"'):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise _UnreadableError(f"{text} is no text in quotes") from None
    if call := re.match(r"\w+\s*\(", text):
        raise _UnreadableError(f"{call[0]}...) is never run; only dict(...) is understood")
    if text in WORDS:
        return WORDS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def parse_name(text: str) -> str:
    """Return the name of an argument of ``dict(...)``.

    Raises:
        _UnreadableError: it is none.
    """
    if not text.isidentifier():
        raise _UnreadableError(f"{text or 'nothing'} is no name of an argument; dict(...) is written dict(name=value)")
    return text


def parse_pairs(text: str, sign: str, name: Callable[[str], Any]) -> dict[Any, Any]:
    """Return the pairs of a dictionary, each name and value with a sign between.

    Raises:
        _UnreadableError: a pair has no sign, or a name is there twice.
    """
    pairs: dict[Any, Any] = {}
    for part in split(text, ","):
        found = list(split(part, sign, at_most=1))
        if len(found) != 2:
            raise _UnreadableError(f"{part} has no {sign!r} between name and value")
        key = name(found[0])
        if isinstance(key, (list, dict)) or key in pairs:
            raise _UnreadableError(f"{found[0]} cannot be a name here, or is there twice")
        pairs[key] = parse_item(found[1])
    return pairs


def is_structured(text: str) -> bool:
    """Whether a text begins as a list, a tuple or a dictionary does.

    >>> is_structured("[1, 2]"), is_structured("{train}/best.pth"), is_structured("dict(a=1)"), is_structured("a[1]")
    (True, False, True, False)
    """
    if PLACEHOLDER.match(text):
        return False
    return text[:1] in CLOSING or re.match(r"dict\s*\(", text) is not None


def inside(text: str, first: int) -> str:
    """Return what stands between the bracket at ``first`` and the last character, which has to close it.

    Raises:
        _UnreadableError: it does not.
    """
    depth = [level for level, _ in walk(text)]
    if depth[-1] != 0 or 0 in depth[first:-1]:
        raise _UnreadableError(f"the bracket {text[first]!r} is not closed at the end of {text}")
    return text[first + 1 : -1].strip()


def split(text: str, sign: str, at_most: int = -1) -> Iterator[str]:
    """Yield the parts of a text between signs that stand outside brackets and quotes; nothing of an empty text.

    Raises:
        _UnreadableError: a bracket or a quote is not closed, or nothing stands between two signs.
    """
    start, rest = 0, text.strip()
    for place, (level, free) in enumerate(walk(rest)):
        if free and level == 0 and rest[place] == sign and at_most != 0:
            yield checked(rest[start:place], text)
            start, at_most = place + 1, at_most - 1
    if rest[start:].strip() or at_most == 0:
        yield checked(rest[start:], text)


def checked(part: str, text: str) -> str:
    """Return a part without spaces around it.

    Raises:
        _UnreadableError: nothing is left.
    """
    if not part.strip():
        raise _UnreadableError(f"something is missing in {text}")
    return part.strip()


def walk(text: str) -> list[tuple[int, bool]]:
    """Return for each character how many brackets are open behind it, and whether it stands outside quotes.

    A quote opens at the start of a value only: the one of ``it's`` is text.

    Raises:
        _UnreadableError: a bracket or a quote is not closed, or closes nothing.
    """
    open_brackets: list[str] = []
    quote, before, skip = "", "", False
    found = []
    for character in text:
        free = not quote
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"" and before in ("", *"[({,=:"):
            quote = character
        elif character in CLOSING:
            open_brackets.append(CLOSING[character])
        elif character in CLOSING.values() and (not open_brackets or open_brackets.pop() != character):
            raise _UnreadableError(f"a bracket {character!r} closes nothing in {text}")
        before = before if character.isspace() else character
        found.append((len(open_brackets), free))
    if quote or open_brackets:
        raise _UnreadableError(f"{quote or open_brackets[-1]} is missing at the end of {text}")
    return found
