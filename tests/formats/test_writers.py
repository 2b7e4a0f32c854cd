"""What is written can be read back: COCO by pycocotools, VOC, YOLO and CSV by their own rules."""

import csv
import json
import os
import shutil
from xml.etree import ElementTree

import pytest
from pycocotools.coco import COCO

from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.writer import LabelNames
from wsolkit.formats.writers import write_results

CLASSES = ("cat & dog", "bird")
RESULTS = [
    ImageResult(
        "a/one.jpg", "", (100, 50), [FoundBox((10.5, 5.0, 60.25, 50.0), 0, CLASSES[0], 0.75, 0.5)], [(0, 0.75)]
    ),
    Failure("broken.jpg", "/in/broken.jpg", "It is empty."),
    ImageResult("a/none.jpg", "/in/none.jpg", (10, 10), [], [(1, 0.4)]),
    ImageResult(
        "a/one.png",
        "/in/one.png",
        (200, 100),
        [
            FoundBox((0.0, 0.0, 200.0, 100.0), 1, CLASSES[1], 0.5, 0.9),
            FoundBox((0.0, 1.0, 2.0, 3.0), 1, CLASSES[1], 0.5, 0.1),
        ],
    ),
]


@pytest.fixture
def written(tmp_path):
    files, counts = write_results(iter(RESULTS), tmp_path, CLASSES, ["coco", "voc", "yolo", "csv"], {"config": "x"})
    assert {path.name for path in files} == {path.name for path in tmp_path.iterdir()}, "no draft is left behind"
    assert (counts.images, counts.failed, counts.without_box, counts.boxes) == (3, 1, 1, 3)
    return tmp_path


def test_coco(written):
    data = COCO(str(written / "dataset.json"))
    assert [data.imgs[number]["file_name"] for number in sorted(data.imgs)] == ["a/one.jpg", "a/none.jpg", "a/one.png"]
    assert {number: category["name"] for number, category in data.cats.items()} == {1: CLASSES[0], 2: CLASSES[1]}
    results = data.loadRes(str(written / "boxes.json"))
    assert len(results.anns) == len(data.anns) == 3
    first = json.loads((written / "boxes.json").read_text())[0]
    assert first == {
        "image_id": 1, "category_id": 1, "bbox": [10.5, 5.0, 49.75, 45.0], "score": 0.75, "map_score": 0.5,
    }  # fmt: skip
    assert data.anns[1]["area"] == pytest.approx(49.75 * 45, abs=0.01)
    assert data.anns[1]["iscrowd"] == 0


def test_voc_counts_whole_pixels_from_one(written):
    root = ElementTree.parse(written / "voc" / "Annotations" / "a" / "one.xml").getroot()
    assert (root.findtext("folder"), root.findtext("filename")) == ("a", "one.jpg")
    assert [root.findtext(f"size/{name}") for name in ("width", "height", "depth")] == ["100", "50", "3"]
    assert root.findtext("object/name") == CLASSES[0]
    corners = [int(root.findtext(f"object/bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax")]
    assert corners == [11, 6, 61, 50]  # pixels 10 to 60 and 5 to 49, counted from 0
    lists = {path.stem: path.read_text().split() for path in (written / "voc" / "ImageSets" / "Main").iterdir()}
    assert lists["trainval"] == ["a/one", "a/none", "a/one_png"]
    assert len(lists["val"]) == 1
    assert sorted(lists["train"] + lists["val"]) == sorted(lists["trainval"])


def test_yolo_fractions(written):
    yolo = written / "yolo"
    (line,) = (yolo / "labels" / "a" / "one.txt").read_text().splitlines()
    index, cx, cy, width, height = map(float, line.split())
    assert index == 0
    box = [(cx - width / 2) * 100, (cy - height / 2) * 50, (cx + width / 2) * 100, (cy + height / 2) * 50]
    assert box == pytest.approx([10.5, 5.0, 60.25, 50.0], abs=1e-3)
    assert len((yolo / "labels" / "a" / "one_png.txt").read_text().splitlines()) == 2
    assert not (yolo / "labels" / "a" / "none.txt").exists(), "nothing found does not mean that nothing is there"
    assert not (yolo / "images" / "a" / "one_png.png").readlink().is_absolute()
    assert os.path.normpath(yolo / "images" / "a" / (yolo / "images" / "a" / "one_png.png").readlink()) == "/in/one.png"
    assert (yolo / "classes.txt").read_text().splitlines() == list(CLASSES)
    assert '  0: "cat & dog"\n  1: "bird"\n' in (yolo / "data.yaml").read_text()


def test_tables(written):
    with (written / "boxes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image_id"] for row in rows] == ["a/one.jpg", "a/one.png", "a/one.png"]
    assert [float(rows[0][side]) for side in ("x0", "y0", "x1", "y1")] == [10.5, 5.0, 60.25, 50.0]
    assert rows[0]["class"] == CLASSES[0]
    with (written / "failed.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"image_id": "broken.jpg", "path": "/in/broken.jpg", "reason": "It is empty."}
        ]
    with (written / "without_box.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["image_id"], row["likeliest_class"]) == ("a/none.jpg", "bird")


def test_names_that_are_no_text_are_written(tmp_path):
    strange = ImageResult(
        "caf\udce9\x01.jpg", "/in/x.jpg", (4, 4), [FoundBox((0.0, 0.0, 2.0, 2.0), 0, CLASSES[0], 1.0, 1.0)]
    )
    write_results([strange], tmp_path, CLASSES, ["coco", "voc", "yolo", "csv"])
    (path,) = (tmp_path / "voc" / "Annotations").iterdir()
    assert ElementTree.parse(path).getroot().findtext("filename") == "caf??.jpg"


def test_earlier_files_survive_an_error(written):
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file() and not path.is_symlink()}

    def breaks():
        yield RESULTS[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match="cannot be written to .*: No space left on device. Make room"):
        write_results(breaks(), written, CLASSES, ["coco", "voc", "yolo", "csv"])
    after = {path: path.read_bytes() for path in written.rglob("*") if path.is_file() and not path.is_symlink()}
    assert after == before


def test_an_unknown_format_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match="no format 'yollo'. Did you mean 'yolo'"):
        write_results([], tmp_path, CLASSES, ["yollo"])


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo", "csv"])
@pytest.mark.parametrize("image_id", ["../a.jpg", "/etc/a.jpg", "a/../../b.jpg", "..\\a.jpg", "a\0b.jpg", ".."])
def test_no_writer_leaves_its_folder(tmp_path, kind, image_id):
    found = ImageResult(image_id, "", (8, 8), [FoundBox((0.0, 0.0, 4.0, 4.0), 0, CLASSES[0], 1.0, 1.0)])
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    try:
        write_results([found], folder, CLASSES, [kind])
    except DataError as error:
        assert "is no name for a file below a folder" in str(error)  # noqa: PT017 - some formats can hold any name
    assert [path for path in tmp_path.rglob("*") if not path.is_relative_to(folder)] == [folder.parent]


def test_a_folder_that_is_removed_while_it_is_written_to(tmp_path):
    """Nothing is published: what lies in a folder without settings would be in the way of the next run."""

    def removed():
        shutil.rmtree(tmp_path / "out")
        yield RESULTS[0]

    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="cannot be written to .*out: No such file"):
        write_results(removed(), tmp_path / "out", CLASSES, ["yolo"])
    assert list((tmp_path / "out").iterdir()) == []


def test_names_with_line_breaks_are_one_name_in_lists(tmp_path):
    names = LabelNames()
    assert [names.of(name) for name in ("a\nb.jpg", "a\rb.png", "a_b.gif")] == ["a_b", "a_b_png", "a_b_gif"]
    write_results([ImageResult("a\nb.jpg", "", (8, 6))], tmp_path, CLASSES, ["voc"])
    assert (tmp_path / "voc" / "ImageSets" / "Main" / "train.txt").read_text() == "a_b\n"
    (tmp_path / "new").mkdir()
    with pytest.raises(DataError, match=r"the name 'sea\\neagle' has a line break, so that it would be read as two"):
        write_results([], tmp_path / "new", ["sea\neagle"], ["yolo"])
