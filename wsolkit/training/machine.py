"""What a program runs on: system, processor, threads, GPUs."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch

__all__ = ["machine", "processor_name"]

KNOWN = Path("/proc/cpuinfo")
"""Where Linux says what the processor is called."""


def machine() -> dict[str, Any]:
    """Return what this process runs on."""
    return {
        "platform": platform.platform(),
        "processor": processor_name(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


def processor_name(known: Path = KNOWN) -> str:
    """Return what the processor is called; the kind of machine where nothing says it.

    Args:
        known: file of lines ``model name : NAME``.
    """
    try:
        lines = known.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = (
        name.strip() for title, _, name in (line.partition(":") for line in lines) if title.strip() == "model name"
    )
    return next(filter(None, names), "") or platform.processor() or platform.machine()
