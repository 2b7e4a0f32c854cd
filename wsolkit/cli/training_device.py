"""``wsolkit train --device``: mmengine trains on the current GPU if it sees one, so that is what is chosen."""

from __future__ import annotations

import os

__all__ = ["take_device"]


def take_device(name: str | None, launcher: str = "none") -> None:
    """Let a training in this process use a device; call it before torch has looked for GPUs.

    Args:
        name: cpu, cuda or cuda:N; None for a GPU if there is one.
        launcher: what started the process; torchrun's processes share the GPUs out among themselves.

    Raises:
        ConfigError: there is no such device, or the launcher chooses.
    """
    from wsolkit.errors import ConfigError

    if name is None:
        return
    if launcher != "none":
        raise ConfigError(
            f"--device {name} does not go with --launcher {launcher}: each process takes a GPU of its own. Choose "
            "among them with CUDA_VISIBLE_DEVICES, or leave --device out."
        )
    if name == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    from wsolkit.model.device import choose_device

    device = choose_device(name)
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"A training runs on cpu, cuda or cuda:N, but got --device {name}. Choose one of these.")
    if device.type == "cuda":
        torch.cuda.set_device(device.index or 0)
