import pytest

from wsolkit.datasets.cub200 import CUB200
from wsolkit.errors import ConfigError, DataError


@pytest.fixture
def root(layouts, tmp_path):
    layouts.write_cub200(tmp_path)
    return tmp_path / "CUB_200_2011"


def ids(dataset):
    return {dataset.record(index)["image_id"] for index in range(len(dataset))}


def test_val_is_taken_out_of_train(root):
    whole = ids(CUB200(str(root), "train"))
    val = CUB200(str(root), "val", val_per_class=1)
    train = CUB200(str(root.parent), "train", val_per_class=1)
    assert ids(val) | ids(train) == whole
    assert not ids(val) & ids(train)
    assert {int(val[index]["labels"]) for index in range(2)} == {0, 1}


def test_splits_that_do_not_exist(root):
    with pytest.raises(ConfigError, match="no validation split. Set val_per_class=5 .*CUBV2"):
        CUB200(str(root), "val")
    with pytest.raises(
        ConfigError, match="split of CUB200 should be one of 'train', 'val', 'test', but got 'trainval'"
    ):
        CUB200(str(root), "trainval")


def test_masks_need_most_annotators(root, layouts):
    import numpy as np
    from PIL import Image

    path = root / "segmentations/001.cat/a.png"
    votes = np.zeros((36, 48), dtype=np.uint8)
    votes[0], votes[1] = 102, 153  # two and three of five
    Image.fromarray(votes).save(path)
    mask = CUB200(str(root), "train", load_targets=True, masks=True)[0]["targets"].mask
    assert (mask[0].max(), mask[1].min(), mask[2:].max()) == (0, 1, 0)
    assert CUB200(str(root), "train", load_targets=True)[0]["targets"].mask is None


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "bounding_boxes.txt",
            "1 1.0 2.0",
            "1 one 2.0",
            r"bounding_boxes\.txt, line 1: expected 'id x y width height'",
        ),
        ("bounding_boxes.txt", "1 1.0 2.0 19.0 28.0\n", "", r"bounding_boxes\.txt lacks image 1 \(001\.cat/a\.jpg\)"),
        ("image_class_labels.txt", "1 1\n", "1 7\n", r"image_class_labels\.txt, line 1: class '7' is not in classes"),
        ("image_class_labels.txt", "2 2\n", "", r"image_class_labels\.txt lacks image 2 .* line 2 of images\.txt"),
        ("train_test_split.txt", "1 1\n", "1 2\n", r"train_test_split\.txt, line 1: the split should be one of 0 to 1"),
        ("images.txt", "1 001.cat/a.jpg", "1", r"images\.txt, line 1: expected 'id path', but got '1'"),
        ("images.txt", "2 002", "1 002", r"images\.txt, line 2: id 1 is there twice"),
    ],
)
def test_mistakes_name_file_and_line(root, layouts, file, old, new, words):
    layouts.change(root / file, old, new)
    with pytest.raises(DataError, match=words):
        CUB200(str(root), "train", load_targets=True)


@pytest.mark.parametrize("file", ["images.txt", "classes.txt", "image_class_labels.txt", "bounding_boxes.txt"])
def test_missing_files_are_named(root, file):
    (root / file).unlink()
    with pytest.raises(DataError, match=f"{file}, but there is nothing. Check data_root"):
        CUB200(str(root), "train", load_targets=True)
