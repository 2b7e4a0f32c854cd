"""The compensated network: the features of stage 3, stage 4, and a second stage 4 with attention, concatenated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from wsolkit import MODIFIERS, ConfigError, MapModifier, fit_weights, read_weights
from wsolkit.components import TimmBackbone, build_timm_model, feature_places
from wsolkit_ccnn.report_keys import is_report, report_keys
from wsolkit_ccnn.stage import GatedStage, names_between, names_called_after, residual_blocks

__all__ = ["CCNNBackbone"]

FINAL = "final"
AMM_LEVEL = "amm"
CONCAT = "concat"
OWN_KEY = "amm_stage.parts."
INSTEAD = "Choose a ResNet, RegNet, ConvNeXt, MobileNetV2 or EfficientNet"


class CCNNBackbone(TimmBackbone):
    """A timm CNN whose last stage runs twice, once with attention modulation, on one shared trunk (CCNN report, eq. 9).

    S3 is the level before the last, S4 the deepest one, and R a copy of what lies between the two, with the same
    initial weights and an ``AMM`` at the end of each residual branch. Levels, shallow to deep: those of the trunk,
    ``amm`` (R), and ``concat`` = [R, S4, S3], which heads read by default: 5,120 channels for ResNet-50. Where S3 is
    finer than S4 (``output_stride=32``) it is average-pooled to the size of S4 for ``concat``.

    Modules: ``model`` is timm's (``freeze=["layer1"]`` finds ``model.layer1``); ``amm_stage.parts`` holds the copies
    under their names with ``_`` for dots, ``amm_stage.gates`` the AMMs by block (``layer4_0``).

    Args:
        name: timm's model name, with or without a tag: a CNN with residual blocks.
        levels: levels of the trunk to give beside S3 and S4. With ``final`` in it, S4 is the level ``final`` and the
            layers that make it (MobileNetV2's last 1x1 convolution) belong to the last stage.
        output_stride: as for ``TimmBackbone``; 16 here, where S3 and S4 have one size.
        weights: a weight file of any layout, "embedded" or "timm", as for ``TimmBackbone``. Both last stages are loaded
            from it. A checkpoint of a ``CCNNBackbone`` or of the report's code loads whole, each stage and its AMMs
            with their own.
        pretrained: the same as ``weights="timm"``.
        min_match: the least part of the weights that has to fit, in [0, 1].
        amm: arguments of every ``AMM`` beside ``channels``, such as ``dict(stats="batch", train_gates=False)``.
        dilate: ``False`` takes the dilation out of stages that ``output_stride`` keeps from shrinking, as the report:
            same weights, smaller receptive field.
        options: anything else timm's ``create_model`` takes.

    Raises:
        ConfigError: the model has no residual branch in its last stage or is no CNN, or an argument is unknown.
        CheckpointError: the weights cannot be read, fit too little or cannot be downloaded.

    >>> backbone = CCNNBackbone("resnet18")
    >>> backbone.channels
    {'layer3': 256, 'layer4': 512, 'amm': 512, 'concat': 1280}
    >>> backbone(torch.zeros(2, 3, 64, 96))["concat"].shape
    torch.Size([2, 1280, 4, 6])
    """

    def __init__(
        self,
        name: str,
        levels: Sequence[str] | None = None,
        output_stride: Literal[8, 16, 32] | None = 16,
        weights: str | Path | None = None,
        pretrained: bool = False,
        min_match: Annotated[float, "in [0, 1]"] = 0.9,
        amm: Mapping[str, Any] | None = None,
        dilate: bool = True,
        **options: Any,
    ) -> None:
        if isinstance(levels, str):
            raise ConfigError(f"levels is a list of level names of {name}, but got {levels!r}. Write [{levels!r}].")
        third, fourth, parts = last_stage(name, output_stride, options)
        whole: dict[str, Tensor] | None = None
        if weights not in (None, "timm") and not pretrained:
            whole = whole_checkpoint(read_weights(str(weights), name))
        trunk_levels = [*(levels or ()), third, FINAL if FINAL in (levels or ()) else fourth]
        start = None if whole is not None else weights
        super().__init__(name, trunk_levels, output_stride, start, pretrained, min_match, dilate, **options)
        self._third = third
        self._fourth = trunk_levels[-1]
        self.amm_stage = self._second_stage(fourth, parts, dict(amm or {}))
        self.channels = {
            **self.channels,
            AMM_LEVEL: self.channels[self._fourth],
            CONCAT: 2 * self.channels[self._fourth] + self.channels[third],
        }
        stride = self.strides[self._fourth]
        self.strides = {**self.strides, AMM_LEVEL: stride, CONCAT: stride}
        if whole is not None:
            self.report = fit_weights(self, whole, min_match, origin=str(weights))
            self.report.log(f"{weights} into CCNN on timm's {name}")

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B, 3, H, W) to levels, each (B, C, h, w), shallow to deep.

        Raises:
            ShapeError: the model does not take images of this size.
        """
        levels = super().forward(images)
        fourth = levels[self._fourth]  # (B, C4, h, w)
        third = levels[self._third]  # (B, C3, h, w) or finer
        gated = self.amm_stage(third)  # (B, C4, h, w)
        if third.shape[-2:] != fourth.shape[-2:]:
            third = F.adaptive_avg_pool2d(third, (fourth.shape[2], fourth.shape[3]))
        levels[AMM_LEVEL] = gated
        levels[CONCAT] = torch.cat([gated, fourth, third], 1)  # (B, 2 * C4 + C3, h, w)
        return levels

    @torch.no_grad()
    def _second_stage(self, last: str, parts: list[str], amm: dict[str, Any]) -> GatedStage:
        """Copy the last stage, check that the copy computes the same, and put the gates in."""
        generator = torch.Generator().manual_seed(0)
        images = torch.rand(1, 3, *self.probe_size, generator=generator).to(next(self.model.parameters()))
        self.model.eval()
        if self._fourth == FINAL:
            parts = parts + names_called_after(self.model, last, lambda: TimmBackbone.forward(self, images))
        levels = TimmBackbone.forward(self, images)
        stage = GatedStage({part: self.model.get_submodule(part) for part in parts})
        same = runs_as(stage.eval(), levels[self._third], levels[self._fourth])
        self.model.train()
        if not same:
            raise ConfigError(
                f"timm's {self.name} does more between {self._third!r} and {self._fourth!r} than to run "
                f"{', '.join(parts)} on maps, so its last stage cannot be built a second time. {INSTEAD}."
            )
        stage.add_gates(lambda channels: build_amm(channels, amm), levels[self._third])
        if not stage.gates:
            raise no_branch(self.name, last)
        return stage


def last_stage(name: str, output_stride: int | None, options: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Return the names of a timm model's last two levels, and of the modules between them.

    Raises:
        ConfigError: the model is unknown, has fewer levels or no residual blocks there, or has another output stride.
    """
    refused = None
    try:
        model = build_timm_model(name, output_stride, **options)
    except ConfigError as error:
        if output_stride not in (8, 16, 32):
            raise
        refused = error
        model = build_timm_model(name, **options)  # complains if it is not the stride
    places = feature_places(model)
    if len(places) < 2:
        raise ConfigError(f"CCNN needs a model with two levels or more, but timm's {name} has {places}. {INSTEAD}.")
    (third, _), (fourth, stride) = places[-2:]
    if not any(True for _ in residual_blocks(model.get_submodule(fourth))):
        raise no_branch(name, fourth)
    parts = names_between(model, third, fourth)
    if refused is not None:
        raise ConfigError(
            f"timm's {name} cannot be given output_stride={output_stride}, its own is {stride}. Set "
            f"output_stride={stride}; CCNN then averages {third!r} to the size of {fourth!r}. Or choose a ResNet, "
            "RegNet or MobileNetV2."
        ) from refused
    return third, fourth, parts


def runs_as(stage: GatedStage, third: Tensor, fourth: Tensor) -> bool:
    """Whether a stage turns one level into the next."""
    try:
        again = stage(third)
    except Exception:  # modules that were made for tokens or lists fail on maps in any way
        return False
    return again.shape == fourth.shape and torch.allclose(again, fourth, 1e-3, 1e-4, equal_nan=True)


def no_branch(name: str, last: str) -> ConfigError:
    """Return the error of a model that has no place for attention modulation."""
    return ConfigError(
        f"timm's {name} has no convolutional block with a residual branch in its last stage ({last}), and CCNN puts "
        f"its attention there. {INSTEAD}; or put attention behind any module of {name}: "
        f"backbone=dict(type='TimmBackbone', name='{name}'), modifiers=[dict(type='AMM', at='{last}')]."
    )


def build_amm(channels: int, options: dict[str, Any]) -> MapModifier:
    """Build the gate of a block.

    Raises:
        ConfigError: an option is unknown or out of range.
    """
    return MODIFIERS.build({"type": "AMM", "channels": channels, **options})


def whole_checkpoint(state: dict[str, Tensor]) -> dict[str, Tensor] | None:
    """Return a state dict that covers both stages in our names, or None where it is one of a plain network."""
    if is_report(state):
        return report_keys(state)
    return state if any(OWN_KEY in key for key in state) else None
