"""What trackers keep of a short training, read back by their own libraries: TensorBoard, MLflow, Weights & Biases."""

import struct
import sys
from math import isfinite

import pytest

from tests.support import micro
from wsolkit.errors import ConfigError
from wsolkit.training import trackers
from wsolkit.training.facts import configuration_facts
from wsolkit.training.train import train

WHY = "it is a user's own choice and no part of wsolkit: pip install {}"


def library(name):
    """Return a tracker's library, or skip with words."""
    return pytest.importorskip(name, reason=f"{name} is not installed; {WHY.format(name)}")


@pytest.fixture
def short(micro_config):
    """A training of two epochs of three steps; the loss is logged every second step, the validation every epoch."""
    return lambda **more: micro_config(train_cfg__max_epochs=2, **more)


def test_tensorboard_has_losses_and_validation(short, tmp_path):
    library("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    backends = [{"type": "TensorboardVisBackend"}]
    train(short(visualizer={"type": "Visualizer", "vis_backends": backends}), tmp_path)
    [events] = tmp_path.glob("*/vis_data/events.*")
    kept = EventAccumulator(str(events)).Reload()
    assert [each.step for each in kept.Scalars("loss")] == [2, 5]
    assert [each.step for each in kept.Scalars("top1")] == [1, 2]
    assert all(isfinite(each.value) for each in kept.Scalars("loss"))


@pytest.mark.slow
def test_mlflow_on_disk_has_losses_validation_and_the_configuration(short, tmp_path, monkeypatch):
    library("mlflow")
    library("sqlalchemy")
    from mlflow import MlflowClient

    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "beetles")
    train(short(track="mlflow"), tmp_path / "first")
    client = MlflowClient(address)
    [run] = client.search_runs([client.get_experiment_by_name("beetles").experiment_id])
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert [each.step for each in client.get_metric_history(run.info.run_id, "loss")] == [2, 5]
    assert [each.step for each in client.get_metric_history(run.info.run_id, "top1")] == [1, 2]
    assert run.data.params["model.backbone.type"] == "MicroBackbone"
    assert run.data.params["model.losses.0.type"] == "CrossEntropy"


@pytest.mark.slow
def test_wandb_offline_has_losses_validation_and_the_configuration(short, tmp_path, monkeypatch):
    library("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    train(short(track=["wandb"]), tmp_path / "first")
    [file] = tmp_path.glob("first/wandb/offline-run-*/run-*.wandb")
    rows, told, name = [], set(), ""
    for record in map(Record.FromString, records(file.read_bytes())):
        rows.append({item.key or ".".join(item.nested_key): item.value_json for item in record.history.item})
        told |= {item.key for item in record.run.config.update}
        name = record.run.display_name or name
    assert name == "first"
    assert {"model", "optim_wrapper"} <= told
    losses = [row for row in rows if "loss" in row]
    assert [row["step"] for row in losses] == ["2", "5"]
    assert [row["step"] for row in rows if "top1" in row] == ["1", "2"]
    assert not list(tmp_path.glob("first/wandb/**/*.py"))  # nobody's code goes along


def records(log):
    """Yield the records of a log of LevelDB of less than a block, behind W&B's own seven bytes."""
    assert log.startswith(b":W&B")
    assert len(log) < 2**15
    at = 7
    while at < len(log):
        _, length, kind = struct.unpack_from("<IHB", log, at)
        assert kind == 1  # a whole record
        yield log[at + 7 : at + 7 + length]
        at += 7 + length


def test_a_tracker_that_is_unknown_or_not_installed_is_told_before_anything_is_written(short, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"got 'mlfow'\. Did you mean 'mlflow'\? TensorBoard's files are written"):
        train(short(track="mlfow"), tmp_path / "work")
    monkeypatch.setattr(trackers, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs wandb, which is not installed\. Install it with: pip install wandb"):
        train(short(track="wandb"), tmp_path / "work")
    with pytest.raises(ConfigError, match="track should be a name or a list of names"):
        short(track=3)
    assert not (tmp_path / "work").exists()


class Torn(trackers.Tracker):
    """Fails where it is told to, and notes what it is asked."""

    key = "json"  # a library that is always there
    at, asked = "", []

    def start(self, name, config):
        self._do("start")

    def log(self, scalars, step):
        self._do("log")

    def finish(self):
        self._do("failed" if self.failed else "finish")

    def _do(self, what):
        self.asked.append(what)
        if self.at == what:
            raise ConnectionError("the server\nis gone")


@pytest.fixture
def torn(monkeypatch):
    """A tracker that fails at a place."""
    monkeypatch.setitem(trackers.TRACKERS, "json", Torn)
    monkeypatch.setattr(Torn, "asked", [])
    return lambda at: monkeypatch.setattr(Torn, "at", at)


def test_a_tracker_that_fails_costs_no_training(short, torn, tmp_path):
    torn("log")
    with pytest.warns(UserWarning, match=r"json has failed and is given up: the server is gone\. The training goes on"):
        done = train(short(track="json"), tmp_path)
    assert done.last.exists()
    assert Torn.asked == ["start", "log"]


def test_a_tracker_that_cannot_begin_says_why(short, torn, tmp_path):
    torn("start")
    with pytest.raises(ConfigError, match=r"track=json: json cannot begin a run: the server is gone Set it up"):
        train(short(track="json"), tmp_path)
    assert not (tmp_path / "last.pth").exists()


def test_a_training_that_fails_is_a_run_that_failed(short, torn, tmp_path, monkeypatch):
    monkeypatch.setattr(micro.MicroBackbone, "forward", broken_after(5, micro.MicroBackbone.forward))
    with pytest.raises(ZeroDivisionError):
        train(short(track="json"), tmp_path)
    assert Torn.asked[0] == "start"
    assert Torn.asked[-1] == "failed"


def broken_after(times, forward):
    """Return a network's pass that fails after some."""
    left = iter(range(times))

    def broken(self, images):
        if next(left, None) is None:
            raise ZeroDivisionError
        return forward(self, images)

    return broken


def test_who_keeps_the_curves_is_no_part_of_what_is_trained(short):
    assert configuration_facts(short()) == configuration_facts(short(track="json"))
    assert "json" in sys.modules
