"""Attention-based selection: hides features of the images that need it, in training."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from wsolkit import MODIFIERS, ConfigError, MapModifier, Panel, ShapeError, nearest, normalize_maps
from wsolkit.components import hide
from wsolkit_ass.rules import CLUTTER, HIDE, PASS, SelectionRule, at_least, attention_maps

__all__ = ["AttentionSelection"]

ANSWERS = {PASS: "passed", HIDE: "hidden", CLUTTER: "clutter"}


class AttentionSelection(MapModifier):
    """Chooses for each image whether to hide its peak, its peak and background, or nothing (ASS).

    The mean over channels is the attention map of an image. Its peak are the cells of at least ``alpha_fg`` times its
    maximum, its background those below ``alpha_bg`` times it. ``SelectionRule`` has the rule and its numbers; an image
    that is passed keeps its features, one to hide loses those of the peak, one with clutter those of peak and
    background. Each image is judged by itself, and no gradient flows through the choice.

    Args:
        alpha_bg: threshold of the background, in [0, alpha_fg); 0.2 in the experiments of the thesis, 0.1 in its
            description of the method.
        rule: the rule's own numbers where they are not the thesis's, ``dict(alpha_fg=0.9)``; see ``SelectionRule``.
        rescale: scale what an image keeps by its number of cells over that of its kept ones.
        hide: configuration of another map modifier that hides in the place of the peak's mask, where an image is to be
            hidden or cluttered; the others do not pass through it.
        channels: channels at this place, handed on to ``hide`` where it asks for them.

    Raises:
        ConfigError: a number is out of range, or ``hide`` is no map modifier.

    >>> import torch
    >>> modifier = AttentionSelection(rule=dict(small_object=0.0))
    >>> maps = torch.tensor([[[[9.0, 4.0, 4.0, 4.0, 0.0]]]])
    >>> modifier(maps).tolist(), modifier.scalars()
    ([[[[0.0, 4.0, 4.0, 4.0, 0.0]]]], {'clutter': 0.0, 'pass': 0.0, 'hide': 1.0})
    """

    def __init__(
        self,
        alpha_bg: float = 0.2,
        rule: Mapping[str, Any] | SelectionRule | None = None,
        rescale: bool = False,
        hide: Any = None,
        channels: int | None = None,
    ) -> None:
        super().__init__()
        self.rule = rule if isinstance(rule, SelectionRule) else built_rule(rule or {})
        if not 0 <= alpha_bg < self.rule.alpha_fg:
            raise ConfigError(
                f"alpha_bg of AttentionSelection should be in [0, alpha_fg), alpha_fg being {self.rule.alpha_fg}, but "
                f"got {alpha_bg}. Nothing would be left of an image with clutter."
            )
        self.alpha_bg = alpha_bg
        self.rescale = rescale
        self.hide = None if hide is None else built_modifier(hide, channels)
        if rescale and self.hide is not None:
            raise ConfigError(
                f"rescale=True of AttentionSelection counts the cells of its own masks, but hide is "
                f"{type(self.hide).__name__}, whose masks it does not know. Leave rescale out here and set it there."
            )

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with the chosen cells of the chosen images at 0."""
        peak, inside, answers = self.judged(attention_maps(maps))
        names = {"clutter": CLUTTER, "pass": PASS, "hide": HIDE}
        self.note(**{name: (answers == answer).float().mean() for name, answer in names.items()})
        if not torch.compiler.is_compiling() and bool((answers == PASS).all()):  # a compiled graph cannot ask
            return maps
        keep = inside | (answers != CLUTTER)[:, None, None]
        if self.hide is not None:
            return self._hidden_by_other(maps, answers, keep)
        keep &= ~peak | (answers == PASS)[:, None, None]
        return hide(maps, keep, rescale="image" if self.rescale else None)

    def judged(self, attention: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what is the peak and what is not background, each (B, h, w) bool, and the answers (B,)."""
        peak = at_least(attention, self.rule.alpha_fg)
        inside = at_least(attention, self.alpha_bg)
        answers = self.rule(attention, peak)
        left = (inside | (answers != CLUTTER)[:, None, None]) & ~peak
        return peak, inside, answers.masked_fill(~left.any(2).any(1), PASS)

    def panels(self, maps: Tensor, label: int) -> Sequence[Panel]:
        """Return the attention map, its masks, and what is left of the image, named by the answer (figure 17)."""
        attention = attention_maps(maps)
        peak, inside, answers = self.judged(attention)
        left = ~((self.modify(maps) == 0) & (maps != 0)).any(1)
        return (
            Panel("attention map", normalize_maps(attention)[0].cpu().numpy()),
            Panel(f"peak, {self.rule.alpha_fg:g}", peak[0].cpu().numpy()),
            Panel(f"object, {self.rule.alpha_object:g}", at_least(attention, self.rule.alpha_object)[0].cpu().numpy()),
            Panel(f"not background, {self.alpha_bg:g}", inside[0].cpu().numpy()),
            Panel(f"left: {ANSWERS[int(answers[0])]}", left[0].cpu().numpy()),
        )

    def _hidden_by_other(self, maps: Tensor, answers: Tensor, keep: Tensor) -> Tensor:
        """Put the images that are not passed through ``hide``, then take the background off those with clutter."""
        chosen = (answers != PASS).nonzero()[:, 0]
        every = len(chosen) == len(maps)
        given = maps if every else maps[chosen]
        assert self.hide is not None
        hidden = self.hide(given)
        if hidden.shape != given.shape:
            raise ShapeError(
                f"{type(self.hide).__name__}, which hides for AttentionSelection, was given {tuple(given.shape)} and "
                f"returned {tuple(hidden.shape)}. A map modifier has to keep the shape.",
                about=type(self).__name__,
            )
        if bool((answers == CLUTTER).any()):
            hidden = hidden * keep[chosen, None].to(maps.dtype)
        if every:
            return hidden
        whole = maps.clone()  # unlike index_copy, it keeps the channels innermost
        whole[chosen] = hidden.to(maps.dtype)
        return whole

    def scalars(self) -> dict[str, float]:
        """Return the parts of the last batch that were clutter, passed and hidden, and the numbers of ``hide``."""
        others = {} if self.hide is None else self.hide.scalars()
        return {**super().scalars(), **{f"hide_{name}": number for name, number in others.items()}}


def built_rule(config: Mapping[str, Any]) -> SelectionRule:
    """Return the rule with the numbers of a configuration.

    Raises:
        ConfigError: one is unknown or out of range.
    """
    known = [each.name for each in fields(SelectionRule)]
    for name in config:
        if name not in known:
            raise ConfigError(f"The rule of AttentionSelection has no {name!r}. {nearest(name, known)}")
    return SelectionRule(**config)


def built_modifier(config: Any, channels: int | None) -> MapModifier:
    """Build the modifier that hides, with ``channels`` where its ``__init__`` asks for them.

    Raises:
        ConfigError: it is no map modifier, or misses its channels.
    """
    if isinstance(config, Mapping) and channels is not None:
        kind = config.get("type")
        component = MODIFIERS.get(kind) if isinstance(kind, str) else kind
        if component is not None and "channels" in inspect.signature(component).parameters:
            config = {"channels": channels, **config}
    modifier = MODIFIERS.build(config)
    if not isinstance(modifier, MapModifier):
        raise ConfigError(
            f"hide of AttentionSelection is a map modifier, hide=dict(type='NAME', ...), but got "
            f"{type(modifier).__name__}."
        )
    return modifier
