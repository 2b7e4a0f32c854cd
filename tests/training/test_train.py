import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from tests.support import micro
from wsolkit.components.boxes import LargestComponent
from wsolkit.components.losses import CrossEntropy
from wsolkit.config.load import load_config
from wsolkit.errors import CheckpointError, ConfigError, DataError, ShapeError, WsolkitError
from wsolkit.lock import locked
from wsolkit.registry import BOX_EXTRACTORS, LOSSES
from wsolkit.training.facts import boxes_of_training
from wsolkit.training.manifest import data_fingerprint, git, git_state
from wsolkit.training.progress_bar import ProgressBar
from wsolkit.training.train import default_work_dir, train
from wsolkit.weights.checkpoint import read_checkpoint


def test_a_training_leaves_everything_in_its_folder(micro_config, tmp_path, capfd):
    training = train(micro_config(train_cfg__max_epochs=2), tmp_path / "work")
    assert training.last == tmp_path / "work" / "last.pth"
    assert training.metric == "top1"
    names = {path.name for path in (tmp_path / "work").iterdir()}
    assert {"last.pth", "best.pth", "config.py", "manifest.json"} <= names
    config = micro.load_config(tmp_path / "work" / "config.py")
    assert list(config.classes) == ["ant", "bee", "cat"]
    assert config.model.head.num_classes == 3
    assert not {"resume", "load_from", "launcher"} & set(config)
    output = capfd.readouterr()
    assert "Epoch(train) [1][2/3]" in output.out
    for noise in ("System environment", "Hooks will be executed", "Exp name", "Config:", "FileClient", "scope"):
        assert noise not in output.out
    log = next((tmp_path / "work").glob("*/*.log")).read_text()
    assert "System environment" in log


def test_the_manifest_says_what_the_training_was_made_of(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=1), tmp_path, seed=5)
    first = json.loads((tmp_path / "manifest.json").read_text())
    train(micro_config(train_cfg__max_epochs=2), tmp_path, resume=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["seed"] == 5
    assert (
        manifest["versions"]["torch"] == torch.__version__.split("+")[0]
        or manifest["versions"]["torch"] == torch.__version__
    )
    assert manifest["data"]["train"]["images"] == 12
    assert len(manifest["data"]["val"]["sha256"]) == 64
    assert manifest["starts"][0]["command"] == sys.argv
    assert [start["resumed_from"] for start in manifest["starts"]] == [None, str(tmp_path / "last.pth")]
    assert manifest["plugins"]["cam"].startswith("wsolkit ")
    assert manifest["starts"][0]["wsolkit"]["version"] == manifest["versions"]["wsolkit"]
    assert len(first["initial_weights_sha256"]) == 64
    assert manifest["initial_weights_sha256"] == first["initial_weights_sha256"]
    told = read_checkpoint(tmp_path / "last.pth")["meta"]["training"]
    assert len(told.pop("configuration_hash")) == 16
    assert told.pop("configuration")
    assert told == {"seed": 5, "number_format": "fp32", "boxes": "none"}


def test_equal_seeds_start_from_equal_weights(micro_config, tmp_path):
    short = micro_config(train_cfg__max_epochs=1, val_cfg=None, val_evaluator=None, val_dataloader=None)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(short, tmp_path / name, seed=seed)
    found = [json.loads((tmp_path / name / "manifest.json").read_text())["initial_weights_sha256"] for name in "abc"]
    assert found[0] == found[1] != found[2]
    told = [read_checkpoint(tmp_path / name / "last.pth")["meta"]["training"]["configuration_hash"] for name in "abc"]
    assert told[0] == told[1] == told[2]  # by it seeds of one method are known


def test_the_boxes_of_a_training_are_named():
    data = micro.MicroDataset(data_root="a")
    assert boxes_of_training(torch.nn.Linear(1, 1), data) == "none"
    data.load_targets, data.annotations = True, "found/boxes.json"
    assert boxes_of_training(torch.nn.Linear(1, 1), SimpleNamespace(dataset=data)) == "boxes.json"
    data.annotations = None
    assert boxes_of_training(torch.nn.Linear(1, 1), data) == "those of the training data"


def test_the_fingerprint_follows_labels_and_not_places():
    data = micro.MicroDataset(data_root="a")
    assert data_fingerprint(data) == data_fingerprint(micro.MicroDataset(data_root="b"))
    assert data_fingerprint(data) != data_fingerprint(micro.MicroDataset(num_images=11))
    assert data_fingerprint([1, 2]) == {"images": 2, "sha256": None}


def test_the_state_of_a_checkout(tmp_path):
    assert git_state(tmp_path) is None
    inside = tmp_path / "scripts"
    inside.mkdir()
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "first")
    state = git_state(inside)
    assert state == {"commit": git(tmp_path, "rev-parse", "HEAD").strip(), "dirty": False}
    (inside / "new.py").touch()
    assert git_state(inside) == {**state, "dirty": True}


def test_earlier_results_are_never_lost_unasked(micro_config, tmp_path):
    config = micro_config(train_cfg__max_epochs=1)
    train(config, tmp_path)
    before = (tmp_path / "last.pth").read_bytes()
    with pytest.raises(
        ConfigError, match=r"holds an earlier training \(last\.pth, best\.pth\).*--resume.*--work-dir.*--overwrite"
    ):
        train(config, tmp_path)
    assert (tmp_path / "last.pth").read_bytes() == before
    train(
        micro_config(train_cfg__max_epochs=1, val_dataloader=None, val_cfg=None, val_evaluator=None),
        tmp_path,
        overwrite=True,
    )
    assert (tmp_path / "last.pth").exists()
    assert not (tmp_path / "best.pth").exists()


class Unprepared(CrossEntropy):
    """Misses a file that training needs."""

    def prepare_training(self):
        raise CheckpointError("there is no file")


def contents(folder):
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


class Picky(LargestComponent):
    """Wants more features than there are."""

    def __call__(self, score_map, features=None):
        raise ShapeError(f"Picky wants 100 channels, but got {len(features)}.")


@pytest.mark.parametrize(
    "mistake",
    [
        {"model__backbone__width": "wide"},
        {"val_dataloader__dataset__names": ("cat", "bee", "ant")},
        {"load_from": "LAST"},
        {"model__losses": [{"type": "Unprepared"}]},
        {"model__cam_method": {"type": "BranchUnion"}},
        {"val_evaluator": {"type": "LocalizationMetric", "extractor": {"type": "Picky"}}},
        {"train_dataloader__batch_size": 64, "train_dataloader__drop_last": True},
        {"train_cfg__max_epochs": -1},
    ],
)
def test_a_mistake_with_overwrite_loses_nothing(mistake, micro_config, tmp_path, monkeypatch):
    train(micro_config(train_cfg__max_epochs=1), tmp_path)
    before = contents(tmp_path)
    monkeypatch.setitem(LOSSES.module_dict, "Unprepared", Unprepared)
    monkeypatch.setitem(BOX_EXTRACTORS.module_dict, "Picky", Picky)
    mistake = {key: str(tmp_path / "last.pth") if value == "LAST" else value for key, value in mistake.items()}
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, the checkpoints stay
        train(micro_config(**mistake), tmp_path, overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ({"model__cam_method": {"type": "BranchUnion"}}, "the extra 'early_maps', which LinearHead does not give"),
        (
            {"val_evaluator": {"type": "LocalizationMetric", "extractor": {"type": "Picky"}}},
            "Picky wants 100 channels, but got 4",
        ),
        (
            {"train_dataloader__batch_size": 64, "train_dataloader__drop_last": True},
            "has 12 images, fewer than a batch of 64, and incomplete batches are left out. Lower train_dataloader",
        ),
    ],
)
def test_parts_that_do_not_fit_are_found_before_the_first_step(mistake, words, micro_config, tmp_path, monkeypatch):
    monkeypatch.setitem(BOX_EXTRACTORS.module_dict, "Picky", Picky)
    with pytest.raises(WsolkitError, match=words):
        train(micro_config(**mistake), tmp_path)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("cat", "bee", "ant"), "the same classes in another order"),
        (("ant", "bee", "dog"), r"'cat' \(train only\), 'dog' \(val only\)"),
        (("bee", "cat"), r"has 3 classes and the validation data 2: they differ in 'ant' \(train only\)"),
    ],
)
def test_splits_whose_labels_mean_different_classes_are_refused(names, words, micro_config, tmp_path):
    with pytest.raises(DataError, match=words):
        train(micro_config(val_dataloader__dataset__names=names), tmp_path)
    assert not (tmp_path / "last.pth").exists()


def test_the_default_folder_is_called_after_the_config(micro_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(micro_config(train_cfg__max_epochs=1))
    assert (tmp_path / "work_dirs" / "micro_config" / "last.pth").exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_and_another_does_not(micro_config, tmp_path):
    config = micro_config(train_cfg__max_epochs=1)
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(config, tmp_path / name, seed=seed)
        weights.append(
            torch.load(tmp_path / name / "last.pth", weights_only=True)["state_dict"]["backbone.stem.weight"]
        )
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_seed_reaches_the_data_of_a_finished_run(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=1), tmp_path / "a", seed=1)
    again = load_config(tmp_path / "a" / "config.py")
    assert again.randomness.seed == 1
    assert "seed" not in again.train_dataloader.dataset
    weights = []
    for name, config in (("b", micro_config(train_cfg__max_epochs=1)), ("c", again)):
        last = train(config, tmp_path / name, seed=2).last
        weights.append(torch.load(last, weights_only=True)["state_dict"]["backbone.stem.weight"])
    assert torch.equal(*weights)
    own = micro_config(train_cfg__max_epochs=1, train_dataloader__dataset__seed=4)
    train(own, tmp_path / "d", seed=2)
    assert load_config(tmp_path / "d" / "config.py").train_dataloader.dataset.seed == 4


def test_deterministic_is_handed_on(micro_config, tmp_path):
    try:
        train(micro_config(train_cfg__max_epochs=1), tmp_path, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.deterministic = False


def test_a_config_without_training_is_refused(micro_config, tmp_path):
    with pytest.raises(ConfigError, match="needs train_cfg, optim_wrapper, train_dataloader and model"):
        train(micro_config(optim_wrapper=None), tmp_path)


def test_a_broken_file_to_start_from_is_refused(micro_config, tmp_path):
    (tmp_path / "a.pth").write_text("no")
    with pytest.raises(CheckpointError, match="no file of weights"):
        train(micro_config(load_from=str(tmp_path / "a.pth")), tmp_path / "work")


def test_weights_of_another_training_can_be_the_start(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=1), tmp_path / "a")
    config = micro_config(
        train_cfg__max_epochs=1, load_from=str(tmp_path / "a" / "best.pth"), optim_wrapper__optimizer__lr=0.0
    )
    train(config, tmp_path / "b")
    first, second = (torch.load(tmp_path / name / "best.pth", weights_only=True)["state_dict"] for name in "ab")
    assert torch.equal(first["backbone.stem.weight"], second["backbone.stem.weight"])


def test_torchrun_is_asked_for(micro_config, tmp_path):
    with pytest.raises(ConfigError, match=r"needs processes started by torchrun, but RANK"):
        train(micro_config(), tmp_path, launcher="pytorch")
    with pytest.raises(ConfigError, match=r"launcher should be one of 'none', 'pytorch', but got 'slurm'"):
        train(micro_config(), tmp_path, launcher="slurm")


def test_metrics_without_a_known_name_keep_no_best(micro_config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(micro.MicroMetric, "compute_metrics", lambda self, results: {"odd": 1.0})
    training = train(micro_config(train_cfg__max_epochs=1), tmp_path)
    assert training.best is None
    assert "No best.pth is kept: none of top1_loc, MaxBoxAccV2" in capsys.readouterr().out


def test_a_monitored_metric_must_exist(micro_config, tmp_path):
    config = micro_config(train_cfg__max_epochs=1, default_hooks__checkpoint__monitor="top2")
    with pytest.raises(ConfigError, match=r"no metric 'top2' to monitor\. Did you mean 'top1'"):
        train(config, tmp_path)
    assert (tmp_path / "last.pth").exists()


def test_the_bar_is_quiet_without_a_terminal_and_lives_with_one(micro_config, tmp_path, monkeypatch, capfd):
    bar = ProgressBar()
    bar.before_train(SimpleNamespace())
    assert bar.bar is None
    shown = []
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    original = ProgressBar.after_train_iter
    monkeypatch.setattr(
        ProgressBar,
        "after_train_iter",
        lambda self, *args, **kwargs: (original(self, *args, **kwargs), shown.append(self.bar is not None))[0],
    )
    train(micro_config(train_cfg__max_epochs=1), tmp_path)
    assert shown == [True] * 3
    output = capfd.readouterr()
    assert "Epoch(val) [1]" in output.out  # the log of a redirected output stays there
    assert "epoch 1/1" in output.err


def test_a_hook_can_be_left_out(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=1, default_hooks__threshold=None), tmp_path)
    assert bool(torch.load(tmp_path / "last.pth", weights_only=True)["state_dict"]["chosen_threshold"].isnan())


def test_two_trainings_never_work_in_one_folder(micro_config, tmp_path):
    with ThreadPoolExecutor(1) as pool, locked(tmp_path, "training"):
        other = pool.submit(train, micro_config(), tmp_path, resume=True)
        with pytest.raises(ConfigError, match=r"Another training of this very process works in .*--work-dir"):
            other.result()
        assert [path.name for path in tmp_path.iterdir()] == [".wsolkit.lock"]


@pytest.mark.parametrize("name", ["../elsewhere", "/etc/x", "..", "x" * 300])
def test_the_name_of_a_configuration_does_not_lead_out_of_work_dirs(name):
    with pytest.raises(ConfigError, match=r"experiment_name .* is no name for a folder below work_dirs. .*--work-d"):
        default_work_dir(Config({"experiment_name": name}))
    assert default_work_dir(Config({"experiment_name": name, "work_dir": "mine"})) == Path("mine")
    assert default_work_dir(Config({"experiment_name": "a/b"})) == Path("work_dirs/a/b")
