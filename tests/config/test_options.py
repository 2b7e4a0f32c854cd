"""Options that change types, and values that are handed down, also in the configuration of a finished run."""

from itertools import permutations

import pytest

from tests.support import micro
from wsolkit.config import load as loading
from wsolkit.config.classes import fill_classes
from wsolkit.config.load import load_config, prepared
from wsolkit.config.parse import parse_options
from wsolkit.errors import ConfigError

SCALES = {"model.cam_method.type": "MultiScaleMaps", "model.cam_method.scales": [1]}


@pytest.fixture
def finished(tmp_path):
    """A function that writes what ``train`` leaves as config.py, after options."""

    def write(**options):
        config = fill_classes(load_config(micro.CONFIG, options))
        (tmp_path / "config.py").write_text(config.pretty_text)
        return tmp_path / "config.py"

    return write


@pytest.mark.parametrize("order", list(permutations(["type=AllComponents", "min_area=0.1", "threshold=0.3"])))
def test_an_argument_is_for_the_type_that_another_option_names(order):
    options = parse_options([f"model.box_extractor.{text}" for text in order])
    extractor = load_config(micro.CONFIG, options).model.box_extractor
    assert extractor == {"type": "AllComponents", "min_area": 0.1, "threshold": 0.3}


def test_an_argument_of_the_old_type_is_answered_with_those_of_the_new():
    options = {"model.losses.0.wieght": 1, "model.losses.0.type": "BinaryCrossEntropy"}
    with pytest.raises(ConfigError, match=r"no 'wieght' in model\.losses\.0\. Did you mean 'weight'"):
        load_config(micro.CONFIG, options)


def test_leftovers_of_the_old_type_go_and_what_both_take_stays(tmp_path):
    (tmp_path / "own.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\n"
        "model = dict(box_extractor=dict(type='AllComponents', threshold=0.4, min_area=0.1),\n"
        "    losses=[dict(_delete_=True, type='MicroLoss', hardness=2, weight=0.5)])\n"
        "optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=0.3, momentum=0.9))\n"
    )
    options = {
        "model.box_extractor.type": "LargestComponent",
        "model.losses.0.type": "BinaryCrossEntropy",
        "optim_wrapper.optimizer.type": "AdamW",
        "param_scheduler.type": "StepLR",
        "param_scheduler.step_size": 2,
    }
    config = load_config(tmp_path / "own.py", options)
    assert config.model.box_extractor == {"type": "LargestComponent", "threshold": 0.4}
    assert config.model.losses == [{"type": "BinaryCrossEntropy", "weight": 0.5}]
    assert config.optim_wrapper.optimizer == {"type": "AdamW", "lr": 0.3}
    assert config.param_scheduler.type == "StepLR"
    assert "T_max" not in config.param_scheduler


def test_a_whole_component_of_another_type_replaces_the_old_one():
    config = load_config(micro.CONFIG, {**SCALES, "model.box_extractor": {"type": "AllComponents", "min_area": 0.2}})
    again = load_config(micro.CONFIG, {"model.cam_method": {"type": "MultiScaleMaps", "of": {"type": "HeadMaps"}}})
    assert config.model.cam_method == {"type": "MultiScaleMaps", "scales": [1]}
    assert config.model.box_extractor.min_area == 0.2
    assert again.model.cam_method.of == {"type": "HeadMaps"}


def test_what_is_set_as_a_whole_comes_before_what_is_set_inside_it_later():
    loop = {"_delete_": True, "by_epoch": False, "max_iters": 6, "val_interval": 3}
    losses = [{"type": "CrossEntropy"}, {"type": "CrossEntropy", "name": "again"}]
    pairs = [("train_cfg", loop), ("train_cfg.max_iters", 5), ("train_cfg.val_begin", 4)]
    pairs += [("model.losses", losses), ("model.losses.1.weight", 2.0)]
    config = load_config("cam_synthetic", dict(pairs))
    assert config.train_cfg == {"by_epoch": False, "max_iters": 5, "val_interval": 3, "val_begin": 4}
    assert config.model.losses[1] == {**losses[1], "weight": 2.0}
    before = load_config("cam_synthetic", {"train_cfg.val_interval": 2, "train_cfg": {"max_epochs": 5}}).train_cfg
    assert before == {**load_config("cam_synthetic").train_cfg, "max_epochs": 5}
    with pytest.raises(ConfigError, match="train_cfg.max_epoch leads nowhere: there is no 'max_epoch' in train_cfg"):
        load_config("cam_synthetic", {"train_cfg": loop, "train_cfg.max_epoch": 5})


def test_a_data_set_can_be_wrapped_by_options():
    options = {
        "train_dataloader.dataset.type": "RepeatDataset",
        "train_dataloader.dataset.times": 2,
        "train_dataloader.dataset.dataset.type": "MicroDataset",
        "train_dataloader.dataset.dataset.num_images": 4,
    }
    dataset = load_config(micro.CONFIG, options).train_dataloader.dataset
    assert dataset == {"type": "RepeatDataset", "times": 2, "dataset": {"type": "MicroDataset", "num_images": 4}}


def test_an_unknown_new_type_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"model\.box_extractor: .*no box extractor named 'AllComponent'.*'AllCompo"):
        load_config(micro.CONFIG, {"model.box_extractor.type": "AllComponent"})


def test_a_list_of_components_can_be_typed():
    options = parse_options(["model.modifiers=[dict(type='DropBlock', at='last', block_size=3)]"])
    assert load_config(micro.CONFIG, options).model.modifiers == [{"type": "DropBlock", "at": "last", "block_size": 3}]


def test_data_root_moves_the_data_sets_of_a_finished_run(finished):
    path = finished(data_root="old")
    assert load_config(path).train_dataloader.dataset.data_root == "old"
    config = load_config(path, {"data_root": "new"})
    roots = {config.data_root, config.train_dataloader.dataset.data_root, config.val_dataloader.dataset.data_root}
    assert roots == {"new"}


def test_what_a_training_made_of_data_root_follows_it_too(finished):
    path = finished(
        **{
            "val_dataloader.dataset.data_root": "old/val",
            "train_dataloader.dataset.data_root": "old/train",
            "work_dir": "runs/a",
        }
    )
    path.write_text(path.read_text() + "data_root = 'old'\n")
    config = load_config(path, {"data_root": "new"})
    assert config.val_dataloader.dataset.data_root == "new/val"
    assert config.train_dataloader.dataset.data_root == "new/train"
    kept = load_config(path, {"data_root": "new", "val_dataloader.dataset.data_root": "old/test"})
    assert kept.val_dataloader.dataset.data_root == "old/test"
    path.write_text(path.read_text().replace("work_dir = 'runs/a'", ""))
    with pytest.raises(
        ConfigError, match=r"data_root='new' would change nothing.*val_dataloader.dataset.data_root='old/"
    ):
        load_config(path, {"data_root": "new"})


def test_data_root_that_would_change_nothing_is_refused(finished):
    path = finished(**{"train_dataloader.dataset.data_root": "a", "val_dataloader.dataset.data_root": "b"})
    with pytest.raises(ConfigError) as caught:
        load_config(path, {"data_root": "new"})
    assert str(caught.value) == (
        "data_root='new' would change nothing: the data sets have their own. Change "
        "train_dataloader.dataset.data_root='a' and val_dataloader.dataset.data_root='b'."
    )


def test_what_a_file_makes_of_data_root_follows_it(tmp_path):
    (tmp_path / "own.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\n"
        "data_root = 'a'\n"
        "val_dataloader = dict(dataset=dict(data_root=data_root + '/val'))\n"
    )
    config = load_config(tmp_path / "own.py", {"data_root": "b"})
    assert config.train_dataloader.dataset.data_root == "b"
    assert config.val_dataloader.dataset.data_root == "b/val"


def test_weights_reach_the_backbone_of_a_finished_run_or_are_refused(finished):
    path = finished(weights="old.pth")
    assert load_config(path, {"weights": "new.pth"}).model.backbone.weights == "new.pth"
    path = finished(**{"model.backbone.weights": "own.pth"})
    said = r"weights='new\.pth' would change nothing: the backbone has its own\. Change model\.backbone\.weights='own"
    with pytest.raises(ConfigError, match=said):
        load_config(path, {"weights": "new.pth"})


def test_a_configuration_is_checked_once_and_again_where_somebody_changed_it(monkeypatch):
    config = load_config(micro.CONFIG)
    checks = []
    monkeypatch.setattr(loading, "check_config", checks.append)
    assert prepared(config) is config
    assert not checks
    config.model.precision = "bf16"
    assert prepared(config).model.precision == "bf16"
    assert len(checks) == 1


def test_a_configuration_made_by_hand_is_completed_and_stays_as_it_is():
    by_hand = loading.Config({"model": {"type": "Localizr"}})
    with pytest.raises(ConfigError, match=r"model: .*no model named 'Localizr'"):
        prepared(by_hand)
    by_hand = loading.Config({"train_cfg": {"max_epochs": 2}})
    assert "checkpoint" in prepared(by_hand).default_hooks
    assert list(by_hand) == ["train_cfg"]
