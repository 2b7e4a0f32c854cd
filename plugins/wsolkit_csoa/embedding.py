"""The network that embeds masked images: any backbone, kept out of the model unless it is trained."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from wsolkit import BACKBONES, Backbone, ConfigError

__all__ = ["Pool", "build_embedding", "build_structure", "checked_embedding", "embed", "has_weights"]

Pool = Literal["flatten", "average"]
WEIGHTS = ("weights", "pretrained")
UNSET = (None, False, "", "none")


def checked_embedding(config: Any) -> Any:
    """Return the configuration of an embedding network as a dict, AlexNet's by default; a built one as it is.

    Weights that are ``none`` or empty, as an environment variable gives that is not set, are left out.

    Raises:
        ConfigError: it names no backbone.
    """
    config = {"type": "AlexNet"} if config is None else config
    if isinstance(config, Backbone):
        return config
    if not isinstance(config, Mapping) or "type" not in config:
        raise ConfigError(
            f"embedding of CoAug is a backbone, written as dict(type='AlexNet', ...), but got {config!r}."
        )
    if isinstance(config["type"], str):
        BACKBONES.get(config["type"])  # complains about an unknown name
    return {key: value for key, value in config.items() if key not in WEIGHTS or value not in UNSET}


def has_weights(config: Any) -> bool:
    """Whether a network built from this configuration gets weights from somewhere."""
    return isinstance(config, Mapping) and any(key in config for key in WEIGHTS)


def build_embedding(config: Any) -> Backbone:
    """Build an embedding network on the CPU; one that stays random is announced."""
    if isinstance(config, Mapping) and not has_weights(config):
        warnings.warn(
            f"The embedding network {config['type']} of CoAug has no pretrained weights, so its distances say little. "
            "Give a weight file as embedding=dict(type=..., weights=PATH).",
            stacklevel=2,
        )
    return build_repeatably(config)


def build_structure(config: Any) -> Backbone:
    """Build the same network without reading its weights, for a model whose weights may come from a checkpoint."""
    if not has_weights(config):
        return build_embedding(config)
    return build_repeatably({key: value for key, value in config.items() if key not in WEIGHTS})


def build_repeatably(config: Any) -> Backbone:
    """Build a network with the same random numbers everywhere, and none of the caller's.

    One with random weights is then the same on every process and after every resume.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network: Backbone = BACKBONES.build(config)
    return network.to(memory_format=torch.channels_last)


def embed(network: Backbone, images: Tensor, pool: str = "flatten") -> Tensor:
    """Return one vector per image (B, d): the network's deepest level, flattened or averaged over its cells."""
    deepest = list(network(images).values())[-1]
    return deepest.flatten(1) if pool == "flatten" else deepest.mean((2, 3))
