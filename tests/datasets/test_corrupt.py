"""A broken image stops training, or is skipped and remembered, also from the loader's workers."""

import pytest
import torch
from torch.utils.data import DataLoader

from wsolkit.datasets.collate import collate_samples
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.errors import ConfigError, DataError

RESIZE = [{"type": "Resize", "size": (16, 16), "antialias": True}]


@pytest.fixture
def folder(layouts, tmp_path):
    layouts.write_image_folder(tmp_path)
    for path in (tmp_path / "train/cat/a.jpg", tmp_path / "train/dog/d.jpg"):
        path.write_bytes(path.read_bytes()[:-200])
    return tmp_path


def test_error_names_the_file(folder):
    dataset = ImageFolder(str(folder), "train")
    with pytest.raises(DataError, match=r"a\.jpg cannot be read"):
        dataset[0]
    assert dataset.corrupt() == []


@pytest.mark.parametrize("workers", [0, 2])
def test_skip_takes_the_next_image_and_remembers(folder, workers):
    dataset = ImageFolder(str(folder), "train", on_corrupt="skip", pipeline=RESIZE)
    loader = DataLoader(dataset, 2, num_workers=workers, collate_fn=collate_samples, persistent_workers=workers > 0)
    for _ in range(2):
        ids = [name for batch in loader for name in batch["image_ids"]]
        assert ids == ["train/cat/c.jpg", "train/cat/c.jpg", "train/dog/b.jpg", "train/cat/c.jpg"]
    assert dataset.corrupt() == [str(folder / "train/cat/a.jpg"), str(folder / "train/dog/d.jpg")]


def test_error_reaches_the_main_process(folder):
    loader = DataLoader(ImageFolder(str(folder), "train"), 1, num_workers=1, collate_fn=collate_samples)
    with pytest.raises(DataError, match=r"a\.jpg cannot be read"):
        list(loader)


@pytest.mark.slow
def test_evaluation_never_skips(folder):
    dataset = ImageFolder(str(folder), "train", on_corrupt="skip", test_mode=True)
    with pytest.raises(DataError, match=r"a\.jpg"):
        dataset[0]


def test_nothing_readable_is_an_error(folder):
    for path in (folder / "train").rglob("*.jpg"):
        path.write_text("no image")
    with pytest.raises(DataError, match="None of the 4 images of split 'train' can be read"):
        ImageFolder(str(folder), "train", on_corrupt="skip")[2]


def test_unknown_policy_and_misspelt_argument(folder):
    with pytest.raises(
        ConfigError, match="on_corrupt of ImageFolder should be one of 'error', 'skip', but got 'ignore'"
    ):
        ImageFolder(str(folder), "train", on_corrupt="ignore")
    from wsolkit.registry import Registry, check_arguments

    registry = Registry("data set")
    registry.register_module(module=ImageFolder)
    with pytest.raises(ConfigError, match="takes no argument 'on_corupt'. Did you mean 'on_corrupt'"):
        check_arguments({"type": "ImageFolder", "on_corupt": "skip"}, registry)


def test_random_crops_follow_epoch_and_index_alone(layouts, tmp_path):
    layouts.write_image_folder(tmp_path)
    dataset = ImageFolder(str(tmp_path), "train", pipeline=[{"type": "RandomCrop", "size": 8}])
    first = dataset[1]["inputs"]
    dataset[0], dataset[3]
    assert torch.equal(dataset[1]["inputs"], first)
    dataset.set_epoch(1)
    assert not torch.equal(dataset[1]["inputs"], first)
    dataset.set_epoch(0)
    assert torch.equal(dataset[1]["inputs"], first)
