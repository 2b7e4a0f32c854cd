import pytest
import torch
from torch import nn

from wsolkit.errors import CheckpointError
from wsolkit.weights.fitting import choose_prefix, fit_weights


@pytest.fixture
def module():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))


def random_state(module):
    return {
        name: torch.rand_like(value) if value.is_floating_point() else value + 7
        for name, value in module.state_dict().items()
    }


@pytest.mark.parametrize(
    "prefix", ["", "module.", "module.encoder_q.", "encoder.", "backbone.", "backbone.model.", "model._orig_mod."]
)
def test_every_prefix_is_stripped_and_values_arrive(module, prefix):
    state = random_state(module)
    file = {prefix + name: value for name, value in state.items()}
    file |= {prefix + "fc.weight": torch.ones(2, 4), "negatives_queue": torch.ones(3)}

    report = fit_weights(module, file)

    assert report.prefix == prefix
    assert report.ratio == 1
    assert report.missing == report.mismatched == ()
    assert set(report.unexpected) == {"fc.weight", "negatives_queue"}
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())


def test_of_equal_prefixes_the_first_in_the_file_is_taken():
    names = [f"module.{encoder}.{name}" for encoder in ("encoder_q", "encoder_k") for name in ("a.weight", "a.bias")]
    assert choose_prefix(names, ["a.weight", "a.bias"]) == "module.encoder_q."


def test_half_precision_becomes_the_modules_own_type(module):
    state = {name: value.half() if value.ndim else value for name, value in random_state(module).items()}
    fit_weights(module, state)
    assert module[0].weight.dtype == torch.float32
    assert torch.equal(module[0].weight, state["0.weight"].float())


def test_too_little_fit_is_refused_with_counts_and_examples(module):
    before = module[0].weight.clone()
    file = {"0.weight": torch.ones(4, 3, 5, 5), "1.weight": torch.ones(4), "other.weight": torch.ones(2)}

    with pytest.raises(CheckpointError) as caught:
        fit_weights(module, file, origin="net.pth")

    words = str(caught.value)
    assert "net.pth fits Sequential too little: 20% of its tensors, and min_match asks for 90%" in words
    assert "1 loaded, 3 missing ('1.bias', '1.running_mean', '1.running_var')" in words
    assert "1 not used ('other.weight')" in words
    assert "0.weight is (4, 3, 5, 5), not (4, 3, 3, 3)" in words
    assert "lower min_match" in words
    assert torch.equal(module[0].weight, before)


def test_a_lower_min_match_loads_what_fits(module):
    report = fit_weights(module, {"1.weight": torch.full((4,), 5.0)}, min_match=0.2)
    assert report.matched == ("1.weight",)
    assert module[1].weight.tolist() == [5.0] * 4


def test_counters_of_old_files_and_fresh_layers_do_not_count(module):
    module.add_module("new", nn.Conv2d(4, 4, 1))
    state = {name: value for name, value in random_state(module).items() if not name.startswith("new")}
    del state["1.num_batches_tracked"]

    assert fit_weights(module, state, fresh=("new.",)).ratio == 1
    assert fit_weights(module, state, min_match=0).ratio == pytest.approx(5 / 7)
    assert fit_weights(module, random_state(module), fresh=("new.",)).matched[-1] == "new.bias"


def test_aliases_name_submodules_of_other_layouts(module):
    state = {"features.3.weight": torch.ones(4, 3, 3, 3), **{f"1.{n}": v for n, v in module[1].state_dict().items()}}
    report = fit_weights(module, state, aliases={"features.3": "0"})
    assert report.ratio == 1
    assert bool((module[0].weight == 1).all())


def test_a_conversion_is_used_where_it_helps_and_may_fail(module):
    state = random_state(module)
    renamed = {f"x_{name}": value for name, value in state.items()}

    def undo(found, module):
        return {name.removeprefix("x_"): value for name, value in found.items()}

    def fail(found, module):
        return found["no such name"]

    assert fit_weights(module, renamed, convert=undo).ratio == 1
    assert fit_weights(module, state, convert=fail).ratio == 1
    with pytest.raises(CheckpointError, match="too little"):
        fit_weights(module, renamed, convert=fail)
