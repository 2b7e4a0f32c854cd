"""Classes of nothing: their images stay, without a label, and no box is found in them."""

import numpy as np
import pytest
from PIL import Image

from wsolkit.datasets.background import without_background
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.errors import ConfigError, DataError
from wsolkit.inference.given_classes import given_by


@pytest.fixture
def tiles(tmp_path):
    for name in ("crack/1.png", "crack/2.png", "free/3.png", "hole/4.png"):
        path = tmp_path / "tiles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 99, np.uint8)).save(path)
    return tmp_path / "tiles"


def records(*labels, **more):
    return [{"image_id": str(n), "image_path": "", "labels": list(each), **more} for n, each in enumerate(labels)]


def test_images_of_the_background_have_no_label(tiles):
    dataset = ImageFolder(str(tiles), "all", background=["free"])
    assert dataset.classes == ("crack", "hole")
    assert dataset.metainfo["multi_label"]
    labels = {dataset[place]["image_ids"]: dataset[place]["labels"].tolist() for place in range(len(dataset))}
    assert labels == {"crack/1.png": [1, 0], "crack/2.png": [1, 0], "free/3.png": [0, 0], "hole/4.png": [0, 1]}
    assert not ImageFolder(str(tiles), "all").metainfo["multi_label"]


def test_a_table_may_have_a_background_too(tiles):
    (tiles / "labels.csv").write_text("image,label\ncrack/1.png,crack\nfree/3.png,free\nhole/4.png,hole\n")
    dataset = ImageFolder(str(tiles), "all", labels="labels.csv", background=["free"])
    assert dataset.classes == ("crack", "hole")
    assert [dataset.record(place)["labels"] for place in range(3)] == [[0], [], [1]]


def test_boxes_keep_their_classes():
    given = records([2], boxes=[[0, 0, 1, 1]], box_labels=[2], difficult=[False])
    found, classes = without_background(given, ["crack", "free", "hole"], ["free"])
    assert (classes, found[0]["labels"], found[0]["box_labels"]) == (["crack", "hole"], [1], [1])
    assert given[0]["labels"] == [2], "what was given stays as it is"


@pytest.mark.parametrize(
    ("given", "background", "error", "words"),
    [
        (records([0]), ["fre"], ConfigError, r"'fre' is no class\. Did you mean 'free'"),
        (records([0]), ["crack", "free", "hole"], ConfigError, "leaves no class"),
        (records([0]), ["free", "free"], ConfigError, "names 'free' twice"),
        (records([1, 2]), ["free"], DataError, "Image '0' of free shows nothing, but it is also of class 'hole'"),
        (
            records([1], boxes=[[0, 0, 1, 1]], box_labels=[0]),
            ["free"],
            DataError,
            "of free shows nothing, .* has a box",
        ),
        (
            records([0], boxes=[[0, 0, 1, 1]], box_labels=[1]),
            ["free"],
            DataError,
            "a box of class 'free', which is back",
        ),
    ],
)
def test_what_contradicts_itself_is_said(given, background, error, words):
    with pytest.raises(error, match=words):
        without_background(given, ["crack", "free", "hole"], background)


def test_prediction_asks_for_no_class_in_a_folder_of_the_background(tiles):
    given = given_by("folder", ["crack", "hole"], ["free"])
    given.check([("free/3.png", str(tiles / "free/3.png"))])
    assert given.of(str(tiles / "free/3.png"), "free/3.png") == []
    assert given.of(str(tiles / "hole/4.png"), "hole/4.png") == [1]
    with pytest.raises(DataError, match="'free' .* is no class of the model"):
        given_by("folder", ["crack", "hole"]).of(str(tiles / "free/3.png"), "free/3.png")


def test_prediction_asks_for_no_class_where_a_table_says_background(tiles, tmp_path):
    (tmp_path / "labels.csv").write_text("image,label\ntiles/free/3.png,free\ntiles/hole/4.png,hole\n")
    given = given_by(str(tmp_path / "labels.csv"), ["crack", "hole"], ["free"])
    assert given.of(str(tiles / "free/3.png")) == []
    assert given.of(str(tiles / "hole/4.png")) == [1]
