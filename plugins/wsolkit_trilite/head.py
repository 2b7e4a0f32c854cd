"""Three maps that share every cell out among object, background and neither, and what the first two look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor, nn

from wsolkit import Activation, ActivationHead, Batch, ConfigError, Levels
from wsolkit.components import choose_level, concat_levels, pool_regions, recombine, standardization

__all__ = ["TriLiteHead"]

OBJECT, BACKGROUND = 0, 1
"""The channels of the three maps; the third is neither."""


class TriLiteHead(ActivationHead):
    """Shares each cell out among object, background and neither, and classifies the features of the first two.

    The shares are M = softmax(norm(conv(F))) over three channels. Features of a region are the mean of F by its shares;
    one linear classifier scores those of the object and those of the background. An image is classified by the class
    token of a transformer where ``token`` names it, else by the features of its object.

    ``maps`` are the object's shares, (B, 1, h, w) of all classes. ``extras`` holds ``object_logits`` and
    ``background_logits`` (B, K) and the ``shares`` (B, 3, h, w).

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        levels: names of the levels of patches or cells to concatenate, in this order; the deepest by default. Smaller
            ones are resized to the largest.
        token: name of the level that is the class token, (B, C, 1, 1), such as ``blocks.11.cls``.
        kernel: side of the convolution's kernel; odd.
        standardize: bring every channel to mean 0 and variance 1 first, by the batch in training and by the mean of all
            batches since; for convolutional features, whose channels differ a hundredfold.
        background_teaches: what learns that the background does not show the class: the maps and the ``classifier``, as
            in the paper, or the ``maps`` alone, while the classifier learns from the object.
        maps: ``object``, or ``class`` for the object's shares times the sigmoid of the classifier's score of each cell,
            (B, K, h, w), where images show several classes.

    Raises:
        ConfigError: the backbone lacks a level, the kernel is even, or the token has cells.

    >>> head = TriLiteHead({"blocks.11": 8, "blocks.11.cls": 8}, 5, levels=["blocks.11"], token="blocks.11.cls")
    >>> activation = head({"blocks.11": torch.rand(2, 8, 4, 4), "blocks.11.cls": torch.rand(2, 8, 1, 1)})
    >>> activation.maps.shape, activation.logits.shape, activation.extras["background_logits"].shape
    (torch.Size([2, 1, 4, 4]), torch.Size([2, 5]), torch.Size([2, 5]))
    >>> bool((activation.extras["shares"].sum(1) - 1).abs().max() < 1e-6)
    True
    """

    gives: ClassVar = {key: {} for key in ("object_logits", "background_logits")}

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        levels: Sequence[str] | None = None,
        token: str | None = None,
        kernel: Annotated[int, "at least 1"] = 3,
        standardize: bool = False,
        background_teaches: Literal["classifier", "maps"] = "classifier",
        maps: Literal["object", "class"] = "object",
    ) -> None:
        super().__init__()
        if isinstance(levels, str) or (levels is not None and not levels):
            raise ConfigError(f"levels should be a list of level names such as ['blocks.11'], but got {levels!r}.")
        if kernel % 2 == 0:
            raise ConfigError(f"kernel of TriLiteHead should be odd, but got {kernel}.")
        self.levels = [choose_level(channels, level) for level in levels or (None,)]
        self.token = None if token is None else choose_level(channels, token)
        width = sum(channels[level] for level in self.levels)
        self.standardized = standardization(width) if standardize else nn.Identity()
        self.conv = nn.Conv2d(width, 3, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.classifier = nn.Linear(width, num_classes)
        self.token_classifier = None if self.token is None else nn.Linear(channels[self.token], num_classes)
        for linear in filter(None, (self.classifier, self.token_classifier)):
            nn.init.normal_(linear.weight, std=0.01)
            nn.init.zeros_(linear.bias)
        self.background_teaches = background_teaches
        self.map_kind = maps

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make the maps (B, 1, h, w) or (B, K, h, w) and the logits (B, K)."""
        seen = concat_levels(levels, self.levels)  # F, (B, C, h, w)
        features = self.standardized(seen)
        shares = torch.softmax(self.norm(self.conv(features)).float(), 1)  # (B, 3, h, w)
        regions = pool_regions(features, shares[:, [OBJECT, BACKGROUND]])  # (B, 2, C)
        teaches = self.background_teaches == "classifier"
        extras = {
            "object_logits": scores(self.classifier, regions[:, OBJECT]),
            "background_logits": scores(self.classifier, regions[:, BACKGROUND], learns=teaches),
            "shares": shares,
        }
        logits = extras["object_logits"] if self.token is None else self.token_logits(levels[self.token])
        found = shares[:, OBJECT : OBJECT + 1]
        return Activation(lambda: self.maps_of(found, features), logits, seen, extras)

    def token_logits(self, token: Tensor) -> Tensor:
        """Score the class token (B, C, 1, 1), (B, K).

        Raises:
            ConfigError: it has cells, and so is none.
        """
        if token.shape[-2:] != (1, 1):
            raise ConfigError(
                f"token of TriLiteHead should name a class token (B, C, 1, 1), but {self.token!r} has "
                f"{token.shape[-2]} x {token.shape[-1]} cells. Name one such as 'blocks.11.cls', or leave token out."
            )
        assert self.token_classifier is not None
        return scores(self.token_classifier, token.flatten(1))

    def maps_of(self, found: Tensor, features: Tensor) -> Tensor:
        """Return the maps of the object's shares (B, 1, h, w) over features (B, C, h, w)."""
        if self.map_kind == "object":
            return found
        with torch.autocast(features.device.type, enabled=False):
            return found * recombine(features.float(), self.classifier.weight, self.classifier.bias).sigmoid()


def scores(classifier: nn.Linear, features: Tensor, learns: bool = True) -> Tensor:
    """Score features (B, C) in float32, (B, K), with the classifier's weights or, if it should not learn, their values.

    >>> classifier = nn.Linear(2, 1)
    >>> scores(classifier, torch.ones(1, 2), learns=False).requires_grad, scores(classifier, torch.ones(1, 2)).shape
    (False, torch.Size([1, 1]))
    """
    weight, bias = (each.float() if learns else each.detach().float() for each in (classifier.weight, classifier.bias))
    with torch.autocast(features.device.type, enabled=False):
        return nn.functional.linear(features.float(), weight, bias)
