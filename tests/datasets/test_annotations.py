"""Labels, boxes and masks of every layout, without the images."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.support.owls import coco
from wsolkit.datasets.annotations import read_annotations
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.image_headers import displayed_size


def test_wsolevaluation_without_images(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path)
    shutil.rmtree(tmp_path / "images")
    truth = read_annotations(tmp_path / "metadata" / "test")
    assert (truth.split, truth.classes, truth.multi_label) == ("test", ("cat", "dog"), False)
    assert truth.ids == ["cat/g.jpg", "dog/h.jpg", "dog/i.jpg"]
    assert (truth.has_boxes, truth.has_masks, len(truth)) == (True, False, 3)
    image = truth.image(1)
    assert (image.label, image.present, image.size, image.path) == (1, [1], (48, 36), "")
    assert image.targets.boxes.tolist() == [[20, 20, 40, 36]]
    again = read_annotations(tmp_path / "metadata", "test")
    assert again.image(1).targets.boxes.tolist() == [[20, 20, 40, 36]]
    assert read_annotations(tmp_path / "metadata" / "test", "test").ids == truth.ids


def test_masks_say_how_large_images_are(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path, masks=True)
    for split in ("test", "val", "train"):
        (tmp_path / "metadata" / split / "image_sizes.txt").write_text("")  # as OpenImages
    truth = read_annotations(tmp_path / "metadata", "test", masks=tmp_path / "images")
    assert (truth.has_boxes, truth.has_masks) == (False, True)
    photo = layouts.CONTENT["test"][1]
    assert np.array_equal(truth.image(1, masks=True).targets.mask == 2, photo.inside)
    assert truth.image(1).targets.mask is None
    assert truth.image(1).size == photo.size


def test_sizes_come_from_images_where_nothing_states_them(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path)
    (tmp_path / "metadata" / "test" / "image_sizes.txt").unlink()
    with pytest.raises(DataError, match=r"3 images have boxes, but nothing says how large.*'cat/g.jpg'.*--images"):
        read_annotations(tmp_path / "metadata" / "test")
    image = read_annotations(tmp_path / "metadata" / "test", images=tmp_path / "images").image(0)
    assert image.size == (48, 36)
    assert image.path == str(tmp_path / "images" / "cat" / "g.jpg")
    assert read_annotations(tmp_path / "metadata" / "test", targets=False).image(0).targets is None


def test_labels_alone_are_enough_without_boxes(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path)
    (tmp_path / "metadata" / "test" / "localization.txt").write_text("")
    truth = read_annotations(tmp_path / "metadata" / "test")
    assert (truth.has_boxes, truth.has_masks, truth.image(0).targets) == (False, False, None)


def test_splits_are_chosen_in_words(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path)
    with pytest.raises(ConfigError, match=r"holds the splits 'test', 'train', 'val'. Choose one with --split"):
        read_annotations(tmp_path / "metadata")
    with pytest.raises(ConfigError, match="no split 'tset'.*Did you mean 'test'"):
        read_annotations(tmp_path / "metadata", "tset")
    with pytest.raises(DataError, match=r"There is no metadata .*nowhere"):
        read_annotations(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds neither image_ids.txt .* nor ImageSets/"):
        read_annotations(tmp_path / "images")
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(DataError, match=r"x.txt is no .json or .csv file"):
        read_annotations(tmp_path / "x.txt")


def test_an_image_twice(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path)
    path = tmp_path / "metadata" / "test" / "image_ids.txt"
    path.write_text(path.read_text() + "\ncat/g.jpg")
    with pytest.raises(DataError, match=r"Image 'cat/g.jpg' is in the list of split 'test' twice"):
        read_annotations(path.parent)


def test_coco_without_images(layouts, tmp_path):
    layouts.write_coco(tmp_path)
    path = tmp_path / "annotations" / "instances_test.json"
    truth = read_annotations(path)
    assert (truth.classes, truth.multi_label, truth.has_boxes, truth.has_masks) == (("cat", "dog"), True, True, True)
    image = truth.image(0, masks=True)
    assert image.label.tolist() == [1, 0]
    assert image.present == [0]
    assert image.targets.boxes.tolist() == [[2, 3, 4, 5]]
    assert np.array_equal(image.targets.mask == 1, layouts.CONTENT["test"][0].inside)


def test_coco_without_sizes_has_no_masks(layouts, tmp_path):
    layouts.write_coco(tmp_path)
    path = tmp_path / "annotations" / "instances_test.json"
    content = json.loads(path.read_text())
    for image in content["images"]:
        del image["width"], image["height"]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="nothing says how large"):
        read_annotations(path)
    truth = read_annotations(path, images=tmp_path / "test")
    assert not truth.has_masks
    assert truth.image(0).targets.size == (48, 36)
    path.write_text("{")
    with pytest.raises(DataError, match="is no JSON"):
        read_annotations(path)


def test_voc_with_difficult_objects(layouts, tmp_path):
    layouts.write_pascal_voc(tmp_path, lists=False)
    photo = layouts.CONTENT["val"][0]
    objects = [("cat", photo.box, 0), ("dog", (0, 0, 9, 9), 1)]
    layouts.write_voc_xml(tmp_path / "Annotations" / "e.xml", photo, objects=objects)
    shutil.rmtree(tmp_path / "JPEGImages")
    (tmp_path / "JPEGImages").mkdir()  # no image is opened
    truth = read_annotations(tmp_path, "val", classes=["cat", "dog"])
    image = truth.image(0, masks=True)
    assert image.label.tolist() == [1, -1]
    assert image.present == truth.present(0) == [0]
    assert image.targets.difficult.tolist() == [False, True]
    assert image.targets.mask.shape == (36, 48)
    with pytest.raises(ConfigError, match=r"Choose a split with --split: .* has 'test', 'train', 'val'"):
        read_annotations(tmp_path)
    with pytest.raises(ConfigError, match="There is no split 'vla'"):
        read_annotations(tmp_path, "vla")
    (tmp_path / "ImageSets" / "Segmentation").mkdir()
    (tmp_path / "ImageSets" / "Segmentation" / "val.txt").write_text("f")
    assert read_annotations(tmp_path, "Segmentation/val", classes=["cat", "dog"]).ids == ["f"]


def test_sizes_are_those_of_the_upright_image(tmp_path):
    picture = Image.new("RGB", (8, 6))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    picture.save(tmp_path / "straight.jpg")
    assert displayed_size(tmp_path / "turned.jpg") == (6, 8)
    assert displayed_size(tmp_path / "straight.jpg") == (8, 6)
    with pytest.raises(DataError, match=r"The size of image .*none.jpg cannot be read: .*--images"):
        displayed_size(tmp_path / "none.jpg")


def test_a_missing_mask_names_the_option(layouts, tmp_path):
    layouts.write_wsol_metadata(tmp_path, masks=True)
    metadata = tmp_path / "metadata" / "test"
    with pytest.raises(DataError, match=r"Mask .* of image 'cat/g.jpg' does not exist. Give --masks, the folder"):
        read_annotations(metadata).image(0, masks=True)
    (metadata / "image_sizes.txt").write_text("")
    with pytest.raises(DataError, match=r"Mask .* of image 'cat/g.jpg' does not exist. Give --masks, the folder"):
        read_annotations(metadata).image(0)


def test_names_of_coco_files(layouts, tmp_path):
    layouts.write_coco(tmp_path)
    path = tmp_path / "annotations" / "instances_test.json"
    names = {str(image["id"]): image["file_name"] for image in json.loads(path.read_text())["images"]}
    assert names
    assert read_annotations(path).file_names == names
    assert read_annotations(path, images=tmp_path / "test").file_names == names


@pytest.mark.parametrize(
    "change",
    [
        lambda c: json.dumps(c).encode("utf-16"),
        lambda c: json.dumps(c).encode("utf-16-le"),
        lambda c: c["images"][0].update(width=10.0),
        lambda c: c["images"].append(dict(c["images"][0])),
        lambda c: c["images"].append({**c["images"][0], "id": 9}) or c["annotations"].append(
            {**c["annotations"][0], "id": 9, "image_id": 9}
        ),
        lambda c: c["annotations"].append(dict(c["annotations"][0])),
        lambda c: c["annotations"][0].update(segmentation=[[]]),
        lambda c: c["annotations"][0].update(segmentation=[[], [1, 1, 2, 2]]),
        lambda c: c["categories"].insert(0, {"id": 4, "name": "owl"}),
        lambda c: c["categories"].append({"id": 6, "name": "owl"}),
        lambda c: c["annotations"][0].update(iscrowd="0"),
        lambda c: c["annotations"][0].update(iscrowd=None),
    ],
)  # fmt: skip
def test_coco_as_others_write_it(tmp_path, change):
    content = coco()
    found = change(content)
    path = tmp_path / "owls.json"
    path.write_bytes(found if isinstance(found, bytes) else json.dumps(content).encode())
    read = read_annotations(path)
    assert read.classes == ("owl",)
    assert [(image.image_id, image.size, image.present) for image in read] == [("1", (10, 8), [0]), ("2", (10, 8), [0])]
    assert [image.targets.boxes.tolist() for image in read] == [[[2, 1, 8, 7]]] * 2
    assert not any(image.targets.difficult.any() for image in read)
