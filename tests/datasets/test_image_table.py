"""Photographs whose classes stand in a table: in every form that people write, and as Hugging Face lays them out."""

import warnings

import numpy as np
import pytest
from PIL import Image

from wsolkit.cli.main import main
from wsolkit.datasets.annotations import read_annotations
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.datasets.label_tables import read_label_table
from wsolkit.errors import ConfigError, DataError

NAMES = ("x/xa.jpg", "x/xb.jpg", "y/ya.jpg", "y/yb.jpg")


@pytest.fixture
def photos(tmp_path):
    for number, name in enumerate(NAMES):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 36), (40 * number, 0, 0)).save(path)
    return tmp_path / "photos"


def labels_of(dataset):
    """Return the names of the classes of each image."""
    records = [dataset.record(index) for index in range(len(dataset))]
    return {each["image_id"]: [dataset.classes[label] for label in each["labels"]] for each in records}


def read(photos, text, name="labels.csv", split="all", **more):
    """Write a table beside the photographs' folder, and return its data set."""
    (photos.parent / name).write_text(text, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ImageFolder(str(photos), split, labels=str(photos.parent / name), **more)


ONE = {"x/xa.jpg": ["owl"], "y/yb.jpg": ["cat"]}
SEVERAL = {"x/xa.jpg": ["cat", "owl"], "x/xb.jpg": [], "y/yb.jpg": ["cat"]}


@pytest.mark.parametrize(
    "text",
    [
        "x/xa.jpg,owl\ny/yb.jpg,cat\n",
        "image,label\nx/xa.jpg,owl\ny/yb.jpg,cat\n",
        "image;label\nphotos/x/xa.jpg;owl\nC:\\all\\yb.jpg;cat\n",
        "\tlabel\timage_id\twidth\n0\towl\txa\t40\n1\tcat\tyb\t40\n",
        "filename,species\nxa.jpg,owl\nyb.jpg,cat\n",
        '"path","class_name","note"\n"xa.jpg","owl","seen, once"\n"yb.jpg","cat",""\n',
        "name,cat,owl\nx/xa.jpg,0,1\ny/yb.jpg,1,0\n",
    ],
)
def test_one_class_an_image_in_every_form(photos, text):
    dataset = read(photos, text)
    assert (dataset.classes, dataset.multi_label) == (("cat", "owl"), False)
    assert labels_of(dataset) == ONE
    assert int(dataset[1]["labels"]) == 0


@pytest.mark.parametrize(
    ("text", "name", "more"),
    [
        ("image,cat,owl\nxa.jpg,1,1\nxb.jpg,0,\nyb.jpg,true,0.0\n", "labels.csv", {}),
        ("xa.jpg,1,1\nxb.jpg,0,0\nyb.jpg,1,0\n", "labels.csv", {"classes": ["cat", "owl"]}),
        ("image,label_1,label_2\nxa.jpg,owl,cat\nxb.jpg,,\nyb.jpg,cat,\n", "labels.csv", {}),
        (
            '{"file_name": "xa.jpg", "labels": ["owl", "cat"]}\n\n{"file_name": "xb.jpg", "labels": []}\n'
            '{"file_name": "yb.jpg", "labels": "cat", "text": {"a": 1}}\n',
            "labels.jsonl",
            {},
        ),
    ],
)
def test_several_classes_an_image(photos, text, name, more):
    dataset = read(photos, text, name, **more)
    assert (dataset.classes, dataset.multi_label, dataset.metainfo["multi_label"]) == (("cat", "owl"), True, True)
    assert labels_of(dataset) == SEVERAL
    assert dataset[0]["labels"].tolist() == [1, 1]


def test_classes_are_chosen_and_numbers_sorted_by_size(photos):
    table = "".join(f"{name},{number}\n" for name, number in zip(NAMES, (10, 9, 10, 2), strict=True))
    assert read(photos, table).classes == ("2", "9", "10")
    chosen = read(photos, table, classes=["10", "2"])
    assert labels_of(chosen) == {"x/xa.jpg": ["10"], "y/ya.jpg": ["10"], "y/yb.jpg": ["2"]}
    with pytest.raises(ConfigError, match="Class 'ten' is in no line of .*labels.csv"):
        read(photos, table, classes=["ten"])


def test_splits_come_from_a_column_or_from_the_names(photos):
    divided = "image,label,split\nxa.jpg,owl,train\nxb.jpg,cat,validation\nya.jpg,cat,train\n"
    assert list(labels_of(read(photos, divided, split="train"))) == ["x/xa.jpg", "y/ya.jpg"]
    assert labels_of(read(photos, divided, split="val")) == {"x/xb.jpg": ["cat"]}
    with pytest.raises(ConfigError, match="No image is of split 'test'"):
        read(photos, divided, split="test")
    plain = "".join(f"{name},owl\n" for name in NAMES)
    parts = [labels_of(read(photos, plain, split=split, split_fractions=(0.5, 0.25, 0.25))) for split in SPLITS]
    assert [len(part) for part in parts] == [2, 1, 1]
    assert len({name for part in parts for name in part}) == 4


SPLITS = ("train", "val", "test")


def test_hugging_face_folders(photos):
    (photos / "metadata.csv").write_text("file_name,label\nx/xa.jpg,owl\ny/yb.jpg,cat\n")
    with pytest.warns(UserWarning, match=r"images that no table names: 'x/xb.jpg', 'y/ya.jpg' \(2\)"):
        assert labels_of(ImageFolder(str(photos), "all")) == ONE
    (photos / "metadata.csv").unlink()
    (photos / "x").rename(photos / "train")
    (photos / "y").rename(photos / "test")
    (photos / "train" / "metadata.jsonl").write_text('{"file_name": "xa.jpg", "label": 1}\n')
    (photos / "test" / "metadata.csv").write_text("text,file_name,label\nu,yb.jpg,0\n")
    with pytest.warns(UserWarning, match="no table names"):
        train, test = (ImageFolder(str(photos), split) for split in ("train", "test"))
    assert (train.classes, labels_of(train)) == (("0", "1"), {"train/xa.jpg": ["1"]})
    assert labels_of(test) == {"test/yb.jpg": ["0"]}
    for name in ("dataset_info.json", "state.json"):
        (photos / name).write_text("{}")
    with pytest.raises(DataError, match="written by save_to_disk .* Write them as files with a table beside them"):
        ImageFolder(str(photos))


def test_a_table_of_other_things_leaves_class_folders_alone(photos):
    (photos / "metadata.csv").write_text("file_name,caption\nx/xa.jpg,an owl\n")
    assert ImageFolder(str(photos), "all").classes == ("x", "y")


def test_what_is_in_doubt_is_told(photos):
    table = read(photos, "image,label\nxa.jpg,owl\nyb.jpg,\ngone.jpg,owl\n")
    found = table.understood()
    assert found.doubts == {
        f"images that {photos.parent}/labels.csv names and that are not there": ["gone.jpg"],
        "images that no table names": ["x/xb.jpg", "y/ya.jpg"],
        "images without a label, left out": ["y/yb.jpg"],
    }
    assert "all: 1 image, of 1 class in" in found.lines[0]
    assert found.lines[1].endswith("labels.csv: images in 'image', labels in 'label'; one class an image")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,species,colour\nxa.jpg,owl,red\n", "does not say which column holds the labels: it has 'image', 'spec"),
        ("xa.jpg,1,0\n", "2 columns of 0 and 1, and nothing says which classes they are. Write a first line"),
        ("xa.jpg\n", "line 1: there is no label behind the image"),
        ("image,label\nxa.jpg,owl\nx/xa.jpg,cat\n", r"line 3: image 'x/xa.jpg' is there twice"),
        ("image,label\nxa.jpg,owl,cat\n", "line 2: there are 3 cells, but the heading has 2"),
        ("image,label\n,owl\n", "line 2: there is no name of an image"),
        ("image,label\nxa.jpg,\n", "No image of .* has a label"),
        ("image,cat,cat\nxa.jpg,0,1\n", "has two columns 'cat'"),
        ("image,label\nq.jpg,owl\n", "None of the 1 images that .* names is in .*photos or below: 'q.jpg'. Set data_r"),
        ("", "name no image. Write image,label"),
    ],
)
def test_bad_tables_are_answered_in_words(photos, text, words):
    with pytest.raises(DataError, match=words):
        read(photos, text)


def test_a_name_that_may_be_of_two_files(photos):
    (photos / "y" / "ya.jpg").rename(photos / "y" / "xa.jpg")
    with pytest.raises(DataError, match=r"'xa.jpg' may be any of .* \(.*labels.csv, line 1\)"):
        read(photos, "xa.jpg,owl\n")


def test_boxes_beside_a_table(photos):
    (photos / "boxes.csv").write_text("x/xa.jpg,1,2,30,20\nyb.jpg,0,0,9,9,owl\n")
    dataset = read(photos, "xa.jpg,owl\nyb.jpg,cat\n", boxes="boxes.csv", load_targets=True, test_mode=True)
    targets = [dataset[index]["targets"] for index in range(2)]
    assert [each.boxes.tolist() for each in targets] == [[[1, 2, 30, 20]], [[0, 0, 9, 9]]]
    assert np.concatenate([each.box_labels for each in targets]).tolist() == [1, 1]
    several = "xa.jpg,owl,cat\nyb.jpg,cat\n"
    with pytest.raises(DataError, match="a box says no class, and its image 'x/xa.jpg' has 2. Add the column class"):
        read(photos, several, boxes="boxes.csv", load_targets=True, test_mode=True)


def test_annotations_of_a_table_for_evaluate(photos):
    (photos / "labels.csv").write_text("xa.jpg,owl\nyb.jpg,cat\n")
    (photos / "boxes.csv").write_text("x/xa.jpg,1,2,30,20\n")
    with pytest.warns(UserWarning, match="no table names"):
        found = read_annotations(photos / "labels.csv")
    assert (found.classes, found.ids, found.has_boxes) == (("cat", "owl"), ["x/xa.jpg", "y/yb.jpg"], True)


def test_one_option_makes_a_folder_configuration_read_a_table(photos, capsys):
    table = photos.parent / "labels.csv"
    table.write_text("".join(f"{name},{'owl' if number % 2 else 'cat'}\n" for number, name in enumerate(NAMES)))
    options = [f"data_root={photos}", f"labels={table}", "val_dataloader=None", "test_dataloader=None"]
    argv = ["data", "check", "c2am_folder", "--cfg-options", *options, "train_dataloader.dataset.split=all"]
    assert main([*argv, "train_dataloader.dataset.on_corrupt=error"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "cat 2, owl 2" in printed
    assert "one class an image" in printed
    assert main(["data", "check", "c2am_folder", "--cfg-options", f"data_root={table}", *options[2:], argv[-1]]) == 0
    assert "cat 2, owl 2" in " ".join(capsys.readouterr().out.split())
    assert main(["data", "check", "cam_synthetic", "--cfg-options", f"labels={table}"]) == 2
    assert "would change nothing" in capsys.readouterr().err


def test_a_table_of_two_million_classes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("wsolkit.datasets.label_tables.MOST_CLASSES", 2)
    (tmp_path / "labels.csv").write_text("a.jpg,1\nb.jpg,2\nc.jpg,3\n")
    with pytest.raises(DataError, match="has 3 classes, and no more than 2 are read"):
        read_label_table(tmp_path / "labels.csv")
