"""Every part with every other: a combination trains and predicts, or says which two parts do not fit, and why."""

import os
import random
import re
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from tests.support.matrix_pairs import Explored, Outcome, drawn, explore, fill_up, pairs_between, pairs_of
from tests.support.matrix_parts import (
    INSIDE,
    LEFT_OUT,
    PLAIN,
    SETTINGS,
    SIDES,
    Part,
    axes,
    backbone,
    meaningless,
    place_inside,
    side,
    with_checkpoint,
)
from wsolkit import Batch, WsolkitError, load_plugins
from wsolkit.config.load import load_config
from wsolkit.model.localizer import Localizer
from wsolkit.registry import MODELS

BATCH = 2
FURTHER = int(os.environ.get("WSOLKIT_MATRIX", "0"))
EVERY = 1 if "WSOLKIT_MATRIX" in os.environ else 10
"""A run without ``WSOLKIT_MATRIX=0`` has to try about one pair of parts in so many; others meet as it happens."""

DRAWN = 40
ALONE = 12
TRIES = 3  # a modifier may drop all of a batch of two images by chance
LABELS = {
    "one of each image": torch.tensor([0, 2]),
    "several of an image": torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 1]]),
}

FIRST = """
model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="test_resnet"),
    head=dict(type="LinearHead", num_classes=4),
    precision="fp32",
)
test_dataloader = dict(dataset=dict(type="SyntheticParts", num_classes=4))
"""
"""The configuration of the trained model that some parts need."""


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return the checkpoint of a model, as training writes it."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "config.py").write_text(FIRST)
    torch.manual_seed(0)
    model = MODELS.build(load_config(folder / "config.py").model)
    torch.save({"state_dict": model.state_dict(), "meta": {"epoch": 1}}, folder / "best.pth")
    return folder / "best.pth"


def built(combination, first):
    """Build the model of a combination in float32."""
    trunk, head, pooling, modifier, loss, _, cam_method, box_extractor, batch_transform = combination
    at = {"at": place_inside(trunk)} if modifier.config.get("at") == "inside" else {}
    torch.manual_seed(0)
    return Localizer(
        backbone=deepcopy(backbone(trunk)),
        head={**head.config, **({"pooling": dict(pooling.config)} if pooling.name else {})},
        losses=[with_checkpoint(loss.config, first)],
        modifiers=[{**with_checkpoint(modifier.config, first), **at}] if modifier.name else [],
        cam_method=with_checkpoint(cam_method.config, first),
        box_extractor=dict(box_extractor.config),
        batch_transforms=[dict(batch_transform.config)] if batch_transform.name else [],
        precision="fp32",
    )


def drawn_images(combination):
    """Draw images of the size the backbone is given."""
    size = side(combination[0])
    return torch.randn(BATCH, 3, size, size, generator=torch.Generator().manual_seed(1))


def labels_of(combination):
    """Return the labels of the batch, of the kind the combination says."""
    return next(LABELS[part.label] for part in combination if part.axis == "labels")


def train_one_step(model, images, labels):
    """Run one step of gradient descent and hold its numbers against what any training promises."""
    model.train()
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=1e-3)
    extras = {"pseudo_maps": torch.rand(len(images), 1, *images.shape[-2:])}
    batch = Batch(images, labels, ("a", "b"), progress=0.5, extras=extras)
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


def predict(model, images, labels):
    """Predict maps and boxes, and hold them against what any prediction promises."""
    height, width = images.shape[-2:]
    predictions = model.predict(images, labels)
    assert len(predictions) == len(images)
    for prediction in predictions:
        maps = prediction.maps
        assert maps.shape == (len(prediction.classes), height, width)
        assert len(maps) >= 1
        assert torch.isfinite(maps).all()
        assert float(maps.min()) >= 0
        assert float(maps.max()) <= 1
        for score_map in maps:
            boxes, scores = model.boxes(score_map, prediction.features)
            assert boxes.shape == (len(scores), 4)
            assert np.isfinite(scores).all()
            assert (boxes[:, :2] >= 0).all()
            assert (boxes[:, 2:] <= [width, height]).all()
            assert (boxes[:, :2] < boxes[:, 2:]).all()
    return predictions


def run(combination, first):
    """Train one step and predict, or say what went wrong."""
    labels = labels_of(combination)
    images = drawn_images(combination)
    try:
        model = built(combination, first)
        train_one_step(model, images, labels)
        predict(model.eval(), images, labels)
    except WsolkitError as error:
        return Outcome(False, named_in(str(error), combination), f"{type(error).__name__}: {error}")
    except Exception as error:  # what the matrix is there to find
        return Outcome(False, (), f"{type(error).__name__}: {error}")
    return Outcome(True)


def named_in(message, combination):
    """Return the parts that a refusal names, without those it only advises.

    Where it names a batch transform, "labels" are those that the transform mixes, not the kind that the data has.
    """
    words = set(re.findall(r"\w+", re.sub(r"type='\w+'", "", message)))
    named = tuple(part for part in combination if {part.name, part.name.removesuffix("s")} & words)
    mixed = any(part.axis == "batch transform" for part in named)
    return tuple(part for part in named if not (mixed and part.axis == "labels"))


def described(combination):
    return ", ".join(map(str, combination))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore:Both branches of TwoBranchHead", "ignore:The embedding network")
def test_combinations_train_and_predict_or_name_the_two_parts_that_do_not_fit(first, capsys):
    choices = axes()
    never = meaningless(choices)
    explored = explore(choices, lambda combination: run(combination, first), never, EVERY)
    drawing = random.Random(0)
    further = [draw(choices, explored, never, drawing, first) for _ in range(DRAWN + FURTHER)]
    ran = sum(outcome.runs for outcome in explored.outcomes.values())
    refused = sum(len(outcome.named) > 1 for outcome in explored.outcomes.values())
    with capsys.disabled():
        print(
            f"\nmatrix: {ran} of {len(explored.outcomes)} combinations train and predict, {refused} refuse by name "
            f"({len(explored.covered)} pairs run, {len(explored.refused)} refuse, {len(explored.apart)} cannot meet)"
        )
    failures = [f"{described(combination)}\n    {reason}" for combination, reason in explored.failures.items()]
    failures += filter(None, further)
    assert not failures, f"{len(failures)} combinations fail:\n" + "\n".join(failures[:40])
    wanted = {pair for pair in pairs_between(choices) if drawn(pair, EVERY)} - never
    assert wanted <= explored.covered | set(explored.refused) | explored.apart
    assert not explored.covered & set(explored.refused), "a pair both runs and refuses"
    check_alone(explored, first)


def draw(choices, explored: Explored, never, drawing: random.Random, first) -> str:
    """Run a drawn combination; return what the refusing pairs do not explain of it."""
    combination = tuple(drawing.choice(axis) for axis in choices)
    while pairs_of(combination) & never:
        combination = tuple(drawing.choice(axis) for axis in choices)
    known = pairs_of(combination) & set(explored.refused)
    if combination not in explored.outcomes:
        explored.outcomes[combination] = run(combination, first)
    outcome = explored.outcomes[combination]
    if outcome.runs and known:
        return f"{described(combination)}\n    runs, although a pair of it refuses: {[sorted(pair) for pair in known]}"
    if not outcome.runs and len(outcome.named) < 2:
        return f"{described(combination)}\n    {outcome.message}"
    if not outcome.runs and not known and EVERY == 1:  # else the pair may not have been tried
        return f"{described(combination)}\n    is refused, though every pair of it runs: {outcome.message}"
    return ""


def check_alone(explored: Explored, first) -> None:
    """Compare predictions of an image alone with those in a batch, for some combinations of each kind of part."""
    good = [combination for combination, outcome in explored.outcomes.items() if outcome.runs]
    random.Random(1).shuffle(good)
    for combination in good[:ALONE]:
        model, images = built(combination, first), drawn_images(combination)
        train_one_step(model, images, labels_of(combination))  # batch norms have seen something
        together = predict(model.eval(), images, torch.tensor([1, 2]))
        for row, expected in enumerate(together):
            (found,) = predict(model, images[row : row + 1], torch.tensor([[1, 2][row]]))
            where = f"{described(combination)}: image {row}"
            torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-3, msg=f"logits of {where}")
            torch.testing.assert_close(found.maps, expected.maps, atol=5e-3, rtol=0, msg=f"maps of {where}")


def test_tables_name_parts_that_exist():
    names = {component.cls.__name__ for component in load_plugins().components.values()}
    assert {*SETTINGS, *LEFT_OUT, *SIDES, *INSIDE, *PLAIN} <= names
    assert all(set(given) == set(SETTINGS[name]) for name, given in INSIDE.items())
    assert all(LEFT_OUT.values())


def test_every_registered_part_is_in_the_matrix():
    held = {part.name for axis in axes() for part in axis}
    kinds = {"backbone", "activation head", "map modifier", "loss", "CAM method", "box extractor", "pooling"} | {
        "batch transform"
    }
    expected = {each.cls.__name__ for each in load_plugins().components.values() if each.interface in kinds}
    assert held >= expected - set(LEFT_OUT)


def test_advice_does_not_count_as_a_name():
    choices = axes()
    combination = fill_up(choices, [], set(), [])
    head = combination[1].name
    assert [part.name for part in named_in(f"{head} is no good.", combination)] == [head]
    assert named_in(f"Use head=dict(type='{head}').", combination) == ()
    assert named_in(f"{head}x is no good.", combination) == ()
    assert [part.name for part in named_in("Every image needs a label.", combination)] == ["labels"]
    mixing = (*combination[:-1], Part("batch transform", "CutMix"))
    assert [part.name for part in named_in("CutMix mixes labels.", mixing)] == ["CutMix"]


def test_a_backbone_is_copied_for_each_model(first):
    combination = fill_up(axes(), [], set(), [])
    one, two = built(combination, first), built(combination, first)
    nn.init.zeros_(next(one.backbone.parameters()))
    assert bool(next(two.backbone.parameters()).any())
