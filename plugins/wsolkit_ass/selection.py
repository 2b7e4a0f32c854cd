"""Attention-based selection: hides features of the images that need it, in training."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from wsolkit import MODIFIERS, ConfigError, MapModifier, ShapeError
from wsolkit_ass.rules import CLUTTER, HIDE, PASS, SelectionRule, at_least, attention_maps

__all__ = ["AttentionSelection"]


class AttentionSelection(MapModifier):
    """Chooses for each image whether to hide its peak, its peak and background, or nothing (ASS).

    The mean over channels is the attention map of an image. Its peak are the cells of at least ``alpha_fg`` times its
    maximum, its background those below ``alpha_bg`` times it. ``SelectionRule`` has the rule and its numbers; an image
    that is passed keeps its features, one to hide loses those of the peak, one with clutter those of peak and
    background. Each image is judged by itself, and no gradient flows through the choice.

    Args:
        alpha_fg: threshold of the peak, in (0, 1].
        alpha_bg: threshold of the background, in [0, alpha_fg); 0.2 in the experiments of the thesis, 0.1 in its
            description of the method.
        alpha_object: threshold of the object, in (0, 1].
        dispersion: least dispersion of clutter; by default 40, or 40 / 130.5 with ``normalize_dispersion``.
        min_cells: least number of cells of a peak that can be clutter.
        small_object: images whose object covers less than this part of the map are passed.
        peak_share: so are those whose peak is more than this part of their object.
        variance_weight: mu 1, of the variances in the dispersion.
        component_weight: mu 2, of the number of pieces in the dispersion.
        normalize_dispersion: divide the variances by those of all cells of the map. As it is in the thesis, the
            dispersion is in cells squared: all cells of 14 x 14 have 32.5, so 40 is hardly ever reached there.
        rescale: scale what an image keeps by its number of cells over that of its kept ones.
        hide: configuration of another map modifier that hides in the place of the peak's mask, where an image is to be
            hidden or cluttered; the others do not pass through it.
        channels: channels at this place, handed on to ``hide`` where it asks for them.

    Raises:
        ConfigError: a number is out of range, or ``hide`` is no map modifier.

    >>> import torch
    >>> modifier = AttentionSelection(small_object=0.0)
    >>> maps = torch.tensor([[[[9.0, 4.0, 4.0, 4.0, 0.0]]]])
    >>> modifier(maps).tolist(), modifier.scalars()
    ([[[[0.0, 4.0, 4.0, 4.0, 0.0]]]], {'clutter': 0.0, 'pass': 0.0, 'hide': 1.0})
    """

    aliases: ClassVar[tuple[str, ...]] = ("ASS",)

    def __init__(
        self,
        alpha_fg: float = 0.8,
        alpha_bg: float = 0.2,
        alpha_object: float = 0.3,
        dispersion: float | None = None,
        min_cells: int = 4,
        small_object: float = 0.2,
        peak_share: float = 0.3,
        variance_weight: float = 1.0,
        component_weight: float = 0.0,
        normalize_dispersion: bool = False,
        rescale: bool = False,
        hide: Any = None,
        channels: int | None = None,
    ) -> None:
        super().__init__()
        self.rule = SelectionRule(
            alpha_fg,
            alpha_object,
            dispersion,
            min_cells,
            small_object,
            peak_share,
            variance_weight,
            component_weight,
            normalize_dispersion,
        )
        if not 0 <= alpha_bg < alpha_fg:
            raise ConfigError(
                f"alpha_bg of AttentionSelection should be in [0, alpha_fg), alpha_fg being {alpha_fg}, but got "
                f"{alpha_bg}. Nothing would be left of an image with clutter."
            )
        self.alpha_bg = alpha_bg
        self.rescale = rescale
        self.hide = None if hide is None else built_modifier(hide, channels)
        if rescale and self.hide is not None:
            raise ConfigError(
                f"rescale=True of AttentionSelection counts the cells of its own masks, but hide is "
                f"{type(self.hide).__name__}, whose masks it does not know. Leave rescale out here and set it there."
            )
        self.answers: Tensor | None = None

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with the chosen cells of the chosen images at 0."""
        attention = attention_maps(maps)
        peak = at_least(attention, self.rule.alpha_fg)
        inside = at_least(attention, self.alpha_bg)  # (B, h, w), not background
        answers = self.rule(attention, peak)
        nothing_left = (answers == CLUTTER) & ~(inside & ~peak).any(2).any(1)
        answers = answers.masked_fill(nothing_left, PASS)
        self.answers = answers
        if bool((answers == PASS).all()):
            return maps
        keep = inside | (answers != CLUTTER)[:, None, None]
        if self.hide is not None:
            return self._hidden_by_other(maps, answers, keep)
        keep &= ~peak | (answers == PASS)[:, None, None]
        mask = keep[:, None].to(maps.dtype)
        if self.rescale:
            kept = keep.sum((1, 2)).clamp(min=1)
            mask = mask * (keep[0].numel() / kept)[:, None, None, None].to(maps.dtype)
        return maps * mask

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
                f"returned {tuple(hidden.shape)}. A map modifier has to keep the shape."
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
        if self.answers is None:
            return {}
        names = {"clutter": CLUTTER, "pass": PASS, "hide": HIDE}
        found = {name: float((self.answers == answer).float().mean()) for name, answer in names.items()}
        if self.hide is not None and found["pass"] < 1:
            found.update({f"hide_{name}": value for name, value in self.hide.scalars().items()})
        return found


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
