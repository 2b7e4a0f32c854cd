"""The same photographs in every layout give the same labels and targets, and training never opens a box."""

import numpy as np
import pytest
import torch

from wsolkit.datasets.coco import COCO
from wsolkit.datasets.cub200 import CUB200
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.datasets.pascal_voc import PascalVOC
from wsolkit.datasets.wsol_metadata import WsolMetadata

CASES = {
    "folder-csv": (ImageFolder, "write_image_folder", {"boxes": "csv"}, False),
    "folder-json": (ImageFolder, "write_image_folder", {"boxes": "json"}, False),
    "folder-xml": (ImageFolder, "write_image_folder", {"boxes": "xml"}, False),
    "metadata": (WsolMetadata, "write_wsol_metadata", {}, False),
    "cub": (CUB200, "write_cub200", {}, True),
    "voc": (PascalVOC, "write_pascal_voc", {}, True),
    "voc-without-lists": (PascalVOC, "write_pascal_voc", {"lists": False}, True),
    "coco": (COCO, "write_coco", {}, True),
}


@pytest.fixture(params=CASES)
def layout(request, layouts, tmp_path):
    cls, writer, how, has_masks = CASES[request.param]
    options = getattr(layouts, writer)(tmp_path, **how)
    return cls, tmp_path, options, has_masks


@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_and_targets_are_the_same(layout, layouts, split):
    cls, root, options, has_masks = layout
    dataset = cls(str(root), split, load_targets=True, **options)
    photos = {photo.name: photo for photo in layouts.CONTENT[split]}
    assert [name.split(".")[-1] for name in dataset.classes] == layouts.CLASSES
    assert len(dataset) == len(photos)
    seen = []
    for index in range(len(dataset)):
        sample = dataset[index]
        name = dataset.record(index)["image_path"].split("/")[-1].removesuffix(".jpg")
        photo = photos[name]
        seen.append(name)
        expected = torch.eye(2)[photo.label] if dataset.multi_label else torch.tensor(photo.label)
        assert torch.equal(sample["labels"], expected)
        assert sample["inputs"].dtype == torch.uint8
        assert tuple(sample["inputs"].shape) == (3, photo.size[1], photo.size[0])
        difference = sample["inputs"].permute(1, 2, 0).numpy().astype(int) - photo.pixels
        assert np.abs(difference).mean() < 5, "another image"
        targets = sample["targets"]
        assert targets.size == photo.size
        np.testing.assert_array_equal(targets.boxes, np.array([photo.box], dtype=np.float32))
        assert targets.boxes.dtype == np.float32
        np.testing.assert_array_equal(targets.box_labels, [photo.label])
        np.testing.assert_array_equal(targets.difficult, [False])
        if has_masks:
            assert targets.mask.dtype == np.uint8
            np.testing.assert_array_equal(targets.mask, photo.inside * np.uint8(photo.label + 1))
    assert sorted(seen) == sorted(photos)


def test_training_sees_no_targets(layout):
    cls, root, options, _ = layout
    dataset = cls(str(root), "train", **options)
    assert set(dataset[0]) == {"inputs", "labels", "image_ids"}
    unseen = {"boxes", "box_labels", "difficult", "mask_paths", "ignore_path", "segmentations"}
    assert not unseen & set(dataset.record(0))


def test_training_parses_no_boxes(layout):
    cls, root, options, _ = layout
    for path in root.rglob("*"):
        if path.name in ("localization.txt", "bounding_boxes.txt", "boxes.csv"):
            path.write_text("not,a,box")
        elif path.suffix == ".xml":
            path.write_text(path.read_text().replace("<xmin>", "<xmin>many"))
        elif path.suffix == ".json":
            path.write_text(path.read_text().replace('"bbox": [', '"bbox": ["many", '))
        elif path.suffix == ".png":
            path.write_text("not a mask")
    dataset = cls(str(root), "train", **options)
    assert len([dataset[index] for index in range(len(dataset))]) == 4


def test_missing_folder_is_named(layout):
    cls, root, options, _ = layout
    from wsolkit.errors import DataError

    with pytest.raises(DataError, match="data_root") as caught:
        cls(str(root / "elsewhere"), "train", **options)
    assert "elsewhere" in str(caught.value)


def test_splits_share_no_image(layout):
    cls, root, options, _ = layout
    parts = [cls(str(root), split, **options) for split in ("train", "test")]
    ids = [{part.record(index)["image_id"] for index in range(len(part))} for part in parts]
    assert not ids[0] & ids[1]
    assert parts[0].classes == parts[1].classes
