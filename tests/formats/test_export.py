"""Folders for a detector: read as the programs they are for read them, and by our own readers."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image

from wsolkit.datasets.layouts.pascal_voc import VocLayout
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.box_files import read_boxes
from wsolkit.formats.export import Export, split_names
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.formats.image_names import ImageNames
from wsolkit.formats.writers import write_results

CLASSES = ("owl", "wren")
NAMES = [f"{CLASSES[number % 2]}/{number}.{'png' if number == 3 else 'jpg'}" for number in range(12)] + [
    "images/a b.jpg"
]


@pytest.fixture
def exported(tmp_path):
    """Write photographs and the folders of their boxes; return what writes them, the photographs and the results."""
    (tmp_path / "photos").mkdir()
    results = []
    for number, name in enumerate(NAMES):
        path = tmp_path / "photos" / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (40, 30), (10 * number, 0, 0)).save(path)
        box = FoundBox((1.0 + number, 2.0, 21.0 + number, 22.0), number % 2, CLASSES[number % 2], 0.9, 0.8)
        results.append(ImageResult(name, str(path), (40, 30), [box]))

    def write(**options):
        write_results(results, tmp_path / "out", CLASSES, ["yolo", "voc"], export=Export(**options))
        return tmp_path / "out"

    (tmp_path / "out").mkdir()
    return write, tmp_path / "photos", results


def yolo_data(folder):
    """Return (image, its label lines) of train and val as ultralytics finds them, following its documentation."""
    data = yaml.safe_load((folder / "data.yaml").read_text())
    found = {}
    for split in ("train", "val"):
        listed = folder / data[split]
        images = [listed.parent / line for line in listed.read_text().splitlines()]
        before = [str(image).rpartition("/images/") for image in images]
        labels = [f"{root}/labels/{name.rpartition('.')[0]}.txt" for root, _, name in before]
        found[split] = [
            (image, Path(label).read_text().splitlines()) for image, label in zip(images, labels, strict=True)
        ]
    return data, found


@pytest.mark.parametrize("copies", [False, True])
def test_a_moved_folder_is_whole(exported, tmp_path, copies):
    write, photos, _ = exported
    out = write(copy_images=copies)
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    if copies:
        out = shutil.move(out / "yolo", tmp_path / "elsewhere" / "deep")
        shutil.rmtree(photos)
    else:  # links go along with the photographs
        for path in (tmp_path / "out", photos):
            shutil.move(path, tmp_path / "elsewhere" / "deep")
        out = tmp_path / "elsewhere" / "deep" / "out" / "yolo"
    data, found = yolo_data(tmp_path / "elsewhere" / "deep" / ("yolo" if copies else "out/yolo"))
    assert data["names"] == {0: "owl", 1: "wren"}
    images = [image for split in ("train", "val") for image, _ in found[split]]
    assert len(set(images)) == len(NAMES)
    assert len(found["val"]) >= 1
    colours = {int(np.asarray(Image.open(image))[0, 0, 0]) for image in images}
    assert len(colours) == len(NAMES)
    assert all(len(lines) == 1 for split in found.values() for _, lines in split)


def test_val_may_be_train_and_says_so(exported):
    write, _, _ = exported
    _, found = yolo_data(write(val_share=0.0) / "yolo")
    assert found["train"] == found["val"]
    assert "val lists the training images" in (write(val_share=0.0) / "yolo" / "data.yaml").read_text()


@pytest.mark.parametrize("kind", ["yolo", "voc"])
def test_boxes_are_read_back(exported, kind):
    write, _, results = exported
    images = {name: name for name in NAMES}
    found = read_boxes(write() / kind, ImageNames(images), images, lambda _: (40, 30))
    assert set(found) == set(NAMES)
    for result in results:
        assert found[result.image_id].names == [result.boxes[0].class_name]
        assert found[result.image_id].boxes[0] == pytest.approx(list(result.boxes[0].box), abs=1e-3)


def test_voc_is_read_as_a_data_set(exported):
    write, _, _ = exported
    folder = write() / "voc"
    records = {}
    for split in ("train", "val"):
        found, classes = VocLayout(str(folder), split, classes=CLASSES).records(targets=True)
        assert list(classes) == list(CLASSES)
        records |= {record["image_id"]: record for record in found}
    assert len(records) == len(NAMES)
    for name, record in records.items():
        number = int(np.asarray(Image.open(record["image_path"]).convert("RGB"))[0, 0, 0]) / 10
        assert record["labels"] == [round(number) % 2], name
        assert record["boxes"][0][0] == 1 + round(number)
        annotation = ElementTree.parse(folder / "Annotations" / f"{name}.xml").getroot()
        assert (folder / "JPEGImages" / f"{name}.jpg").exists()
        assert annotation.findtext("filename") in {each.rpartition("/")[2] for each in NAMES}


def test_an_image_stays_in_its_part_when_others_are_added():
    few, many = (split_names([f"{k}.jpg" for k in range(count)], 0.2) for count in (100, 1000))
    assert set(few.val) <= set(many.val)
    assert 10 <= len(few.val) <= 30
    assert 150 <= len(many.val) <= 250
    for count in (2, 3):
        found = split_names([f"{k}.jpg" for k in range(count)], 0.001)
        assert (len(found.train), len(found.val)) == (count - 1, 1)
        assert len(split_names([f"{k}.jpg" for k in range(count)], 0.999).train) >= 1


def test_an_image_that_is_gone_is_not_copied(exported):
    write, photos, _ = exported
    (photos / NAMES[0]).unlink()
    write(copy_images=False)
    with pytest.raises(DataError, match="Image .*owl/0.jpg is gone, so it cannot be copied"):
        write(copy_images=True)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none(share):
    with pytest.raises(ConfigError, match=r"hold out for validation should be in \[0, 1\), but got"):
        Export(share)
