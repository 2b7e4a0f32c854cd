"""One combination of parts: it trains a step and predicts, or refuses in words that name two of its parts."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsolkit.errors import WsolkitError
from wsolkit.interfaces import Batch, Prediction
from wsolkit.model.localizer import Localizer
from wsolkit.testing.pairs import Combination, Outcome
from wsolkit.testing.part_tables import Part, PartTables

__all__ = ["built_model", "check_alone", "described", "named_in", "try_combination"]

BATCH = 2
TRIES = 3  # a modifier may drop all of a batch of two images by chance
LABELS = {
    "one of each image": torch.tensor([0, 2]),
    "several of an image": torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 1]]),
}


def built_model(combination: Combination, tables: PartTables) -> Localizer:
    """Build the model of a combination in float32."""
    trunk, head, pooling, modifier, loss, _, cam_method, box_extractor, batch_transform = combination
    at = {"at": tables.place_inside(trunk)} if modifier.config.get("at") == "inside" else {}
    torch.manual_seed(0)
    return Localizer(
        backbone=deepcopy(tables.backbone(trunk)),
        head={**head.config, **({"pooling": dict(pooling.config)} if pooling.name else {})},
        losses=[tables.with_checkpoint(loss.config)],
        modifiers=[{**tables.with_checkpoint(modifier.config), **at}] if modifier.name else [],
        cam_method=tables.with_checkpoint(cam_method.config),
        box_extractor=dict(box_extractor.config),
        batch_transforms=[dict(batch_transform.config)] if batch_transform.name else [],
        precision="fp32",
    )


def drawn_images(combination: Combination, tables: PartTables) -> Tensor:
    """Draw images of the size the backbone is given."""
    side = tables.side(combination[0])
    return torch.randn(BATCH, 3, side, side, generator=torch.Generator().manual_seed(1))


def labels_of(combination: Combination) -> Tensor:
    """Return the labels of the batch, of the kind the combination says."""
    return next(LABELS[part.label] for part in combination if part.axis == "labels")


def train_one_step(model: Localizer, images: Tensor, labels: Tensor) -> None:
    """Run one step of gradient descent and hold its numbers against what any training promises."""
    model.train()
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=1e-3)
    extras = {"pseudo_maps": torch.rand(len(images), 1, *images.shape[-2:])}
    batch = Batch(images, labels, ("a", "b"), progress=0.5, extras=extras)
    reached: set[str] = set()
    for _ in range(TRIES):
        optimizer.zero_grad()
        total, _ = model.parse_losses(model.loss(batch))
        assert torch.isfinite(total), f"the loss is {float(total)}"
        total.backward()
        gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
        broken = [name for name, gradient in gradients.items() if not torch.isfinite(gradient).all()]
        assert not broken, f"the gradients of {broken} are not finite"
        reached = {name.split(".")[0] for name, gradient in gradients.items() if gradient.any()}
        if {"backbone", "head"} <= reached:
            break
    else:
        raise AssertionError(f"gradients only reach {sorted(reached)}")
    before = [weight.detach().clone() for weight in model.head.parameters()]
    optimizer.step()
    pairs = zip(before, model.head.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in pairs), "the head learns nothing"


def predict(model: Localizer, images: Tensor, labels: Tensor) -> list[Prediction]:
    """Predict maps and boxes, and hold them against what any prediction promises."""
    height, width = images.shape[-2:]
    predictions: list[Prediction] = model.predict(images, labels)
    assert len(predictions) == len(images), f"{len(predictions)} predictions of {len(images)} images"
    for prediction in predictions:
        maps = prediction.maps
        shape = (len(prediction.classes), height, width)
        assert len(maps) >= 1, "there are no maps"
        assert maps.shape == shape, f"the maps are {tuple(maps.shape)}, not {shape}"
        assert torch.isfinite(maps).all(), "maps are NaN or infinite"
        lowest, highest = float(maps.min()), float(maps.max())
        assert 0 <= lowest <= highest <= 1, f"maps lie in {lowest}..{highest}, not in 0..1"
        for score_map in maps:
            boxes, scores = model.boxes(score_map, prediction.features)
            assert boxes.shape == (len(scores), 4), f"boxes {boxes.shape} and scores {scores.shape}"
            assert np.isfinite(scores).all(), "scores of boxes are NaN or infinite"
            inside = (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= [width, height]).all()
            assert inside, f"boxes {boxes.tolist()} lie outside {width} x {height}"
            assert (boxes[:, :2] < boxes[:, 2:]).all(), f"boxes {boxes.tolist()} have no area"
    return predictions


def try_combination(combination: Combination, tables: PartTables) -> Outcome:
    """Train one step and predict, or say what went wrong."""
    labels, images = labels_of(combination), drawn_images(combination, tables)
    try:
        model = built_model(combination, tables)
        train_one_step(model, images, labels)
        predict(model.eval(), images, labels)
    except WsolkitError as error:
        return Outcome(False, named_in(str(error), combination), f"{type(error).__name__}: {error}")
    except Exception as error:  # what the matrix is there to find
        return Outcome(False, (), f"{type(error).__name__}: {error}")
    return Outcome(True)


def named_in(message: str, combination: Combination) -> tuple[Part, ...]:
    """Return the parts that a refusal names, without those it only advises.

    Where it names a batch transform, "labels" are those that the transform mixes, not the kind that the data has.
    """
    words = set(re.findall(r"\w+", re.sub(r"type='\w+'", "", message)))
    named = tuple(part for part in combination if {part.name, part.name.removesuffix("s")} & words)
    mixed = any(part.axis == "batch transform" for part in named)
    return tuple(part for part in named if not (mixed and part.axis == "labels"))


def described(combination: Combination) -> str:
    """Return a combination in words."""
    return ", ".join(map(str, combination))


def check_alone(combination: Combination, tables: PartTables) -> None:
    """Compare predictions of an image alone with those in a batch.

    Raises:
        AssertionError: they differ; names the parts.
    """
    model, images = built_model(combination, tables), drawn_images(combination, tables)
    train_one_step(model, images, labels_of(combination))  # batch norms have seen something
    together = predict(model.eval(), images, torch.tensor([1, 2]))
    for row, expected in enumerate(together):
        (found,) = predict(model, images[row : row + 1], torch.tensor([[1, 2][row]]))
        where = f"{described(combination)}: image {row}"
        close: dict[str, Any] = {"atol": 1e-4, "rtol": 1e-3, "msg": f"logits of {where}"}
        torch.testing.assert_close(found.logits, expected.logits, **close)
        torch.testing.assert_close(found.maps, expected.maps, atol=5e-3, rtol=0, msg=f"maps of {where}")
