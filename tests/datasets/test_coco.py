import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from wsolkit.datasets.coco import COCO
from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation import MeanIoU
from wsolkit.formats.coco_outlines import class_mask


@pytest.fixture
def root(layouts, tmp_path):
    layouts.write_coco(tmp_path)
    return tmp_path


@pytest.fixture
def edit(root):
    path = root / "annotations/instances_val.json"

    def change(function):
        content = json.loads(path.read_text())
        function(content)
        path.write_text(json.dumps(content))

    return change


def test_ids_become_contiguous_in_their_order(root):
    dataset = COCO(str(root), "val")
    assert dataset.classes == ("cat", "dog")
    assert dataset.metainfo["category_ids"] == (17, 18)
    assert dataset.record(0)["image_id"] == str(100 + ord("e"))
    turned = COCO(str(root), "val", classes=["dog", "cat"])
    assert turned.metainfo["category_ids"] == (18, 17)
    assert turned[0]["labels"].tolist() == [0, 1]
    only = COCO(str(root), "val", classes=["dog"], load_targets=True)
    assert (only[0]["labels"].tolist(), only[1]["labels"].tolist()) == ([0], [1])
    assert only[0]["targets"].boxes.shape == (0, 4)
    with pytest.raises(ConfigError, match="Class 'dgo' is no category of .* Did you mean 'dog'"):
        COCO(str(root), "val", classes=["dgo"])


def test_a_size_of_zero_is_no_size(root, edit):
    before = COCO(str(root), "val", load_targets=True, masks=False)[0]["targets"].boxes
    edit(lambda content: [image.update(width=0, height=0) for image in content["images"]])
    dataset = COCO(str(root), "val", load_targets=True, masks=False)
    assert "size" not in dataset.record(0)
    assert dataset[0]["targets"].boxes.tolist() == before.tolist()


def test_crowds_are_difficult_and_ignored(root, edit):
    runs = coco_mask.encode(np.asfortranarray(np.pad(np.ones((18, 48), np.uint8), ((0, 18), (0, 0)))))
    plain = {"size": [36, 48], "counts": [0, 18, 846, 18, 846]}
    crowd = {"image_id": 201, "bbox": [0, 0, 48, 18], "iscrowd": 1, "category_id": 18}
    runs["counts"] = runs["counts"].decode()

    def add(content):
        content["annotations"] += [
            {"id": 1, **crowd, "segmentation": runs},
            {"id": 2, **crowd, "segmentation": {"size": [36, 48], "counts": [0, 36, 1692]}},
        ]

    edit(add)
    dataset = COCO(str(root), "val", load_targets=True)
    record, targets = dataset.record(0), dataset[0]["targets"]
    assert (record["labels"], record["difficult_labels"]) == ([0, 1], [1])
    assert targets.difficult.tolist() == [False, True, True]
    assert plain["size"] == [36, 48]
    assert targets.mask[8, 7] == 1, "an object lies over a crowd"
    assert targets.mask[0, 40] == 255
    assert targets.mask[35, 0] == 255
    assert targets.mask[35, 40] == 0


def test_smaller_objects_lie_over_larger_ones():
    outlines = [[[2, 2, 4, 2, 4, 4, 2, 4]], [[0, 0, 8, 0, 8, 8, 0, 8]], None]
    mask = class_mask(outlines, [0, 1, 0], [False] * 3, (8, 8))
    assert (mask[3, 3], mask[0, 0], mask[7, 7]) == (1, 2, 2)
    with pytest.raises(DataError, match="A segmentation is broken"):
        class_mask([[["x"]]], [0], [False], (8, 8))


def test_lvis_says_addresses_instead_of_names(root, edit):
    edit(lambda c: [each.update(coco_url=f"http://x/val/{each.pop('file_name')}") for each in c["images"]])
    assert COCO(str(root), "val", images="").record(0)["image_path"] == str(root / "val" / "e.jpg")


def test_masks_of_more_classes_than_8_bits_hold():
    outlines = [[[2, 2, 4, 2, 4, 4, 2, 4]], [[0, 0, 8, 0, 8, 4, 0, 4]], [[0, 4, 8, 4, 8, 8, 0, 8]]]
    mask = class_mask(outlines, [254, 1202, 0], [False, False, True], (8, 8))
    assert (mask.dtype, mask[3, 3], mask[0, 0], mask[7, 7]) == (np.uint16, 255, 1203, 65535)
    assert class_mask(outlines, [253, 0, 0], [False] * 3, (8, 8)).dtype == np.uint8
    metric = MeanIoU(1203, thresholds=[0.5])
    everywhere = np.ones((8, 8), np.float32)
    metric.update("a", {254: everywhere * (mask == 255), 1202: everywhere * 0.9}, mask)
    assert metric.compute(threshold=0.5).lines[0].score.percent == 100  # of the pixels that count, each is right
    with pytest.raises(ConfigError, match="holds classes 0 to 65533, but got class 65534"):
        class_mask(outlines[:1], [65534], [False], (8, 8))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["annotations"][0].update(image_id=5), "annotation 201 has the image_id 5, which is not listed"),
        (lambda c: c["annotations"][0].update(category_id=5), "annotation 201 has the category_id 5, which is not"),
        (
            lambda c: c["annotations"][0].update(bbox=[1, 2, 3]),
            r"bbox of annotation 201 should be four numbers.* \[1, 2, 3\]",
        ),
        (lambda c: c["annotations"][0].pop("image_id"), "annotation 201 lacks 'image_id'"),
        (lambda c: c["images"].append({**c["images"][0], "width": 7}), "1 of the images share an id"),
        (lambda c: c.pop("categories"), "has no list 'categories'"),
        (lambda c: c["images"][0].pop("width"), "image 201 lacks width or height, which masks need"),
    ],
)
def test_mistakes_are_named(root, edit, change, words):
    edit(change)
    with pytest.raises(DataError, match=words):
        COCO(str(root), "val", load_targets=True)


def test_files_that_are_no_instances(root):
    path = root / "annotations/instances_val.json"
    path.write_text("{")
    with pytest.raises(DataError, match=r"instances_val\.json is no JSON"):
        COCO(str(root), "val")
    path.unlink()
    with pytest.raises(DataError, match="The instances of split 'val' should be at"):
        COCO(str(root), "val")
