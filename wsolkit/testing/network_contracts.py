"""The contracts of the parts that a network is made of and trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit.errors import ConfigError, HeadError
from wsolkit.interfaces import Activation, ActivationHead, Batch, BatchTransform, Levels, Loss, MapModifier, Pooling
from wsolkit.model.batch_transforms import apply_transforms
from wsolkit.registry import HEADS
from wsolkit.testing.promises import NAMES, built, finite, kept_whole, promised

__all__ = ["check_batch_transform", "check_head", "check_loss", "check_modifier", "check_pooling"]

KINDS_OF_LABELS = {"indices": torch.tensor([0, 2]), "rows": torch.eye(3)[[0, 2]]}


def check_pooling(part: type[Pooling], **settings: Any) -> None:
    """Check that a pooling gives one score for each map, and gradients.

    Args:
        part: the class.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
    """
    maps = torch.randn(2, 3, 4, 5, requires_grad=True)
    scores = built(part, settings).forward(maps)  # what a model would refuse is told as a promise here
    promised(part, scores.shape == (2, 3), "turns maps (2, 3, 4, 5) into scores (2, 3)", tuple(scores.shape))
    scores.sum().backward()
    gradient = torch.zeros(()) if maps.grad is None else maps.grad
    finite(part, "gradients", gradient)
    promised(part, bool(gradient.any()), "hands gradients on to the maps", "none but 0")


def check_modifier(part: type[MapModifier], **settings: Any) -> None:
    """Check that a modifier keeps the shape of maps, rests in evaluation where it is ``train_only``, and is kept.

    Args:
        part: the class; one that takes ``channels`` is told them.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
    """
    maps = torch.rand(2, 6, 14, 14)
    modifier = built(part, settings, channels=6)
    for mode in (True, False):
        found = modifier.train(mode)(maps)
        words = "training" if mode else "evaluation"
        promised(part, found.shape == maps.shape, f"keeps the shape {tuple(maps.shape)} in {words}", tuple(found.shape))
        finite(part, f"maps in {words}", found)
        if not mode and modifier.train_only:
            changed = int((found != maps).sum())
            promised(part, not changed, "leaves maps alone in evaluation (train_only)", f"{changed} cells changed")
    kept_whole(part, modifier, built(part, settings, channels=6))


def check_batch_transform(part: type[BatchTransform], **settings: Any) -> None:
    """Check that a batch transform leaves what it is given as it is, and keeps a batch together.

    Args:
        part: the class; one that takes ``num_classes`` or ``class_names`` is told them.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
        ShapeError: what it returns is no batch.
    """
    for labels in (torch.tensor([0, 2, 1]), torch.eye(3)[[0, 2, 1]]):
        images, extra = torch.randn(3, 3, 16, 24), torch.rand(3, 1, 16, 24)
        given = Batch(images, labels, ["a", "b", "c"], 0.5, True, {"pseudo_maps": extra})
        before = [each.clone() for each in (images, labels, extra)]
        transform = built(part, settings, num_classes=len(NAMES), class_names=list(NAMES))
        for _ in range(5):
            found = apply_transforms([transform], given)
            moment = (found.progress, found.begins_pass)
            promised(part, moment == (0.5, True), "leaves progress and begins_pass as they are", moment)
            finite(part, "images", found.images)
            if transform.mixes_labels:
                assert found.labels is not None
                sums = found.labels.sum(1)
                promised(part, torch.allclose(sums, torch.ones_like(sums)), "returns rows that add up to 1", sums)
        same = [torch.equal(old, new) for old, new in zip(before, (images, labels, extra), strict=True)]
        names = [name for name, kept in zip(("images", "labels", "extras"), same, strict=True) if not kept]
        promised(part, not names, "leaves the batch that it is given as it is", f"other {', '.join(names)}")


def levels_of(**levels: Tensor) -> Levels:
    """Return levels whose rest can be run again, as those of a backbone in a model: each is made of the one before."""

    def again(name: str, maps: Tensor, first: Mapping[str, Tensor], _: bool) -> dict[str, Tensor]:
        found = {name: maps}
        for deeper, level in list(first.items())[list(first).index(name) + 1 :]:
            mean = F.adaptive_avg_pool2d(maps, (level.shape[-2], level.shape[-1])).mean(1, keepdim=True)
            found[deeper] = mean.expand(len(maps), level.shape[1], *level.shape[-2:])
        return found

    return Levels(levels, again)


def built_head(part: type[ActivationHead], settings: Mapping[str, Any]) -> tuple[ActivationHead, Levels]:
    """Build a head, with levels that it reads: maps of two sizes, or a transformer's attention and maps."""
    plain = levels_of(a=torch.randn(2, 4, 8, 8), b=torch.randn(2, 6, 4, 4))
    attention = torch.rand(2, 2, 17, 17).softmax(3)
    tokens = Levels({"blocks.0.attention": attention, "final": torch.randn(2, 6, 4, 4)})
    refused: ConfigError | None = None
    for levels in (plain, tokens):
        channels = {name: level.shape[1] for name, level in levels.items()}
        try:
            return built(part, settings, channels=channels, num_classes=3, class_names=list(NAMES)), levels
        except ConfigError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def check_head(part: type[ActivationHead], **settings: Any) -> None:
    """Check that a head gives maps for every class, logits of that many, and in training the extras that it ``gives``.

    Args:
        part: the class; it is told ``channels``, and ``num_classes`` and ``class_names`` where it takes them.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
    """
    head, levels = built_head(part, settings)
    with torch.no_grad():
        activation = head.eval()(levels)
    shape = tuple(activation.maps.shape)
    promised(part, len(shape) == 4 and shape[0] == 2 and shape[1] in (1, 3), "gives maps (2, 3 or 1, h, w)", shape)
    finite(part, "maps", activation.maps)
    of = tuple(activation.of(torch.tensor([0, 2])).shape)
    promised(part, of == (2, *shape[2:]), "gives the maps of a class of each image (2, h, w)", of)
    logits, features = activation.logits, activation.features
    if logits is not None:
        promised(part, logits.shape == (2, 3), "gives logits (2, 3), or None", tuple(logits.shape))
        finite(part, "logits", logits)
    promised(part, features is not None, "gives the features its maps were made of", "None")
    assert features is not None
    for name in ("class_weights", "mean_weights"):
        weights = getattr(head, name)
        expected = (3, features.shape[1])
        given = None if weights is None else tuple(weights.shape)
        promised(part, given in (None, expected), f"has {name} {expected}, or None", given)
    for key, wanted in part.gives.items():
        head, levels = built_head(part, {**settings, **wanted})
        found = head.train()(levels, Batch(torch.randn(2, 3, 32, 32), torch.tensor([0, 2])))
        there = getattr(found, key) is not None if key in ("logits", "features") else key in found.extras
        promised(part, there, f"gives {key!r} in training with {dict(wanted)}", f"only {sorted(found.extras)}")


def check_loss(part: type[Loss], head: Mapping[str, Any] | None = None, **settings: Any) -> None:
    """Check that a loss is finite numbers, that its gradients reach the model, and that checkpoints keep it whole.

    It is tried on free maps, logits and features first; where it needs more of a head (``Activation.need``), on the
    head that its refusal names.

    Args:
        part: the class.
        head: the configuration of the head that it needs, where it does not say so itself.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
        WsolkitError: it refuses what it is given.
    """
    for kind, labels in KINDS_OF_LABELS.items():
        logits = torch.randn(2, 3, requires_grad=True)
        maps = torch.randn(2, 3, 4, 4, requires_grad=True)
        features = torch.randn(2, 6, 4, 4, requires_grad=True)
        batch = Batch(torch.randn(2, 3, 16, 16), labels, extras={"pseudo_maps": torch.rand(2, 1, 16, 16)})
        loss = built(part, settings)
        try:
            activation = Activation(maps, logits, features) if head is None else seen_by(head, features, batch)
            found = loss(activation, batch)
        except HeadError as error:
            if head is not None or not error.heads:
                raise
            found = loss(seen_by(error.heads[0], features, batch), batch)
        for name, value in (found if isinstance(found, dict) else {"loss": found}).items():
            promised(part, value.ndim == 0, f"returns scalars; {name} is one", f"the shape {tuple(value.shape)}")
            finite(part, f"numbers for labels as {kind}; {name} is one", value)
        total = torch.as_tensor(sum(found.values()) if isinstance(found, dict) else found)
        promised(
            part, total.requires_grad, f"has gradients for labels as {kind}", f"the constant {float(total.detach())}"
        )
        total.backward()
        reached = any(each.grad is not None for each in (logits, maps, features))
        promised(part, reached, "hands gradients to maps, logits or features", "none")
        kept_whole(part, loss, built(part, settings))


def seen_by(head: Mapping[str, Any], features: Tensor, batch: Batch) -> Activation:
    """Return what a head makes in training of features (B, C, h, w)."""
    part, settings = HEADS.get(head["type"]), {name: value for name, value in head.items() if name != "type"}
    module = built(part, settings, channels={"a": features.shape[1]}, num_classes=3, class_names=list(NAMES))
    found: Activation = module.train()(levels_of(a=features), batch)
    found.head = part.__name__
    return found
