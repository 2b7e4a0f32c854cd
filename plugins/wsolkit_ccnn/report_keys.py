"""Reads checkpoints of the report's own code, which keeps two whole ResNets and lists some tensors twice."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from wsolkit import CheckpointError

__all__ = ["is_report", "report_keys"]

GATED_BLOCK = re.compile(r"^(?P<before>.*?)(?P<network>\w+)\.layer4\.\d+\.amm\.ChannelAMM\.")
GATE = re.compile(r"^(\d+)\.amm\.(.+)$")
GATE_PARTS = {
    "ChannelAMM.mlp.1.": "mlp.0.",
    "ChannelAMM.mlp.3.": "mlp.2.",
    "SpatialAMM.spatial.conv.": "conv.",
    "SpatialAMM.spatial.bn.": "norm.",
}


def is_report(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict has the layout of the report's code."""
    return any(GATED_BLOCK.match(key) for key in state)


def report_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a state dict of the report's code (listing 4.2) for a ``CCNNBackbone`` of the same ResNet.

    The first network's tensors become ``model.*``. Of the second network, ``layer4`` becomes
    ``amm_stage.parts.layer4.*`` and its AMMs ``amm_stage.gates.layer4_<block>.*``. Left out are the second network's
    other stages, which nothing reads, both classifiers, and the second names of shared tensors (``stage3.0.*``,
    ``stage2_4.0.*``, ``conv1.*``).
    A prefix (``module.``, ``backbone.``) may stand before all of them.

    Raises:
        CheckpointError: the names are not those of the report's code.

    >>> import torch
    >>> names = ["resnet50.conv1.weight", "stage3.0.0.conv1.weight", "resnet50_2.layer4.0.conv1.weight",
    ...          "resnet50_2.conv1.weight", "resnet50_2.layer4.0.amm.ChannelAMM.mlp.1.weight"]
    >>> for name in report_keys({name: torch.zeros(1) for name in names}): print(name)
    model.conv1.weight
    amm_stage.parts.layer4.0.conv1.weight
    amm_stage.gates.layer4_0.mlp.0.weight
    """
    second = next(filter(None, map(GATED_BLOCK.match, state)), None)
    if second is None:
        raise CheckpointError(
            "The state dict has no '*.layer4.0.amm.ChannelAMM.*', so it is no CCNN of the report's code. "
            f"It begins with {', '.join(map(repr, list(state)[:3]))}. Give it as weights= without renaming."
        )
    before, gated = second["before"], f"{second['before']}{second['network']}."
    trunks = [
        key[: -len("conv1.weight")] for key in state if re.fullmatch(rf"{re.escape(before)}\w+\.conv1\.weight", key)
    ]
    trunk = next((prefix for prefix in trunks if prefix != gated), None)
    if trunk is None:
        raise CheckpointError(
            f"The state dict holds the report's second network, {gated}*, but not its first, {before}resnet50.*. "
            "Save the whole model's state_dict."
        )
    renamed = {}
    for key, value in state.items():
        if key.startswith(trunk) and not key.startswith(f"{trunk}fc."):
            renamed[f"model.{key.removeprefix(trunk)}"] = value
        elif key.startswith(f"{gated}layer4."):
            renamed[_in_stage(key.removeprefix(f"{gated}layer4."))] = value
    return renamed


def _in_stage(key: str) -> str:
    """Return our name of a tensor of the second network's layer4."""
    gate = GATE.match(key)
    if gate is None:
        return f"amm_stage.parts.layer4.{key}"
    block, inside = gate.groups()
    for theirs, ours in GATE_PARTS.items():
        if inside.startswith(theirs):
            inside = ours + inside.removeprefix(theirs)
    return f"amm_stage.gates.layer4_{block}.{inside}"
