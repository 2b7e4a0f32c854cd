"""The class of an image by its folder is what training would make of it."""

import pytest
from PIL import Image

from wsolkit.datasets.image_files import find_images
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.errors import DataError
from wsolkit.model.folder_classes import FolderClasses


@pytest.fixture
def photos(tmp_path):
    for name in ("robin/1.jpg", "robin/day/2.jpg", "robin/wren/3.jpg", "wren/4.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    return tmp_path / "photos"


def test_training_and_prediction_agree(photos):
    dataset = ImageFolder(str(photos), "all")
    trained = {record["image_id"]: record["labels"][0] for record in map(dataset.record, range(len(dataset)))}
    folders = FolderClasses(dataset.classes)
    images = find_images([photos])
    folders.check(images)
    assert {image.image_id: folders.index(image.path, image.image_id) for image in images} == trained


def test_files_and_class_folders_given_by_themselves(photos):
    folders = FolderClasses(["robin", "wren"])
    for sources in ([photos / "robin"], [photos / "robin/1.jpg", photos / "robin/day"]):
        found = find_images(sources)
        assert folders.index(found[0].path, found[0].image_id) == 0
    (image,) = find_images([photos / "robin/wren/3.jpg"])
    assert folders.index(image.path, image.image_id) == 1, "a file by itself is of the folder it lies in"
    assert folders.index("/home/robin/wren/4.jpg", "home/robin/wren/4.jpg") == 1, "nobody gave /home"


def test_no_folder_is_a_class(photos):
    (image,) = find_images([photos / "robin/day/2.jpg"])
    with pytest.raises(DataError, match=r"'day' \(of .*\) is no class of the model, nor is a folder around it"):
        FolderClasses(["robin", "wren"]).index(image.path, image.image_id)
