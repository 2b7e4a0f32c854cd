"""A check finds what is planted, says where, and is quiet about clean data."""

import json

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from wsolkit.datasets.check import box_problem, check_datasets
from wsolkit.datasets.check_report import Problem, Report
from wsolkit.datasets.coco import COCO
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.datasets.pascal_voc import PascalVOC


@pytest.fixture
def root(layouts, tmp_path):
    layouts.write_image_folder(tmp_path)
    return tmp_path


def check(root, splits=("train", "val", "test"), **options):
    datasets = {
        split: ImageFolder(str(root), split, boxes="boxes.csv", load_targets=split != "train", **options)
        for split in splits
    }
    return check_datasets(datasets, workers=2)


def found(report):
    return {(problem.severity, problem.split, problem.what): list(problem.examples) for problem in report.problems}


def test_clean_data(root):
    report = check(root)
    assert report.problems == []
    assert report.exit_status == 0
    assert report.counts["train"].images == 4
    assert (report.counts["train"].boxes, report.counts["test"].boxes) == (0, 3)
    assert str(report) == "No problems found."


def test_planted_problems_are_found(root, layouts):
    (root / "train/cat/a.jpg").write_bytes((root / "train/cat/a.jpg").read_bytes()[:-100])
    (root / "val/cat/copy.jpg").write_bytes((root / "train/cat/c.jpg").read_bytes())
    layouts.Photo("tiny", 1, (0, 0, 1, 1), (20, 40)).save(root / "val/dog/tiny.jpg")
    layouts.Photo("tiny", 1, (0, 0, 1, 1), (20, 40)).save(root / "val/dog/tiny2.jpg")
    (root / "boxes.csv").write_text(
        "val/cat/e.jpg,5,5,5,9\nval/cat/e.jpg,10,10,70,20\nval/dog/f.jpg,48,0,60,9\nval/dog/f.jpg,0,0,48.4,36\n"
        "test/cat/g.jpg,0,0,9,9\n"
    )
    report = check(root)
    problems = found(report)
    assert report.exit_status == 1
    (unreadable,) = problems["error", "train", "images that cannot be read"]
    assert "a.jpg cannot be read" in unreadable
    assert problems["error", "train, val", "identical images in two splits"] == ["train/cat/c.jpg = val/cat/copy.jpg"]
    assert problems["warning", "val", "identical images"] == ["val/dog/tiny.jpg = val/dog/tiny2.jpg"]
    assert len(problems["warning", "val", "very small images"]) == 2
    (empty,) = problems["error", "val", "empty or negative boxes"]
    assert "e.jpg [5.0, 5.0, 5.0, 9.0] in 48x36" in empty
    assert len(problems["error", "val", "boxes wholly outside the image"]) == 1
    assert len(problems["warning", "val", "boxes reaching out of the image"]) == 1
    assert len(problems["warning", "val", "images without boxes and masks"]) == 3
    assert len(problems["warning", "test", "images without boxes and masks"]) == 2
    assert len(problems) == 9
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    report.render(console)
    text = console.export_text()
    assert "kinds of errors" in text
    assert "val/dog/tiny.jpg" in text


def test_metadata_and_labels(layouts, tmp_path):
    layouts.write_coco(tmp_path)
    path = tmp_path / "annotations/instances_val.json"
    layouts.change(path, '"width": 48', '"width": 50')
    layouts.change(path, '"category_id": 18', '"category_id": 17')
    layouts.change(tmp_path / "annotations/instances_test.json", '"name": "dog"', '"name": "rex"')
    (tmp_path / "val/f.jpg").unlink()
    datasets = {split: COCO(str(tmp_path), split, load_targets=split == "val") for split in ("train", "val", "test")}
    problems = found(check_datasets(datasets))
    (size,) = problems["warning", "val", "sizes in the metadata that are not the file's"]
    assert "e.jpg (50x36, but the file has 48x36)" in size
    assert problems["warning", "val", "classes without images"] == ["dog"]
    assert problems["error", "train, test", "class lists that differ"] == ["1: 'dog' and 'rex'"]
    (missing,) = problems["error", "val", "images that cannot be read"]
    assert "cannot be opened" in missing


def test_one_image_in_two_splits_of_a_list(layouts, tmp_path):
    layouts.write_pascal_voc(tmp_path, lists=False)
    for split, names in (("train", "a b b"), ("val", "b e f"), ("test", "a f")):
        (tmp_path / f"ImageSets/Main/{split}.txt").write_text("\n".join(names.split()))
    layouts.write_voc_xml(tmp_path / "Annotations/e.xml", layouts.CONTENT["val"][0], objects=[])
    for name in ("a", "f"):
        (tmp_path / f"JPEGImages/{name}.jpg").write_text("broken")
    datasets = {
        split: PascalVOC(str(tmp_path), split, classes=["cat", "dog"], load_targets=split == "val")
        for split in ("train", "val", "test")
    }
    problems = found(check_datasets(datasets))
    assert problems["error", "train", "image ids that occur twice"] == ["b"]
    assert problems["error", "train, val", "identical images in two splits"] == ["b = b"]
    assert problems["error", "train, test", "files in two splits"] == [str(tmp_path / "JPEGImages/a.jpg")]
    assert problems["warning", "val", "images without labels"] == ["e"]
    assert ("error", "train, val", "files in two splits") not in problems


def test_coco_files_that_each_count_from_1(layouts, tmp_path):
    for split, photos in layouts.CONTENT.items():
        for photo in photos:
            photo.save(tmp_path / split / f"{photo.name}.jpg")
        path = tmp_path / "annotations" / f"instances_{split}.json"
        layouts.write_coco_json(path, [(f"{photo.name}.jpg", photo) for photo in photos])
        content = json.loads(path.read_text())
        for entries, key in ((content["images"], "id"), (content["annotations"], "image_id")):
            for number, entry in enumerate(entries, start=1):
                entry[key] = number
        path.write_text(json.dumps(content))
    datasets = {split: COCO(str(tmp_path), split) for split in ("train", "val", "test")}
    assert {dataset.record(0)["image_id"] for dataset in datasets.values()} == {"1"}
    assert not [problem for problem in check_datasets(datasets).problems if problem.severity == "error"]


def test_images_without_any_label_are_told(layouts, tmp_path):
    layouts.write_pascal_voc(tmp_path, lists=False)
    for path in (tmp_path / "Annotations").iterdir():
        layouts.write_voc_xml(path, layouts.CONTENT["val"][0], objects=[])
    with pytest.warns(UserWarning, match="None of the 4 images of split 'train' shows a class"):
        PascalVOC(str(tmp_path), "train", classes=["cat", "dog"]).full_init()


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ((0, 0, 10, 10), None),
        ((-0.4, 0, 10.4, 10), None),
        ((-1, 0, 10, 10), "boxes reaching out of the image"),
        ((3, 3, 3, 9), "empty or negative boxes"),
        ((3, 9, 5, 3), "empty or negative boxes"),
        ((float("nan"), 0, 1, 1), "empty or negative boxes"),
        ((10, 0, 12, 5), "boxes wholly outside the image"),
    ],
)
def test_box_problems(box, problem):
    assert box_problem(box, 10, 10) == problem


def test_warnings_do_not_fail():
    report = Report({}, [Problem("warning", "val", "very small images", ("a", "b", "c", "d"))])
    assert report.exit_status == 0
    assert str(report) == "warning: val: very small images (4): a; b; c; and 1 more"


def test_doubts_about_folders_and_bits_are_told(root):
    values = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(values).save(root / "train/cat/deep.png")
    (root / "train/cat/9.heic").write_bytes(b"x")
    report = check(root, splits=("train", "val"))
    problems = found(report)
    (deep,) = problems["warning", "train", "images of 16 bits that use fewer, scaled by those they use"]
    assert deep.endswith("deep.png (12 bits)")
    (unread,) = [places for (_, split, what), places in problems.items() if "left out: .heic is not read" in what]
    assert unread == [str(root / "train/cat/9.heic")]
    assert report.read == [
        f"train: 5 images, of 2 classes in {root}/train: cat 3, dog 2",
        f"val: 2 images, of 2 classes in {root}/val: cat 1, dog 1",
    ]
