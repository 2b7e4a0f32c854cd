"""Any timm model as a backbone: convolutional or token-based, with maps out in every case."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import timm
import torch
from torch import Tensor, nn

from wsolkit.components.backbones.flow import Flow, Place, find_places, watch
from wsolkit.components.backbones.plain_errors import plain_size_errors
from wsolkit.components.backbones.second_pass import SecondPass
from wsolkit.components.backbones.timm_models import build_timm_model, feature_places, fixed_image_size, undilate
from wsolkit.components.backbones.token_levels import (
    CLS,
    FINAL,
    PREFIX,
    TokenTap,
    check_token_level,
    split_level,
    tap_blocks,
    tokens_of,
    with_token_levels,
)
from wsolkit.errors import ConfigError, ShapeError, nearest
from wsolkit.interfaces import Backbone
from wsolkit.weights.checkpoint import read_weights
from wsolkit.weights.fitting import LoadReport, fit_weights

__all__ = ["FINAL", "TimmBackbone", "as_map"]


class TimmBackbone(Backbone):
    """A timm model that gives its feature levels as maps.

    Levels are named as timm names the modules they come from: ``layer1`` to ``layer4`` (ResNet), ``blocks.4``
    (EfficientNet, MobileNet, ViT), ``stages.3`` (ConvNeXt), ``layers.3`` (Swin), ``s4`` (RegNet). One more level,
    ``final``, is what timm's ``forward_features`` returns: after the last 1x1 convolution of MobileNetV2 and
    EfficientNet, after the last norm of token models. Tokens become maps: class, distillation and register tokens
    are dropped, channels-last maps are turned round.

    ``levels=None`` gives every level, with ``final`` where it differs from the deepest one, and ``final`` alone where
    all levels have one stride (ViT, DeiT). Without ``final``, layers deeper than the last level asked for are cut off.

    Transformers whose tokens attend to all tokens (ViT, DeiT, DINO, CLIP, EVA) give more for those who ask by name:
    ``blocks.11.cls`` and ``final.cls``, the class token (B, C, 1, 1); ``blocks.11.prefix``, it and the other tokens
    before the cells (B, C, P, 1); ``blocks.11.attention``, what the block's heads
    look at after the softmax (B, heads, n, n), prefix tokens first; ``blocks.11.keys``, (B, C, h, w) with the heads
    side by side, before a rotary position turns them. Each stands before the map of its block.

    Args:
        name: timm's model name, with or without a tag.
        levels: names of the levels to give, in any order; they come shallow to deep.
        output_stride: 8, 16 or 32 for models that can dilate: 28 x 28, 14 x 14 or 7 x 7 cells for 224 pixels.
        weights: a weight file of any layout (see ``wsolkit.weights.fitting``), "embedded" for those of
            ``tf_efficientnet_lite0`` that are installed with wsolkit (mean and std .5), or "timm" to download timm's.
        pretrained: the same as ``weights="timm"``.
        min_match: the least part of the weights that has to fit, in [0, 1].
        dilate: ``False`` takes the dilation out of stages that ``output_stride`` keeps from shrinking: same weights,
            smaller receptive field, as in the code of wsolevaluation and of C2AM.
        options: anything else timm's ``create_model`` takes, such as ``pad_type="same"``, ``drop_path_rate=0.1`` or
            ``img_size=(384, 640)`` for models that cannot change their size as they go.

    Attributes:
        image_size: the only (height, width) the model takes, or None where any will do.
        probe_size: a small (height, width) that the model takes.
        report: what fitted of the weight file, or None.

    Raises:
        ConfigError: name, level, option or output stride is unknown to the model.
        CheckpointError: the weights cannot be read, fit too little or cannot be downloaded.

    >>> backbone = TimmBackbone("resnet18", levels=["layer3", "layer4"], output_stride=16)
    >>> backbone.channels, backbone.strides
    ({'layer3': 256, 'layer4': 512}, {'layer3': 16, 'layer4': 16})
    >>> {name: tuple(level.shape) for name, level in backbone(torch.zeros(2, 3, 64, 96)).items()}
    {'layer3': (2, 256, 4, 6), 'layer4': (2, 512, 4, 6)}
    """

    def __init__(
        self,
        name: str,
        levels: Sequence[str] | None = None,
        output_stride: Literal[8, 16, 32] | None = None,
        weights: str | Path | None = None,
        pretrained: bool = False,
        min_match: Annotated[float, "in [0, 1]"] = 0.9,
        dilate: bool = True,
        **options: Any,
    ) -> None:
        super().__init__()
        download = pretrained or weights == "timm"
        if pretrained and weights not in (None, "timm"):
            raise ConfigError(f"Set either pretrained=True or weights={str(weights)!r} for {name}, not both.")
        self.name = name
        self.model: Any = build_timm_model(name, output_stride, download, **options)
        if not dilate:
            undilate(self.model)
        self.image_size = fixed_image_size(self.model, options)
        self._cell = _multiples(self.model)
        self.probe_size = self.image_size or (_up_to(96, self._cell[0]), _up_to(96, self._cell[1]))
        prefix = getattr(self.model, "num_prefix_tokens", None)
        if prefix is not None:
            self.prefix_tokens, self.patch_size = int(prefix), _patch_sides(self.model)
        self._choose_levels(levels)
        self.report: LoadReport | None = None
        if weights is not None and not download:
            convert = getattr(sys.modules[type(self.model).__module__], "checkpoint_filter_fn", None)
            state = read_weights(weights, name)
            self.report = fit_weights(self.model, state, min_match, convert=convert, origin=str(weights))
            self.report.log(f"{weights} into timm's {name}")

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B, 3, H, W) to levels, each (B, C, h, w), shallow to deep.

        Raises:
            ShapeError: the model does not take images of this size.
        """
        self._check_size(images)
        asked: dict[str, Any] = {"return_prefix_tokens": True} if self._prefix_asked else {}
        features: Tensor | None = None
        if self._final_asked:
            features, given = self.model.forward_intermediates(images, indices=self._indices, **asked)
        else:
            given = self.model.forward_intermediates(images, indices=self._indices, intermediates_only=True, **asked)
        maps, prefixes = zip(*given, strict=True) if asked else (given, [None] * len(given))
        grid = (int(maps[-1].shape[-2]), int(maps[-1].shape[-1]))  # the deepest map is always there, for its size
        seen = {name: (maps[row], prefixes[row]) for row, name in enumerate(self._given)}
        levels = {}
        for level in self._chosen:
            place, what = split_level(level)
            if what:
                first = features[:, : self.prefix_tokens] if features is not None and place == FINAL else seen[place][1]
                levels[level] = tokens_of(level, self._taps, first, grid)
            elif level == FINAL:
                assert features is not None
                levels[level] = as_map(features, maps[-1])
            else:
                levels[level] = seen[level][0]
        return levels

    def run_from(self, level: str, maps: Tensor, first: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run the modules after a level, see ``Backbone``; token models go on with the prefix tokens of ``first``.

        Raises:
            ConfigError: the model does more there than to run modules one after the other, or lacks prefix tokens.
            ShapeError: tokens of other images or another grid than in the first pass.
        """
        return self._rest(level).run_from(self.model, level, maps, first)

    def run_to(self, level: str, images: Tensor) -> dict[str, Tensor]:
        """Run the model up to a level, see ``Backbone``; with the prefix tokens of token models.

        Raises:
            ConfigError: the model does more after it than to run modules one after the other.
            ShapeError: the model does not take images of this size.
        """
        self._check_size(images)
        return self._rest(level).run_to(self.model, self.model.forward_intermediates, level, images)

    def modules_after(self, level: str) -> list[str]:
        """Return the names of the modules after a level, see ``Backbone``."""
        return [f"model.{name}" for name in self._rest(level).modules_after(level)]

    def module_of(self, level: str) -> str:
        """Return the name of the module whose output is a level, see ``Backbone``: ``model.bn2`` for ``final``, say."""
        own = type(self).forward is TimmBackbone.forward
        found = self._second_pass.module_of(level) if own else None
        return super().module_of(level) if found is None else f"model.{found}"

    def _rest(self, level: str) -> SecondPass:
        if type(self).forward is not TimmBackbone.forward:  # it makes levels of its own that nobody here knows of
            raise self._in_one_piece(level)
        return self._second_pass

    def _choose_levels(self, levels: Sequence[str] | None) -> None:
        """Set ``channels`` and ``strides`` for the levels asked for and cut off what none of them needs."""
        places = feature_places(self.model)
        names = [place for place, _ in places]
        try:
            shapes, differs, flow, known = _probe(self.model, names, self.probe_size)
        except ShapeError:  # HaloNet and BAT take no small image: their blocks have to divide the maps
            self.probe_size = tuple(self.model.default_cfg["input_size"][-2:])
            shapes, differs, flow, known = _probe(self.model, names, self.probe_size)
        strides = {**dict(places), FINAL: places[-1][1]}
        every = with_token_levels(self.model, shapes)
        if levels is None:
            same = len(set(strides.values())) == 1 < len(names) and FINAL in shapes
            levels = [FINAL] if same else [*names, *([FINAL] if differs else [])]
        if isinstance(levels, str):
            advice = f"Write [{levels!r}]." if levels in shapes else f"Write [NAME, ...]. {nearest(levels, shapes)}"
            raise ConfigError(
                f"levels is a list of names of levels of timm's {self.name}, but got {levels!r}. {advice}"
            )
        unknown = [level for level in levels if level not in every]
        if unknown or not levels:
            asked = unknown[0] if unknown else levels
            check_token_level(self.model, self.name, str(asked), shapes)
            raise ConfigError(
                f"timm's {self.name} has no level {asked!r}; levels is a list of one or more names. "
                f"{nearest(str(asked), every)}"
            )
        chosen = [level for level in every if level in levels]
        self._chosen = chosen  # a subclass may add levels of its own to the two below
        self.channels = {level: every[level] for level in chosen}
        self.strides = {level: strides[split_level(level)[0]] for level in chosen}
        read = {split_level(level)[0] for level in chosen}
        self._final_asked = FINAL in read
        self._prefix_asked = any(
            split_level(level)[1] in (CLS, PREFIX) and not level.startswith(FINAL) for level in chosen
        )
        self._taps: dict[str, TokenTap] = tap_blocks(self.model, chosen)
        self._second_pass = SecondPass(f"timm's {self.name}", flow, known, chosen, self._taps)
        self._indices = [index for index, level in enumerate(names) if level in read]
        if self._final_asked and len(names) - 1 not in self._indices:
            self._indices.append(len(names) - 1)
        self._given = [names[index] for index in self._indices]
        if not self._final_asked and hasattr(self.model, "prune_intermediate_layers"):
            self.model.prune_intermediate_layers(list(self._indices), prune_norm=True, prune_head=True)

    def _check_size(self, images: Tensor) -> None:
        height, width = images.shape[-2:]
        if self.image_size is not None and (height, width) != self.image_size:
            raise ShapeError(
                f"timm's {self.name} takes images of {self.image_size[0]} x {self.image_size[1]} pixels (height x "
                f"width) only, but got {height} x {width}. Set img_size=({height}, {width}) in the backbone, or "
                "resize the images."
            )
        if height % self._cell[0] or width % self._cell[1]:
            raise ShapeError(
                f"timm's {self.name} cuts images into cells of {self._cell[0]} x {self._cell[1]} pixels, but got "
                f"{height} x {width}. Resize to multiples of a cell, or set dynamic_img_pad=True if the model has it."
            )


def as_map(features: Tensor, like: Tensor) -> Tensor:
    """Turn a model's last features into a map of the size of a map that is known.

    Args:
        features: (B, C, h, w), (B, h, w, C) or (B, P + h * w, C) with P prefix tokens (class, registers).
        like: (B, any, h, w).

    Raises:
        ShapeError: the features are no map of that size.

    >>> as_map(torch.zeros(2, 5 + 6, 8), torch.zeros(2, 8, 2, 3)).shape
    torch.Size([2, 8, 2, 3])
    """
    height, width = like.shape[-2:]
    if features.ndim == 4 and features.shape[-2:] == like.shape[-2:]:
        return features
    if features.ndim == 4 and features.shape[1:3] == like.shape[-2:]:
        return features.permute(0, 3, 1, 2).contiguous()
    if features.ndim == 3 and features.shape[1] >= height * width:
        tokens = features[:, features.shape[1] - height * width :]
        return tokens.transpose(1, 2).unflatten(2, (height, width)).contiguous()
    raise ShapeError(f"Features of the shape {tuple(features.shape)} are no map of {height} x {width} cells.")


@torch.no_grad()
def _probe(
    model: Any, names: Sequence[str], size: tuple[int, int]
) -> tuple[dict[str, int], bool, Flow, dict[str, Place]]:
    """Run one empty image through the model.

    Returns:
        The channels of each level, with those of ``final`` where the final features are a map; whether ``final``
        differs from the deepest level; which module makes what, and the places where maps can be taken out and put in.
    """
    if not hasattr(model, "forward_intermediates"):
        raise ConfigError(
            f"timm {timm.__version__} cannot give the levels of {type(model).__name__} (no forward_intermediates). "
            "Install a newer timm, or choose another model."
        )
    weight = next(model.parameters())
    training = model.training
    model.eval()
    try:
        images = torch.zeros(1, 3, *size, device=weight.device, dtype=weight.dtype)
        with plain_size_errors(f"timm's {type(model).__name__}", images), watch(model) as flow:
            features, maps = model.forward_intermediates(images)
    finally:
        model.train(training)
    if len(maps) != len(set(names)) or any(level.ndim != 4 for level in maps):
        raise ConfigError(
            f"timm's {type(model).__name__} gives {len(maps)} features for {len(set(names))} levels, not one map per "
            "level. It has several streams; choose a model with a single pyramid of maps."
        )
    channels = {name: level.shape[1] for name, level in zip(names, maps, strict=True)}
    levels = dict(zip(names, maps, strict=True))
    try:
        channels[FINAL] = as_map(features, maps[-1]).shape[1]
        places = find_places(flow, {**levels, FINAL: as_map(features, maps[-1])}, {FINAL: features})
        differs = features is not maps[-1]
    except (ShapeError, AttributeError):  # several streams, or a pooled vector
        places, differs = find_places(flow, levels), False
    flow.forget()
    return channels, differs, flow, places


def _patch_sides(model: nn.Module) -> tuple[int, int] | None:
    """Return the (height, width) of a patch as the model's embedding says them, or None where it says nothing."""
    patch = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    sides = (patch, patch) if isinstance(patch, int) else tuple(patch or ())
    return (int(sides[0]), int(sides[1])) if len(sides) == 2 else None


def _multiples(model: nn.Module) -> tuple[int, int]:
    """Return the pixels that sides of images have to be multiples of: those of a patch where patches do not overlap."""
    sides, stride = _patch_sides(model), feature_places(model)[0][1]
    pads = getattr(getattr(model, "patch_embed", None), "dynamic_img_pad", False)
    return (1, 1) if sides is None or max(sides) != stride or pads else sides


def _up_to(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
