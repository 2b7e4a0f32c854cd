"""The loss of co-supervised augmentation: what maps cut out of the images of a batch is compared in pairs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Backbone, Batch, ConfigError, Loss, Precision, autocast_context
from wsolkit_csoa.confidence import confidence_mask
from wsolkit_csoa.embedding import Pool, build_embedding, build_structure, checked_embedding, embed, has_weights
from wsolkit_csoa.labels import known_labels, single_labels
from wsolkit_csoa.pair_terms import pair_terms
from wsolkit_csoa.ramp import linear_ramp
from wsolkit_csoa.soft_mask import MaskNorm, soft_mask

__all__ = ["CoAug", "masked_images"]

Norm = Sequence[Sequence[float]]
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def masked_images(images: Tensor, soft: Tensor, mask: Tensor) -> Tensor:
    """Return foregrounds, backgrounds and sure backgrounds of images, one after the other (CSoA, eq. 8 and 10).

    Args:
        images: I, (B, 3, H, W), normalised: hidden pixels become 0, the mean colour.
        soft: the soft masks, (B, h, w), resized bilinearly.
        mask: the confidence masks, (B, h, w), resized to the nearest cell.

    Returns:
        S * I, (1 - S) * I and (1 - S) * M * I, (3B, 3, H, W).
    """
    size = (images.shape[-2], images.shape[-1])
    shown = F.interpolate(soft[:, None], size=size, mode="bilinear", align_corners=False)
    sure = F.interpolate(mask[:, None], size=size, mode="nearest")
    foreground, background = shown * images, (1 - shown) * images
    return torch.cat([foreground, background, background * sure])


class CoAug(Loss):
    """Draws foregrounds of one class together and apart from backgrounds and other classes (CSoA, section 3.2).

    The map of the labelled class hides the background or the foreground of an image, and a network E embeds both.
    Works with every head that has class maps. Two terms come out, ``diff_pairs`` and ``same_pairs``, see
    ``pair_terms``; batches need several images of a class, see ``ClassBalancedBatchSampler``. With several processes
    pairs are those within each process.

    E is a tool of training: it is built when a training begins, is no part of checkpoints, and a trained model
    loads and predicts without its weight file. Only with ``train_embedding`` it belongs to the model.

    Args:
        embedding: configuration of E, any backbone; its deepest level is the embedding. ``AlexNet`` by default.
        gamma: weight of the distances between backgrounds.
        delta: weight of the distance between foregrounds of different classes.
        warm_up: the share of the training during which the loss grows to its full weight.
        mask_norm: how a map becomes a soft mask, see ``soft_mask``.
        cap: the most a pair counts, or None.
        eps: see ``pair_terms``.
        pool: ``flatten`` the deepest level of E, or ``average`` it over its cells.
        embedding_size: side of the square, or (height, width), that images are resized to before E; their own size by
            default.
        input_norm: mean and standard deviation that the images are normalised with, those of the data preprocessor.
        embedding_norm: mean and standard deviation that E expects. Where the two differ, images are converted.
        train_embedding: train E with the model.
        precision: of E: ``auto``, ``bf16`` or ``fp32``; distances are float32 always.

    Raises:
        ConfigError: a setting is out of range or unknown.
    """

    takes_labels = "one"
    indexes_labels = True

    def __init__(
        self,
        embedding: Any = None,
        gamma: Annotated[float, "at least 0"] = 1.0,
        delta: Annotated[float, "at least 0"] = 1.0,
        warm_up: Annotated[float, "in [0, 1]"] = 0.1,
        mask_norm: MaskNorm = "minmax",
        cap: Annotated[float, "above 0"] | None = None,
        eps: Annotated[float, "above 0"] = 1e-6,
        pool: Pool = "flatten",
        embedding_size: int | Sequence[int] | None = None,
        input_norm: Norm = IMAGENET,
        embedding_norm: Norm = IMAGENET,
        train_embedding: bool = False,
        precision: Precision = "auto",
    ) -> None:
        super().__init__()
        self.terms: dict[str, Any] = {"gamma": gamma, "delta": delta, "eps": eps, "cap": cap}
        self.warm_up = warm_up
        self.mask_norm = mask_norm
        self.pool = pool
        self.size = checked_size(embedding_size)
        self.conversion = conversion(input_norm, embedding_norm)
        self.precision = precision
        self.config = checked_embedding(embedding)
        self._looked = False
        self._outside: list[Backbone] = []  # a list, so that E is no submodule: not saved, not trained
        self.embedding: Backbone | None = None
        if train_embedding:
            self.embedding = build_structure(self.config)
            self.register_buffer("embedding_started", torch.zeros((), dtype=torch.long))

    def forward(self, activation: Activation, batch: Batch) -> dict[str, Tensor]:
        """Return ``diff_pairs`` and ``same_pairs``, the mean terms of both kinds of pairs, in the weight of the moment.

        Raises:
            ShapeError: there are no labels, or an image has several classes.
        """
        num_classes = None if activation.class_agnostic else activation.maps.shape[1]
        labels = single_labels("CoAug", known_labels("CoAug", batch, num_classes))
        self._look_for_pairs(labels)
        maps = activation.of(labels)  # (B, h, w)
        soft = soft_mask(maps, self.mask_norm)
        stacked = masked_images(self.seen(batch.images), soft, confidence_mask(maps))
        network = self.network(stacked.device)
        with autocast_context(self.precision, stacked.device):
            vectors = embed(network, stacked, self.pool).float()
        foreground, background, confident = vectors.chunk(3)
        diff, same = pair_terms(foreground, background, confident, labels.to(vectors.device), **self.terms)
        weight = linear_ramp(batch.progress, self.warm_up)
        return {"diff_pairs": weight * diff, "same_pairs": weight * same}

    def _look_for_pairs(self, labels: Tensor) -> None:
        """Warn at the first batch where most images have no other one of their class, so that little is compared."""
        if self._looked:
            return
        self._looked = True
        paired = int(((labels[:, None] == labels).sum(1) > 1).sum())
        if 2 * paired < len(labels):
            warnings.warn(
                f"CoAug draws images of one class together, but only {paired} of the {len(labels)} images of the first "
                "batch have another one of their class. Use train_dataloader.batch_sampler=dict("
                "type='ClassBalancedBatchSampler', classes=..., images=...), as csoa_vgg16_cub does.",
                stacklevel=2,
            )

    def prepare_training(self) -> None:
        """Build E and read its weights.

        Raises:
            CheckpointError: the weights cannot be read or do not fit.
        """
        self.network(torch.device("cpu"))

    @torch.no_grad()
    def seen(self, images: Tensor) -> Tensor:
        """Return the images as E sees them: in its size, normalised as it expects."""
        if self.size is not None and tuple(images.shape[-2:]) != self.size:
            images = F.interpolate(images, size=self.size, mode="bilinear", align_corners=False, antialias=True)
        if self.conversion is not None:
            scale, shift = (images.new_tensor(values)[:, None, None] for values in self.conversion)
            images = images * scale + shift
        return images.contiguous(memory_format=torch.channels_last)

    def network(self, device: torch.device) -> Backbone:
        """Return E on a device, and build it, or load its weights, at the first call."""
        if self.embedding is not None:
            started: Any = self.embedding_started
            if not int(started):
                if has_weights(self.config):
                    self.embedding.load_state_dict(build_embedding(self.config).state_dict())
                started.fill_(1)
            return self.embedding
        if not self._outside:
            self._outside.append(build_embedding(self.config).requires_grad_(False).eval())
        return self._outside[0].to(device)


def checked_size(size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Return (height, width) of what E sees, or None for the size of the input.

    Raises:
        ConfigError: it is no size.
    """
    if size is None:
        return None
    sides = (size, size) if isinstance(size, int) else tuple(size)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ConfigError(f"embedding_size of CoAug is a side or (height, width) in pixels, but got {size!r}.")
    return sides[0], sides[1]


def conversion(given: Norm, wanted: Norm) -> tuple[list[float], list[float]] | None:
    """Return scale and shift per channel that turn one normalisation into another, or None where they are equal.

    Raises:
        ConfigError: one of them is not a mean and a standard deviation of three channels.

    >>> scale, shift = conversion(((0.5,) * 3, (0.5,) * 3), ((0.25,) * 3, (0.25,) * 3))
    >>> scale, shift  # black: -1 becomes -1, white: 1 becomes 3
    ([2.0, 2.0, 2.0], [1.0, 1.0, 1.0])
    """
    for name, norm in (("input_norm", given), ("embedding_norm", wanted)):
        triples = [values for values in norm if isinstance(values, Sequence) and len(values) == 3]
        if len(norm) != 2 or len(triples) != 2 or min(norm[1]) <= 0:
            raise ConfigError(
                f"{name} of CoAug is (mean, standard deviation), three numbers each, the deviations positive, but got "
                f"{norm!r}."
            )
    (mean, std), (other_mean, other_std) = given, wanted
    if list(mean) == list(other_mean) and list(std) == list(other_std):
        return None
    scale = [s / o for s, o in zip(std, other_std, strict=True)]
    shift = [(m - p) / o for m, p, o in zip(mean, other_mean, other_std, strict=True)]
    return scale, shift
