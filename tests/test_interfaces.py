"""What the interfaces do themselves: numbers that modifiers note for the training log."""

import copy

import torch

from wsolkit import MapModifier


class Scale(MapModifier):
    """Doubles maps and notes their mean and how many there are."""

    def modify(self, maps):
        self.note(mean=maps.mean(), count=len(maps))
        return 2 * maps


def test_noted_numbers_are_handed_out_once():
    modifier = Scale()
    assert modifier.scalars() == {}
    modifier(torch.full((3, 1, 2, 2), 0.5))
    assert modifier.scalars() == {"mean": 0.5, "count": 3.0}
    assert modifier.scalars() == {}


def test_the_last_batch_counts():
    modifier = Scale()
    for value in (1.0, 4.0):
        modifier(torch.full((1, 1, 2, 2), value))
    assert modifier.scalars()["mean"] == 4.0
    modifier.eval()(torch.ones(1, 1, 2, 2))
    assert modifier.scalars() == {}


def test_noted_tensors_have_no_gradient_and_wait_to_be_asked_for():
    modifier = Scale()
    modifier(torch.ones(1, 1, 2, 2, requires_grad=True))
    assert isinstance(modifier._noted["mean"], torch.Tensor)
    assert not modifier._noted["mean"].requires_grad
    assert copy.deepcopy(modifier).scalars() == modifier.scalars()
    assert not modifier.state_dict()


def test_a_compiled_modifier_notes_as_well():
    modifier = Scale()
    compiled = torch.compile(modifier, backend="eager")
    for value in (1.0, 3.0):
        assert compiled(torch.full((1, 1, 2, 2), value)).eq(2 * value).all()
        assert modifier.scalars() == {"mean": value, "count": 1.0}
