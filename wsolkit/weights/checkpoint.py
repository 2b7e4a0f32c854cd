"""Reads files of weights without running code from them, and puts a checkpoint's weights into its model.

This is the only reader of such files: checkpoints of a training, and the weights of networks that others trained, whose
state dict may lie below ``state_dict``, ``model`` or another entry. What fits of those is for ``fit_weights`` to find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wsolkit.errors import CheckpointError
from wsolkit.weights.embedded import EMBEDDED, NETWORK, embedded_weights
from wsolkit.weights.safely import entries, first_line, read_safely

__all__ = [
    "check_weights",
    "download_failed",
    "fetch_torchvision",
    "find_state",
    "load_weights",
    "read_checkpoint",
    "read_weights",
]

WRAPPERS = ("state_dict", "model", "model_state", "model_state_dict", "network", "net", "teacher", "student")
"""Entries of a file under which a state dict is looked for, in this order."""

SHOWN = 4


def read_checkpoint(path: str | Path, map_location: Any = "cpu", bare: bool = False) -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values; anything that could run code is refused unread.

    Args:
        path: the file.
        map_location: where tensors go, as in ``torch.load``.
        bare: whether a file that is a state dict itself will do, as authors of methods publish.

    Returns:
        A dict that holds at least ``state_dict``.

    Raises:
        CheckpointError: the file is missing, truncated, holds more than tensors and plain values, or is no checkpoint.
    """
    checkpoint = read_safely(path, map_location)
    if bare and isinstance(checkpoint, dict) and "state_dict" not in checkpoint:
        checkpoint = {"state_dict": checkpoint}
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("state_dict"), Mapping):
        raise CheckpointError(
            f"The file {path} is no checkpoint of a training: it has no state_dict, but {entries(checkpoint)}. "
            "Give pretrained weights of a backbone as weights=..., and checkpoints of wsolkit train here."
        )
    for name, value in checkpoint["state_dict"].items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"The state_dict of {path} should hold tensors by name, but {str(name)[:60]!r} is a "
                f"{type(value).__name__}. Use a checkpoint that wsolkit train wrote."
            )
    check_meta(checkpoint.get("meta"), path)
    return checkpoint


def check_meta(meta: Any, path: str | Path) -> None:
    """Look at what a checkpoint says about itself, as far as anybody reads it.

    Raises:
        CheckpointError: it is of another type than training writes.
    """
    if meta is None:
        return
    told = meta.get("dataset_meta") if isinstance(meta, dict) else None
    wrong = None if isinstance(meta, dict) else ("meta", "a dict", meta)
    if told is not None and not isinstance(told, dict):
        wrong = ("meta.dataset_meta", "a dict", told)
    for place, holder in (("meta", meta), ("meta.dataset_meta", told)):
        names = holder.get("classes") if isinstance(holder, dict) else None
        plain = isinstance(names, (list, tuple)) and all(isinstance(name, (str, int)) for name in names)
        if names is not None and not plain:
            wrong = (f"{place}.classes", "a list of names", names)
    if wrong is not None:
        place, wanted, given = wrong
        raise CheckpointError(
            f"{place} of the checkpoint {path} should be {wanted}, but is a {type(given).__name__}. The file was not "
            "written by wsolkit train as it is now; use the original."
        )


def read_weights(source: str | Path, network: str | None = None) -> dict[str, Tensor]:
    """Read the state dict in a local .pth, .pt, .bin or .safetensors file, on the CPU.

    Args:
        source: path of the file, or "embedded" for the weights that are installed with wsolkit.
        network: timm's name of the network that they are for, if it is timm's.

    Raises:
        CheckpointError: the file is missing, damaged, could run code, or holds no state dict.
        ConfigError: the embedded weights are asked for, which are of another network.
    """
    if source == EMBEDDED:
        return embedded_weights(network)
    payload = read_safely(source)
    state = find_state(payload)
    if not state:
        raise CheckpointError(
            f"{source} holds no state dict, but {entries(payload)}. Save model.state_dict() and give that file."
        )
    return state


def find_state(payload: Any, deep: int = 8) -> dict[str, Tensor]:
    """Return the state dict inside a checkpoint, or an empty one; below so many entries nothing is looked for.

    >>> import torch
    >>> find_state({"epoch": 3, "state_dict": {"fc.bias": torch.zeros(2)}})
    {'fc.bias': tensor([0., 0.])}
    """
    if not isinstance(payload, Mapping) or deep == 0:
        return {}
    for wrapper in WRAPPERS:
        found = find_state(payload.get(wrapper), deep - 1)
        if found:
            return found
    return {name: value for name, value in payload.items() if isinstance(name, str) and isinstance(value, Tensor)}


def check_weights(model: nn.Module, state_dict: Mapping[str, Tensor], source: str | Path) -> None:
    """Compare the names and shapes of a checkpoint's weights with the model's.

    A buffer without elements takes any shape: its part learns the sizes from the first batch.

    Raises:
        CheckpointError: names are missing or too many, or shapes differ; the message lists the first few.
    """
    expected = model.state_dict()
    given = plain_names(state_dict)
    complaints = []
    missing = [name for name in expected if name not in given]
    surplus = [name for name in given if name not in expected]
    if missing:
        complaints.append(f"it lacks {listed(missing)}")
    if surplus:
        complaints.append(f"the model has no {listed(surplus)}")
    differing = [
        f"{name} is {tuple(given[name].shape)} there and {tuple(expected[name].shape)} in the model"
        for name in expected
        if name in given and expected[name].numel() and given[name].shape != expected[name].shape
    ]
    if differing:
        more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
        complaints.append("; ".join(differing[:SHOWN]) + more)
    if complaints:
        raise CheckpointError(
            f"The checkpoint {source} was made for another model: {'; '.join(complaints)}. "
            "Use the configuration it was trained with (config.py beside it), or another checkpoint."
        )


def listed(names: list[str]) -> str:
    """Return the first few names and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def load_weights(model: nn.Module, checkpoint: Mapping[str, Any], source: str | Path) -> None:
    """Put a checkpoint's weights into a model, all of them.

    Args:
        model: the model, as built from the checkpoint's configuration.
        checkpoint: what ``read_checkpoint`` returned.
        source: where it came from, for messages.

    Raises:
        CheckpointError: the checkpoint was made for another model.
    """
    check_weights(model, checkpoint["state_dict"], source)
    weights = plain_names(checkpoint["state_dict"])
    make_room(model, weights)
    model.load_state_dict(weights)


def make_room(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give buffers without elements, whose sizes the first batch decides, the shapes they have in a state dict.

    >>> import torch
    >>> model = nn.BatchNorm1d(2)
    >>> model.running_mean = torch.zeros(0)
    >>> make_room(model, {"running_mean": torch.ones(2)})
    >>> model.running_mean
    tensor([0., 0.])
    """
    for prefix, module in model.named_modules():
        for name, buffer in module.named_buffers(recurse=False):
            kept = weights.get(f"{prefix}.{name}" if prefix else name)
            if kept is not None and not buffer.numel():
                setattr(module, name, buffer.new_zeros(kept.shape))


def plain_names(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict without the prefix of a parallel wrapper.

    >>> import torch
    >>> plain_names({"module.head.bias": torch.zeros(1)})
    {'head.bias': tensor([0.])}
    """
    return {name.removeprefix("module."): value for name, value in state_dict.items()}


def fetch_torchvision(what: str, download: Callable[..., dict[str, Tensor]]) -> dict[str, Tensor]:
    """Download a state dict, or say in words why not.

    Raises:
        CheckpointError: there is no network, or the download failed.
    """
    try:
        return download(progress=False, check_hash=True, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError) as error:
        raise download_failed(what, error) from error


def download_failed(what: str, error: Exception) -> CheckpointError:
    """Return the error to raise where pretrained weights cannot be downloaded."""
    return CheckpointError(
        f"The pretrained weights of {what} could not be downloaded ({type(error).__name__}: {first_line(error)}). "
        f'Without network set weights="{EMBEDDED}", which is installed with wsolkit and goes with a TimmBackbone of '
        f'name="{NETWORK}" (mean and std .5); or fetch the file elsewhere and set weights=PATH (on the command line '
        "--cfg-options model.backbone.weights=PATH), or point HF_HOME or TORCH_HOME at a cache that has it. Without "
        "weights, training starts from random numbers: weights=None."
    )
