"""What timm's token models know beside their maps, for those who ask: class token, attention and keys of their blocks.

A level is named after the block and what is asked of it: ``blocks.11.attention``. A hook on the block's attention makes
queries and keys once more of the tokens that went in, by the block's own weights; what the block does is left alone,
whether its attention is fused or not, and gradients flow through both.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

import torch
import torch.nn.functional as F
from timm import layers
from timm.layers import apply_rot_embed_cat
from timm.models import eva, vision_transformer
from torch import Tensor, nn

from wsolkit.errors import ConfigError, nearest

__all__ = [
    "ATTENTION",
    "CLS",
    "FINAL",
    "PREFIX",
    "TOKEN_LEVELS",
    "TokenTap",
    "attention_of",
    "can_give",
    "check_token_level",
    "queries_and_keys",
    "split_level",
    "tap_blocks",
    "tokens_of",
    "with_token_levels",
]

FINAL = "final"
"""The level that holds what the model's own classifier would see, before pooling."""

CLS: Final = "cls"
ATTENTION: Final = "attention"
KEYS: Final = "keys"
PREFIX: Final = "prefix"
TOKEN_LEVELS = (ATTENTION, KEYS, PREFIX, CLS)
"""What may be asked of a block, before its map, which stays the deepest level of the block."""

KNOWN: tuple[type[nn.Module], ...] = (
    vision_transformer.Attention,
    eva.EvaAttention,
    *filter(None, [getattr(layers, "AttentionRope", None)]),
)
"""Attention of all tokens to all, made of queries and keys alone: ViT, DeiT, DINO to DINOv3, CLIP, EVA."""


def split_level(level: str) -> tuple[str, str]:
    """Return the place and what is asked of it: ``attention``, ``keys``, ``cls``, or nothing for its map.

    >>> split_level("blocks.11.keys"), split_level("blocks.11")
    (('blocks.11', 'keys'), ('blocks.11', ''))
    """
    place, _, asked = level.rpartition(".")
    return (place, asked) if asked in TOKEN_LEVELS and place else (level, "")


def queries_and_keys(attention: Any, tokens: Tensor, rope: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Return what an attention module makes of tokens.

    Args:
        attention: timm's ``Attention``, ``AttentionRope`` or ``EvaAttention``.
        tokens: (B, n, C), what goes into it.
        rope: rotary positions, where the model gives it some.

    Returns:
        Queries and keys as they are compared, (B, heads, n, d) each, and the keys before a rotary position turned them.
    """
    heads = attention.num_heads
    if attention.qkv is None:
        queries, keys = attention.q_proj(tokens), attention.k_proj(tokens)
    else:
        weight = attention.qkv.weight
        size = len(weight) // 3  # queries, keys, values
        bias = attention.qkv.bias
        if bias is None and getattr(attention, "q_bias", None) is not None:
            bias = torch.cat((attention.q_bias, attention.k_bias))
        both = F.linear(tokens, weight[: 2 * size], None if bias is None else bias[: 2 * size])
        queries, keys = both.split(size, dim=-1)
    queries = queries.unflatten(-1, (heads, -1)).transpose(1, 2)
    keys = keys.unflatten(-1, (getattr(attention, "num_kv_heads", heads), -1)).transpose(1, 2)
    queries, keys = attention.q_norm(queries), attention.k_norm(keys)
    turned = keys
    if rope is not None:
        first = attention.num_prefix_tokens
        half = {"half": True} if getattr(attention, "rotate_half", False) else {}

        def turn(each: Tensor) -> Tensor:
            cells = apply_rot_embed_cat(each[:, :, first:], rope, **half)
            return torch.cat([each[:, :, :first], cells], dim=2).type_as(each)

        queries, turned = turn(queries), turn(keys)
    return queries, turned.repeat_interleave(heads // turned.shape[1], dim=1), keys


def attention_of(attention: Any, queries: Tensor, keys: Tensor) -> Tensor:
    """Return how much each token looks at each, (B, heads, n, n), in float32 at least; rows add up to 1."""
    scores = (queries * attention.scale) @ keys.transpose(-2, -1)
    return scores.softmax(dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))


class TokenTap:
    """A hook on the attention of a block that keeps what is asked for until it is taken.

    Args:
        asked: of ``attention`` and ``keys``.
    """

    def __init__(self, asked: Iterable[str]) -> None:
        self.asked = frozenset(asked)
        self.found: dict[str, Tensor] = {}

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], _output: Any) -> None:
        """Keep what is asked for of the tokens that went in."""
        tokens = inputs[0] if inputs else named["x"]
        queries, turned, keys = queries_and_keys(module, tokens, named.get("rope"))
        if ATTENTION in self.asked:
            self.found[ATTENTION] = attention_of(module, queries, turned)
        if KEYS in self.asked:
            self.found[KEYS] = keys.transpose(1, 2).flatten(2)  # (B, n, C)

    def take(self, asked: str) -> Tensor:
        """Return what was kept, and forget it."""
        return self.found.pop(asked)


def tap_blocks(model: nn.Module, levels: Iterable[str]) -> dict[str, TokenTap]:
    """Put hooks on the attention of the blocks whose attention or keys are levels; return them by block."""
    asked: dict[str, list[str]] = {}
    for place, what in map(split_level, levels):
        if what in (ATTENTION, KEYS):
            asked.setdefault(place, []).append(what)
    taps = {place: TokenTap(whats) for place, whats in asked.items()}
    for place, tap in taps.items():
        model.get_submodule(f"{place}.attn").register_forward_hook(tap, with_kwargs=True)
    return taps


def tokens_of(level: str, taps: Mapping[str, TokenTap], first: Tensor | None, grid: tuple[int, int]) -> Tensor:
    """Return a token level of what was seen in a forward pass.

    Args:
        level: its name.
        taps: the hooks, by block.
        first: (B, P, C), the tokens before the cells, of which the first is the class token; used for ``cls`` and
            ``prefix`` alone.
        grid: (h, w) cells of the map.

    Returns:
        ``cls`` (B, C, 1, 1), ``prefix`` (B, C, P, 1), ``attention`` (B, heads, n, n) with the prefix tokens first,
        ``keys`` (B, C, h, w).
    """
    place, asked = split_level(level)
    if asked in (CLS, PREFIX):
        assert first is not None
        return first[:, : 1 if asked == CLS else None].transpose(1, 2).unsqueeze(3)
    found = taps[place].take(asked)
    if asked == ATTENTION:
        return found
    cells = found[:, found.shape[1] - grid[0] * grid[1] :]
    return cells.transpose(1, 2).unflatten(2, grid).contiguous()


def with_token_levels(model: nn.Module, shapes: Mapping[str, int]) -> dict[str, int]:
    """Return the channels of each level a token model can give, those of its tokens before each map.

    Args:
        model: a timm model.
        shapes: channels of its maps, by the names of their places.
    """
    every: dict[str, int] = {}
    for place, channels in shapes.items():
        for asked in TOKEN_LEVELS:
            if can_give(model, place, asked):
                every[f"{place}.{asked}"] = channels if asked in (CLS, PREFIX) else channels_of(model, place, asked)
        every[place] = channels
    return every


def channels_of(model: nn.Module, place: str, asked: str) -> int:
    """Return the channels of the attention (heads) or of the keys of a block."""
    attention: Any = model.get_submodule(f"{place}.attn")
    if asked == ATTENTION:
        return int(attention.num_heads)
    weight = attention.k_proj.weight if attention.qkv is None else attention.qkv.weight
    return len(weight) if attention.qkv is None else len(weight) // 3


def can_give(model: nn.Module, place: str, asked: str) -> bool:
    """Whether a place of a model has a class token, or attention and keys of all tokens."""
    if asked in (CLS, PREFIX):
        there = has_class_token(model) if asked == CLS else bool(getattr(model, "num_prefix_tokens", 0))
        return there and (place == FINAL or gives_prefix(model))
    return place != FINAL and isinstance(dict(model.named_modules()).get(f"{place}.attn"), KNOWN)


def has_class_token(model: nn.Module) -> bool:
    """Whether the first token of a model stands for the image."""
    there = getattr(model, "cls_token", None) is not None and bool(getattr(model, "num_prefix_tokens", 0))
    return there and bool(getattr(model, "has_class_token", True))


def gives_prefix(model: Any) -> bool:
    """Whether a model gives the tokens before its maps too."""
    return "return_prefix_tokens" in inspect.signature(model.forward_intermediates).parameters


def check_token_level(model: nn.Module, name: str, level: str, shapes: Mapping[str, int]) -> None:
    """Say why a model has no such class token, attention or keys; nothing where the level is no such one.

    Args:
        model: a timm model.
        name: its name.
        level: the level that was asked for and is none of the model's.
        shapes: channels of its maps, by the names of their places.

    Raises:
        ConfigError: so it is.
    """
    place, asked = split_level(level)
    if not asked:
        return
    if place not in shapes:
        raise ConfigError(f"timm's {name} has no place {place!r}, so no level {level!r}. {nearest(place, shapes)}")
    raise ConfigError(f"timm's {name} has no level {level!r}{_reason(model, place, asked, shapes)}")


def _reason(model: nn.Module, place: str, asked: str, shapes: Mapping[str, int]) -> str:
    """Return why, and what to do, as the end of a sentence."""
    others = "Transformers that have it: ViT, DeiT, DINO, DINOv2, DINOv3, CLIP and EVA."
    if asked == PREFIX:
        return ", for timm gives no tokens before the cells there."
    if asked == CLS:
        there = ", for timm gives no class token of that block. Ask for 'final.cls'."
        return there if has_class_token(model) else f", for it has no class token. {others}"
    giving = [each for each in shapes if can_give(model, each, asked)]
    if giving:
        return f", for attention and keys are those of a block. The last one's are {giving[-1] + '.' + asked!r}."
    modules = dict(model.named_modules())
    attention, block = modules.get(f"{place}.attn"), modules.get(place)
    windows = model.modules() if attention is None else (block,)
    if any(getattr(module, "window_size", None) for module in windows):
        return f", for its attention looks at windows of the image, not at all tokens. {others}"
    if attention is None:
        return f", for {place!r} has no attention of all tokens to all. {others}"
    return f", for its attention ({type(attention).__name__}) is more than a softmax over queries and keys. {others}"
