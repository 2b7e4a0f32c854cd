import numpy as np
import pytest
from PIL import Image

from wsolkit.datasets.wsol_metadata import WsolMetadata
from wsolkit.errors import DataError


@pytest.fixture
def root(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path)
    return tmp_path


def test_several_boxes_and_inclusive_ends(root):
    (root / "metadata/val/localization.txt").write_text("cat/e.jpg,0,0,0,0\ncat/e.jpg,1,2,47,35\ndog/f.jpg,5,5,9,9\n")
    dataset = WsolMetadata(str(root), "val", load_targets=True)
    assert dataset[0]["targets"].boxes.tolist() == [[0, 0, 1, 1], [1, 2, 48, 36]]
    assert dataset[0]["targets"].box_labels.tolist() == [0, 0]


def test_boxes_are_scaled_to_the_stored_image(root, layouts):
    layouts.change(root / "metadata/val/image_sizes.txt", "cat/e.jpg,48,36", "cat/e.jpg,96,72")
    assert WsolMetadata(str(root), "val", load_targets=True)[0]["targets"].boxes.tolist() == [[3.5, 4, 8.5, 14]]
    (root / "metadata/val/image_sizes.txt").write_text("")  # as OpenImages
    assert WsolMetadata(str(root), "val", load_targets=True)[0]["targets"].boxes.tolist() == [[7, 8, 17, 28]]


def test_masks_are_joined_and_ignored_pixels_give_way(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path, masks=True)
    first, second, ignore = (np.zeros((72, 96), dtype=np.uint8) for _ in range(3))
    first[:20, :20], second[10:30, 10:30], ignore[:40, :40] = 255, 255, 255
    for name, mask in (("1", first), ("2", second), ("ignore", ignore)):
        Image.fromarray(mask).save(tmp_path / "images" / f"{name}.png")
    lines = "dog/f.jpg,1.png,\ndog/f.jpg,2.png,ignore.png\ncat/e.jpg,1.png,\n"
    (tmp_path / "metadata/val/localization.txt").write_text(lines)
    mask = WsolMetadata(str(tmp_path), "val", load_targets=True)[1]["targets"].mask
    expected = np.where(first | second, 2, np.where(ignore, 255, 0))[::2, ::2]
    np.testing.assert_array_equal(mask, expected)
    assert mask.shape == (36, 48)
    (tmp_path / "metadata/val/localization.txt").write_text("dog/f.jpg,1.png,a.png\ndog/f.jpg,2.png,b.png\n")
    with pytest.raises(DataError, match=r"line 2: 'dog/f\.jpg' has a second ignore file"):
        WsolMetadata(str(tmp_path), "val", load_targets=True)


def test_proxy_list_and_class_names(root):
    (root / "metadata/train/image_ids_proxy.txt").write_text("dog/b.jpg")
    proxy = WsolMetadata(str(root), "train", proxy=True, load_targets=True)
    assert (len(proxy), proxy.record(0)["image_id"]) == (1, "dog/b.jpg")
    assert WsolMetadata(str(root), "train", classes=["tom", "rex"]).classes == ("tom", "rex")
    (root / "metadata/classes.txt").write_text("tench, Tinca tinca\n1,dog\n")
    assert WsolMetadata(str(root), "train").classes == ("tench, Tinca tinca", "dog")
    (root / "metadata/classes.txt").write_text("0,cat\n2,dog\n")
    with pytest.raises(DataError, match=r"should name every label from 0 to 2, but lacks \[1\]"):
        WsolMetadata(str(root), "train")
    (root / "metadata/classes.txt").unlink()
    (root / "metadata/train/class_labels.txt").write_text("".join(f"{n}.jpg,0\n" for n in "abcd"))
    (root / "metadata/train/image_ids.txt").write_text("a.jpg")
    assert WsolMetadata(str(root), "train").classes == ("0", "1"), "the highest label may be in another split"


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "localization.txt",
            "cat/e.jpg,7,8,16,27",
            "cat/e.jpg,7,8,16",
            r"localization\.txt, line 1: expected 'path,x0",
        ),
        ("localization.txt", "cat/e.jpg,7", "cat/zz.jpg,7", r"line 1: 'cat/zz\.jpg' is not in image_ids\.txt"),
        (
            "class_labels.txt",
            "cat/e.jpg,0",
            "cat/e.jpg,2",
            r"class_labels\.txt, line 1: the label should be one of 0 to 1, but got '2'",
        ),
        ("class_labels.txt", "cat/e.jpg,0", "cat/e.jpg", r"class_labels\.txt, line 1: expected 'path,label'"),
        ("class_labels.txt", "cat/e.jpg,0\n", "", r"class_labels\.txt has no label for 'cat/e\.jpg'"),
        ("image_sizes.txt", "48,36", "48,x", r"image_sizes\.txt, line 1: the size should be .* but got 'x'"),
    ],
)
def test_mistakes_name_file_and_line(root, layouts, file, old, new, words):
    path = root / "metadata/val" / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=words):
        WsolMetadata(str(root), "val", load_targets=True)


def test_boxes_that_are_not_there(root):
    path = root / "metadata/val/localization.txt"
    path.write_text("\n")
    with pytest.raises(DataError, match="holds no boxes or masks. Set load_targets=False for split 'val'"):
        WsolMetadata(str(root), "val", load_targets=True)
    path.unlink()
    with pytest.raises(DataError, match="The boxes or masks of split 'val' should be at"):
        WsolMetadata(str(root), "val", load_targets=True)
    assert len(WsolMetadata(str(root), "val")) == 2
