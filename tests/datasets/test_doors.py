"""Every layout says the same of the same images, those of plugins included, and wsolkit's own need no torch."""

import subprocess
import sys

import numpy as np
import pytest

from tests.support.layouts import CLASSES, CONTENT
from wsolkit.cli.main import main
from wsolkit.datasets import ImageDataset
from wsolkit.datasets.annotations import read_annotations
from wsolkit.errors import ConfigError, DataError
from wsolkit.registry import DATASETS

BOXES = {photo.name: list(photo.box) for photo in CONTENT["test"]}
LABELS = {photo.name: photo.label for photo in CONTENT["test"]}


class Pairs(ImageDataset):
    """Images named in one file: ``name class x0 y0 x1 y1``."""

    def load_records(self):
        rows = [line.split() for line in (self.folder / "pairs.txt").read_text().splitlines()]
        records = [
            {"image_id": name, "image_path": str(self.folder / f"{name}.jpg"), "labels": [CLASSES.index(cls)]}
            for name, cls, *_ in rows
        ]
        for record, row in zip(records, rows, strict=True):
            if self.load_targets:
                record |= {"boxes": [[float(side) for side in row[2:]]], "box_labels": record["labels"]}
        return records, CLASSES

    def __init__(self, folder, **options):
        self.folder = folder
        super().__init__(**options)

    @classmethod
    def from_metadata(cls, metadata):
        if not (metadata.path / "pairs.txt").exists():
            return None
        if metadata.split not in (None, "test"):
            raise ConfigError(f"Pairs have the split 'test', not {metadata.split!r}.")
        return cls(metadata.path, split="test", load_targets=metadata.targets, test_mode=True)


@pytest.fixture
def pairs(tmp_path):
    """Return a folder in a layout that a plugin brings, while that plugin is there."""
    folder = tmp_path / "pairs"
    lines = []
    for photo in CONTENT["test"]:
        photo.save(folder / f"{photo.name}.jpg")
        lines.append(f"{photo.name} {photo.folder} {' '.join(map(str, photo.box))}")
    (folder / "pairs.txt").write_text("\n".join(lines))
    DATASETS.register_module(module=Pairs)
    yield folder
    DATASETS.module_dict.pop("Pairs")


def stem(image_id):
    return image_id.rpartition("/")[2].removesuffix(".jpg")


def said(annotations):
    """Return {name: (label, box, size)} of annotations with one box in each image."""
    return {
        stem(annotations.file_names.get(each.image_id, each.image_id)): (
            each.present,
            each.targets.boxes.tolist(),
            each.size,
        )
        for each in annotations
    }


WANTED = {photo.name: ([photo.label], [list(map(float, photo.box))], photo.size) for photo in CONTENT["test"]}


def test_every_layout_says_the_same(layouts, tmp_path, pairs):
    layouts.write_cub200(tmp_path / "cub")
    layouts.write_wsol_metadata(tmp_path / "wsol")
    layouts.write_coco(tmp_path / "coco")
    layouts.write_pascal_voc(tmp_path / "voc")
    for boxes in ("csv", "json", "xml"):
        layouts.write_image_folder(tmp_path / boxes, boxes)
    assert said(read_annotations(tmp_path / "cub", "test")) == WANTED
    assert said(read_annotations(tmp_path / "cub" / "CUB_200_2011", "test")) == WANTED
    assert said(read_annotations(tmp_path / "wsol" / "metadata", "test")) == WANTED
    assert said(read_annotations(tmp_path / "coco" / "annotations" / "instances_test.json")) == WANTED
    assert said(read_annotations(tmp_path / "voc", "test", classes=CLASSES)) == WANTED
    assert said(read_annotations(tmp_path / "csv", "test")) == WANTED
    assert said(read_annotations(tmp_path / "json", "test")) == WANTED
    assert said(read_annotations(tmp_path / "xml", "test", boxes=tmp_path / "xml" / "xml")) == WANTED
    assert said(read_annotations(pairs)) == WANTED


def test_masks_of_cub(layouts, tmp_path):
    layouts.write_cub200(tmp_path)
    found = read_annotations(tmp_path, "test")
    assert found.has_masks
    assert np.array_equal(found.image(1, masks=True).targets.mask == 2, CONTENT["test"][1].inside)
    assert not read_annotations(tmp_path, "test", targets=False).has_masks


def test_class_folders_without_split_folders_are_one_split(layouts, tmp_path):
    layouts.write_image_folder(tmp_path)
    (tmp_path / "boxes.csv").rename(tmp_path / "test" / "boxes.csv")
    found = read_annotations(tmp_path / "test", boxes=tmp_path / "none.csv", targets=False)
    assert (found.split, len(found), found.classes) == ("all", 3, ("cat", "dog"))
    assert [stem(image_id) for image_id in found.ids] == list(BOXES)


def test_class_folders_without_boxes_have_labels_and_sizes(layouts, tmp_path):
    layouts.write_image_folder(tmp_path)
    (tmp_path / "boxes.csv").unlink()
    found = read_annotations(tmp_path, "test", targets=False)
    assert [each.present for each in found] == [[label] for label in LABELS.values()]
    assert {each.size for each in found} == {(48, 36)}
    with pytest.raises(DataError, match=r"nor class folders with boxes\.json, boxes\.csv, boxes or --boxes"):
        read_annotations(tmp_path, "test")


def test_splits_that_are_missing(layouts, tmp_path, pairs):
    layouts.write_cub200(tmp_path / "cub")
    layouts.write_image_folder(tmp_path / "photos")
    with pytest.raises(ConfigError, match="holds the splits 'train' and 'test'. Choose one with --split"):
        read_annotations(tmp_path / "cub")
    with pytest.raises(ConfigError, match="has no validation split"):
        read_annotations(tmp_path / "cub", "val")
    with pytest.raises(ConfigError, match="Leave out --classes"):
        read_annotations(tmp_path / "cub", "test", classes=["a", "b"])
    with pytest.raises(ConfigError, match="holds the splits 'test', 'train', 'val'. Choose one with --split"):
        read_annotations(tmp_path / "photos")
    with pytest.raises(ConfigError, match="There is no split 'tset'.*Did you mean 'test'"):
        read_annotations(tmp_path / "photos", "tset")
    with pytest.raises(ConfigError, match="Pairs have the split 'test', not 'val'"):
        read_annotations(pairs, "val")


def test_an_unknown_layout_is_answered_with_those_that_were_tried(tmp_path, pairs):
    (tmp_path / "x.csv").write_text("")
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(
        DataError, match=r"holds neither image_ids.txt .* nor ImageSets/ .*plugins.*asked: .*Pairs\. Check"
    ):
        read_annotations(tmp_path)
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(DataError, match=r"x.txt is no .json or .csv file. .*plugins that were asked: .*Pairs"):
        read_annotations(tmp_path / "x.txt")
    with pytest.raises(DataError, match=r"x.csv name no image. Write image,label"):
        read_annotations(tmp_path / "x.csv")
    with pytest.raises(DataError, match="x.json has no list 'images'"):
        read_annotations(tmp_path / "x.json")


def test_evaluate_reads_a_layout_of_a_plugin(tmp_path, pairs, capsys):
    maps = {photo.name: photo.inside.astype(np.float32) for photo in CONTENT["test"]}
    np.savez(tmp_path / "maps.npz", **maps)
    argv = ["evaluate", "--maps", str(tmp_path / "maps.npz"), "--metadata", str(pairs), "--size", "map"]
    assert main([*argv, "--out", str(tmp_path / "out"), "--threshold", "0.5", "--no-report"]) == 0
    assert "test split, 3 images" in capsys.readouterr().out


@pytest.mark.parametrize("layout", ["cub", "folder", "yolo"])
def test_evaluate_reads_class_folders_and_cub(layouts, tmp_path, capsys, layout):
    if layout == "cub":
        layouts.write_cub200(tmp_path / "data")
    else:
        layouts.write_image_folder(tmp_path / "data")
    more = []
    if layout == "yolo":
        (tmp_path / "data" / "boxes.csv").unlink()
        for photo in CONTENT["test"]:
            (tmp_path / "found" / "labels" / photo.folder).mkdir(parents=True, exist_ok=True)
            x0, y0, x1, y1 = photo.box
            numbers = ((x0 + x1) / 96, (y0 + y1) / 72, (x1 - x0) / 48, (y1 - y0) / 36)
            line = f"{photo.label} {' '.join(map(str, numbers))}"
            (tmp_path / "found" / "labels" / photo.folder / f"{photo.name}.txt").write_text(line)
        (tmp_path / "found" / "classes.txt").write_text("cat\ndog\n")
        more = ["--boxes", str(tmp_path / "found")]
    ids = read_annotations(tmp_path / "data", "test", targets=False).ids
    maps = {name: photo.inside.astype(np.float32) for name, photo in zip(ids, CONTENT["test"], strict=True)}
    np.savez(tmp_path / "maps.npz", **maps)
    argv = ["evaluate", "--maps", str(tmp_path / "maps.npz"), "--metadata", str(tmp_path / "data"), "--split", "test"]
    argv += ["--size", "map", "--out", str(tmp_path / "out"), "--threshold", "0.5", "--no-report", *more]
    assert main([*argv, "--protocol", "MaxBoxAcc-exact"]) == 0
    assert "100.0" in capsys.readouterr().out


@pytest.mark.parametrize("layout", ["cub", "wsol", "coco", "voc", "folder"])
def test_annotations_are_read_without_torch(layouts, tmp_path, layout):
    write = {
        "cub": (layouts.write_cub200, "", "'test'"),
        "wsol": (layouts.write_wsol_metadata, "metadata", "'test'"),
        "coco": (layouts.write_coco, "annotations/instances_test.json", "None"),
        "voc": (layouts.write_pascal_voc, "", "'test', classes=['cat', 'dog']"),
        "folder": (layouts.write_image_folder, "", "'test'"),
    }
    make, path, more = write[layout]
    make(tmp_path)
    code = (
        "import sys; from wsolkit.datasets.annotations import read_annotations;"
        "import wsolkit.formats.writers, wsolkit.components.boxes;"
        f"found = [each.targets.boxes for each in read_annotations({str(tmp_path / path)!r}, {more})];"
        "assert len(found) == 3; assert 'torch' not in sys.modules, 'torch'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
