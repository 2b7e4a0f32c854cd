"""What weights are, in one number."""

from __future__ import annotations

import hashlib
from collections.abc import Container

import torch
from torch import nn

__all__ = ["hash_weights"]


def hash_weights(model: nn.Module, modules: Container[str] | None = None) -> str:
    """Return the SHA-256 of a model's parameters and buffers, by name, shape and value.

    Args:
        model: the model.
        modules: names of the modules whose own ones count; all by default.

    >>> hash_weights(nn.BatchNorm2d(3)) == hash_weights(nn.BatchNorm2d(3)) != hash_weights(nn.BatchNorm2d(4))
    True
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        if modules is not None and name.rpartition(".")[0] not in modules:
            continue
        whole = value.detach().cpu().contiguous()
        digest.update(f"{name} {tuple(whole.shape)} {whole.dtype}\n".encode())
        digest.update(whole.reshape(-1).view(torch.uint8).numpy().tobytes() if whole.numel() else b"")
    return digest.hexdigest()
