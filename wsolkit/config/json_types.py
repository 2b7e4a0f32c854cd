"""What an argument may be, as a JSON schema: made of the annotations that ``wsolkit.arguments`` checks."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from wsolkit.arguments import bounds_of
from wsolkit.errors import limits_of

__all__ = ["default_of", "either", "json_type"]

SCALARS: dict[Any, str] = {
    int: "integer", float: "number", bool: "boolean", str: "string", Path: "string", type(None): "null",
}  # fmt: skip
ORDERS = {
    "[": "minimum", "(": "exclusiveMinimum", "]": "maximum", ")": "exclusiveMaximum",
    "at least": "minimum", "above": "exclusiveMinimum", "at most": "maximum", "below": "exclusiveMaximum",
}  # fmt: skip
"""How JSON schemas call the ends of bounds, by the words and brackets that ``errors.in_range`` has for them."""


def json_type(annotation: Any) -> dict[str, Any]:
    """Return the schema of an annotation; an empty one, which allows everything, for what JSON knows nothing of.

    >>> json_type(Annotated[float, "in [0, 1)"] | None)
    {'anyOf': [{'type': 'number', 'minimum': 0, 'exclusiveMaximum': 1}, {'type': 'null'}]}
    >>> json_type(Sequence[Literal["a", "b"]])
    {'type': 'array', 'items': {'enum': ['a', 'b']}}
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return either(json_type(part) for part in parts)
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is Annotated:
        limits = limits_of(bounds_of(annotation)) if bounds_of(annotation) else []
        ends = {ORDERS[order]: plain_number(limit) for order, limit in limits if math.isfinite(limit)}
        return {**json_type(parts[0]), **ends}
    if annotation in SCALARS:
        return {"type": SCALARS[annotation]}
    kind = origin or annotation
    if kind in (list, tuple, set, frozenset, Sequence, Iterable):
        items = {json.dumps(json_type(part)): json_type(part) for part in parts if part is not Ellipsis}
        return {"type": "array", **({"items": either(items.values())} if any(items.values()) else {})}
    if kind in (dict, Mapping):
        return {"type": "object"}
    return {}


def either(schemas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of what one of several allows."""
    found = list(schemas)
    if not all(found):
        return {}
    flat = [inner for each in found for inner in (each["anyOf"] if set(each) == {"anyOf"} else [each])]
    single = list({json.dumps(each): each for each in flat}.values())
    return single[0] if len(single) == 1 else {"anyOf": single}


def plain_number(limit: float) -> int | float:
    """Return a limit as people write it."""
    return int(limit) if limit == int(limit) else limit


def default_of(default: Any) -> dict[str, Any]:
    """Return what a schema says of a default: nothing where JSON has no such value.

    >>> default_of((1, 2)), default_of(object())
    ({'default': [1, 2]}, {})
    """
    try:
        return {"default": json.loads(json.dumps(default, allow_nan=False))}
    except (TypeError, ValueError):
        return {}
