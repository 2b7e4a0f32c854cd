"""COCO files are read as they were written."""

import json

import pytest
from hypothesis import given, strategies as st

from tests.support.found import results
from wsolkit.errors import DataError
from wsolkit.formats.coco import bbox_of, coco_box, coco_image, corners, read_instances, write_instances
from wsolkit.formats.writers import write_results

CLASSES = ("cat & dog", "café", "owl")


@given(found=st.lists(results(CLASSES), min_size=1, max_size=3, unique_by=lambda result: result.image_id))
def test_found_boxes_are_read_as_they_were_written(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("coco")
    write_results(found, folder, CLASSES, ["coco"], {"config": "x"})
    instances = read_instances(folder / "dataset.json")
    assert list(instances.categories.values()) == list(CLASSES)
    assert instances.info == {"description": "Boxes found by wsolkit", "config": "x"}
    assert [image["file_name"] for image in instances.images.values()] == [result.image_id for result in found]
    written = iter(json.loads((folder / "boxes.json").read_text()))
    for (number, image), result in zip(instances.images.items(), found, strict=True):
        assert (image["width"], image["height"]) == result.size
        annotations = instances.annotations.get(number, [])
        for annotation, box in zip(annotations, result.boxes, strict=True):
            assert corners(annotation, "x") == pytest.approx(box.box, abs=0.0101)  # a hundredth for either end
            assert instances.categories[annotation["category_id"]] == box.class_name
            assert (annotation["score"], annotation["map_score"]) == (box.score, box.map_score)
            line = next(written)
            assert {key: annotation[key] for key in line} == line


def test_instances_bring_what_else_is_to_be_known(tmp_path):
    path = tmp_path / "sub" / "boxes.json"
    box = coco_box(7, 1, (0.125, 1, 3.5, 9), threshold=0.5, area=4, segmentation=[[0, 0, 1, 1, 0, 1]])
    write_instances(path, [coco_image(7, "a.jpg", (8, 9), name="a")], [box], CLASSES, {"how": "by hand"})
    found = read_instances(path)
    assert found.info == {"how": "by hand"}
    assert found.images[7] == {"id": 7, "file_name": "a.jpg", "width": 8, "height": 9, "name": "a"}
    (annotation,) = found.annotations[7]
    assert annotation == {
        "id": 1, "image_id": 7, "category_id": 2, "bbox": [0.125, 1.0, 3.375, 8.0], "area": 4, "iscrowd": 0,
        "threshold": 0.5, "segmentation": [[0, 0, 1, 1, 0, 1]],
    }  # fmt: skip
    assert corners(annotation, path) == [0.125, 1.0, 3.5, 9.0]


def test_an_earlier_file_survives_what_is_no_json(tmp_path):
    path = tmp_path / "boxes.json"
    write_instances(path, [], [], CLASSES)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_instances(path, [coco_image(1, "a.jpg", (1, 1), name={1})], [], CLASSES)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_boxes_are_rounded_on_request():
    assert bbox_of((1 / 3, 0, 2 / 3, 1)) == [1 / 3, 0, 2 / 3 - 1 / 3, 1]
    assert bbox_of((1 / 3, 0, 2 / 3, 1), digits=2) == [0.33, 0, 0.33, 1]


def test_a_bbox_that_is_no_box(tmp_path):
    for bbox in ([1, 2, 3], None, "box", [1, 2, 3, "x"]):
        with pytest.raises(DataError, match="the bbox of annotation 4 should be four numbers x, y, width, height"):
            corners({"id": 4, "bbox": bbox}, "x.json")


def test_numbers_of_images_may_be_text_in_annotations_alone(tmp_path):
    image = {"file_name": "a.jpg", "width": 8, "height": 6}
    box = {"image_id": "1", "category_id": 1, "bbox": [0, 0, 2, 2]}
    content = {"images": [{"id": 1, **image}], "annotations": [box], "categories": [{"id": 1, "name": "owl"}]}
    (tmp_path / "via.json").write_text(json.dumps(content))
    assert read_instances(tmp_path / "via.json").annotations == {1: [box]}
