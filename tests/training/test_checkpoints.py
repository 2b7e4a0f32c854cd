import pickle

import pytest
import torch
from torch import nn

from tests.support import micro  # noqa: F401
from wsolkit.checkpoint import check_weights, load_weights, read_checkpoint
from wsolkit.errors import CheckpointError, ConfigError
from wsolkit.training.checkpoints import AtomicBackend, find_score
from wsolkit.training.train import train


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_missing_checkpoint_is_answered_with_the_nearest(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "best.pth")
    with pytest.raises(CheckpointError, match=r"no checkpoint .*bst\.pth\. Did you mean 'best\.pth'"):
        read_checkpoint(tmp_path / "bst.pth")
    with pytest.raises(CheckpointError, match="Check the path"):
        read_checkpoint(tmp_path / "nowhere" / "best.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_malicious_checkpoint_is_refused_and_runs_nothing(tmp_path, legacy):
    target = tmp_path / "owned"
    path = tmp_path / "evil.pth"
    if legacy:
        path.write_bytes(pickle.dumps({"state_dict": Evil(target)}))
    else:
        torch.save({"state_dict": {}, "meta": Evil(target)}, path)
    said = r"Nothing in it was run" if legacy else r"could run code: it asks for io\.open\. It was not loaded"
    with pytest.raises(CheckpointError, match=said) as caught:
        read_checkpoint(path)
    assert not target.exists()
    assert "weights_only" not in str(caught.value)  # torch's advice to turn the check off is not passed on


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_checkpoint_is_named_as_such(tmp_path, share):
    path = tmp_path / "last.pth"
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"truncated, damaged or no checkpoint.*bytes"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"\x80\x04abc", b"\0" * 99, b"PK\x03\x04" + b"x" * 40])
def test_garbage_is_no_checkpoint(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match="truncated, damaged or no checkpoint"):
        read_checkpoint(tmp_path / "a.pth")


def test_text_and_other_files_are_no_checkpoints(tmp_path):
    (tmp_path / "a.pth").write_text("hello")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_checkpoint(tmp_path / "a.pth")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match=r"no state_dict, but \['weight'\].*weights="):
        read_checkpoint(tmp_path / "b.pth")


def test_weights_of_another_model_are_told_apart():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    state = model.state_dict()
    load_weights(model, {"state_dict": {f"module.{name}": value for name, value in state.items()}}, "x.pth")
    with pytest.raises(CheckpointError, match=r"x\.pth was made for another model: it lacks 0\.bias.*config\.py"):
        check_weights(model, {name: value for name, value in state.items() if name != "0.bias"}, "x.pth")
    with pytest.raises(CheckpointError, match=r"the model has no head\.weight"):
        check_weights(model, {**state, "head.weight": torch.zeros(1)}, "x.pth")
    with pytest.raises(CheckpointError, match=r"0\.weight is \(9, 2\) there and \(3, 2\) in the model"):
        check_weights(model, {**state, "0.weight": torch.zeros(9, 2)}, "x.pth")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "last.pth"
    AtomicBackend().put(b"old", path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        AtomicBackend().put(b"new", path)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.pth"]


def test_the_monitored_score_is_found_by_name_with_or_without_prefix():
    metrics = {"top1": 1.0, "cub/MaxBoxAcc": torch.tensor(2.0), "table": "text"}
    assert find_score(metrics, None) == ("cub/MaxBoxAcc", 2.0)
    assert find_score(metrics, "top1") == ("top1", 1.0)
    assert find_score({"loss": 1.0}, None) is None
    with pytest.raises(ConfigError, match=r"no metric 'MaxBoxAc' to monitor. Did you mean 'cub/MaxBoxAcc'|Known names"):
        find_score(metrics, "MaxBoxAc")


def test_best_and_kept_epochs(micro_config, tmp_path):
    config = micro_config(default_hooks__checkpoint__keep_every=2, default_hooks__checkpoint__monitor="threshold")
    training = train(config, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.pth")) == [
        "best.pth",
        "epoch_2.pth",
        "epoch_4.pth",
        "last.pth",
    ]
    best, last = read_checkpoint(tmp_path / "best.pth"), read_checkpoint(tmp_path / "last.pth")
    assert training.metric == "threshold"
    assert training.score == best["meta"]["best_score"] == last["meta"]["best_score"]
    assert float(best["state_dict"]["chosen_threshold"]) == pytest.approx(training.score)
    assert best["meta"]["classes"] == ["ant", "bee", "cat"]
    assert "optimizer" not in best


def test_the_best_score_survives_a_resume(micro_config, tmp_path):
    first = train(micro_config(train_cfg__max_epochs=2), tmp_path)
    loser = micro_config(default_hooks__checkpoint__greater=True)
    best = read_checkpoint(tmp_path / "best.pth")
    best["meta"]["best_score"] = 1000.0
    torch.save(best, tmp_path / "best.pth")
    after = train(loser, tmp_path, resume=True)
    assert first.score < 1000
    assert after.score == 1000.0
    assert read_checkpoint(tmp_path / "best.pth")["meta"]["epoch"] == best["meta"]["epoch"]


def test_numbers_of_the_hook_are_checked():
    from wsolkit.training.checkpoints import Checkpoints

    with pytest.raises(ConfigError, match="keep_every of Checkpoints should be a positive whole number, but got 0"):
        Checkpoints(keep_every=0)


def test_ema_weights_and_threshold_reach_the_checkpoint(micro_config, tmp_path):
    # One epoch: later ones would find the threshold of the validation before in the averaged copy.
    train(micro_config(train_cfg__max_epochs=1, custom_hooks=[{"type": "EMAHook", "momentum": 0.5}]), tmp_path)
    checkpoint = read_checkpoint(tmp_path / "last.pth")
    assert not bool(checkpoint["state_dict"]["chosen_threshold"].isnan())
    averaged, trained = checkpoint["state_dict"], checkpoint["ema_state_dict"]
    assert not torch.equal(averaged["head.classifier.weight"], trained["module.head.classifier.weight"])
