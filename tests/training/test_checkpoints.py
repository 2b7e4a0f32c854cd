import pytest
import torch

from tests.support import micro  # noqa: F401
from wsolkit.errors import ConfigError
from wsolkit.training.checkpoints import AtomicBackend
from wsolkit.training.monitored import find_score
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint


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

    with pytest.raises(
        ConfigError, match="keep_every of Checkpoints should be a whole number of at least 1 or None, but got 0"
    ):
        Checkpoints(keep_every=0)


def test_ema_weights_and_threshold_reach_the_checkpoint(micro_config, tmp_path):
    # One epoch: later ones would find the threshold of the validation before in the averaged copy.
    train(micro_config(train_cfg__max_epochs=1, custom_hooks=[{"type": "EMAHook", "momentum": 0.5}]), tmp_path)
    checkpoint = read_checkpoint(tmp_path / "last.pth")
    assert not bool(checkpoint["state_dict"]["chosen_threshold"].isnan())
    averaged, trained = checkpoint["state_dict"], checkpoint["ema_state_dict"]
    assert not torch.equal(averaged["head.classifier.weight"], trained["module.head.classifier.weight"])


def plain_and_pickled(folder, name):
    """Return the state dicts and the epochs of a checkpoint and of its copy."""
    both = [read_checkpoint(folder / f"{name}{suffix}") for suffix in (".pth", ".safetensors")]
    return [each["state_dict"] for each in both], [each["meta"]["epoch"] for each in both]


def test_copies_without_a_pickle_lie_beside_and_stay_true_when_resumed(micro_config, tmp_path):
    monitored = {"default_hooks__checkpoint__monitor": "threshold"}
    train(micro_config(train_cfg__max_epochs=1, **monitored), tmp_path)
    for name in ("best", "last"):
        (one, other), epochs = plain_and_pickled(tmp_path, name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one if one[key].numel() > 1)
        assert epochs == [1, 1]
    (tmp_path / "best.safetensors").write_bytes(b"of a training that was killed between the two")
    train(micro_config(train_cfg__max_epochs=1, **monitored), tmp_path, resume=True)  # nothing is left to do
    assert plain_and_pickled(tmp_path, "best")[1] == [1, 1]
    train(micro_config(train_cfg__max_epochs=2, **monitored), tmp_path, resume=True)
    assert [plain_and_pickled(tmp_path, name)[1] for name in ("best", "last")][1] == [2, 2]
    assert len(set(plain_and_pickled(tmp_path, "best")[1])) == 1
    without = micro_config(train_cfg__max_epochs=3, default_hooks__checkpoint__safetensors=False, **monitored)
    train(without, tmp_path, resume=True)
    assert not list(tmp_path.glob("*.safetensors"))
