"""Batches of a few classes: what is in them, on several processes, and after a break."""

from collections import Counter

import pytest
import torch
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader

from wsolkit.datasets import ClassBalancedBatchSampler
from wsolkit.errors import ConfigError, DataError
from wsolkit.training.loops import batches_from, endless
from wsolkit_scenes.synthetic import SyntheticParts


class Labels:
    """A data set of labels alone; reading an image is a mistake."""

    def __init__(self, labels, multi_label=False):
        self.labels = labels
        self.metainfo = {"multi_label": multi_label}

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, index):
        label = self.labels[index]
        return {"labels": label if isinstance(label, list) else [label]}

    def __getitem__(self, index):
        raise AssertionError("an image was read")


class Places(Labels):
    """Gives the place of an image instead of the image."""

    def __getitem__(self, index):
        return index


def sampler(dataset, classes=3, images=2, seed=0, epoch=0, rank=0, world_size=1):
    inner = DefaultSampler(dataset, seed=seed)
    inner.epoch, inner.rank, inner.world_size = epoch, rank, world_size
    return ClassBalancedBatchSampler(inner, classes * images, classes, images)


BALANCED = [number % 5 for number in range(60)]


def test_a_batch_has_so_many_classes_with_so_many_images():
    batches = list(sampler(Labels(BALANCED)))
    assert len(batches) == len(sampler(Labels(BALANCED))) == 10
    for batch in batches:
        assert sorted(Counter(BALANCED[place] for place in batch).values()) == [2, 2, 2]
        assert len(set(batch)) == 6


def test_an_epoch_shows_every_class_and_every_image_about_as_often():
    shown = Counter(place for batch in sampler(Labels(BALANCED), classes=5, images=2) for place in batch)
    assert set(shown.values()) == {1}
    assert len(shown) == 60
    uneven = sampler(Labels(BALANCED), classes=3, images=2)
    classes = Counter(BALANCED[place] for batch in uneven for place in batch)
    assert sorted(classes.values()) == [12] * 5  # 10 batches of 3 of 5 classes
    most = Counter(place for batch in uneven for place in batch)
    assert max(most.values()) == 1


def test_a_class_with_few_images_repeats_them_and_only_it():
    labels = [0] + [1] * 20 + [2] * 20
    for batch in sampler(Labels(labels), classes=3, images=4):
        counts = Counter(batch)
        assert counts[0] == 4
        assert all(count == 1 for place, count in counts.items() if place != 0)


def test_fewer_classes_than_asked_share_the_batch():
    batches = list(sampler(Labels([7, 3, 3, 7, 3, 7] * 6), classes=4, images=2))
    assert len(batches) == 4
    for batch in batches:
        assert sorted(Counter([7, 3, 3, 7, 3, 7][place % 6] for place in batch).values()) == [4, 4]
    (only,) = sampler(Labels([0, 1, 2]), classes=4, images=2)  # fewer images than a batch: one of them still
    assert sorted(Counter(only).values()) == [2, 3, 3]


def test_seed_and_epoch_decide():
    dataset = Labels(BALANCED)
    assert list(sampler(dataset)) == list(sampler(dataset))
    assert list(sampler(dataset)) != list(sampler(dataset, epoch=1))
    assert list(sampler(dataset)) != list(sampler(dataset, seed=1))
    assert list(sampler(dataset, seed=1)) != list(sampler(dataset, epoch=1))


def test_two_processes_share_the_batches_of_one():
    dataset = Labels(BALANCED)
    whole = list(sampler(dataset, epoch=3))
    parts = [list(sampler(dataset, epoch=3, rank=rank, world_size=2)) for rank in range(2)]
    assert [len(part) for part in parts] == [5, 5]
    assert whole[0::2] == parts[0]
    assert whole[1::2] == parts[1]
    odd = [sampler(Labels(BALANCED[:50]), rank=rank, world_size=3) for rank in range(3)]
    assert {len(list(each)) for each in odd} == {2} == {len(each) for each in odd}
    few = [sampler(Labels([0, 1]), classes=2, images=2, rank=rank, world_size=2) for rank in range(2)]
    assert [len(list(each)) for each in few] == [1, 1]


def loader_of(workers=0):
    batches = sampler(Places(BALANCED))
    return DataLoader(Places(BALANCED), batch_sampler=batches, num_workers=workers, persistent_workers=workers > 0)


def taken(batches, count):
    return [next(batches).tolist() for _ in range(count)]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_training_sees_what_it_would_have_seen(workers):
    straight = taken(endless(loader_of(workers), 0), 25)
    assert straight[:10] != straight[10:20]
    for done in (3, 10, 14):
        assert taken(endless(loader_of(workers), done), 25 - done) == straight[done:]


def test_a_resumed_epoch_reads_no_batch_twice():
    loader = loader_of()
    loader.batch_sampler.sampler.set_epoch(2)
    whole = [batch.tolist() for batch in loader]
    assert [batch.tolist() for batch in batches_from(loader, 4)] == whole[4:]
    assert [batch.tolist() for batch in loader] == whole
    assert len(loader) == 10


def test_mistakes_are_explained():
    dataset = Labels(BALANCED)
    with pytest.raises(ConfigError, match="one class or more, and one image .* but got classes=-4 and images=-8"):
        ClassBalancedBatchSampler(DefaultSampler(Labels(BALANCED)), batch_size=32, classes=-4, images=-8)
    with pytest.raises(ConfigError, match=r"12 classes x 4 images = 48, but batch_size is 32. Set .*batch_size=48"):
        ClassBalancedBatchSampler(DefaultSampler(dataset, seed=0), 32)
    with pytest.raises(ConfigError, match=r"from a DefaultSampler, but got SequentialSampler. Write"):
        ClassBalancedBatchSampler(torch.utils.data.SequentialSampler(dataset), 48)
    with pytest.raises(DataError, match=r"images with one class each, but Labels is multi-label data. Leave"):
        sampler(Labels(BALANCED, multi_label=True))
    with pytest.raises(DataError, match=r"Labels gives image 1 the labels \[1, 2\]"):
        sampler(Labels([0, [1, 2]]))
    with pytest.raises(ConfigError, match="labels from the records of a data set, which list does not have"):
        sampler([1, 2, 3])
    with pytest.raises(DataError, match="SyntheticParts is multi-label data"):
        sampler(SyntheticParts(num_images=4, num_classes=2, image_size=32, multi_label=True))
