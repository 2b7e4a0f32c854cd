"""Trainings that are stopped within an epoch, several times, and go on each time as if nothing had happened."""

import re

import pytest

from tests.support import micro
from tests.training.test_resume import assert_equal, state_of
from wsolkit.training.checkpoints import Checkpoints

EIGHT = {  # iterations of four images, in one epoch
    "train_cfg.max_epochs": 1,
    "train_dataloader.dataset.num_images": 32,
    "default_hooks.logger.interval": 1,
    "default_hooks.checkpoint.every_iterations": 1,
    **dict.fromkeys(("val_cfg", "val_evaluator", "val_dataloader")),
}
THREES = {
    "train_cfg.max_epochs": 2,
    "train_dataloader.dataset.num_images": 20,
    "optim_wrapper.accumulative_counts": 3,
    "optim_wrapper.clip_grad": {"max_norm": 1.0},
    "default_hooks.checkpoint.every_iterations": 2,
    "default_hooks.checkpoint.interval": 2,
}
ITERATIONS = {
    "train_cfg": {"_delete_": True, "by_epoch": False, "max_iters": 10},
    "train_dataloader.dataset.num_images": 20,
    "optim_wrapper.accumulative_counts": 3,
    "param_scheduler.by_epoch": False,
}


@pytest.fixture
def saved(monkeypatch):
    """What is saved: name and iteration."""
    found = []
    save = Checkpoints._save

    def noting(self, runner, name, epoch, iteration, *args, **kwargs):
        found.append((name, iteration))
        save(self, runner, name, epoch, iteration, *args, **kwargs)

    monkeypatch.setattr(Checkpoints, "_save", noting)
    return found


def stopped(work_dir, options, at):
    """Train until Ctrl-C in this iteration, before its checkpoint."""
    hook = {"type": "Trip", "at": "iteration", "number": at, "action": "interrupt"}
    with pytest.raises(KeyboardInterrupt):
        micro.run_training(work_dir, {**options, "custom_hooks": [hook]}, resume=True)


@pytest.mark.parametrize(
    ("stops", "more", "totals"),
    [((4, 7, 8), {}, {8}), ((3, 5, 9), THREES, {5}), ((3, 7), ITERATIONS, {10})],
    ids=["every iteration", "gradients of three", "iterations"],
)
def test_stops_within_an_epoch_leave_no_trace(stops, more, totals, saved, tmp_path):
    options = {**EIGHT, **more}
    micro.run_training(tmp_path / "straight", options)
    straight = list(saved)
    for stop in stops:
        stopped(tmp_path / "stopped", options, stop)
    begun = saved[-1][1]
    saved.clear()
    micro.run_training(tmp_path / "stopped", options, resume=True)
    assert saved == [each for each in straight if each[1] > begun]
    assert_equal(state_of(tmp_path / "straight"), state_of(tmp_path / "stopped"))
    counted = [
        (int(number), int(total))
        for log in (tmp_path / "stopped").glob("*/*.log")
        for number, total in re.findall(r"\(train\).*?\[ *(\d+)/(\d+)\]", log.read_text())
    ]
    assert {total for _, total in counted} == totals
    assert all(number <= total for number, total in counted)
