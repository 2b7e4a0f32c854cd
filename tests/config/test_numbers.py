"""Numbers of a configuration below their least values."""

import pytest

from wsolkit import ConfigError
from wsolkit.config.load import load_config
from wsolkit.config.numbers import check_numbers


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train_cfg.max_epochs": -1}, "train_cfg.max_epochs should be a whole number of at least 1, but got -1"),
        ({"train_cfg.val_interval": 0}, "train_cfg.val_interval should be a whole number of at least 1, but got 0"),
        ({"train_dataloader.batch_size": 2.5}, "train_dataloader.batch_size should be a whole number .* but got 2.5"),
        ({"val_dataloader.num_workers": -2}, "val_dataloader.num_workers should be a whole number of at least 0"),
        (
            {"test_dataloader.dataset.pipeline.0.size": (-64, 64)},
            r"test_dataloader.dataset.pipeline.0.size holds sides of images in pixels, 1 or more, but got \(-64, 64\)",
        ),
    ],
)
def test_a_number_that_cannot_be_is_named_with_its_place(options, words):
    with pytest.raises(ConfigError, match=words):
        load_config("cam_mobilenetv2_birds50", options)


def test_what_is_not_said_is_not_checked():
    check_numbers({"train_cfg": None, "train_dataloader": {"batch_size": None, "dataset": {"size": -1}}})
    check_numbers({"val_dataloader": {"dataset": {"pipeline": [{"type": "Pad", "size": None}, {"crop": [8, 8]}]}}})
    check_numbers({"optim_wrapper": {"optimizer": {"type": "SGD", "lr": 1e-3}, "clip_grad": {"norm_type": "inf"}}})
