"""Every part with every other: a combination trains and predicts, or says which two parts do not fit, and why."""

import os
import random

import pytest
import torch
from torch import nn

from tests.support.matrix_parts import INSIDE, LEFT_OUT, NOT_AT, SETTINGS, SIDES, tables
from wsolkit import load_plugins
from wsolkit.config.load import load_config
from wsolkit.registry import MODELS
from wsolkit.testing import Explored, Part, PartTables, check_alone, explore, try_combination
from wsolkit.testing.combinations import built_model, described, named_in
from wsolkit.testing.pairs import drawn, fill_up, pairs_between, pairs_of
from wsolkit.testing.part_tables import PLAIN

FURTHER = int(os.environ.get("WSOLKIT_MATRIX", "0"))
EVERY = 1 if "WSOLKIT_MATRIX" in os.environ else 40
"""A run without ``WSOLKIT_MATRIX=0`` has to try about one pair of parts in so many; others meet as it happens."""

DRAWN = 25
ALONE = 5

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
def known(tmp_path_factory):
    """Return what is known of the parts, with the checkpoint of a model, as training writes it."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "config.py").write_text(FIRST)
    torch.manual_seed(0)
    model = MODELS.build(load_config(folder / "config.py").model)
    torch.save({"state_dict": model.state_dict(), "meta": {"epoch": 1}}, folder / "best.pth")
    found = tables()
    found.first = folder / "best.pth"
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore:Both branches of TwoBranchHead", "ignore:The embedding network")
def test_combinations_train_and_predict_or_name_the_two_parts_that_do_not_fit(known, capsys):
    choices, never = known.axes, known.meaningless
    explored = explore(choices, lambda each: try_combination(each, known), never, lambda pair: drawn(pair, EVERY))
    drawing = random.Random(0)
    further = [draw(choices, explored, never, drawing, known) for _ in range(DRAWN + FURTHER)]
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
    good = [combination for combination, outcome in explored.outcomes.items() if outcome.runs]
    random.Random(1).shuffle(good)
    for combination in good[:ALONE]:
        check_alone(combination, known)


def draw(choices, explored: Explored, never, drawing: random.Random, known: PartTables) -> str:
    """Run a drawn combination; return what the refusing pairs do not explain of it."""
    combination = tuple(drawing.choice(axis) for axis in choices)
    while pairs_of(combination) & never:
        combination = tuple(drawing.choice(axis) for axis in choices)
    refusing = pairs_of(combination) & set(explored.refused)
    if combination not in explored.outcomes:
        explored.outcomes[combination] = try_combination(combination, known)
    outcome = explored.outcomes[combination]
    if outcome.runs and refusing:
        pairs = [sorted(pair) for pair in refusing]
        return f"{described(combination)}\n    runs, although a pair of it refuses: {pairs}"
    if not outcome.runs and len(outcome.named) < 2:
        return f"{described(combination)}\n    {outcome.message}"
    if not outcome.runs and not refusing and EVERY == 1:  # else the pair may not have been tried
        return f"{described(combination)}\n    is refused, though every pair of it runs: {outcome.message}"
    return ""


def test_tables_name_parts_that_exist():
    names = {component.cls.__name__ for component in load_plugins().components.values()}
    assert {*SETTINGS, *LEFT_OUT, *SIDES, *INSIDE, *NOT_AT, *PLAIN} <= names
    assert all(set(given) == set(SETTINGS[name]) for name, given in INSIDE.items())
    assert all(LEFT_OUT.values())


def test_every_registered_part_is_in_the_matrix(known):
    held = {part.name for axis in known.axes for part in axis}
    kinds = {"backbone", "activation head", "map modifier", "loss", "CAM method", "box extractor", "pooling"} | {
        "batch transform"
    }
    expected = {each.cls.__name__ for each in load_plugins().components.values() if each.interface in kinds}
    assert held >= expected - set(LEFT_OUT)


def test_advice_does_not_count_as_a_name(known):
    combination = fill_up(known.axes, [], set(), [])
    head = combination[1].name
    assert [part.name for part in named_in(f"{head} is no good.", combination)] == [head]
    assert named_in(f"Use head=dict(type='{head}').", combination) == ()
    assert named_in(f"{head}x is no good.", combination) == ()
    assert [part.name for part in named_in("Every image needs a label.", combination)] == ["labels"]
    mixing = (*combination[:-1], Part("batch transform", "CutMix"))
    assert [part.name for part in named_in("CutMix mixes labels.", mixing)] == ["CutMix"]


def test_a_backbone_is_copied_for_each_model(known):
    combination = fill_up(known.axes, [], set(), [])
    one, two = built_model(combination, known), built_model(combination, known)
    nn.init.zeros_(next(one.backbone.parameters()))
    assert bool(next(two.backbone.parameters()).any())
