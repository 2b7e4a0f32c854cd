"""Keeps mmengine's log history short, and out of pickles in checkpoints."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner

__all__ = ["History", "from_plain", "to_plain"]

MARK = "history_buffer"
KEPT = (OrderedDict, Counter)  # dicts that torch.load takes with weights_only


def to_plain(value: Any) -> Any:
    """Turn log histories, numpy arrays and numpy scalars into tensors and plain numbers, at any depth.

    >>> to_plain({"a": np.float64(1.5), "b": (np.int64(2),)})
    {'a': 1.5, 'b': (2,)}
    """
    if isinstance(value, HistoryBuffer):
        log, count = value.data
        return {MARK: torch.from_numpy(log.astype(np.float64)), "count": torch.from_numpy(count.astype(np.float64))}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value)) if value.dtype.kind in "biuf" else value.tolist()
    if type(value) in (list, tuple):
        return type(value)(to_plain(item) for item in value)
    if isinstance(value, dict):
        changed = {key: to_plain(item) for key, item in value.items()}
        return type(value)(changed) if type(value) in KEPT else changed
    return value


def from_plain(value: Any, keep: int) -> Any:
    """Turn what ``to_plain`` made of a log history back into one that keeps ``keep`` numbers."""
    if isinstance(value, Mapping) and MARK in value:
        return HistoryBuffer(value[MARK].cpu().numpy()[-keep:], value["count"].cpu().numpy()[-keep:], max_length=keep)
    return value


class History(Hook):
    """Stores log histories in checkpoints as tensors, and keeps only the newest numbers of each.

    mmengine's histories grow by copying, so that an untrimmed log slows a long training down; and they are Python
    objects, which a checkpoint that may be read safely cannot hold.

    Args:
        keep: numbers kept of each history; averaging windows of the log are at most that long.
    """

    priority = "LOWEST"

    def __init__(self, keep: int = 1000) -> None:
        self.keep = keep

    def after_train_iter(self, runner: Runner, batch_idx: int, **_: Any) -> None:
        """Limit the histories, now and then: new ones appear while training."""
        if batch_idx % 100 == 0:
            for buffer in runner.message_hub.log_scalars.values():
                buffer.max_length = min(buffer.max_length, self.keep)

    def before_save_checkpoint(self, _: Runner, checkpoint: dict) -> None:
        """Turn everything but the weights into tensors and plain values."""
        for key in checkpoint:
            if key != "state_dict":
                checkpoint[key] = to_plain(checkpoint[key])

    def after_load_checkpoint(self, _: Runner, checkpoint: dict) -> None:
        """Rebuild the histories that mmengine expects."""
        scalars = checkpoint.get("message_hub", {}).get("log_scalars", {})
        for key in scalars:
            scalars[key] = from_plain(scalars[key], self.keep)
