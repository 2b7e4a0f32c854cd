"""The class-agnostic head of C2AM: a map P of one region, and what the two regions look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from wsolkit import Activation, ActivationHead, Batch, CheckpointError, ConfigError, Levels
from wsolkit.components import choose_level, concat_levels
from wsolkit_c2am.polarity import Polarity, PolarityMode
from wsolkit_c2am.processes import GlobalBatchNorm

__all__ = ["C2AMHead", "region_embeddings"]


def region_embeddings(features: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean features weighed by P and by 1 - P (C2AM, eq. 1).

    The second is the sum over all cells less the first, so the features are read once.

    Args:
        features: Z, (B, C, h, w).
        maps: P, (B, 1, h, w) in [0, 1].

    Returns:
        Foreground and background, each (B, C) float32.

    >>> features = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # two channels, two cells
    >>> foreground, background = region_embeddings(features, torch.tensor([[[[1.0, 0.25]]]]))
    >>> foreground.tolist(), background.tolist()
    ([[0.75, 2.0]], [[0.75, 1.5]])
    """
    with torch.autocast(features.device.type, enabled=False):
        # With the channels innermost this is a view, and the gradient comes back in the layout of the features.
        cells = features.permute(0, 2, 3, 1).flatten(1, 2).float()  # (B, h * w, C)
        regions = torch.cat([maps.float(), torch.ones_like(maps, dtype=torch.float32)], 1).flatten(2)  # (B, 2, h * w)
        sums = torch.bmm(regions, cells) / cells.shape[1]  # (B, 2, C)
        return sums[:, 0], sums[:, 1] - sums[:, 0]


class C2AMHead(ActivationHead):
    """Makes one map for all classes: P = sigmoid(norm(conv3x3(Z))) over the concatenated levels Z.

    It classifies nothing: ``Activation.logits`` is None, ``maps`` (B, 1, h, w) is P or 1 - P, whichever is the object.
    ``extras`` holds ``foreground`` and ``background`` (B, C), the mean features of P and of 1 - P whatever they show,
    ``p`` (B, 1, h, w), and ``logit_map`` (B, 1, h, w) before the sigmoid, both before the vote.

    Args:
        channels: channels of the backbone's levels, by name.
        levels: names of the levels to concatenate, in this order; the deepest by default. Smaller ones are resized to
            the largest.
        polarity: which region is the object: ``auto`` by vote (see ``Polarity``), ``fg`` for P, ``bg`` for 1 - P.
        freeze_bn_affine: keep the norm's scale at 1 and its shift at 0, as the reference does without saying so. The
            logits of a batch then have the mean 0, and P cannot become all foreground.

    Raises:
        ConfigError: the backbone lacks a level, or a setting is unknown.

    >>> head = C2AMHead({"layer3": 4, "layer4": 8}, levels=["layer4", "layer3"])
    >>> activation = head({"layer3": torch.rand(2, 4, 6, 6), "layer4": torch.rand(2, 8, 6, 6)})
    >>> activation.maps.shape, activation.extras["foreground"].shape, activation.class_agnostic
    (torch.Size([2, 1, 6, 6]), torch.Size([2, 12]), True)
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        levels: Sequence[str] | None = None,
        polarity: PolarityMode = "auto",
        freeze_bn_affine: bool = True,
    ) -> None:
        super().__init__()
        if isinstance(levels, str) or (levels is not None and not levels):
            raise ConfigError(
                f"levels should be a list of level names such as ['layer4', 'layer3'], but got {levels!r}."
            )
        self.levels = [choose_level(channels, level) for level in levels or (None,)]
        self.conv = nn.Conv2d(sum(channels[level] for level in self.levels), 1, 3, padding=1, bias=False)
        self.norm = GlobalBatchNorm(1)
        self.norm.requires_grad_(not freeze_bn_affine)
        self.polarity = Polarity(polarity)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make the map (B, 1, h, w) of the object and the embeddings of both regions."""
        features = concat_levels(levels, self.levels)  # Z, (B, C, h, w)
        logit_map = self.norm(self.conv(features))  # (B, 1, h, w)
        p = torch.sigmoid(logit_map)
        foreground, background = region_embeddings(features, p)
        extras = {"foreground": foreground, "background": background, "p": p, "logit_map": logit_map}
        begins = batch is not None and batch.begins_pass
        return Activation(self.polarity(p, begins), None, features, extras)

    def end_pass(self) -> None:
        """Compare the maps seen in evaluation with the vote, and say what the training voted."""
        self.polarity.compare()
        self.polarity.say()

    def from_authors(self, checkpoint: Mapping[str, Any]) -> dict[str, Tensor] | None:
        """Return the head ``ac_head`` of the authors' code, with the region their ``Flag`` takes for the object.

        Their flag says whether the map is inverted; scripts for CUB and ILSVRC call it ``Flag``, that for VOC ``flag``.

        Raises:
            CheckpointError: the checkpoint has no flag, and ``polarity`` does not say which region is the object.
        """
        state = checkpoint["state_dict"]
        names = {"activation_head": "conv", "bn_head": "norm"}
        found = {
            f"{names[part]}.{leaf}": value
            for name, value in state.items()
            for _, _, inside in [name.rpartition("ac_head.")]
            for part, _, leaf in [inside.partition(".")]
            if "ac_head." in name and part in names
        }
        if not found:
            return None
        flag = checkpoint.get("Flag", checkpoint.get("flag"))
        flag = flag if isinstance(flag, (bool, int)) else None
        if flag is None and self.polarity.mode == "auto":
            raise CheckpointError(
                "The checkpoint of C2AM's authors has no Flag, which says whether the map is inverted. Look at some "
                "maps, and set model.head.polarity='fg' or 'bg'."
            )
        kept = {name: value for name, value in self.state_dict().items() if name.startswith("polarity.")}
        if flag is not None:
            kept["polarity.decided"] = torch.full_like(kept["polarity.decided"], -1 if flag else 1)
        return {**found, **kept}
