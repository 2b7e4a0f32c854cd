import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from tests.support import micro
from wsolkit import ActivationHead
from wsolkit.datasets.wrapped import innermost
from wsolkit.errors import WsolkitError
from wsolkit.training.console import ConsoleFilter, quietly_built
from wsolkit.training.history import from_plain, to_plain
from wsolkit.training.seeding import TrainingProgress, seed_everything
from wsolkit.training.train import train


def test_histories_become_tensors_and_come_back():
    buffer = HistoryBuffer()
    for number in range(5):
        buffer.update(number, 2)
    plain = to_plain(
        {"log_scalars": {"loss": buffer}, "info": {"a": np.float32(2), "b": np.arange(3), "c": [np.int64(1)]}}
    )
    assert plain["info"]["a"] == 2.0
    assert type(plain["info"]["a"]) is float
    assert isinstance(plain["info"]["b"], torch.Tensor)
    assert plain["info"]["c"] == [1]
    back = from_plain(plain["log_scalars"]["loss"], keep=3)
    assert back.data[0].tolist() == [2, 3, 4]
    assert back.max_length == 3


def test_the_log_history_stays_short(micro_config, tmp_path, monkeypatch):
    seen = []
    original = micro.RankWeights.after_train
    monkeypatch.setattr(
        micro.RankWeights,
        "after_train",
        lambda self, runner: seen.append(len(runner.message_hub.get_scalar("train/loss").data[0])),
    )
    train(micro_config(default_hooks__history__keep=5, custom_hooks=[{"type": "RankWeights"}]), tmp_path)
    assert original is not None
    assert seen == [5]


def test_a_broken_loss_stops_the_training_and_keeps_the_last_checkpoint(micro_config, tmp_path):
    trip = {"type": "Trip", "at": "iteration", "number": 5, "action": "nan"}
    with pytest.raises(
        WsolkitError, match=r"The loss became nan at iteration 6 of 12.*last\.pth is intact.*learning rate"
    ):
        train(micro_config(custom_hooks=[trip]), tmp_path)
    checkpoint = torch.load(tmp_path / "last.pth", weights_only=True)
    assert checkpoint["meta"]["iter"] == 3
    assert all(
        bool(torch.isfinite(value).all())
        for name, value in checkpoint["state_dict"].items()
        if name != "chosen_threshold"
    )


def test_broken_weights_are_not_saved_even_if_the_loss_was_fine(micro_config, tmp_path):
    trip = {"type": "Trip", "at": "iteration", "number": 6, "action": "nan"}
    with pytest.raises(WsolkitError, match=r"After iteration 6 the weights hold NaN.*backbone\.stem\.weight.*intact"):
        train(micro_config(custom_hooks=[trip]), tmp_path)
    assert torch.load(tmp_path / "last.pth", weights_only=True)["meta"]["iter"] == 3


def test_unreadable_images_are_listed_once(micro_config, tmp_path, capsys):
    broken = {"train_dataloader__dataset__broken": [2, 5], "train_dataloader__dataset__on_corrupt": "skip"}
    train(
        micro_config(train_dataloader__dataset__data_root="photos", train_dataloader__num_workers=2, **broken), tmp_path
    )
    assert (tmp_path / "corrupt_images.txt").read_text() == "photos/2.png\nphotos/5.png\n"
    assert capsys.readouterr().out.count("2 of 12 training images cannot be read") == 1


def test_an_unreadable_image_in_a_worker_is_told_without_a_traceback(micro_config, tmp_path):
    config = micro_config(train_dataloader__dataset__broken=[2], train_dataloader__num_workers=1)
    with pytest.raises(micro.DataError) as caught:
        train(config, tmp_path)
    assert "2.png cannot be read" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_seeds_repeat_in_all_streams_and_differ_between_iterations():
    draws = []
    for key in ((1, 2), (1, 2), (1, 3)):
        seed_everything(*key)
        draws.append((float(torch.rand(())), float(np.random.rand()), micro.random.random()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert all(one != other for one, other in zip(draws[0], draws[2], strict=True))


def test_progress_is_the_fraction_of_iterations_done_and_a_pass_begins_with_its_first_batch():
    runner = SimpleNamespace(model=SimpleNamespace(), iter=3, max_iters=12, train_dataloader=[None] * 3)
    for done, fraction, begins in ((0, 0.0, True), (3, 0.25, True), (4, 4 / 12, False)):
        runner.iter = done
        TrainingProgress().before_train_iter(runner, batch_idx=0)
        assert (runner.model.progress, runner.model.begins_pass) == (fraction, begins)


def test_a_head_is_told_when_the_training_has_ended():
    class Watches(ActivationHead):
        ended = 0

        def forward(self, levels, batch=None): ...

        def end_pass(self):
            self.ended += 1

    runner = SimpleNamespace(model=SimpleNamespace(head=Watches()))
    TrainingProgress().after_train(runner)
    assert runner.model.head.ended == 1
    TrainingProgress().after_train(SimpleNamespace(model=SimpleNamespace()))  # a model of another kind


def test_datasets_inside_wrappers_are_found():
    inner = [SimpleNamespace(name="a"), SimpleNamespace(name="b")]
    assert innermost(SimpleNamespace(dataset=SimpleNamespace(datasets=inner))) == inner


@pytest.mark.parametrize(
    ("level", "text", "shown"),
    [
        (logging.INFO, "Epoch(train) [1][2/3]", True),
        (logging.INFO, "Config:\nmodel = 1", False),
        (logging.INFO, "Exp name: x", False),
        (logging.WARNING, "2 of 12 training images\ncannot be read", True),
    ],
)
def test_the_console_shows_the_course_of_the_training_only(level, text, shown):
    record = logging.LogRecord("mmengine", level, "", 0, text, (), None)
    assert ConsoleFilter().filter(record) is shown


def test_what_fitted_of_a_weight_file_is_on_the_console(capsys):
    class Runner:
        logger = logging.getLogger("test-weights")

    def build():
        print("2026/01/01 00:00:00 - mmengine - INFO - Weights from a.pth into resnet18: 60 loaded, 2 missing.")
        print("2026/01/01 00:00:00 - mmengine - INFO - a dump of the environment")
        return Runner()

    quietly_built(build)
    assert capsys.readouterr().out == "Weights from a.pth into resnet18: 60 loaded, 2 missing.\n"
