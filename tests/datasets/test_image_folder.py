"""Folders of labelled photographs: splits, odd files, and boxes from three formats."""

import warnings

import pytest

from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.formats.writers import write_results


def ids(dataset):
    return [dataset.record(index)["image_id"] for index in range(len(dataset))]


@pytest.fixture
def root(layouts, tmp_path):
    layouts.write_image_folder(tmp_path)
    return tmp_path


@pytest.fixture
def flat(layouts, tmp_path):
    photo = layouts.CONTENT["train"][0]
    for name in layouts.CLASSES:
        for number in range(10):
            photo.save(tmp_path / name / f"day{number % 2}" / f"{number}.jpg")
    return tmp_path


def test_folders_without_splits_are_divided(flat):
    parts = {split: ids(ImageFolder(str(flat), split)) for split in ("train", "val", "test", "all")}
    assert [len(part) for part in parts.values()] == [16, 2, 2, 20]
    assert sorted(parts["train"] + parts["val"] + parts["test"]) == parts["all"]
    assert {name.split("/")[0] for name in parts["val"]} == {"cat", "dog"}
    assert len(ImageFolder(str(flat), "val", split_fractions=(0.5, 0.3, 0.2))) == 6
    assert ids(ImageFolder(str(flat), "train", seed=5)) == parts["train"], "a seed must not move images between splits"


def test_odd_files_are_left_out(root, layouts):
    photo = layouts.CONTENT["train"][0]
    for name in ("UPPER.JPG", "deep/er/x.Png", "with space.jpeg", "comma,name.jpg"):
        photo.save(root / "train/cat" / name)
    for name in (".hidden.jpg", ".git/x.jpg", "notes.txt", "Thumbs.db"):
        path = root / "train/cat" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    (root / "train/.cache").mkdir()
    (root / "readme.txt").write_text("x")
    found = [name.removeprefix("train/cat/") for name in ids(ImageFolder(str(root), "train"))]
    assert found[:6] == ["UPPER.JPG", "a.jpg", "c.jpg", "comma,name.jpg", "deep/er/x.Png", "with space.jpeg"]
    assert len(found) == 8


def test_classes_are_those_of_all_splits_unless_they_are_named(root, layouts):
    layouts.CONTENT["train"][0].save(root / "test/ape/z.jpg")
    with pytest.warns(UserWarning, match="1 of the 3 class folders in .*train have no images: ape.*classes="):
        dataset = ImageFolder(str(root), "train")
    assert dataset.classes == ("ape", "cat", "dog")
    assert [int(dataset[index]["labels"]) for index in range(4)] == [1, 1, 2, 2]
    chosen = ImageFolder(str(root), "train", classes=["dog"])
    assert (chosen.classes, ids(chosen)) == (("dog",), ["train/dog/b.jpg", "train/dog/d.jpg"])
    with pytest.raises(ConfigError, match="Class 'dgo' has no folder in .* Did you mean 'dog'"):
        ImageFolder(str(root), "train", classes=["cat", "dgo"])


def test_unknown_split_of_split_folders(root):
    with pytest.raises(ConfigError, match="There is no split 'valid' in .* Did you mean 'val'"):
        ImageFolder(str(root), "valid")


def test_all_of_split_folders_are_the_images_of_every_split(root):
    dataset = ImageFolder(str(root), "all")
    splits = [ImageFolder(str(root), split) for split in ("test", "train", "val")]
    assert ids(dataset) == [image_id for split in splits for image_id in ids(split)]
    assert dataset.classes == splits[0].classes
    assert len(dataset.understood().lines) == 3


def test_unknown_split_of_class_folders(flat):
    with pytest.raises(ConfigError, match="no folder 'training' with class folders in it. Make one, or set split to"):
        ImageFolder(str(flat), "training")
    with pytest.raises(ConfigError, match="should be three numbers for train, val, test"):
        ImageFolder(str(flat), "train", split_fractions=(0.9, 0.1))


def test_a_class_called_train_is_no_split(layouts, tmp_path):
    for name in ("train", "tram"):
        layouts.CONTENT["train"][0].save(tmp_path / name / "a.jpg")
    assert ImageFolder(str(tmp_path), "all").classes == ("train", "tram")


def test_too_few_images_for_a_split_are_told_from_none(tmp_path, layouts):
    for number in range(5):
        layouts.CONTENT["train"][0].save(tmp_path / "cat" / f"{number}.jpg")
    assert len(ImageFolder(str(tmp_path), "train")) == 4
    words = r"has more than 5 images, of which split_fractions \(0.8, 0.1, 0.1\) leave none for 'test'. Give more"
    with pytest.raises(DataError, match=words):
        ImageFolder(str(tmp_path), "test")


def test_empty_data_is_an_error(tmp_path):
    with pytest.raises(DataError, match="There are no class folders in"):
        ImageFolder(str(tmp_path), "train")
    (tmp_path / "cat").mkdir()
    with pytest.warns(UserWarning, match="have no images: cat"), pytest.raises(DataError, match="found no images"):
        ImageFolder(str(tmp_path), "train")
    words = "There are no photographs in .*, nor in its folders. Check the path, and that their names end as"
    with pytest.warns(UserWarning, match="have no images: cat"), pytest.raises(DataError, match=words):
        ImageFolder(str(tmp_path), "all")


def test_photographs_that_lie_in_the_folder_itself_are_said_to(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.jpg").touch()
    words = r"no class folders in .*; photographs lie in it directly \(3\)\. .*name the folder above, .*--labels"
    with pytest.raises(DataError, match=words):
        ImageFolder(str(tmp_path), "all")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train/cat/a.jpg,1,2,3", r"boxes\.csv, line 2: expected 'path,x0,y0,x1,y1\[,class\]'"),
        ("train/cat/a.jpg,1,2,3,x", r"boxes\.csv, line 2: expected"),
        ("train/cat/a.jpg,1,2,3,nan", r"boxes\.csv, line 2: the box .* is in no image"),
        ("train/cat/zz.jpg,1,2,3,4", r"boxes\.csv, line 2: there is no image 'train/cat/zz\.jpg'\. Write its path"),
        ("train/cat/a.jpg,1,2,3,4,dgo", r"boxes\.csv, line 2: 'dgo' is no class. Did you mean 'dog'"),
    ],
)
def test_mistakes_in_a_csv_are_named(root, line, words):
    (root / "boxes.csv").write_text(f"path,x0,y0,x1,y1\n{line}\n")
    with pytest.raises(DataError, match=words):
        ImageFolder(str(root), "train", boxes="boxes.csv", load_targets=True)


@pytest.mark.parametrize("name", ["train/cat/a.jpg", "cat/a.jpg", "a.jpg", ".\\train\\cat\\a.jpg"])
def test_a_csv_may_write_paths_in_several_ways(root, name):
    (root / "boxes.csv").write_text(f"{name},1,2,3,4,dog\n{name},5,6,7,8\n")
    dataset = ImageFolder(str(root), "train", boxes="boxes.csv", load_targets=True)
    targets = dataset[0]["targets"]
    assert targets.boxes.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert targets.box_labels.tolist() == [1, 0]
    assert dataset[1]["targets"].boxes.shape == (0, 4)


def test_the_path_of_boxes_is_one_like_any_other_or_below_the_root(root, tmp_path_factory, monkeypatch):
    here = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(here)
    line = "train/{},{}\n".format
    image = ImageFolder(str(root), "train", load_targets=True).record(0)["image_id"].removeprefix("train/")
    (here / "mine.csv").write_text(line(image, "1,2,3,4"))
    first = ImageFolder(str(root), "train", boxes="mine.csv", load_targets=True)
    assert first.record(0)["boxes"] == [[1, 2, 3, 4]]
    (root / "mine.csv").write_text(line(image, "2,2,4,4"))
    second = ImageFolder(str(root), "train", boxes="mine.csv", load_targets=True)
    assert second.record(0)["boxes"] == [[2, 2, 4, 4]]


def test_boxes_of_no_known_kind(root):
    with pytest.raises(
        DataError, match=r"\.csv file, .* or a folder of YOLO.s \(labels/ and data\.yaml\), but none is at"
    ):
        ImageFolder(str(root), "train", boxes="boxes.txt", load_targets=True)
    (root / "empty").mkdir()
    with pytest.raises(DataError, match=r"None of the 4 images has an \.xml file"):
        ImageFolder(str(root), "train", boxes="empty", load_targets=True)


def test_boxes_of_yolo(root):
    labels = root / "found" / "labels" / "cat"
    labels.mkdir(parents=True)
    (root / "found" / "data.yaml").write_text("names: [dog, cat]\n")
    with pytest.raises(DataError, match=r"None of the 4 images has a \.txt file in .*labels. Name them alike"):
        ImageFolder(str(root), "train", boxes="found", load_targets=True)
    (labels / "a.txt").write_text("1 0.5 0.5 0.5 1\n0 0.25 0.25 0.5 0.5\n")  # the image is 48 x 36
    targets = ImageFolder(str(root), "train", boxes="found", load_targets=True)[0]["targets"]
    assert targets.boxes.tolist() == [[12, 0, 36, 36], [0, 0, 24, 18]]
    assert targets.box_labels.tolist() == [0, 1]


def test_the_boxes_of_a_prediction(root):
    image = FoundBox((1.0, 2.0, 3.0, 4.5), 1, "dog", 0.5, 0.5)
    write_results([ImageResult("train/cat/a.jpg", "", (48, 36), [image])], root, ["cat", "dog"], ["csv", "coco"])
    for name in ("boxes.csv", "dataset.json"):
        targets = ImageFolder(str(root), "train", boxes=name, load_targets=True)[0]["targets"]
        assert targets.boxes.tolist() == [[1, 2, 3, 4.5]]
        assert targets.box_labels.tolist() == [1]


def test_boxes_are_scaled_to_the_file_and_never_turned(root, layouts):
    layouts.write_image_folder(root, boxes="xml")
    xml = root / "xml/cat/a.xml"
    layouts.change(xml, "<width>48</width><height>36</height>", "<width>96</width><height>108</height>")
    dataset = ImageFolder(str(root), "train", boxes="xml", load_targets=True)
    assert dataset[0]["targets"].boxes.tolist() == [[0.5, pytest.approx(2 / 3), 10, 10]]
    layouts.change(xml, "<width>96</width><height>108</height>", "<width>36</width><height>48</height>")
    dataset = ImageFolder(str(root), "train", boxes="xml", load_targets=True)
    with pytest.raises(DataError, match="for 36x48 pixels, but the image is shown as 48x36: they were drawn before"):
        dataset[0]


def test_a_folder_of_other_files_is_no_class(flat):
    (flat / "annotations").mkdir()
    (flat / "annotations/1.xml").write_text("<annotation/>")
    assert ImageFolder(str(flat), "train").classes == ("cat", "dog")


@pytest.mark.parametrize(
    "folders", [("Train", "Val", "Test"), ("training", "validation", "testing"), ("train", "valid", "TEST")]
)
def test_folders_of_splits_are_known_by_several_names(layouts, tmp_path, folders):
    for folder, split in zip(folders, ("train", "val", "test"), strict=True):
        for photo in layouts.CONTENT[split]:
            photo.save(tmp_path / folder / layouts.CLASSES[photo.label] / f"{photo.name}.jpg")
    for folder, split in zip(folders, ("train", "val", "test"), strict=True):
        dataset = ImageFolder(str(tmp_path), split)
        assert dataset.classes == ("cat", "dog")
        assert {name.split("/")[0] for name in ids(dataset)} == {folder}
        assert len(dataset) == len(layouts.CONTENT[split])


def test_two_folders_for_one_split(root):
    (root / "val").rename(root / "valid")
    (root / "Validation/cat").mkdir(parents=True)
    with pytest.raises(ConfigError, match="several folders for one split: 'Validation', 'valid'. Put them together"):
        ImageFolder(str(root), "train")
    (root / "valid").rename(root / "val")
    assert ids(ImageFolder(str(root), "val"))[0].startswith("val/"), "a folder called val is val, whatever lies beside"


@pytest.mark.parametrize("name", ["@eaDir", "$RECYCLE.BIN", "lost+found", "__MACOSX", ".ipynb_checkpoints"])
def test_folders_of_systems_are_never_read(flat, layouts, name):
    before = ids(ImageFolder(str(flat), "all"))
    for folder in (flat / name, flat / "cat" / name, flat / "cat" / name / "cat"):
        layouts.CONTENT["train"][0].save(folder / "thumb.jpg")
    dataset = ImageFolder(str(flat), "all")
    assert dataset.classes == ("cat", "dog")
    assert ids(dataset) == before


def test_links_that_lead_back_count_no_picture_twice(flat):
    before = ids(ImageFolder(str(flat), "all"))
    (flat / "loop").symlink_to(flat)
    (flat / "cat" / "up").symlink_to(flat)
    (flat / "cat" / "self").symlink_to(flat / "cat")
    (flat / "cat" / "friends").symlink_to(flat / "dog")
    (flat / "dag").symlink_to(flat / "dog")
    dataset = ImageFolder(str(flat), "all")
    assert ids(dataset) == before
    (left,) = [places for what, places in dataset.understood().doubts.items() if "links to a folder" in what]
    assert sorted(left) == [str(flat / name) for name in ("cat/friends", "cat/self", "cat/up", "dag", "loop")]


def test_class_folders_may_be_links(flat, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (flat / "cat").rename(elsewhere / "pictures")
    (flat / "cat").symlink_to(elsewhere / "pictures")
    dataset = ImageFolder(str(flat), "all")
    assert dataset.classes == ("cat", "dog")
    assert len(dataset) == 20


def test_links_that_lead_nowhere_are_left_out_and_said(flat):
    (flat / "cat/gone.jpg").symlink_to(flat / "nowhere.jpg")
    (flat / "cat/self.jpg").symlink_to(flat / "cat/self.jpg")
    with pytest.warns(UserWarning, match=r"left out: a link that leads nowhere: .*gone\.jpg', .*self\.jpg' \(2\)"):
        assert len(ImageFolder(str(flat), "all")) == 20


def test_pictures_of_kinds_that_are_not_read_are_said(flat, layouts):
    for name in ("owl/1.HEIC", "owl/2.heic", "cat/3.avif"):
        (flat / name).parent.mkdir(exist_ok=True)
        (flat / name).write_bytes(b"x")
    with pytest.warns(UserWarning, match="pictures are of kinds that are not read") as said:
        dataset = ImageFolder(str(flat), "all")
    words = "\n".join(str(each.message) for each in said)
    assert dataset.classes == ("cat", "dog")
    assert "classes left out, whose pictures are of kinds that are not read: 'owl' (1)" in words
    assert "left out: .avif is not read; convert it to JPEG or PNG" in words


def test_a_root_one_folder_too_high_and_one_class(flat, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    flat.rename(root / "photos")
    with pytest.warns(UserWarning, match=r"data_root may be one folder too high: .*photos holds 'cat', 'dog'"):
        assert ImageFolder(str(root), "all").classes == ("photos",)
    for path in (root / "photos/dog").glob("*/*"):
        path.unlink()
    (root / "photos/dog").rename(root / "photos/cat/day2")
    (root / "photos/cat/day0/0.jpg").rename(root / "photos/cat/0.jpg")
    with pytest.warns(UserWarning, match="one class alone: a classifier has nothing to tell it from: 'cat'"):
        ImageFolder(str(root / "photos"), "all")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ImageFolder(str(root / "photos"), "all", classes=["cat"])


def test_how_folders_were_read_is_told(flat):
    divided = f"val: 2 images, divided 0.8 : 0.1 : 0.1 by their names, of 2 classes in {flat}: cat 1, dog 1"
    assert ImageFolder(str(flat), "val").understood().lines == [divided]


def test_how_folders_of_splits_were_read_is_told(root):
    (root / "train").rename(root / "Training")
    words = f"train: 4 images, of 2 classes in {root}/Training: cat 2, dog 2"
    assert ImageFolder(str(root), "train").understood().lines == [words]
