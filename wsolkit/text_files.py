"""Text and JSON from files that any program wrote: which encoding they are in, and words for what cannot be read.

A byte order mark decides: UTF-8, UTF-16 or UTF-32. Without one, text of which every second byte is zero is UTF-16;
everything else has to be UTF-8. Nothing is guessed beyond that: Latin-1, cp1252, GBK and
Shift_JIS cannot be told apart.
"""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from wsolkit.errors import DataError

__all__ = ["decode_text", "lines_of", "parse_json", "read_json", "read_text"]

MARKS = (  # those of UTF-32 begin like those of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
SAMPLE = 4096
"""Bytes that are looked at to know UTF-16 by its zeros."""


def decode_text(data: bytes, what: str, keep: bool = False) -> str:
    """Return the text of a file's bytes.

    Args:
        data: the bytes.
        what: what they are, as the start of a sentence.
        keep: let bytes that are no UTF-8 stand, as surrogates (PEP 383): names of files may be of such bytes.

    Raises:
        DataError: they are no text in a known encoding.

    >>> decode_text("café".encode("utf-16"), "a.csv"), decode_text("café".encode("utf-16-le"), "a.csv")
    ('café', 'café')
    >>> decode_text(b"caf" + bytes([0xE9]), "List a.txt")
    Traceback (most recent call last):
    wsolkit.errors.DataError: List a.txt is no UTF-8 text: byte 0xe9 in line 1. Save it as UTF-8.
    """
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), None) or without_mark(data)
    try:
        return data.decode(encoding, "surrogateescape" if keep and encoding.startswith("utf-8") else "strict")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        name = encoding.upper().removesuffix("-SIG")
        at = f"byte {error.object[error.start]:#04x} in line {line}" if name == "UTF-8" else error.reason
        raise DataError(f"{what} is no {name} text: {at}. Save it as UTF-8.") from error


def without_mark(data: bytes) -> str:
    """Return the encoding of bytes that have no mark: UTF-16 by its zeros, else UTF-8.

    >>> without_mark("a,b".encode("utf-16-be")), without_mark(b"a.jpg" + bytes(1) + b"b.jpg")
    ('utf-16-be', 'utf-8')
    """
    sample = data[:SAMPLE]
    if len(data) % 2 == 0 and sample:
        for first, name in ((0, "utf-16-be"), (1, "utf-16-le")):
            zeros, others = sample[first::2].count(0), sample[1 - first :: 2].count(0)
            if 2 * zeros > len(sample[first::2]) and not others:
                return name
    return "utf-8"


def read_text(path: str | Path, what: str = "File", advice: str = "Check the path.", keep: bool = False) -> str:
    """Return the text of a file, in the encoding it is in; see the head of this module.

    Args:
        path: the file.
        what: what it is, for errors: "List", "COCO file".
        advice: what to do where it cannot be opened.
        keep: see ``decode_text``.

    Raises:
        DataError: it cannot be opened, or is no text.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{what} {path} cannot be opened: {error.strerror or error}. {advice}") from error
    except ValueError as error:  # a path with a zero byte
        raise DataError(f"{what} {path!r} cannot be opened: {error}. {advice}") from error
    return decode_text(data, f"{what} {path}", keep)


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text, without their ends; only line feeds and carriage returns end a line.

    ``str.splitlines`` also ends one at a form feed and at separators that names of files may hold.

    >>> lines_of("a\r\nb\u2028c\rd\n")
    ['a', 'b\u2028c', 'd']
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def parse_json(text: str, what: str) -> Any:
    """Return what JSON text holds.

    Raises:
        DataError: it is no JSON, nested too deeply, or has a number of thousands of digits.

    >>> parse_json("[" * 100000, "COCO file a.json")
    Traceback (most recent call last):
    wsolkit.errors.DataError: COCO file a.json is nested too deeply to be read. Correct the file.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise DataError(f"{what} is nested too deeply to be read. Correct the file.") from None
    except ValueError as error:
        raise DataError(f"{what} is no JSON: {str(error).split(';')[0]}. Correct the file.") from error


def read_json(path: str | Path, what: str = "File", advice: str = "Check the path.") -> Any:
    """Return what a JSON file holds; see ``read_text`` and ``parse_json``.

    Raises:
        DataError: it cannot be opened, is no text or no JSON.
    """
    return parse_json(read_text(path, what, advice), f"{what} {path}")
