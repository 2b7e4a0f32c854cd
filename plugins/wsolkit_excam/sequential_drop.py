"""Of several maps of a class, each loses the cells in which an earlier one found the object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

import torch
from torch import Tensor, nn

from wsolkit import ConfigError, MapModifier, Panel, ShapeError, normalize_maps

__all__ = ["SequentialDrop", "hard_gates", "soft_gates", "straight_through_gates"]

FIXED: Final = "fixed"
LITERAL: Final = "literal"
MASKED: Final = "masked"
UNTOUCHED: Final = "untouched"
Variant = Literal["fixed", "literal"]
FirstMap = Literal["masked", "untouched"]
ZERO: Final = 0
MINIMUM: Final = "min"


def hard_gates(
    maps: Tensor,
    delta: Tensor | float = 0.5,
    variant: Variant = FIXED,
    first_map: FirstMap = MASKED,
) -> Tensor:
    """Return which cells each map keeps (ex-CAM, section 3.3).

    A cell is important in a map where sigmoid(U) >= delta.

    Args:
        maps: the raw maps U of a class in their order, (B, K, M, h, w).
        delta: in (0, 1).
        variant: ``fixed`` keeps what no earlier map holds important, ``literal`` what neither an earlier map nor the
            map itself does.
        first_map: ``masked`` keeps the important cells of the first map, ``untouched`` all.

    Returns:
        (B, K, M, h, w) bool.

    >>> maps = torch.tensor([2.0, 3.0, -1.0]).view(1, 1, 3, 1, 1)
    >>> hard_gates(maps).flatten().tolist(), hard_gates(-maps).flatten().tolist()
    ([True, False, False], [False, True, True])
    """
    important = maps >= (torch.logit(delta) if isinstance(delta, Tensor) else math.log(delta / (1 - delta)))
    found = important[:, :, 0]  # by this map or an earlier one
    kept = [found if first_map == MASKED else torch.ones_like(found)]
    for number in range(1, maps.shape[2]):
        before, found = found, found | important[:, :, number]
        kept.append(~(found if variant == LITERAL else before))
    return torch.stack(kept, 2)


def soft_gates(
    maps: Tensor,
    delta: Tensor | float,
    temperature: float,
    variant: Variant = FIXED,
    first_map: FirstMap = MASKED,
) -> Tensor:
    """Return how much of each cell a map keeps: ``hard_gates`` with M = sigmoid((delta - sigmoid(U)) / temperature).

    Args:
        maps: the raw maps U, (B, K, M, h, w).
        delta: in (0, 1); gradients reach it.
        temperature: positive; the smaller, the harder.
        variant: see ``hard_gates``.
        first_map: see ``hard_gates``.

    Returns:
        (B, K, M, h, w) float32 in [0, 1].

    >>> soft_gates(torch.zeros(1, 1, 3, 1, 1), 0.5, temperature=0.1).flatten().tolist()
    [0.5, 0.5, 0.25]
    """
    with torch.autocast(maps.device.type, enabled=False):
        unimportant = torch.sigmoid((delta - torch.sigmoid(maps.float())) / temperature)
        products = unimportant.cumprod(2)
        first = 1 - unimportant[:, :, :1] if first_map == MASKED else torch.ones_like(unimportant[:, :, :1])
        return torch.cat([first, products[:, :, 1:] if variant == LITERAL else products[:, :, :-1]], 2)


def straight_through_gates(
    maps: Tensor,
    delta: Tensor | float,
    temperature: float,
    variant: Variant = FIXED,
    first_map: FirstMap = MASKED,
) -> Tensor:
    """Return ``hard_gates`` with the gradients of ``soft_gates`` (straight-through, Bengio et al. 2013).

    Args:
        maps: the raw maps U, (B, K, M, h, w).
        delta: in (0, 1); gradients reach it.
        temperature: of the soft gates whose gradients these are; positive.
        variant: see ``hard_gates``.
        first_map: see ``hard_gates``.

    Returns:
        (B, K, M, h, w) float32, 0 or 1.

    >>> delta = torch.tensor(0.5, requires_grad=True)
    >>> gates = straight_through_gates(torch.tensor([2.0, 3.0]).view(1, 1, 2, 1, 1), delta, temperature=0.5)
    >>> gates[0, 0, 1].sum().backward()
    >>> gates.flatten().tolist(), round(delta.grad.item(), 3)
    ([1.0, 0.0], 0.434)
    """
    soft = soft_gates(maps, delta, temperature, variant, first_map)
    at = delta.detach() if isinstance(delta, Tensor) else delta
    return hard_gates(maps.detach(), at, variant, first_map) + (soft - soft.detach())


class SequentialDrop(MapModifier):
    """Lets each map of a class see only what earlier maps of that class did not find (ex-CAM).

    With the M raw maps U_j of a class and M_j = 1 where sigmoid(U_j) < delta, else 0, the first map becomes
    (1 - M_1) U_1, and the j-th

    - ``fixed``: M_1 ... M_{j-1} U_j, so that it loses what earlier maps hold important;
    - ``literal``, as section 3.3 prints it: M_1 ... M_j U_j, so that it loses its own important cells as well. With
      delta .5 no map after the first is then above 0 anywhere: it can only lower the score of its class.

    It sits on the maps of a head with several maps per class:
    ``dict(type="SequentialDrop", at="maps")`` and ``head=dict(type="ConvHead", maps_per_class=8)``.

    Args:
        maps_per_class: M; channel k * M + m is map m of class k. A ``Localizer`` fills in its head's; by default all
            channels are maps of one class.
        variant: ``fixed`` or ``literal``.
        delta: the share of importance, in (0, 1).
        temperature: None for hard masks; a positive number for soft ones, sigmoid((delta - sigmoid(U)) / temperature),
            through which gradients pass.
        learn_delta: train delta, from the given one on; it stays in (0, 1). Needs a temperature.
        straight_through: drop by hard masks and pass the gradients of the soft ones, so that a delta is learned for the
            masks that are used. Needs a temperature.
        first_map: ``masked``, as the paper, or ``untouched``.
        fill: what dropped cells become: 0, as the paper, or ``min``, the lowest score of the same map. No gradient
            passes through it.
        at_test: drop in eval mode as well.

    Raises:
        ConfigError: an argument is out of range, or learn_delta or straight_through has no temperature.

    >>> maps = torch.tensor([2.0, 3.0, -1.0, -2.0]).view(1, 4, 1, 1)  # two classes of two maps
    >>> SequentialDrop(maps_per_class=2)(maps).flatten().tolist()
    [2.0, 0.0, -0.0, -2.0]
    """

    only_at: ClassVar[str | None] = "maps"

    def __init__(
        self,
        maps_per_class: int | None = None,
        variant: Variant = FIXED,
        delta: Annotated[float, "in (0, 1)"] = 0.5,
        temperature: Annotated[float, "in (0, inf)"] | None = None,
        learn_delta: bool = False,
        first_map: FirstMap = MASKED,
        fill: Literal[0, "min"] = ZERO,
        at_test: bool = False,
        straight_through: bool = False,
    ) -> None:
        super().__init__()
        if maps_per_class is not None and maps_per_class < 2:
            raise ConfigError(
                f"SequentialDrop needs two maps of a class or more, but maps_per_class is {maps_per_class}. Set "
                "head=dict(type='ConvHead', maps_per_class=8)."
            )
        if learn_delta and temperature is None:
            raise ConfigError(
                "SequentialDrop cannot learn delta with hard masks, which have no gradient. Set temperature, such as "
                "0.1, for soft ones."
            )
        if straight_through and temperature is None:
            raise ConfigError(
                "SequentialDrop passes the gradients of soft masks with straight_through=True, but has no temperature "
                "for them. Set temperature, such as 0.1."
            )
        self.straight_through = straight_through
        self.maps_per_class = maps_per_class
        self.variant = variant
        self.temperature = temperature
        self.first_map = first_map
        self.fill = fill
        self.at_test = at_test
        self.fixed_delta = delta
        self.delta_logit = nn.Parameter(torch.tensor(math.log(delta / (1 - delta)))) if learn_delta else None

    @property
    def delta(self) -> Tensor | float:
        """The threshold in (0, 1): a number, or the learned one with its gradient."""
        return self.fixed_delta if self.delta_logit is None else torch.sigmoid(self.delta_logit)

    def forward(self, maps: Tensor) -> Tensor:
        """Drop in training, and in eval mode where ``at_test`` says so."""
        return self.modify(maps) if self.training or self.at_test else maps

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, K * M, h, w) with cells dropped.

        Raises:
            ShapeError: the channels are no multiple of M.
        """
        several = self.maps_per_class or maps.shape[1]
        if maps.shape[1] % several:
            raise ShapeError(
                f"SequentialDrop has maps_per_class={several}, which does not divide the {maps.shape[1]} maps it was "
                "given. Set it to the maps_per_class of the head, or leave it out.",
                about=type(self).__name__,
            )
        every = maps.unflatten(1, (-1, several))  # (B, K, M, h, w)
        if self.temperature is None:
            gates = hard_gates(every.detach(), self.fixed_delta, self.variant, self.first_map)
        else:
            made = straight_through_gates if self.straight_through else soft_gates
            gates = made(every, self.delta, self.temperature, self.variant, self.first_map).to(maps.dtype)
        self.note(dropped=1 - gates.detach().mean(dtype=torch.float32))
        if self.delta_logit is not None:
            self.note(delta=self.delta_logit.detach().sigmoid())
        if self.fill == ZERO:
            return (every * gates).flatten(1, 2)
        lowest = every.detach().amin((-2, -1), keepdim=True)
        kept = torch.where(gates, every, lowest) if self.temperature is None else torch.lerp(lowest, every, gates)
        return kept.flatten(1, 2)

    def panels(self, maps: Tensor, label: int) -> Sequence[Panel]:
        """Return the importance of each map of the class with what the drop leaves of it, and the CAM's two signs."""
        several = self.maps_per_class or maps.shape[1]
        own = maps.unflatten(1, (-1, several))[0, min(label, maps.shape[1] // several - 1)].float()  # (M, h, w)
        left = self.modify(own[None])[0] == own
        found = []
        for number in range(several):
            found.append(Panel(f"map {number + 1}: importance", own[number].sigmoid().cpu().numpy()))
            found.append(Panel(f"map {number + 1}: what is left", left[number].cpu().numpy()))
        for name, part in (("positive CAM", own), ("negative CAM", -own)):
            found.append(Panel(name, normalize_maps(part.clamp(min=0).mean(0), "max").cpu().numpy()))
        return found
