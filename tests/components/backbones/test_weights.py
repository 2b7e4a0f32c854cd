import os

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wsolkit.components.backbones.weights import choose_prefix, download_failed, find_state, load_weights, read_weights
from wsolkit.errors import CheckpointError


class RunsCode:
    """What a malicious pickle looks like: loading it would call a function."""

    def __reduce__(self):
        return os.system, ("echo this must never run",)


@pytest.fixture
def module():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))


def random_state(module):
    return {
        name: torch.rand_like(value) if value.is_floating_point() else value + 7
        for name, value in module.state_dict().items()
    }


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
def test_read_weights_gives_back_what_was_saved(tmp_path, module, suffix):
    path = tmp_path / f"weights{suffix}"
    state = module.state_dict()
    if suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"epoch": 3, "arch": "net", "state_dict": state, "optimizer": {"lr": 0.1}}, path)

    found = read_weights(path)

    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_wants_to_run_code_is_refused(tmp_path, module, zipped, capfd):
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": module.state_dict(), "x": RunsCode()}, path, _use_new_zipfile_serialization=zipped)

    with pytest.raises(CheckpointError, match=r"evil\.pth was refused.*could run code.*system.*safetensors"):
        read_weights(path)
    assert "must never run" not in capfd.readouterr().out


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors", "empty", "text"])
def test_a_damaged_file_is_named_with_its_size(tmp_path, kind):
    path = tmp_path / ("weights.safetensors" if kind == "safetensors" else "weights.pth")
    state = {"a": torch.ones(9000)}
    if kind == "safetensors":
        save_file(state, path)
    elif kind in ("zip", "legacy"):
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    else:
        path.write_text("" if kind == "empty" else "<html>not found</html>")
    path.write_bytes(path.read_bytes()[: path.stat().st_size if kind in ("empty", "text") else 20_000])

    with pytest.raises(
        CheckpointError, match=rf"{path.name} \({path.stat().st_size} bytes\) cannot be read.*copy it again"
    ):
        read_weights(path)


def test_missing_files_addresses_and_other_contents_are_explained(tmp_path):
    with pytest.raises(CheckpointError, match=r"no weight file .*nothing\.pth.*weights=PATH"):
        read_weights(tmp_path / "nothing.pth")
    with pytest.raises(CheckpointError, match=r"local files, but got https://.*Download the file"):
        read_weights("https://example.org/net.pth")
    torch.save({"epoch": 3, "losses": [1.0]}, tmp_path / "log.pth")
    with pytest.raises(CheckpointError, match=r"holds no state dict, but \['epoch', 'losses'\]"):
        read_weights(tmp_path / "log.pth")


def test_find_state_looks_into_nested_wrappers():
    state = {"conv.weight": torch.ones(1)}
    assert find_state({"model": {"state_dict": state}, "epoch": torch.tensor(1)}) == state
    assert find_state([1, 2]) == {}


@pytest.mark.parametrize(
    "prefix", ["", "module.", "module.encoder_q.", "encoder.", "backbone.", "backbone.model.", "model._orig_mod."]
)
def test_every_prefix_is_stripped_and_values_arrive(module, prefix):
    state = random_state(module)
    file = {prefix + name: value for name, value in state.items()}
    file |= {prefix + "fc.weight": torch.ones(2, 4), "negatives_queue": torch.ones(3)}

    report = load_weights(module, file)

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
    load_weights(module, state)
    assert module[0].weight.dtype == torch.float32
    assert torch.equal(module[0].weight, state["0.weight"].float())


def test_too_little_fit_is_refused_with_counts_and_examples(module):
    before = module[0].weight.clone()
    file = {"0.weight": torch.ones(4, 3, 5, 5), "1.weight": torch.ones(4), "other.weight": torch.ones(2)}

    with pytest.raises(CheckpointError) as caught:
        load_weights(module, file, origin="net.pth")

    words = str(caught.value)
    assert "net.pth fits Sequential too little: 20% of its tensors, and min_match asks for 90%" in words
    assert "1 loaded, 3 missing ('1.bias', '1.running_mean', '1.running_var')" in words
    assert "1 not used ('other.weight')" in words
    assert "0.weight is (4, 3, 5, 5), not (4, 3, 3, 3)" in words
    assert "lower min_match" in words
    assert torch.equal(module[0].weight, before)


def test_a_lower_min_match_loads_what_fits(module):
    report = load_weights(module, {"1.weight": torch.full((4,), 5.0)}, min_match=0.2)
    assert report.matched == ("1.weight",)
    assert module[1].weight.tolist() == [5.0] * 4


def test_counters_of_old_files_and_fresh_layers_do_not_count(module):
    module.add_module("new", nn.Conv2d(4, 4, 1))
    state = {name: value for name, value in random_state(module).items() if not name.startswith("new")}
    del state["1.num_batches_tracked"]

    assert load_weights(module, state, fresh=("new.",)).ratio == 1
    assert load_weights(module, state, min_match=0).ratio == pytest.approx(5 / 7)
    assert load_weights(module, random_state(module), fresh=("new.",)).matched[-1] == "new.bias"


def test_aliases_name_submodules_of_other_layouts(module):
    state = {"features.3.weight": torch.ones(4, 3, 3, 3), **{f"1.{n}": v for n, v in module[1].state_dict().items()}}
    report = load_weights(module, state, aliases={"features.3": "0"})
    assert report.ratio == 1
    assert bool((module[0].weight == 1).all())


def test_a_conversion_is_used_where_it_helps_and_may_fail(module):
    state = random_state(module)
    renamed = {f"x_{name}": value for name, value in state.items()}

    def undo(found, module):
        return {name.removeprefix("x_"): value for name, value in found.items()}

    def fail(found, module):
        return found["no such name"]

    assert load_weights(module, renamed, convert=undo).ratio == 1
    assert load_weights(module, state, convert=fail).ratio == 1
    with pytest.raises(CheckpointError, match="too little"):
        load_weights(module, renamed, convert=fail)


def test_a_failed_download_names_the_ways_out():
    words = str(download_failed("timm's net", OSError("no route to host\nsecond line")))
    assert "timm's net could not be downloaded (OSError: no route to host)" in words
    assert "weights=PATH" in words
    assert "--cfg-options" in words
    assert "HF_HOME" in words
