"""Number formats: bf16 arithmetic where the processor has it, float32 weights always."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal, get_args

import torch

from wsolkit.errors import one_of

__all__ = ["Precision", "autocast_context", "has_fast_bf16", "number_format"]

Precision = Literal["auto", "bf16", "fp32"]


def has_fast_bf16(device: torch.device) -> bool:
    """Whether matrix products in bf16 are faster than in float32 on this device.

    On CPUs that takes AVX512-BF16 or AMX instructions; without them bf16 is emulated and slower.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        probe = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
        supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
        amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
        return bool(probe and probe() and (supported or amx))
    return False


def autocast_context(precision: Precision, device: torch.device) -> AbstractContextManager:
    """Return the context a forward pass runs in: bf16 autocast, or plain float32.

    Args:
        precision: ``bf16``, ``fp32``, or ``auto`` for bf16 where it is fast.
        device: where the model is.

    Raises:
        ConfigError: the precision is none of these.

    >>> with autocast_context("bf16", torch.device("cpu")):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """
    one_of("precision", precision, get_args(Precision))
    return torch.autocast(device.type, torch.bfloat16, enabled=uses_bf16(precision, device))


def uses_bf16(precision: Precision, device: torch.device) -> bool:
    """Whether a forward pass computes in bf16."""
    return precision == "bf16" or (precision == "auto" and has_fast_bf16(device))


def number_format(precision: Precision, device: torch.device) -> str:
    """Return what a model computes in, in words.

    >>> number_format("fp32", torch.device("cpu")), number_format("bf16", torch.device("cpu"))
    ('fp32', 'bf16 autocast')
    """
    return "bf16 autocast" if uses_bf16(precision, device) else "fp32"
