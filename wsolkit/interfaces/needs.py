"""What a part says that needs something of the head which this one does not give."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from wsolkit.errors import HeadError, WsolkitError, nearest
from wsolkit.registry import HEADS

__all__ = ["heads_that_give", "refusal"]

MOST = 2  # heads that are offered


def refusal(key: str, asker: object, head: str, given: Collection[str], hint: str = "") -> HeadError:
    """Return the error of a part that lacks something of the head: who asks, what is missing, which head gives it.

    Args:
        key: what is missing: ``logits``, ``features`` or the name of an extra.
        asker: the part that asks, or its name.
        head: the name of the model's head; empty where it is not known.
        given: the extras that the head gives.
        hint: a sentence to be added.
    """
    name = asker if isinstance(asker, str) else type(asker).__name__
    what = f"{key}, but {head or 'the head'} gives none"
    if key not in ("logits", "features"):
        lack = "of which {} gives too little" if key in given else "which {} does not give"
        what = f"the extra {key!r}, {lack.format(head or 'the head')}"
    heads = heads_that_give(key, type(asker).__module__.partition(".")[0])
    offers = [f"use head={written(each)}" for each in heads[:MOST]]
    if otherwise := getattr(asker, "otherwise", ""):
        offers.append(otherwise.format(part=name))
    advice = ", or ".join(offers)
    known = "" if heads else nearest(key, given)
    sentences = [f"{name} needs {what}.", known, f"{advice[:1].upper()}{advice[1:]}." if advice else "", hint]
    return HeadError(" ".join(filter(None, sentences)), about=filter(None, (name, head)), heads=heads)


def heads_that_give(key: str, package: str = "") -> list[dict[str, Any]]:
    """Return configurations of the heads that say that they give something; of a package alone where it has some.

    >>> heads_that_give("features", "wsolkit")
    [{'type': 'FeatureHead'}, {'type': 'LinearHead'}]
    """
    found = []
    for name in HEADS.names():
        try:
            cls = HEADS.get(name)
        except WsolkitError:  # a plugin's mistake is told where its head is used
            continue
        settings = vars(cls).get("gives", {}).get(key)
        if settings is not None:
            found.append((cls.__module__.partition(".")[0], {"type": name, **settings}))
    own = [config for home, config in found if home == package]
    return own or [config for _, config in found]


def written(config: dict[str, Any]) -> str:
    """Return a configuration as it is written in Python.

    >>> written({"type": "ConvHead", "maps_per_class": 8})
    "dict(type='ConvHead', maps_per_class=8)"
    """
    return f"dict({', '.join(f'{key}={value!r}' for key, value in config.items())})"
