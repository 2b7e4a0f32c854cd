"""The class-agnostic head of C2AM: a map P of one region, and what the two regions look like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from wsolkit import Activation, ActivationHead, Batch, CheckpointError, ConfigError, Levels
from wsolkit.components import choose_level, concat_levels, pool_regions
from wsolkit_c2am.polarity import Polarity, PolarityMode
from wsolkit_c2am.processes import GlobalBatchNorm

__all__ = ["C2AMHead", "region_embeddings"]


def region_embeddings(features: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean features weighed by P and by 1 - P (C2AM, eq. 1).

    The second is the sum over all cells less the first, so the features are read once.

    Args:
        features: Z, (B, C, h, w).
        maps: P, (B, 1, h, w) in [0, 1], or (B, M, h, w) of M members.

    Returns:
        Foreground and background, each (B, C) float32, or (B, M, C) where there are several maps.

    >>> features = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # two channels, two cells
    >>> foreground, background = region_embeddings(features, torch.tensor([[[[1.0, 0.25]]]]))
    >>> foreground.tolist(), background.tolist()
    ([[0.75, 2.0]], [[0.75, 1.5]])
    """
    everywhere = torch.ones_like(maps[:, :1], dtype=torch.float32)
    means = pool_regions(features, torch.cat([maps.float(), everywhere], 1), per="cell")  # (B, M + 1, C)
    foreground, whole = means[:, :-1], means[:, -1:]
    if maps.shape[1] == 1:
        return foreground[:, 0], whole[:, 0] - foreground[:, 0]
    return foreground, whole - foreground


def correlations(maps: Tensor) -> Tensor:
    """Return how far the maps (B, M, h, w) of each image are alike, as correlations (B, M, M) float64.

    >>> correlations(torch.tensor([[[[0.0, 1.0]], [[2.0, 0.0]]]])).round(decimals=6).tolist()
    [[[1.0, -1.0], [-1.0, 1.0]]]
    """
    cells = maps.detach().double().flatten(2)
    cells = nn.functional.normalize(cells - cells.mean(2, keepdim=True), dim=2)
    return cells @ cells.mT


class C2AMHead(ActivationHead):
    """Makes one map for all classes: P = sigmoid(norm(conv3x3(Z))) over the concatenated levels Z.

    It classifies nothing: ``Activation.logits`` is None, ``maps`` (B, 1, h, w) is P or 1 - P, whichever is the object.
    ``extras`` holds ``foreground`` and ``background`` (B, C), the mean features of P and of 1 - P whatever they show,
    ``p`` (B, 1, h, w), and ``logit_map`` (B, 1, h, w) before the sigmoid, both before the vote.

    Where a training ends depends on where it began. Several ``members`` are maps from different beginnings that learn
    at once from one reading of the features, each as it would alone. ``maps`` is then the mean of their maps of the
    object, ``extras["members"]`` (B, M, h, w) are these, and the other extras hold M maps or rows where they held one.
    At the end of a training each member's vote is that of the final weights over all training images.

    Args:
        channels: channels of the backbone's levels, by name.
        levels: names of the levels to concatenate, in this order; the deepest by default. Smaller ones are resized to
            the largest.
        polarity: which region is the object: ``auto`` by vote (see ``Polarity``), ``fg`` for P, ``bg`` for 1 - P.
        members: how many maps are learned side by side.
        freeze_bn_affine: keep the norm's scale at 1 and its shift at 0, as the reference does without saying so. The
            logits of a batch then have the mean 0, and P cannot become all foreground.

    Raises:
        ConfigError: the backbone lacks a level, or a setting is unknown.

    >>> head = C2AMHead({"layer3": 4, "layer4": 8}, levels=["layer4", "layer3"])
    >>> activation = head({"layer3": torch.rand(2, 4, 6, 6), "layer4": torch.rand(2, 8, 6, 6)})
    >>> activation.maps.shape, activation.extras["foreground"].shape, activation.class_agnostic
    (torch.Size([2, 1, 6, 6]), torch.Size([2, 12]), True)
    """

    gives: ClassVar = {key: {} for key in ("foreground", "background", "p", "logit_map")}

    def __init__(
        self,
        channels: Mapping[str, int],
        levels: Sequence[str] | None = None,
        polarity: PolarityMode = "auto",
        freeze_bn_affine: bool = True,
        members: Annotated[int, "at least 1"] = 1,
    ) -> None:
        super().__init__()
        if isinstance(levels, str) or (levels is not None and not levels):
            raise ConfigError(
                f"levels should be a list of level names such as ['layer4', 'layer3'], but got {levels!r}."
            )
        self.levels = [choose_level(channels, level) for level in levels or (None,)]
        self.conv = nn.Conv2d(sum(channels[level] for level in self.levels), members, 3, padding=1, bias=False)
        self.norm = GlobalBatchNorm(members)
        self.norm.requires_grad_(not freeze_bn_affine)
        self.polarity = Polarity(polarity, members)
        self.members = members
        self.agreement: Tensor
        if members > 1:
            self.register_buffer("agreement", torch.tensor(float("nan"), dtype=torch.float64))

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make the map (B, 1, h, w) of the object and the embeddings of both regions."""
        features = concat_levels(levels, self.levels)  # Z, (B, C, h, w)
        logit_map = self.norm(self.conv(features))  # (B, 1, h, w)
        p = torch.sigmoid(logit_map)
        foreground, background = region_embeddings(features, p)
        extras = {"foreground": foreground, "background": background, "p": p, "logit_map": logit_map}
        begins = batch is not None and batch.begins_pass
        maps = self.polarity(p, begins)  # (B, M, h, w)
        if self.members > 1:
            extras["members"] = maps
            maps = maps.mean(1, keepdim=True)
        return Activation(maps, None, features, extras)

    @torch.no_grad()
    def last_look(self, activations: Iterable[Activation]) -> None:
        """Let all training images vote anew with the final weights, and see how far the members agree; only several."""
        if self.members == 1:
            return
        maps = [activation.extras["p"].cpu() for activation in activations]  # (B, M, h, w), small
        self.polarity.decide(each.to(self.agreement.device) for each in maps)
        signs = self.polarity.signs.cpu().double()
        likeness = torch.cat([correlations(each) for each in maps]).mean(0) * signs[:, None] * signs
        self.agreement.copy_(likeness[~torch.eye(self.members, dtype=torch.bool)].mean())

    def findings(self) -> dict[str, float]:
        """Return ``vote_margin``, the smallest share of images that agree with a member's vote, and ``agreement``.

        The second is the mean correlation of the members' maps of the object, over all pairs and training images.
        """
        if self.members == 1 or not self.agreement.isfinite():
            return {}
        return {"vote_margin": float(self.polarity.shares.min()), "agreement": float(self.agreement)}

    def end_pass(self) -> None:
        """Compare the maps seen in evaluation with the vote, and say what the training voted."""
        self.polarity.compare()
        self.polarity.say("" if self.members == 1 else f" The members' maps correlate by {float(self.agreement):.2f}.")

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
