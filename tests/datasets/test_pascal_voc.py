import numpy as np
import pytest
from PIL import Image

from wsolkit.datasets.pascal_voc import VOC_CLASSES, PascalVOC
from wsolkit.errors import DataError

CLASSES = ["cat", "dog"]


@pytest.fixture
def root(layouts, tmp_path):
    layouts.write_pascal_voc(tmp_path)
    return tmp_path


@pytest.mark.parametrize("lists", [True, False])
def test_difficult_objects_are_positive_and_marked(layouts, tmp_path, lists):
    layouts.write_pascal_voc(tmp_path, lists=lists)
    photo = layouts.CONTENT["val"][0]
    objects = [("cat", photo.box, 0), ("dog", (0, 0, 48, 36), 1), ("cat", (1, 1, 9, 9), 1), ("person", photo.box, 0)]
    layouts.write_voc_xml(tmp_path / "Annotations/e.xml", photo, objects=objects)
    if lists:
        layouts.change(tmp_path / "ImageSets/Main/dog_val.txt", "e -1", "e  0")
    dataset = PascalVOC(str(tmp_path), "val", classes=CLASSES, load_targets=True)
    record = dataset.record(0)
    assert (record["labels"], record["difficult_labels"]) == ([0, 1], [1])
    sample = dataset[0]
    assert sample["labels"].tolist() == [1, 1]
    assert sample["targets"].difficult.tolist() == [False, True, True]
    assert sample["targets"].box_labels.tolist() == [0, 1, 0]
    assert sample["targets"].boxes[1].tolist() == [0, 0, 48, 36]


def test_twenty_classes_by_default(layouts, tmp_path):
    layouts.write_pascal_voc(tmp_path, lists=False)
    dataset = PascalVOC(str(tmp_path), "train", load_targets=True)
    assert (len(VOC_CLASSES), dataset.classes) == (20, VOC_CLASSES)
    assert dataset[1]["labels"].nonzero().flatten().tolist() == [VOC_CLASSES.index("dog")]
    assert dataset[1]["targets"].mask.max() == 12


def test_masks_keep_ignored_pixels_and_drop_other_classes(root):
    values = np.zeros((36, 48), dtype=np.uint8)
    values[0], values[1], values[2] = 255, 15, 12  # void, person, dog
    mask = Image.fromarray(values)
    mask.putpalette(bytes(range(256)) * 3)
    mask.save(root / "SegmentationClass/e.png")
    dataset = PascalVOC(str(root), "val", classes=CLASSES, load_targets=True)
    assert dataset[0]["targets"].mask[:4, 0].tolist() == [255, 0, 2, 0]
    (root / "SegmentationClass/f.png").unlink()
    assert PascalVOC(str(root), "val", classes=CLASSES, load_targets=True)[1]["targets"].mask is None
    assert PascalVOC(str(root), "val", classes=CLASSES, load_targets=True, masks=False)[0]["targets"].mask is None


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (Image.new("RGB", (48, 36)), r"e\.png should hold one index per pixel .* but is RGB"),
        (Image.new("L", (48, 36), 99), r"e\.png should hold 0, 1 to 20 and 255, but holds \[99\]"),
        (Image.new("L", (36, 48), 8), "mask of 36x48 pixels belongs to an image shown as 48x36"),
    ],
)
def test_wrong_masks_are_refused(root, mask, words):
    mask.save(root / "SegmentationClass/e.png")
    with pytest.raises(DataError, match=words):
        PascalVOC(str(root), "val", classes=CLASSES, load_targets=True)[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "Annotations/e.xml",
            "<name>cat",
            "<name>cart",
            r"e\.xml has an object 'cart', which is none of the classes. Did you",
        ),
        ("Annotations/e.xml", "<xmin>8</xmin>", "", r"e\.xml: the bndbox of a 'cat' should have .* but got \[None"),
        ("Annotations/e.xml", "</annotation>", "", r"e\.xml is no XML"),
        ("Annotations/e.xml", "<name>cat</name>", "", r"e\.xml has an object without a name"),
        ("ImageSets/Main/cat_val.txt", "e  1", "e  2", r"cat_val\.txt, line 1: the presence should be one of -1 to 1"),
        ("ImageSets/Main/cat_val.txt", "e  1\n", "", r"cat_val\.txt should list every image .* lacks 1, such as 'e'"),
        ("ImageSets/Main/cat_val.txt", "e  1", "e", r"cat_val\.txt, line 1: expected 'image presence', but got 'e'"),
    ],
)
def test_mistakes_name_file_and_line(root, layouts, file, old, new, words):
    layouts.change(root / file, old, new)
    with pytest.raises(DataError, match=words):
        PascalVOC(str(root), "val", classes=CLASSES, load_targets=True)


def test_missing_files_are_named(root):
    with pytest.raises(DataError, match=r"The list of split 'trainval' should be at .*trainval\.txt"):
        PascalVOC(str(root), "trainval", classes=CLASSES)
    (root / "Annotations/e.xml").unlink()
    with pytest.raises(DataError, match=r"Annotation .*e\.xml cannot be opened: No such file"):
        PascalVOC(str(root), "val", classes=CLASSES, load_targets=True)
