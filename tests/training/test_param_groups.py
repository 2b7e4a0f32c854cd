import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from tests.support import micro
from wsolkit.errors import ConfigError
from wsolkit.training.param_groups import PartOptimWrapperConstructor, check_complete, freeze_kinds, group_parameters


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.LayerNorm(4))
        self.backbone.gamma = nn.Parameter(torch.ones(4))
        self.head = nn.Linear(4, 2)
        self.heading = nn.Linear(4, 2)


def groups(model=None, lr_mult=None, decay_mult=None, lr=0.1, weight_decay=0.01):
    return group_parameters(model or Model(), lr, weight_decay, lr_mult or {}, decay_mult or {})


def test_parts_and_kinds_make_few_groups():
    found = {
        (group.get("lr", 0.1), group.get("weight_decay", 0.01)): group
        for group in groups(lr_mult={"backbone": 0.5, "head": 2.0}, decay_mult={"norm": 0, "bias": 0})
    }
    sizes = {key: len(group["params"]) for key, group in found.items()}
    assert sizes == {(0.05, 0.01): 3, (0.05, 0): 6, (0.2, 0.01): 1, (0.2, 0): 1, (0.1, 0.01): 1, (0.1, 0): 1}
    assert found[0.05, 0]["name"] == "backbone.bias+backbone.norm"
    assert next(iter(groups(lr_mult={"backbone": 0.5})))["name"] == "rest"  # the unscaled one first: its rate is logged


def test_the_longest_prefix_counts_and_names_end_at_dots():
    found = groups(lr_mult={"backbone": 0.5, "backbone.2": 0.25, "head": 2.0})
    rates = {group["name"]: (group.get("lr", 0.1), len(group["params"])) for group in found}
    assert rates == {"rest": (0.1, 2), "backbone": (0.05, 7), "backbone.2": (0.025, 2), "head": (0.2, 2)}


def test_other_vectors_are_a_kind():
    found = groups(decay_mult={"vector": 0})
    assert [len(group["params"]) for group in found if group.get("weight_decay") == 0] == [1]


def test_frozen_parameters_are_left_out():
    model = Model()
    model.backbone.requires_grad_(False)
    assert sum(len(group["params"]) for group in groups(model)) == 4
    model.requires_grad_(False)
    with pytest.raises(ConfigError, match="no trainable parameter"):
        groups(model)


def test_kinds_can_be_taken_out_of_the_training():
    model = Model()
    freeze_kinds(model, ["norm", "vector"])
    assert sum(len(group["params"]) for group in groups(model)) == 8  # four weights and their biases
    assert not model.backbone[1].weight.requires_grad
    assert not model.backbone.gamma.requires_grad
    with pytest.raises(ConfigError, match="freeze_kinds goes by kind of parameter, but got 'norms'"):
        freeze_kinds(model, ["norms"])


def test_the_constructor_freezes_kinds():
    model = Model()
    constructor = PartOptimWrapperConstructor(
        {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.1}}, {"freeze_kinds": ["norm"]}
    )
    constructor(model)
    assert not model.backbone[3].bias.requires_grad
    assert model.head.bias.requires_grad


def test_shared_parameters_are_counted_once():
    model = Model()
    model.heading.weight = model.head.weight
    assert sum(len(group["params"]) for group in groups(model)) == len(list(model.parameters()))


def test_a_parameter_in_two_groups_is_named():
    model = nn.Linear(1, 1)
    with pytest.raises(ConfigError, match="parameter weight is in 2 groups"):
        check_complete(model, [{"params": [model.weight, model.bias]}, {"params": [model.weight]}])
    with pytest.raises(ConfigError, match="parameter bias is in 0 groups"):
        check_complete(model, [{"params": [model.weight]}])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"lr_mult": {"backbnoe": 1}}, r"'backbnoe', but no parameter lies there. Did you mean 'backbone'"),
        ({"lr_mult": {"head": -1}}, r"lr_mult of 'head' should be a number >= 0, but got -1"),
        ({"decay_mult": {"norms": 0}}, r"got 'norms'. Did you mean 'norm'"),
        ({"decay_mult": {"norm": 0}, "weight_decay": None}, r"weight_decay, which is not set"),
        ({"lr_mult": {"head": 2}, "lr": None}, r"lr, which is not set"),
    ],
)
def test_mistakes_are_explained(arguments, said):
    with pytest.raises(ConfigError, match=said):
        groups(**arguments)


def test_multipliers_that_are_no_mapping_are_explained():
    with pytest.raises(ConfigError, match=r"lr_mult is written as dict\(NAME=NUMBER\), but got '{}'"):
        groups(lr_mult="{}")


def test_unknown_options_are_explained():
    config = {
        "constructor": "PartOptimWrapperConstructor",
        "optimizer": {"type": "SGD", "lr": 0.1},
        "paramwise_cfg": {"lr": {}},
    }
    micro.register()
    from mmengine.registry import DefaultScope

    with (
        DefaultScope.overwrite_default_scope("wsolkit"),
        pytest.raises(ConfigError, match=r"takes no 'lr'. Did you mean 'lr_mult'|Known"),
    ):
        build_optim_wrapper(Model(), config)


@pytest.mark.parametrize("optimizer", [{"type": "SGD", "momentum": 0.9}, {"type": "AdamW"}])
def test_fused_optimizers_step_on_the_cpu(optimizer):
    from mmengine.registry import DefaultScope

    config = {
        "constructor": "PartOptimWrapperConstructor",
        "optimizer": {**optimizer, "lr": 0.1, "weight_decay": 0.1, "fused": True},
        "paramwise_cfg": {"lr_mult": {"backbone": 0.1}, "decay_mult": {"norm": 0, "bias": 0}},
    }
    model = Model()
    with DefaultScope.overwrite_default_scope("wsolkit"):
        wrapper = build_optim_wrapper(model, config)
    before = [parameter.clone() for parameter in model.head.parameters()]
    wrapper.update_params(model.head(torch.ones(2, 4)).sum())
    assert all(not torch.equal(one, other) for one, other in zip(before, model.head.parameters(), strict=True))
    assert len(wrapper.param_groups) - ("base_lr" in wrapper.get_lr()) <= 5
