"""A training that goes on with other settings says which."""

import warnings

import pytest
from mmengine.config import Config

from wsolkit.config.stored import STORED, config_text
from wsolkit.training.resumed import changed_settings
from wsolkit.training.train import train


def test_a_resumed_training_says_in_one_line_what_is_other_than_before(micro_config, tmp_path):
    train(micro_config(train_cfg__max_epochs=2), tmp_path, seed=1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        train(micro_config(train_cfg__max_epochs=2), tmp_path, resume=True, seed=2)
    assert not [each for each in told if "other settings" in str(each.message)]
    shorter = micro_config(train_cfg__max_epochs=1, optim_wrapper__optimizer__lr=0.01)
    words = (
        "^The training goes on with other settings than it was begun with: train_cfg.max_epochs was 2 and is 1 now, "
        "optim_wrapper.optimizer.lr was 0.1 and is 0.01 now.$"
    )
    with pytest.warns(UserWarning, match=words) as told:
        train(shorter, tmp_path, resume=True)
    [said] = [each for each in told if "other settings" in str(each.message)]
    assert said.filename.endswith("checkpoints.py")  # of wsolkit, so that the command prints it in a line


def test_folders_that_were_moved_are_no_change():
    def config(root, **more):
        return Config({"data_root": root, "model": {"init": f"{root}/first.pth", **more}, "randomness": {"seed": 1}})

    meta = {STORED: config_text(config("/old"))}
    assert changed_settings(meta, config("/new")) == ""
    assert changed_settings(meta, config("/new", bias=None, width=3)).endswith(
        ": model.width was not set and is 3 now."
    )
    assert changed_settings({}, config("/new")) == ""
    many = changed_settings(meta, config("/old", **{f"n{number}": number for number in range(14)}))
    assert many.endswith("model.n11 was not set and is 11 now, and 2 more.")
