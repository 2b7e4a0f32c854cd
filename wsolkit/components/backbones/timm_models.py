"""Builds timm models: answers wrong names, options and output strides in words, and frees the image size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import timm
from torch import nn

from wsolkit.errors import ConfigError, nearest
from wsolkit.weights.checkpoint import download_failed
from wsolkit.weights.network import cache_alone_without_network
from wsolkit.weights.safely import first_line

__all__ = ["build_timm_model", "feature_places", "fixed_image_size", "undilate"]

SIZE_OPTIONS: tuple[dict[str, Any], ...] = ({"dynamic_img_size": True}, {"strict_img_size": False}, {})
"""Ways to let a token model take images of any size, in the order they are tried; not every model knows them."""


def build_timm_model(
    name: str, output_stride: int | None = None, pretrained: bool = False, **options: Any
) -> nn.Module:
    """Build a timm model without its classifier.

    Models made for one image size are asked to take others too, unless an option says what to do
    (``img_size``, ``dynamic_img_size`` or ``strict_img_size``).

    Args:
        name: timm's name, with or without a tag (``resnet50``, ``resnet50.a1_in1k``).
        output_stride: 8, 16 or 32; None leaves the model's own.
        pretrained: download timm's weights.
        options: anything timm's ``create_model`` takes.

    Raises:
        ConfigError: the name, an option or the output stride is unknown to timm or to this model.
        CheckpointError: the weights cannot be downloaded.
    """
    _check_name(name)
    _check_files(name, options)
    if pretrained and name.strip().lower().startswith("local-dir:"):
        raise ConfigError(f"timm would read the weights of {name} itself. Give them to wsolkit's reader: weights=PATH.")
    if output_stride is None:
        return _create(name, pretrained, options)
    if output_stride not in (8, 16, 32):
        raise ConfigError(f"An output stride is 8, 16 or 32, but got {output_stride!r} for {name}.")
    try:
        model = _create(name, pretrained, {**options, "output_stride": output_stride})
    except _RefusedOptionError as refused:
        if not refused.blames("output_stride"):
            raise
        model = _create(name, pretrained, options)
    places = feature_places(model)
    if places[-1][1] != output_stride:
        fitting = [place for place, stride in places if stride == output_stride]
        raise ConfigError(
            f"timm's {name} cannot be given output_stride={output_stride}, its own is {places[-1][1]}. "
            + (f"Its level {fitting[-1]!r} has that stride: set levels=[{fitting[-1]!r}]. " if fitting else "")
            + "Models that can: ResNet, RegNet, ConvNeXt, MobileNetV2, EfficientNet and others."
        )
    return model


def undilate(model: nn.Module) -> None:
    """Set the dilation of all convolutions to 1, and their padding to what then keeps the size.

    >>> conv = nn.Conv2d(1, 1, 3, padding=2, dilation=2)
    >>> undilate(conv)
    >>> conv.dilation, conv.padding
    ((1, 1), (1, 1))
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.dilation != (1, 1):
            if not isinstance(module.padding, str):
                rows, columns = (pad // by for pad, by in zip(module.padding, module.dilation, strict=True))
                module.padding = (rows, columns)
            module.dilation = (1, 1)


def feature_places(model: nn.Module) -> list[tuple[str, int]]:
    """Return the name and stride of each feature level of a timm model, shallow to deep.

    >>> feature_places(build_timm_model("resnet18", output_stride=16))[-2:]
    [('layer3', 16), ('layer4', 16)]
    """
    info: Any = model.feature_info
    entries: Sequence[Mapping[str, Any]] = info if isinstance(info, list) else info.info
    return [(entry["module"], int(entry["reduction"])) for entry in entries]


def fixed_image_size(model: nn.Module, options: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the only (height, width) a model takes, or None where it takes any."""
    config: Any = model.pretrained_cfg
    free = any(getattr(model, option, False) for option in ("dynamic_img_size", "dynamic_img_pad"))
    free = free or options.get("strict_img_size") is False
    free = free or getattr(getattr(model, "patch_embed", None), "strict_img_size", True) is False
    if free or not config.get("fixed_input_size", False):
        return None
    size = options.get("img_size") or config["input_size"][-2:]
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


class _RefusedOptionError(ConfigError):
    """A model does not take an option; ``text`` is what timm said."""

    def __init__(self, name: str, options: Mapping[str, Any], text: str) -> None:
        given = ", ".join(f"{key}={value!r}" for key, value in options.items())
        super().__init__(f"timm's {name} cannot be built with {given or 'its defaults'}: {text}")
        self.text = text

    def blames(self, option: str) -> bool:
        """Whether timm complained about this option; bare assertions do not name any."""
        return not self.text or option in self.text


def _create(name: str, pretrained: bool, options: Mapping[str, Any]) -> nn.Module:
    """Create the model with the first size option it knows."""
    config: Any = timm.models.get_pretrained_cfg(name)
    chosen = any(key in options for attempt in SIZE_OPTIONS for key in (*attempt, "img_size"))
    fixed = config is not None and config.fixed_input_size and not chosen
    for attempt in SIZE_OPTIONS if fixed else ({},):
        try:
            return _create_once(name, pretrained, {**options, **attempt})
        except _RefusedOptionError as refused:
            if not any(key in refused.text for key in attempt):
                raise
    raise AssertionError("the last attempt has no option to refuse")


def _create_once(name: str, pretrained: bool, options: Mapping[str, Any]) -> nn.Module:
    elsewhere = ":" in name
    try:
        with cache_alone_without_network() if pretrained or elsewhere else nullcontext():
            return timm.create_model(name, pretrained=pretrained, **{"num_classes": 0, **options})
    except (TypeError, AssertionError) as error:
        raise _RefusedOptionError(name, options, str(error)) from error
    except Exception as error:  # the download libraries share no base class
        if pretrained:
            raise download_failed(f"timm's {name}", error) from error
        if elsewhere:
            raise ConfigError(
                f"timm cannot get its model {name} ({type(error).__name__}: {first_line(error)}). Check the address, "
                "the folder and the network, or name a model of timm's own."
            ) from error
        raise


def _check_files(name: str, options: Mapping[str, Any]) -> None:
    """Refuse options by which timm itself would read a file: older releases unpickle whatever it holds."""
    for option in ("checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay"):
        given = options.get(option)
        if (option == "checkpoint_path" and given) or (isinstance(given, Mapping) and given.get("file")):
            raise ConfigError(
                f"timm's {name} was given {option}={given!r}, a file that timm would read and not wsolkit's safe "
                "reader. Give weights=PATH instead."
            )


def _check_name(name: str) -> None:
    """Refuse names that timm does not know; addresses such as ``hf-hub:...`` are left to timm."""
    if ":" in name:
        return
    architecture = name.split(".")[0]
    if not timm.is_model(architecture):
        raise ConfigError(f"timm has no model {architecture!r}. {nearest(architecture, timm.list_models())}")
