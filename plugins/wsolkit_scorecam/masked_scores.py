"""Each channel of a layer is a mask over the image; what the model says of the masked image is the channel's weight."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import (
    Activation,
    CamMethod,
    ConfigError,
    KnownLevels,
    MapNormalize,
    MapResize,
    Model,
    check_classes,
    check_places,
    head_level,
    watch,
    weighted_sum,
)

__all__ = ["ScoreCAM", "channel_weights", "masks_of"]

Definition = Literal["increase", "logit", "probability"]
"""As torch-cam, as pytorch-grad-cam, as the authors' code."""


def masks_of(activations: Tensor, size: tuple[int, int], definition: Definition = "increase") -> Tensor:
    """Return activations (..., h, w) as masks in [0, 1] of a size (H, W); a constant one masks everything.

    ``increase`` brings the cells to [0, 1] before they are resized, the others the pixels; ``logit`` resizes with the
    corners of cells and pixels aligned.

    >>> masks_of(torch.tensor([[[1.0, 3.0]], [[2.0, 2.0]]]), (1, 2)).tolist()
    [[[0.0, 1.0]], [[0.0, 0.0]]]
    """
    flat = activations.flatten(0, -3)[:, None]  # (n, 1, h, w)
    if definition == "increase":
        flat = F.interpolate(between_extremes(flat), size, mode="bilinear", align_corners=False)
    else:
        flat = between_extremes(F.interpolate(flat, size, mode="bilinear", align_corners=definition == "logit"))
    return flat.view(*activations.shape[:-2], *size)


def between_extremes(maps: Tensor) -> Tensor:
    """Return maps (..., h, w) between 0 and 1; nothing where they are constant."""
    low, high = maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)
    return (maps - low) / (high - low).where(high > low, torch.inf)


def channel_weights(logits: Tensor, classes: Tensor, baseline: Tensor, definition: Definition = "increase") -> Tensor:
    """Return the weights of channels (..., T, C) by what the model says of the masked images.

    Args:
        logits: (..., C, K), of the image seen through each channel.
        classes: (..., T).
        baseline: (..., K), of the image itself.
        definition: ``increase``: the softmax over channels of how much the logit grows; ``logit``: of the logit, which
            is the same; ``probability``: the probability, which does not add up to 1.
    """
    index = classes[..., None, :].expand(*logits.shape[:-1], classes.shape[-1])  # (..., C, T)
    if definition == "probability":
        return logits.softmax(-1).gather(-1, index).movedim(-1, -2)
    scores = logits - baseline[..., None, :] if definition == "increase" else logits
    return scores.gather(-1, index).movedim(-1, -2).softmax(-1)


class ScoreCAM(CamMethod):
    """Weighs the channels of a layer by the score of the image seen through them (Wang et al. 2020).

    Each channel takes a pass through the network, one for all classes; those that are constant, as most are behind a
    ReLU, mask everything and share one. Passes go several masks at a time and without gradients, so that norms stay
    folded.

    Args:
        at: the place: a module of the backbone by its dotted name, or a level; the one the head reads by default.
        definition: of mask and weight: ``increase`` (torch-cam), ``logit`` (pytorch-grad-cam; in the paper's order,
            which resizes before it brings to [0, 1]) or ``probability`` (the authors' code).
        channels: an approximation: only so many channels of an image count, those of the largest activations; the
            others weigh nothing. All by default.
        batch: how many masked images go through the network at a time.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self,
        at: str | None = None,
        definition: Definition = "increase",
        channels: Annotated[int, "at least 1"] | None = None,
        batch: Annotated[int, "at least 1"] = 16,
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(resize, normalize)
        self.at, self.definition, self.channels, self.batch = at, definition, channels, batch

    def check(self, model: Model) -> None:
        """Refuse a model whose backbone lacks the place.

        Raises:
            ConfigError: it does.
        """
        check_places(model, () if self.at is None else (self.at,))

    @torch.no_grad()
    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: the place is unknown, the head does not classify, or the images are known by features alone.
            ShapeError: a class is none of the head's.
        """
        name = type(self).__name__
        if isinstance(images, KnownLevels):
            raise ConfigError(
                f"{name} masks the images, which are known by their cached features alone. Leave feature_cache out, or "
                "take GradCAM.",
                about=name,
            )
        place = self.at or head_level(model)
        seen, tape = watch(model, images, [place], name, gradients=False)
        scores = seen.need("logits", self)
        asked = (classes if classes.ndim == 2 else classes[:, None]).to(scores.device)  # (B, T)
        check_classes(asked, scores.shape[1])
        maps = []
        for image, cells, wanted, baseline in zip(images, tape.activations()[0], asked, scores, strict=True):
            kept = cells if self.channels is None else cells[self.strongest(cells, self.channels)]
            logits = self.masked_logits(model, image, kept)
            weights = channel_weights(logits, wanted, baseline, self.definition)  # (T, C)
            maps.append(weighted_sum(kept, weights[..., None, None]).relu())
        found = torch.stack(maps)
        return found if classes.ndim == 2 else found[:, 0]

    def masked_logits(self, model: Model, image: Tensor, cells: Tensor) -> Tensor:
        """Return what the model says (C, K) of one image (3, H, W) seen through each of its channels (C, h, w)."""
        size = (int(image.shape[-2]), int(image.shape[-1]))
        lively = (cells.amax((1, 2)) > cells.amin((1, 2))).nonzero()[:, 0]
        rows = [*lively.split(self.batch)]
        found: Tensor | None = None
        for number, chosen in enumerate(rows or [lively]):
            seen = masks_of(cells[chosen], size, self.definition)[:, None] * image
            dark = number == 0 and len(lively) < len(cells)  # all the constant ones are one black image
            if dark:
                seen = torch.cat([seen, torch.zeros_like(image)[None]])
            logits = model.activate(in_layout_of(seen, image)).logits
            assert logits is not None
            if found is None:
                found = logits[-1].expand(len(cells), -1).clone()
            found[chosen] = logits[: len(chosen)]
        assert found is not None
        return found

    @staticmethod
    def strongest(cells: Tensor, count: int) -> Tensor:
        """Return the channels of the largest activations, in their order."""
        return cells.amax((1, 2)).topk(min(count, len(cells))).indices.sort().values


def in_layout_of(images: Tensor, image: Tensor) -> Tensor:
    """Return images with their channels innermost where those of an image (3, H, W) are."""
    last = image.stride(0) == 1 and image.shape[0] > 1
    return images.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
