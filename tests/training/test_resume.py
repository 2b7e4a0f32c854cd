import copy
import os
import signal

import pytest
import torch
from mmengine.logging import MessageHub

from tests.support import micro
from wsolkit.errors import CheckpointError
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint

VARIANTS = {
    "plain": {},
    "ema": {
        "custom_hooks": [{"type": "EMAHook"}],
        "optim_wrapper.optimizer": {"_delete_": True, "type": "AdamW", "lr": 0.01, "weight_decay": 0.01},
    },
    "workers": {"train_dataloader.num_workers": 2, "train_dataloader.persistent_workers": True},
    "mid epoch": {"train_dataloader.dataset.num_images": 20, "default_hooks.checkpoint.every_iterations": 2},
    "iterations": {
        "train_cfg": {"_delete_": True, "by_epoch": False, "max_iters": 10, "val_interval": 4},
        "default_hooks.checkpoint.every_iterations": 4,
        "param_scheduler.by_epoch": False,
    },
}


def state_of(work_dir):
    checkpoint = read_checkpoint(work_dir / "last.pth")
    return {key: checkpoint.get(key) for key in ("state_dict", "optimizer", "param_schedulers", "ema_state_dict")}


def assert_equal(left, right, path=""):
    if isinstance(left, torch.Tensor):
        assert torch.equal(left.nan_to_num(-7), right.nan_to_num(-7)), path
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), path
        for key in left:
            assert_equal(left[key], right[key], f"{path}.{key}")
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right), path
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            assert_equal(one, other, f"{path}.{number}")
    else:
        assert left == right, path


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The state after an uninterrupted training, by variant."""
    known = {}

    def run(variant):
        if variant not in known:
            work_dir = tmp_path_factory.mktemp("straight")
            micro.run_training(work_dir, VARIANTS[variant])
            known[variant] = state_of(work_dir)
        return known[variant]

    return run


def killed(processes, work_dir, options, trip=None):
    options = dict(options)
    if trip:
        hook = {"type": "Trip", "at": trip[0], "number": trip[1], "action": trip[2]}
        options["custom_hooks"] = [*options.get("custom_hooks", []), hook]
    process = processes.Process(target=micro.run_training, args=(str(work_dir), options), kwargs={"resume": True})
    process.start()
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "trip"),
    [
        ("plain", ("iteration", 8, "kill")),
        ("plain", ("validation", 2, "kill")),
        ("plain", ("validation", 4, "kill")),
        ("plain", ("saving", 3, "kill while writing")),
        ("ema", ("iteration", 7, "kill")),
        ("workers", ("iteration", 8, "kill")),
        ("mid epoch", ("iteration", 9, "kill")),
        ("iterations", ("iteration", 7, "kill")),
    ],
)
def test_a_killed_training_resumes_to_the_same_bits(variant, trip, processes, straight, tmp_path):
    process = killed(processes, tmp_path, VARIANTS[variant], trip)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    before = read_checkpoint(tmp_path / "last.pth")
    assert 0 < before["meta"]["iter"] < 20
    micro.run_training(tmp_path, VARIANTS[variant], resume=True)
    assert_equal(straight(variant), state_of(tmp_path))
    assert not list(tmp_path.glob(".*part"))


@pytest.mark.slow
def test_kills_at_any_moment_lose_nothing(processes, straight, tmp_path):
    torch.manual_seed(7)
    for _ in range(12):
        process = killed(processes, tmp_path, {})
        process.join(0.3 + 0.8 * float(torch.rand(())))
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        if (tmp_path / "last.pth").exists():
            read_checkpoint(tmp_path / "last.pth")  # always complete
        if process.exitcode == 0:
            break
    else:
        micro.run_training(tmp_path, {}, resume=True)
    assert_equal(straight("plain"), state_of(tmp_path))


def test_a_validation_that_was_cut_off_is_made_up_for(processes, tmp_path, capsys):
    process = killed(processes, tmp_path, {}, ("validation", 1, "kill"))
    process.join(120)
    assert read_checkpoint(tmp_path / "last.pth")["meta"]["validation_pending"]
    assert not (tmp_path / "best.pth").exists()
    micro.run_training(tmp_path, {"train_cfg.max_epochs": 1}, resume=True)
    assert "stopped before a validation" in capsys.readouterr().out
    assert not read_checkpoint(tmp_path / "last.pth")["meta"]["validation_pending"]
    assert read_checkpoint(tmp_path / "best.pth")["meta"]["best_key"] == "top1"


def test_resuming_from_another_folder_keeps_the_seed(micro_config, tmp_path):
    constant = {"param_scheduler": None, "val_cfg": None, "val_evaluator": None, "val_dataloader": None}
    train(micro_config(train_cfg__max_epochs=2, **constant), tmp_path / "a", seed=11)
    train(micro_config(**constant), tmp_path / "b", resume=tmp_path / "a" / "last.pth")
    train(micro_config(**constant), tmp_path / "c", seed=11)
    meta = read_checkpoint(tmp_path / "b" / "last.pth")["meta"]
    assert (meta["seed"], meta["epoch"]) == (11, 4)
    assert_equal(state_of(tmp_path / "b"), state_of(tmp_path / "c"))


def test_a_training_with_other_batches_cannot_go_on(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=1), tmp_path)
    with pytest.raises(CheckpointError, match=r"3 iterations per epoch, but there are 2 now.*load_from"):
        train(micro_config(train_dataloader__batch_size=6), tmp_path, resume=True)


def test_another_models_checkpoint_is_refused(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=1), tmp_path)
    with pytest.raises(CheckpointError, match=r"another model.*backbone.stem.weight is \(4, 3, 3, 3\) there and \(5"):
        train(micro_config(model__backbone__width=5), tmp_path, resume=True)


def test_best_pth_holds_no_optimizer_and_says_so(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=1), tmp_path)
    with pytest.raises(CheckpointError, match=r"cannot be resumed from: it lacks optimizer.*last\.pth"):
        train(micro_config(), tmp_path, resume=tmp_path / "best.pth")


def test_resume_without_a_checkpoint_starts_fresh_with_a_note(micro_config, tmp_path, capsys):
    assert train(micro_config(train_cfg__max_epochs=1), tmp_path, resume=True).last == tmp_path / "last.pth"
    assert "starts from the beginning" in capsys.readouterr().out


@pytest.fixture
def interruptible():
    """Take interrupts as a program in the foreground does; a shell lets its background jobs ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_an_interrupt_while_a_checkpoint_is_made_ends_the_training(interruptible, micro_config, tmp_path, monkeypatch):
    """mmengine catches everything while it copies its message hub."""
    state_dict, calls = MessageHub.state_dict, []

    def interrupted(self):
        calls.append(self)
        with monkeypatch.context() as patch:
            patch.setattr(
                copy,
                "deepcopy",
                lambda value: os.kill(os.getpid(), signal.SIGINT) if value is self._runtime_info["seed"] else value,
            )
            return state_dict(self)

    monkeypatch.setattr(MessageHub, "state_dict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(micro_config(train_cfg__max_epochs=2), tmp_path)
    assert len(calls) == 1
    assert (tmp_path / "last.pth").exists()
