"""A split that was cut, or shows some of its classes alone, is told of in training and test."""

import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from PIL import Image

from wsolkit.datasets.coverage import coverage_remarks
from wsolkit.datasets.image_folder import ImageFolder


@pytest.fixture
def photos(tmp_path):
    for split in ("train", "test"):
        for number in range(12):
            path = tmp_path / split / ("ant", "bee", "cat", "dog")[number // 3] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(path)
    return str(tmp_path)


def test_what_a_cut_split_lacks_is_counted_and_named(photos):
    assert coverage_remarks(ImageFolder(photos, "train"), "train") == []
    first = ImageFolder(photos, "train", indices=5)
    told = [
        "Of the train split 5 of 12 images are used (indices).",
        "No image of the train split shows 2 of the 4 classes ('cat', 'dog').",
    ]
    assert coverage_remarks(first, "train") == told
    assert coverage_remarks(RepeatDataset(first, times=3), "train") == told
    each = ImageFolder(photos, "train", indices=[0, 3, 6, 9])
    assert coverage_remarks(each, "train") == ["Of the train split 4 of 12 images are used (indices)."]
    both = ConcatDataset([first, ImageFolder(photos, "train", indices=[11])])
    assert coverage_remarks(both, "train") == [
        "Of the train split 6 of 24 images are used (indices).",
        "No image of the train split shows 1 of the 4 classes ('cat').",
    ]
    assert coverage_remarks([{"inputs": 1}], "train") == []  # a stranger's data set
