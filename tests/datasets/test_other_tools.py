"""Labels as other tools and people write them are read with the values they mean."""

import csv
import json
import unicodedata
import warnings

import numpy as np
import pytest
from PIL import Image

from tests.support.owls import BOX, SIZE, coco, voc_xml, write_csv, write_lists, write_photos, write_voc
from wsolkit.datasets.annotations import read_annotations
from wsolkit.datasets.image_files import find_images
from wsolkit.datasets.layouts.coco import CocoLayout
from wsolkit.datasets.targets import image_targets
from wsolkit.errors import DataError
from wsolkit.formats.coco import OURS
from wsolkit.formats.coco_outlines import painted
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.formats.writers import write_results
from wsolkit.model.folder_classes import FolderClasses

CAFE, DECOMPOSED = "café", unicodedata.normalize("NFD", "café")


def boxes(truth):
    """Return the boxes of each image."""
    return {image.image_id: image.targets.boxes.tolist() for image in truth}


def voc(folder, xml, classes=("owl", "dog"), names=("a", "b")):
    write_voc(folder, xml, names)
    return read_annotations(folder / "voc", "val", classes=classes)


@pytest.mark.parametrize("encoding", ["GBK", "gb2312", "Shift_JIS", "ISO-8859-1", "utf-16", "UTF-8"])
def test_xml_in_the_encoding_it_declares(tmp_path, encoding):
    name = CAFE if encoding == "ISO-8859-1" else "猫"
    xml = voc_xml(name, head=f'<?xml version="1.0" encoding="{encoding}"?>\n').encode(encoding)
    assert boxes(voc(tmp_path, xml, ["owl", name])) == {"a": [[2, 1, 8, 7]], "b": [[2, 1, 8, 7]]}


@pytest.mark.parametrize("xml", [voc_xml(root='annotation xmlns="http://a.b/c"'), "\ufeff" + voc_xml()])
def test_xml_with_a_namespace_or_a_mark(tmp_path, xml):
    assert [image.present for image in voc(tmp_path, xml)] == [[0], [0]]


def test_a_side_at_0_is_the_edge_of_the_image(tmp_path):
    with pytest.warns(UserWarning, match="2 of 2 boxes in .*Annotations begin at 0, where VOC counts pixels from 1"):
        assert boxes(voc(tmp_path, voc_xml(box=(0, 2, 8, 7))))["a"] == [[0, 1, 8, 7]]


def test_voc_images_of_any_name_and_kind(tmp_path):
    write_voc(tmp_path, voc_xml(), ["my owl", "owl 2", "owl"])
    images = tmp_path / "voc" / "JPEGImages"
    for name in ("my owl.png", "owl 2.JPG", "owl.jpg", "owl.png"):
        Image.new("RGB", SIZE).save(images / name)
    (tmp_path / "voc/ImageSets/Main/val.txt").write_text("my owl\nowl 2  1\nowl -1\n")
    truth = read_annotations(tmp_path / "voc", "val", images=images, classes=["owl"])
    assert [image.image_id for image in truth] == ["my owl", "owl 2", "owl"]
    assert [image.path.rpartition("/")[2] for image in truth] == ["my owl.png", "owl 2.JPG", "owl.jpg"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_tables_in_any_encoding_that_can_be_told(tmp_path, encoding):
    names = ("hibou/été.jpg", "hibou/b.jpg")
    command = write_csv(tmp_path, "path,x0,y0,x1,y1\nhibou/été.jpg,2,1,8,7\n".encode(encoding), names)
    truth = read_annotations(tmp_path / command[4], boxes=tmp_path / "boxes.csv")
    assert truth.image(truth.ids.index(names[0])).targets.boxes.tolist() == [[2, 1, 8, 7]]


@pytest.mark.parametrize("name", ["=1+1.jpg", "-a.jpg", "+a.jpg", "@a.jpg", "\ta.jpg", "'=a.jpg", "''-a.jpg", "'a.jpg"])
def test_a_table_is_no_sheet_of_formulas_and_is_read_as_it_was(tmp_path, name):
    found = FoundBox((2.0, 1.0, 8.0, 7.0), 0, "=owl", 0.5, 0.25)
    write_photos(tmp_path, [f"=owl/{name}", name])
    write_results([ImageResult(f"=owl/{name}", "", SIZE, [found])], tmp_path, ["=owl"], ["csv"])
    with (tmp_path / "boxes.csv").open(newline="") as file:
        cells = list(csv.reader(file))[1]
    assert not any(cell.startswith(("=", "@", "\t", "+")) for cell in cells)
    truth = read_annotations(tmp_path / "photos", "all", boxes=tmp_path / "boxes.csv")
    assert boxes(truth)[f"=owl/{name}"] == [[2, 1, 8, 7]]


@pytest.mark.parametrize(
    "name",
    [
        "3f2a1b9c-my_owl.jpg",
        "/data/upload/1/3f2a1b9c-my_owl.jpg",
        "/data/local-files/?d=owl/my%20owl.jpg",
        "http://localhost/owl/my%20owl.jpg",
        "images/train/my owl.jpg",
        "D:\\photos\\owl\\my owl.jpg",
        "owl\\my owl.jpg",
        "./owl/my owl.jpg",
    ],
)
def test_images_are_told_by_the_names_of_their_files(tmp_path, name):
    write_photos(tmp_path, ["owl/my owl.jpg", "owl/b.jpg", "eagle/b.jpg"])
    content = coco()
    content["images"][0]["file_name"], content["images"][1]["file_name"] = name, "eagle/b.jpg"
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        truth = read_annotations(tmp_path / "photos", boxes=tmp_path / "boxes.json")
    assert boxes(truth) == {"eagle/b.jpg": [[*map(float, BOX)]], "owl/b.jpg": [], "owl/my owl.jpg": [[2, 1, 8, 7]]}
    guessed = [str(each.message) for each in told if "told by the names of their files" in str(each.message)]
    assert bool(guessed) != (name.startswith(("./", "owl", "/data/local")))


def test_coco_files_that_call_images_otherwise(tmp_path):
    for name in ("a.jpg", "sub/b.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE).save(tmp_path / "images" / name)
    content = coco()
    content["images"][0]["file_name"] = "0a1b2c3d-a.jpg"
    content["images"][1]["file_name"] = "train\\b.jpg"
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="calls 2 images otherwise.* '0a1b2c3d-a.jpg' for 'a.jpg'"):
        records, _ = CocoLayout(str(tmp_path), "x", "x.json", "images").records(False)
    assert [record["image_path"].removeprefix(f"{tmp_path}/images/") for record in records] == ["a.jpg", "sub/b.jpg"]


def test_backslashes_in_coco(tmp_path):
    write_photos(tmp_path)
    content = coco()
    for image in content["images"]:
        image["file_name"] = f"owl\\{image['file_name']}"
    (tmp_path / "x.json").write_text(json.dumps(content))
    records, _ = CocoLayout(str(tmp_path), "x", "x.json", "photos").records(False)
    assert [record["image_path"] for record in records] == [f"{tmp_path}/photos/owl/{name}.jpg" for name in "ab"]


@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_every_image_gets_its_own_boxes_back(tmp_path, form):
    names = ["robin/0.jpg", "robin/0.png", "wren/0.jpg", "wren/my wren.jpg"]
    write_photos(tmp_path, names)
    results = [
        ImageResult(name, "", SIZE, [FoundBox((float(place), 0.0, 8.0, 4.0), place // 2, "x", 0.5, 0.5)])
        for place, name in enumerate(names)
    ]
    write_results(results, tmp_path, ["robin", "wren"], [form])
    folder = tmp_path / "voc" / "Annotations" if form == "voc" else tmp_path / "yolo"
    for path in tmp_path.glob("voc/Annotations/**/*.xml"):
        path.write_text(path.read_text().replace("<name>x</name>", f"<name>{path.parent.name}</name>"))
    truth = read_annotations(tmp_path / "photos", boxes=folder)
    assert {name: found[0][0] for name, found in boxes(truth).items()} == pytest.approx(
        {name: place for place, name in enumerate(names)}, abs=1e-4
    )


def test_annotations_with_a_hash_before_their_names(tmp_path):
    write_photos(tmp_path, ["owl/my owl.jpg", "owl/b.jpg"])
    (tmp_path / "xml").mkdir()
    (tmp_path / "xml" / "3f2a1b9c-my_owl.xml").write_text(voc_xml())
    with pytest.warns(UserWarning, match="xml calls 1 images otherwise.* '3f2a1b9c-my_owl.xml' for 'owl/my owl.jpg'"):
        truth = read_annotations(tmp_path / "photos", boxes=tmp_path / "xml")
    assert boxes(truth) == {"owl/b.jpg": [], "owl/my owl.jpg": [[2, 1, 8, 7]]}
    (tmp_path / "xml" / "aaaaaaaa-my_owl.xml").write_text(voc_xml())
    with pytest.raises(DataError, match="my_owl.xml and aaaaaaaa-my_owl.xml both seem to be of 'owl/my owl.jpg'"):
        read_annotations(tmp_path / "photos", boxes=tmp_path / "xml")


@pytest.mark.parametrize(("listed", "stored"), [(CAFE, DECOMPOSED), (DECOMPOSED, CAFE)])
def test_accents_in_any_form(tmp_path, listed, stored):
    assert boxes(voc(tmp_path, voc_xml(listed), ["owl", stored]))["a"] == [[2, 1, 8, 7]]
    assert FolderClasses(["owl", stored]).index(f"x/{listed}/1.jpg") == 1
    content = coco()
    content["categories"][0]["name"] = listed
    (tmp_path / "x.json").write_text(json.dumps(content))
    assert read_annotations(tmp_path / "x.json", classes=[stored]).image(0).present == [0]
    write_csv(tmp_path, f"{listed}/{listed}.jpg,2,1,8,7,{listed}", [f"{stored}/{stored}.jpg"])
    assert boxes(read_annotations(tmp_path / "photos", boxes=tmp_path / "boxes.csv")) == {
        f"{stored}/{stored}.jpg": [[2, 1, 8, 7]]
    }
    lists = {
        "image_ids": f"{listed}/{listed}.jpg", "class_labels": f"{listed}/{listed}.jpg,0",
        "image_sizes": "", "localization": f"{listed}/{listed}.jpg,2,1,7,6",
    }  # fmt: skip
    write_lists(tmp_path, **lists)
    (image,) = read_annotations(tmp_path / "lists" / "test", images=tmp_path / "photos")
    assert (image.size, image.path) == (SIZE, str(tmp_path / "photos" / stored / f"{stored}.jpg"))


@pytest.mark.parametrize(
    "text",
    ["owl/a.jpg\nmy owl.jpg", "# birds\nowl/a.jpg 3\n\"my owl.jpg\" 1\n", "owl/a.jpg,3\nmy owl.jpg,1",
     "'owl/a.jpg'\n'my owl.jpg',1,0\n", "owl/a.jpg\0my owl.jpg\0", "owl\\a.jpg\r\nmy owl.jpg\tsmall owl\r\n"],
)  # fmt: skip
def test_lists_of_images(tmp_path, text):
    write_photos(tmp_path, ["owl/a.jpg", "my owl.jpg"])
    (tmp_path / "photos" / "list.txt").write_bytes(text.encode())
    found = find_images([tmp_path / "photos" / "list.txt"])
    assert [image.image_id for image in found] == ["owl/a.jpg", "my owl.jpg"]
    assert [image.path for image in found] == [f"{tmp_path}/photos/{name}" for name in ("owl/a.jpg", "my owl.jpg")]


def test_one_polygon_may_stand_alone():
    square = [1, 1, 4, 1, 4, 4, 1, 4]
    assert painted(square, SIZE).sum() == 9
    np.testing.assert_array_equal(painted(square, SIZE), painted([square, []], SIZE))
    with pytest.raises(DataError, match="a polygon should be a list"):
        painted([square, 3], SIZE)


def test_rounding_does_not_put_a_box_outside():
    record = {"image_id": "a", "image_path": "", "labels": [0], "boxes": [[-0.25, 0.5, 3, 4], [-3, 1, 2, 2]]}
    assert image_targets(record, SIZE, None).boxes.tolist() == [[0, 0.5, 3, 4], [-3, 1, 2, 2]]


def test_found_boxes_are_told_where_they_stand_as_truth(tmp_path):
    """A model judged by its own boxes gets 100 %."""
    write_photos(tmp_path)
    content = {**coco(), "info": {"description": OURS}}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    with pytest.warns(UserWarning, match=r"boxes.json began as boxes that wsolkit found: .* corrected them\.$"):
        read_annotations(tmp_path / "photos", boxes=tmp_path / "boxes.json")
