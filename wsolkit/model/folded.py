"""Batch norms at rest are folded into the convolutions before them: one pass over the maps instead of two.

A norm that uses its running statistics is a scale and a shift of each channel, and so is what a convolution's weights
and bias can take over (``torch.nn.utils.fusion``). Nothing of the model changes for it: modules, their names, hooks and
the state dict stay what they are. A pair of convolution and norm is found by watching one image go through, and asks
at every call whether folding still gives the same: not while the norm trains or gradients to the weights are
recorded, not where a hook looks between the two, and with weights that are folded anew when they have changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from timm.layers import BatchNormAct2d, Conv2dSame
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["fold_norms", "folded_pairs", "unfold_norms"]

CONVOLUTIONS = (nn.Conv2d, Conv2dSame)
NORMS = (nn.BatchNorm2d, BatchNormAct2d)
"""Exactly these: what derives from them may compute something else."""

NORMED_BY = "_wsolkit_normed_by"
"""The attribute of a convolution's output by which the norm sees that nothing is left to do."""


def fold_norms(module: nn.Module, example: Tensor) -> nn.Module:
    """Fold batch norms into the convolutions before them wherever the module is evaluated.

    Args:
        module: a network in eval mode; it keeps its parameters and its state dict.
        example: one image or more (B, 3, H, W) that it takes; it goes through once, to see what follows what.

    Returns:
        The module itself. Outputs agree with those before to 1e-5 of the largest value.

    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    >>> folded_pairs(fold_norms(network, torch.zeros(1, 3, 8, 8)))
    [('0', '1')]
    """
    unfold_norms(module)
    names = {each: name for name, each in module.named_modules()}
    for conv, norm in _watch(module, example):
        holder, _, name = names[norm].rpartition(".")
        _Pair(conv, norm, module.get_submodule(holder), name).fold()
    return module


def unfold_norms(module: nn.Module) -> nn.Module:
    """Undo ``fold_norms`` and return the module itself."""
    for each in module.modules():
        if isinstance(getattr(each.__dict__.get("forward"), "__self__", None), _Pair):
            del each.__dict__["forward"]
    return module


def folded_pairs(module: nn.Module) -> list[tuple[str, str]]:
    """Return the names of the convolutions and norms that ``fold_norms`` has paired."""
    names = {each: name for name, each in module.named_modules()}
    pairs = [getattr(each.__dict__.get("forward"), "__self__", None) for each in names if isinstance(each, nn.Conv2d)]
    return [(names[pair.conv], names[pair.norm]) for pair in pairs if isinstance(pair, _Pair)]


class _Pair:
    """A convolution and the norm that alone reads its output."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, holder: nn.Module, name: str) -> None:
        self.conv, self.norm = conv, norm
        self.holder, self.name = holder, name
        self.made_of: Any = None
        self.weights: tuple[Tensor, Tensor] | None = None

    def fold(self) -> None:
        """Take over from both modules."""
        self.conv.__dict__["forward"] = self.convolve
        self.norm.__dict__["forward"] = self.normalise

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "made_of": None, "weights": None}

    def convolve(self, maps: Tensor) -> Tensor:
        """Convolve and normalise at once where that gives the same, else convolve only."""
        if not self._may_fold():
            self.weights = None
            return type(self.conv).forward(self.conv, maps)
        weight, bias = self._folded_weights()
        found: Tensor = _with_weights(self.conv, weight, bias, maps)
        setattr(found, NORMED_BY, self)
        return found

    def normalise(self, maps: Tensor) -> Tensor:
        """Normalise what the convolution has not."""
        if getattr(maps, NORMED_BY, None) is not self:
            return type(self.norm).forward(self.norm, maps)
        if isinstance(self.norm, BatchNormAct2d):
            maps = self.norm.act(self.norm.drop(maps))
        return maps

    def _may_fold(self) -> bool:
        conv, norm = self.conv, self.norm
        if norm.training or torch.compiler.is_compiling() or torch.jit.is_tracing():
            return False
        if conv._forward_hooks or conv._backward_hooks or norm._forward_pre_hooks or norm._backward_hooks:
            return False  # somebody looks between the two
        if type(conv) not in CONVOLUTIONS or type(norm) not in NORMS:
            return False  # parametrized since
        if self.holder._modules.get(self.name) is not norm:
            return False  # another norm took its place
        return not (torch.is_grad_enabled() and any(each.requires_grad for each in self._tensors()))

    def _tensors(self) -> list[Tensor]:
        conv, norm = self.conv, self.norm
        held = (conv.weight, conv.bias, norm.weight, norm.bias, norm.running_mean, norm.running_var)
        return [each for each in held if each is not None]

    @torch.no_grad()
    def _folded_weights(self) -> tuple[Tensor, Tensor]:
        """Return the weights with the norm inside, made once for each state of the two modules."""
        tensors, norm = self._tensors(), self.norm
        changed = [(each.data_ptr(), -1 if each.is_inference() else each._version, each.dtype) for each in tensors]
        made_of = (changed, norm.eps)
        if self.weights is None or self.made_of != made_of:
            conv = self.conv
            double = [
                None if each is None else each.double()
                for each in (conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.weight, norm.bias)
            ]
            weight, bias, mean, variance, scale, shift = double
            fused = fuse_conv_bn_weights(weight, bias, mean, variance, norm.eps, scale, shift)  # type: ignore[arg-type]
            like = torch.empty_like(conv.weight)  # in the layout of the convolution's own
            self.weights = (like.copy_(fused[0].detach()), fused[1].detach().to(like.dtype))
            self.made_of = made_of
        return self.weights


def _with_weights(conv: nn.Conv2d, weight: Tensor, bias: Tensor, maps: Tensor) -> Tensor:
    """Return what a convolution makes of maps with other weights."""
    if isinstance(conv, Conv2dSame):
        other = object.__new__(Conv2dSame)
        other.__dict__.update(conv.__dict__, _parameters={"weight": weight, "bias": bias})
        return Conv2dSame.forward(other, maps)
    return conv._conv_forward(maps, weight, bias)


def _watch(module: nn.Module, example: Tensor) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Run an image through and yield each convolution with the norm that alone reads its output."""
    watcher = _Watcher()
    with torch.no_grad(), watcher.on(module), watcher:
        module(example[:1])
    for conv, norms in watcher.norms.items():
        if len(set(norms)) == 1 and len(norms) == watcher.calls[conv] and conv not in watcher.spoilt:
            yield conv, norms[0]


class _Watcher(TorchDispatchMode):
    """Notes which norms read the outputs of convolutions, and which outputs something else reads too."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # holds the outputs, so that ids stay their own
        self.calls: dict[nn.Conv2d, int] = {}
        self.norms: dict[nn.Conv2d, list[nn.BatchNorm2d]] = {}
        self.spoilt: set[nn.Conv2d] = set()
        self.inside = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._spoil((args, kwargs))
        return func(*args, **(kwargs or {}))

    def _spoil(self, values: Any) -> None:
        for each in tree_leaves(values):
            if isinstance(each, Tensor) and id(each) in self.made and id(each) != self.inside:
                self.spoilt.add(self.made[id(each)][0])

    @contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        """Watch the modules inside."""
        handles = []
        for each in module.modules():
            if type(each) in CONVOLUTIONS:
                handles.append(each.register_forward_hook(self._made))
                continue
            handles.append(each.register_forward_hook(self._given))
            if type(each) in NORMS and each.running_mean is not None and each.running_var is not None:
                handles.append(each.register_forward_pre_hook(self._read))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _made(self, conv: Any, _: Any, output: Tensor) -> None:
        self.made[id(output)] = (conv, output)
        self.calls[conv] = self.calls.get(conv, 0) + 1

    def _read(self, norm: Any, inputs: tuple[Tensor, ...]) -> None:
        if id(inputs[0]) in self.made:
            self.norms.setdefault(self.made[id(inputs[0])][0], []).append(norm)
            self.inside = id(inputs[0])

    def _given(self, module: nn.Module, _: Any, output: Any) -> None:
        if type(module) in NORMS:
            self.inside = 0
        self._spoil(output)  # an output that leaves a module as it is may be read by anybody
