"""Splits of a configuration as data for a stage."""

import pytest
import torch

from tests.support import micro
from wsolkit import ConfigError, DataError
from wsolkit.config.load import load_config
from wsolkit.pipeline import build_split, check_split, input_size, split_batches

RESIZE = {"type": "Resize", "size": (16, 12)}


def config(**options):
    settings = {"val_dataloader.dataset.pipeline": [RESIZE], **options}
    return load_config(micro.CONFIG, settings)


def test_a_split_has_the_transforms_of_the_evaluation_or_its_own():
    found = build_split(config(), "train")
    assert (len(found), found.split, found.test_mode, found.load_targets) == (12, "train", True, False)
    assert found[0]["inputs"].shape == (3, 16, 12)
    assert build_split(config(), "train", pipeline="own")[0]["inputs"].shape == (3, 8, 8)
    assert build_split(config(), "val", load_targets=True)[0]["targets"].size == (8, 8)
    assert input_size(config()) == (16, 12)


def test_a_wrapped_data_set_is_found_inside():
    wrapped = {"type": "RepeatDataset", "times": 2, "dataset": {"type": "MicroDataset", "num_images": 5}}
    found = config(**{"train_dataloader.dataset": {"_delete_": True, **wrapped}})
    assert len(build_split(found, "train")) == 5
    joined = {"type": "ConcatDataset", "datasets": [{"type": "MicroDataset"}, {"type": "MicroDataset"}]}
    with pytest.raises(ConfigError, match="The train_dataloader joins 2 data sets; a stage works on one"):
        build_split(config(**{"train_dataloader.dataset": {"_delete_": True, **joined}}), "train")


@pytest.mark.parametrize(
    ("split", "arguments", "said"),
    [
        ("vel", {}, "There is no split 'vel'. Did you mean 'val'"),
        ("test", {}, "The configuration has no test_dataloader with a dataset"),
        ("val", {"pipeline": "train"}, "pipeline should be one of"),
    ],
)
def test_a_split_that_is_not_there(split, arguments, said):
    with pytest.raises(ConfigError, match=said):
        build_split(config(), split, **arguments)
    if not arguments:
        with pytest.raises(ConfigError, match=said):
            check_split(config(), split)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"type": "CenterCrop", "size": 8}], "it crops, pads or flips. Evaluation and prediction need a plain Resize"),
        ([{"type": "Resize", "size": 32}], "leaves images at different sizes"),
        ([RESIZE, {"type": "RandomHorizontalFlip"}], "The test pipeline is random"),
    ],
)
def test_a_pipeline_that_does_not_show_the_whole_image_is_refused(steps, said):
    with pytest.raises(ConfigError, match=said):
        build_split(load_config(micro.CONFIG, {"val_dataloader.dataset.pipeline": steps}), "train")


def test_other_classes_than_the_model_was_trained_on_are_refused():
    found = config()
    found["classes"] = ["ant", "wasp", "cat"]
    with pytest.raises(DataError, match="the train data has 3, and they differ .first: 'wasp' there, 'bee' here"):
        build_split(found, "train")


def test_batches_hold_images_labels_names_and_sizes():
    dataset = build_split(config(), "train")
    batches = list(split_batches(dataset, [7, 1, 5], batch_size=2))
    assert [batch["image_ids"] for batch in batches] == [["train/7", "train/1"], ["train/5"]]
    assert [batch["labels"].tolist() for batch in batches] == [[1, 1], [2]]
    assert batches[0]["sizes"] == [(8, 8), (8, 8)]
    assert torch.equal(batches[0]["inputs"][1], dataset[1]["inputs"])
    assert sum(len(batch["image_ids"]) for batch in split_batches(dataset)) == 12
    with pytest.raises(ConfigError, match="batch_size should be 1 or more and num_workers 0 or more, but got 0 and 0"):
        next(split_batches(dataset, batch_size=0))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_is_named(workers):
    dataset = build_split(
        config(**{"train_dataloader.dataset.broken": [3], "train_dataloader.dataset.on_corrupt": "skip"}), "train"
    )
    with pytest.raises(DataError, match=r"^Image 'train/3' of split 'train': The image /3.png cannot be read\.$"):
        list(split_batches(dataset, num_workers=workers))
