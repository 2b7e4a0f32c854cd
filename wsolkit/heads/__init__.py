"""Activation heads: from feature levels to maps and logits."""

from wsolkit.heads.conv import ConvHead
from wsolkit.heads.levels import choose_level, concat_levels
from wsolkit.heads.linear import LinearHead, recombine

__all__ = ["ConvHead", "LinearHead", "choose_level", "concat_levels", "recombine"]
