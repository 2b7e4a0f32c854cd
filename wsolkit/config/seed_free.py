"""What configurations say apart from the seed, as a hash: what is the same in all seeds of a method has the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["scoring_hash", "seed_free_hash"]


def seed_free_hash(content: Any) -> str:
    """Return a hash of plain data without what is called ``seed``.

    >>> seed_free_hash({"a": [1, {"seed": 3}]}) == seed_free_hash({"a": [1, {"seed": 4}]})
    True
    >>> seed_free_hash({"a": 1}) == seed_free_hash({"a": 2})
    False
    """

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(name): plain(each) for name, each in value.items() if name != "seed"}
        return [plain(each) for each in value] if isinstance(value, list | tuple) else value

    text = json.dumps(plain(content), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def scoring_hash(config: Mapping[str, Any], split: str, **more: Any) -> str:
    """Return a hash of all that decides how a checkpoint is scored: model, data, evaluators.

    Args:
        config: a resolved configuration.
        split: the split that is scored.
        more: what else was asked for.

    >>> one, two = ({"model": {"cam_method": name}, "work_dir": name} for name in ("CAM", "GradCAM"))
    >>> scoring_hash(one, "test") == scoring_hash({**one, "work_dir": "other"}, "test")
    True
    >>> scoring_hash(one, "test") == scoring_hash(two, "test")
    False
    """
    loader = config.get(f"{split}_dataloader") or {}
    evaluators = config.get(f"{split}_evaluator") or config.get("val_evaluator")
    return seed_free_hash([config.get("model"), loader.get("dataset"), evaluators, more])
