"""Files of CVAT and Label Studio: what their users drew is read, what we found is written for them."""

import json
from urllib.parse import unquote

import numpy as np
import pytest

from wsolkit.errors import DataError
from wsolkit.formats.coco import corners, read_instances
from wsolkit.formats.cvat import read_cvat
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.found_masks import FoundMask
from wsolkit.formats.label_studio import read_label_studio
from wsolkit.formats.writers import write_results

CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>3</id></task></meta>
  <image id="0" name="owls/1.jpg" width="40" height="30">
    <box label="owl" source="manual" occluded="0" xtl="2.50" ytl="1.00" xbr="12.00" ybr="9.00" z_order="0"/>
    <polygon label="cat" occluded="0" points="3.00,4.00;9.50,4.00;5.00,12.00" z_order="0"/>
    <mask label="owl" rle="3, 5" left="4" top="6" width="4" height="2" z_order="0"/><tag label="day"/>
  </image>
  <image id="1" name="2.jpg" width="40" height="30"></image>
  {more}
</annotations>"""


def cvat(tmp_path, more=""):
    (tmp_path / "annotations.xml").write_text(CVAT.replace("{more}", more))
    return read_cvat(tmp_path / "annotations.xml")


def test_cvat_for_images(tmp_path):
    first, second = cvat(tmp_path)
    assert (first.name, first.size, first.classes) == ("owls/1.jpg", (40, 30), ["owl", "cat", "owl"])
    assert first.boxes == [[2.5, 1, 12, 9], [3, 4, 9.5, 12], [4, 6, 8, 8]]
    assert (second.name, second.boxes) == ("2.jpg", [])


def test_turned_boxes_become_upright_with_a_warning(tmp_path):
    box = '<box label="owl" xtl="10" ytl="10" xbr="20" ybr="14" rotation="90"/>'
    with pytest.warns(UserWarning, match="1 boxes are turned"):
        found = cvat(
            tmp_path, f'<image name="3.jpg" width="40" height="30">{box}<polyline points=\'1,2;3,4\'/></image>'
        )[-1]
    np.testing.assert_allclose(found.boxes, [[13, 7, 17, 17]])


def result(name="owl", **more):
    value = {"x": 25.0, "y": 10.0, "width": 50.0, "height": 20.0, "rotation": 0, "rectanglelabels": [name]}
    value |= {key: more.pop(key) for key in list(more) if key in value}
    size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    return {"type": "rectanglelabels", "value": value, **size, **more}


def task(image, *annotations, **more):
    return {"id": 1, "data": {"image": image}, "annotations": list(annotations), **more}


def studio(tmp_path, *tasks):
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    return read_label_studio(tmp_path / "tasks.json")


def test_label_studio(tmp_path):
    skipped = {"was_cancelled": True, "result": [result("cat")], "updated_at": "2026-09"}
    early = {"result": [result("cat")], "updated_at": "2026-01"}
    late = {"result": [result(), {"type": "choices", "value": {}}], "updated_at": "2026-02"}
    found = studio(
        tmp_path,
        task("/data/upload/1/3f2a1b9c-a.jpg", late, early, skipped, predictions=[{"result": [result("dog")]}]),
        task("s3://owls/b.jpg?token=x", {"result": []}),
        task("/data/local-files/?d=x/c.jpg", predictions=[{"result": [result("dog")]}]),
        task("d.jpg", {"result": [result("cat")], "ground_truth": True}, late),
    )
    assert [(each.name, each.boxes, each.classes) for each in found] == [
        ("/data/upload/1/3f2a1b9c-a.jpg", [[10, 3, 30, 9]], ["owl"]),
        ("owls/b.jpg", [], []),
        ("d.jpg", [[10, 3, 30, 9]], ["cat"]),
    ]
    assert found[0].size == (40, 30)


def test_a_turned_box_of_label_studio_turns_about_its_first_corner(tmp_path):
    with pytest.warns(UserWarning, match="1 boxes are turned"):
        (found,) = studio(tmp_path, task("a.jpg", {"result": [result(rotation=90)]}))
    np.testing.assert_allclose(found.boxes, [[4, 3, 10, 23]])
    with pytest.raises(DataError, match="task 1: the photograph was turned in Label Studio"):
        studio(tmp_path, task("a.jpg", {"result": [result(image_rotation=90)]}))


BOXES = [
    FoundBox((2.0, 1.0, 8.33, 7.0), 1, "owl & <co>", 0.5, 0.25, doubt=0.2),
    FoundBox((0.0, 0.0, 10.0, 8.0), 0, "cat", 0.75, 0.5, doubt=0.4),
]
FOUND = [
    ImageResult("my owls/é 1.jpg", "/x/my owls/é 1.jpg", (10, 8), BOXES),
    Failure("broken.jpg", "/x/broken.jpg", "no image"),
    ImageResult("none.jpg", "/x/none.jpg", (7, 5)),
]


def test_what_label_studio_gets_is_what_was_found(tmp_path):
    paths, _ = write_results(FOUND, tmp_path, ["cat", "owl & <co>"], ["labelstudio"], {"checkpoint": "runs/last.pth"})
    assert [path.name for path in paths[:2]] == ["labelstudio.json", "labelstudio.xml"]
    tasks = json.loads((tmp_path / "labelstudio.json").read_text())
    assert unquote(tasks[0]["data"]["image"]) == "/data/local-files/?d=my owls/é 1.jpg"
    (made,) = tasks[0]["predictions"]
    assert (made["score"], made["model_version"]) == (0.6, "wsolkit last.pth")
    assert '<Label value="owl &amp; &lt;co&gt;" />' in (tmp_path / "labelstudio.xml").read_text()
    with pytest.raises(DataError, match="nobody has annotated any of its 2 tasks"):
        read_label_studio(tmp_path / "labelstudio.json")
    for each in tasks:  # somebody accepts all predictions
        each["annotations"] = each.pop("predictions")
    first, second = studio(tmp_path, *tasks)
    np.testing.assert_allclose(first.boxes, [found.box for found in BOXES], atol=1e-9)
    assert (first.classes, first.size, second.boxes) == (["owl & <co>", "cat"], (10, 8), [])


def test_what_cvat_gets_is_what_was_found(tmp_path):
    inside = np.zeros((8, 10), bool)
    inside[1:7, 2:8] = True
    masked = ImageResult("m.jpg", "", (10, 8), [BOXES[0]._replace(mask=FoundMask.of(inside))])
    write_results([*FOUND, masked], tmp_path, ["cat", "owl & <co>"], ["cvat"])
    read = read_instances(tmp_path / "cvat.json")
    assert [image["file_name"] for image in read.images.values()] == ["my owls/é 1.jpg", "none.jpg", "m.jpg"]
    assert (list(read.images), read.categories) == ([1, 2, 3], {1: "cat", 2: "owl & <co>"})
    assert [corners(each, "") for each in read.annotations[1]] == [list(found.box) for found in BOXES]
    plain, outlined = read.annotations[1][0], read.annotations[3][0]
    assert (plain["segmentation"], plain["attributes"]) == ([], {"occluded": False})
    assert (outlined["area"], len(outlined["segmentation"][0])) == (36, 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cvat.json", "failed.csv", "without_box.csv"]
