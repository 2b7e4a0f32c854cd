"""XML files that any program wrote: read without entities, which may be bombs, and written from plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from wsolkit.errors import DataError
from wsolkit.text_files import decode_text

__all__ = ["fill", "read_xml"]

DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
"""The encoding that the first line of an XML file declares."""


def read_xml(path: str | Path, what: str) -> ElementTree.Element:
    """Return the root of an XML file, all names without namespaces.

    Args:
        path: the file.
        what: what it is, as the start of a sentence.

    Raises:
        DataError: the file is missing, no XML, declares entities, or is in an unknown encoding.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{what} cannot be opened: {error.strerror or error}. Check data_root.") from error
    text = xml_text(data, what)
    if "<!ENTITY" in text:
        raise DataError(f"{what} declares entities, which no annotation needs and which may be a bomb. Remove them.")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"{what} is no XML: {error}. Correct the file.") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def xml_text(data: bytes, what: str) -> str:
    """Return the text of an XML file, in the encoding that a mark or its first line declares.

    Raises:
        DataError: the encoding is unknown, or the bytes are none of it.

    >>> xml_text('<?xml version="1.0" encoding="GBK"?><a>猫</a>'.encode("gbk"), "Annotation a.xml")[-8:]
    '<a>猫</a>'
    """
    declared = DECLARED.match(data)
    name = declared[1].decode("ascii") if declared else "utf-8"
    if name.lower().replace("_", "-").startswith(("utf-8", "utf8", "utf-16")):
        return decode_text(data, what).strip()
    try:
        return data.decode(name).strip()
    except LookupError:
        raise DataError(f"{what} is declared {name!r}, an encoding that nobody knows. Save it as UTF-8.") from None
    except UnicodeError as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{what} is declared {name!r}, but is none: {reason}. Save it as UTF-8.") from error


def fill(parent: ElementTree.Element, content: Mapping[str, Any]) -> None:
    """Add elements to an XML element; characters that XML does not allow become ``?``."""
    for name, value in content.items():
        element = ElementTree.SubElement(parent, name)
        if isinstance(value, Mapping):
            fill(element, value)
        else:
            element.text = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", str(value))
