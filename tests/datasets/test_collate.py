import pytest
import torch

from wsolkit.datasets.collate import collate_samples
from wsolkit.errors import DataError
from wsolkit.registry import FUNCTIONS


def sample(name, size=(4, 5), **more):
    return {
        "inputs": torch.randint(0, 255, (3, *size), dtype=torch.uint8),
        "labels": torch.tensor(1),
        "image_ids": name,
        **more,
    }


def test_batch_holds_the_samples():
    samples = [sample("a", targets="x", boxes=torch.zeros(2, 4)), sample("b", targets="y", boxes=torch.zeros(0, 4))]
    batch = collate_samples(samples)
    assert torch.equal(batch["inputs"], torch.stack([one["inputs"] for one in samples]))
    assert batch["inputs"].is_contiguous(memory_format=torch.channels_last)
    assert batch["labels"].dtype == torch.int64
    assert batch["image_ids"] == ["a", "b"]
    assert batch["targets"] == ["x", "y"]
    assert [len(boxes) for boxes in batch["boxes"]] == [2, 0]


def test_multi_label_vectors_are_stacked():
    samples = [sample("a") | {"labels": torch.tensor([1.0, 0, 1])}, sample("b") | {"labels": torch.tensor([0.0, 0, 0])}]
    assert collate_samples(samples)["labels"].tolist() == [[1, 0, 1], [0, 0, 0]]


def test_sizes_that_differ_are_named():
    with pytest.raises(DataError, match=r"5x4 \(a\), 7x6 \(b\)\. Add a Resize or crop to the pipeline"):
        collate_samples([sample("a"), sample("b", (6, 7))])


def test_it_is_registered():
    assert FUNCTIONS.get("collate_samples") is collate_samples
