"""Batches of a few classes with several images each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

from wsolkit.errors import ConfigError, DataError

__all__ = ["ClassBalancedBatchSampler", "Deck", "images_by_class"]


class Deck:
    """Cards that are dealt in random order, shuffled anew when they run out.

    Args:
        cards: what is dealt.
        generator: where the random order comes from.

    >>> deck = Deck([4, 5, 6], torch.Generator().manual_seed(0))
    >>> sorted(deck.deal(2) + deck.deal(1)), len(set(deck.deal(3))), len(deck.deal(7))
    ([4, 5, 6], 3, 7)
    """

    def __init__(self, cards: Sequence[int], generator: torch.Generator) -> None:
        self.cards = list(cards)
        self.generator = generator
        self.left: list[int] = []

    def deal(self, count: int) -> list[int]:
        """Return so many cards, all different as long as there are that many."""
        dealt: list[int] = []
        while len(dealt) < count:
            if not self.left:
                order = torch.randperm(len(self.cards), generator=self.generator).tolist()
                self.left = [self.cards[place] for place in reversed(order)]  # the next one is the last
            wanted = count - len(dealt)
            if not dealt or count > len(self.cards):
                fresh = self.left[-wanted:][::-1]
                del self.left[-wanted:]
            else:  # shuffled within this deal: none that was dealt already
                fresh = [card for card in reversed(self.left) if card not in dealt][:wanted]
                self.left = [card for card in self.left if card not in fresh]
            dealt += fresh
        return dealt


def images_by_class(dataset: Any) -> dict[int, list[int]]:
    """Return the places of the images of each class, read from the records alone.

    Raises:
        ConfigError: the data set has no records with labels.
        DataError: an image has several labels or none.
    """
    if not hasattr(dataset, "get_data_info"):
        raise ConfigError(
            f"ClassBalancedBatchSampler reads labels from the records of a data set, which {type(dataset).__name__} "
            "does not have. Use a data set of wsolkit, without num_batch_per_epoch."
        )
    several = bool((getattr(dataset, "metainfo", None) or {}).get("multi_label"))
    found: dict[int, list[int]] = {}
    for place in range(len(dataset)):
        labels: Sequence[int] = [] if several else dataset.get_data_info(place).get("labels", [])
        if len(labels) != 1:
            raise DataError(
                f"ClassBalancedBatchSampler needs images with one class each, but {type(dataset).__name__} "
                + ("is multi-label data" if several else f"gives image {place} the labels {list(labels)}")
                + ". Leave train_dataloader.batch_sampler out, and the losses that compare images of a class with it."
            )
        found.setdefault(int(labels[0]), []).append(place)
    return dict(sorted(found.items()))


class ClassBalancedBatchSampler(Sampler[list[int]]):
    """Draws batches of at most so many classes with so many images of each, for losses that compare images of a class.

    Written in a configuration as ``train_dataloader.batch_sampler``, beside the ordinary ``sampler`` and
    ``batch_size``. Every class comes as often as every other, give or take one; the images of a class come all once
    before one comes again. A class with fewer images than a batch asks for repeats them. Data with fewer classes gives
    batches of all of its classes, with more images of each.

    Batches follow from the seed and the epoch of the sampler alone. With several processes all draw the same list, and
    process r takes every batch whose number is r modulo their number. An epoch is as many whole batches as there are
    images for, at least one on each process.

    Args:
        sampler: mmengine's ``DefaultSampler``, for its data set, seed, epoch and processes; filled in.
        batch_size: images per batch and process; filled in.
        classes: classes per batch.
        images: images per class.

    Attributes:
        first_batch: how many batches of the epoch to leave out, for a training that is resumed inside it.

    Raises:
        ConfigError: ``classes`` or ``images`` is below 1, their product is not the batch size, or the sampler is of
            another kind.
        DataError: an image has several classes.
    """

    def __init__(self, sampler: Any, batch_size: int, classes: int = 12, images: int = 4) -> None:
        if classes < 1 or images < 1:
            raise ConfigError(
                f"ClassBalancedBatchSampler draws one class or more, and one image of each or more, but got "
                f"classes={classes} and images={images}."
            )
        if classes * images != batch_size:
            raise ConfigError(
                f"ClassBalancedBatchSampler draws {classes} classes x {images} images = {classes * images}, but "
                f"batch_size is {batch_size}. Set train_dataloader.batch_size={classes * images}, or other classes and "
                "images."
            )
        if not all(hasattr(sampler, name) for name in ("dataset", "seed", "epoch", "rank", "world_size")):
            raise ConfigError(
                f"ClassBalancedBatchSampler takes seed and epoch from a DefaultSampler, but got "
                f"{type(sampler).__name__}. Write train_dataloader.sampler=dict(type='DefaultSampler', shuffle=True)."
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.classes = classes
        self.images = images
        self.first_batch = 0
        self.places = images_by_class(sampler.dataset)

    def __len__(self) -> int:
        """Return the batches of an epoch on one process."""
        total = sum(map(len, self.places.values()))
        return max(total // (self.batch_size * self.sampler.world_size), 1)

    def __iter__(self) -> Iterator[list[int]]:
        """Return the batches of this process, from the first that is wanted."""
        every = self.epoch_batches(len(self) * self.sampler.world_size)
        return iter(every[self.sampler.rank :: self.sampler.world_size][self.first_batch :])

    def epoch_batches(self, count: int) -> list[list[int]]:
        """Return the batches of all processes in the epoch that the sampler is at."""
        generator = torch.Generator()
        generator.manual_seed(hash((self.sampler.seed, self.sampler.epoch)) & (2**63 - 1))
        classes = Deck(list(self.places), generator)
        decks = {label: Deck(places, generator) for label, places in self.places.items()}
        wanted = min(self.classes, len(self.places))
        least, more = divmod(self.batch_size, wanted)
        batches = []
        for _ in range(count):
            batch: list[int] = []
            for number, label in enumerate(classes.deal(wanted)):
                batch += decks[label].deal(least + (number < more))
            batches.append(batch)
        return batches
