"""The last stage of a timm model as a stage of its own, with a gate on the residual branch of each of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn

from wsolkit import ConfigError, MapModifier

__all__ = ["GatedStage", "names_between", "names_called_after"]

SLOT = "drop_path"
"""What timm's residual blocks call the module that sits at the end of the branch, right before the addition."""


class GatedStage(nn.Module):
    """A copy of some modules of a model, run one after the other, with a gate on each residual branch.

    A gate sits where the branch ends: behind its last norm (and squeeze-and-excitation), before drop path and addition.
    timm's blocks have a module there, ``drop_path``, so a hook before that module is all it takes, and the copy's state
    dict keeps the names of the original. Blocks that add nothing get no gate.

    State dict: ``parts.<module with _ for dots>.<rest as in the model>`` and ``gates.<block with _ for dots>.<gate>``.

    Args:
        parts: the modules, by their dotted names, in the order they run; they are copied with their weights.
    """

    def __init__(self, parts: dict[str, nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({name.replace(".", "_"): deepcopy(part) for name, part in parts.items()})
        self.gates = nn.ModuleDict()

    def forward(self, maps: Tensor) -> Tensor:
        """Run maps (B, C, h, w) through the copied modules and the gates."""
        for part in self.parts.values():
            maps = part(maps)
        return maps

    def add_gates(self, build: Callable[[int], MapModifier], probe: Tensor) -> None:
        """Put a gate on the residual branch of each block.

        Args:
            build: makes the gate of so many channels.
            probe: maps (B, C, h, w) to run through once in eval mode; they show which blocks have a branch.
        """
        for name, block, channels in list(self._branches(probe)):
            gate = build(channels)
            self.gates[name.replace(".", "_")] = gate
            getattr(block, SLOT).register_forward_pre_hook(_GateHook(gate))

    @torch.no_grad()
    def _branches(self, probe: Tensor) -> Iterator[tuple[str, nn.Module, int]]:
        """Yield name, block and channels of the branches that are added to something."""
        ends: dict[str, list[tuple[int, ...]]] = {}
        outputs: dict[str, list[tuple[int, ...]]] = {}
        handles = []
        blocks = dict(residual_blocks(self.parts))
        for name, block in blocks.items():
            if getattr(block, SLOT) is None:  # as in ResNet, which asks whether it is there
                setattr(block, SLOT, nn.Identity())
            note_input, note_output = partial(_note_input, ends, name), partial(_note_output, outputs, name)
            handles += [getattr(block, SLOT).register_forward_pre_hook(note_input)]
            handles += [block.register_forward_hook(note_output)]
        self.eval()
        try:
            self(probe)
        finally:
            self.train()
            for handle in handles:
                handle.remove()
        for name, block in blocks.items():
            shapes = ends.get(name, [])
            if len(shapes) == 1 and shapes == outputs.get(name) and len(shapes[0]) == 4:
                yield name, block, shapes[0][1]


def residual_blocks(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the blocks of a timm model that may have a residual branch, by name.

    >>> import timm
    >>> [name for name, _ in residual_blocks(timm.create_model("resnet18").layer4)]
    ['0', '1']
    >>> list(residual_blocks(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())))
    []
    """
    for name, block in module.named_modules():
        if hasattr(block, SLOT) and isinstance(getattr(block, SLOT), (nn.Module, type(None))):
            yield name, block


def names_between(model: nn.Module, before: str, last: str) -> list[str]:
    """Return the names of the modules that follow ``before`` up to ``last``, both children of the same module.

    Raises:
        ConfigError: they lie in different modules.

    >>> blocks = nn.ModuleDict({"blocks": nn.Sequential(*[nn.Identity() for _ in range(7)])})
    >>> names_between(blocks, "blocks.4", "blocks.6")
    ['blocks.5', 'blocks.6']
    """
    (parent, _, first), (other, _, end) = before.rpartition("."), last.rpartition(".")
    children = [name for name, _ in model.get_submodule(parent).named_children()] if parent == other else []
    if first not in children or end not in children:
        raise ConfigError(
            f"{type(model).__name__} keeps its last two levels, {before!r} and {last!r}, in different modules, so its "
            "last stage cannot be built a second time. Choose a ResNet, RegNet, ConvNeXt, MobileNetV2 or EfficientNet."
        )
    names = children[children.index(first) + 1 : children.index(end) + 1]
    return [f"{parent}.{name}" if parent else name for name in names]


def names_called_after(model: nn.Module, last: str, run: Callable[[], object]) -> list[str]:
    """Return the names of the model's children that are called after the module ``last``, in this order.

    Args:
        model: the model.
        last: dotted name of one of its modules.
        run: runs the model once.
    """
    called: list[str] = []
    watched = {name: child for name, child in model.named_children() if not f"{last}.".startswith(f"{name}.")}
    watched[last] = model.get_submodule(last)
    handles = [module.register_forward_hook(partial(_note_name, called, name)) for name, module in watched.items()]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return called[called.index(last) + 1 :] if last in called else []


class _GateHook:
    """A hook before a module that passes its input through a gate; a deep copy goes with the copy of the gate."""

    def __init__(self, gate: MapModifier) -> None:
        self.gate = gate

    def __call__(self, _module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (self.gate(inputs[0]), *inputs[1:])


def _note_input(shapes: dict[str, list], name: str, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    shapes.setdefault(name, []).append(tuple(inputs[0].shape))


def _note_output(
    shapes: dict[str, list], name: str, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor
) -> None:
    shapes.setdefault(name, []).append(tuple(output.shape))


def _note_name(called: list[str], name: str, *_: object) -> None:
    called.append(name)
