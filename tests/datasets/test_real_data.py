"""Counts of the real data sets, where WSOLKIT_DATA says where they are."""

import os
from pathlib import Path

import pytest

from wsolkit.datasets.pascal_voc import PascalVOC
from wsolkit.datasets.wsol_metadata import WsolMetadata

ROOT = Path(os.environ.get("WSOLKIT_DATA", "nowhere"))
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="WSOLKIT_DATA is not set")


@pytest.mark.parametrize(("split", "count"), [("train", 1250), ("val", 250), ("test", 702)])
def test_birds50(split, count):
    dataset = WsolMetadata(str(ROOT / "birds50"), split, load_targets=split != "train")
    assert (len(dataset), len(dataset.classes)) == (count, 50)
    assert dataset.classes[0] == "001.Black_footed_Albatross"
    sample = dataset[count // 2]
    width, height = dataset.record(count // 2)["size"]
    assert tuple(sample["inputs"].shape) == (3, height, width)
    if split != "train":
        boxes = [dataset.record(index)["boxes"] for index in range(count)]
        assert all(len(found) == 1 and found[0][0] < found[0][2] for found in boxes)


@pytest.mark.parametrize(("split", "count"), [("train", 771), ("val", 100), ("test", 223)])
def test_voc(split, count):
    root = ROOT / "voc/VOCdevkit/VOC2012"
    dataset = PascalVOC(str(root), split, load_targets=True)
    assert (len(dataset), len(dataset.classes)) == (count, 20)
    for index in range(0, count, 25):
        sample = dataset[index]
        targets = sample["targets"]
        assert set(targets.box_labels.tolist()) == set(sample["labels"].nonzero().flatten().tolist())
        assert targets.mask is not None
        inside = [targets.mask[int(y0) : int(y1), int(x0) : int(x1)] for x0, y0, x1, y1 in targets.boxes]
        assert any((crop == label + 1).any() for crop, label in zip(inside, targets.box_labels, strict=True))


def test_labels_of_lists_and_of_annotations_agree():
    dataset = PascalVOC(str(ROOT / "voc/VOCdevkit/VOC2012"), "val")
    for record in map(dataset.record, range(len(dataset))):
        states = dataset.annotated_labels(ROOT / f"voc/VOCdevkit/VOC2012/Annotations/{record['image_id']}.xml")
        assert sorted(states) == record["labels"]
        assert sorted(label for label, clear in states.items() if not clear) == record["difficult_labels"]
