"""What was checked is kept: with the names of its classes, of photographs that are away, with masks; until rejected."""

import json

import numpy as np
import pytest
from PIL import Image

from wsolkit.datasets.image_files import ImageFile
from wsolkit.errors import DataError
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.formats.found_masks import FoundMask
from wsolkit.labelling.checked import LookedAt, keep_verified, read_checked, with_checked
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import VERIFIED
from wsolkit.labelling.verified import VERDICTS, read_verified

OWL = (2.0, 3.0, 12.0, 23.0)


def photographs(folder, *names, classes=("cat", "owl")):
    files = [ImageFile(name, str(folder / name)) for name in names]
    for image in files:
        Image.new("RGB", (40, 30)).save(image.path)
    return Photographs({}, files, {name: [0] for name in names}, classes, False, [], {}, [])


def verdicts(folder, **given):
    """Write the page's file, where every accepted photograph has an owl."""
    images = [{"id": n, "file_name": f"{name}.jpg", "width": 40, "height": 30, "verdict": verdict}
              for n, (name, verdict) in enumerate(given.items())]  # fmt: skip
    for each in images:
        each |= {"rejected": [[2, 3, 10, 20]]} if each["verdict"] == "rejected" else {}
    boxes = [{"id": each["id"], "image_id": each["id"], "category_id": 9, "bbox": [2, 3, 10, 20], "iscrowd": 0}
             for each in images if each["verdict"] == "accepted"]  # fmt: skip
    content = {"info": {"description": VERDICTS}, "images": images, "annotations": boxes}
    (folder / "verdicts.json").write_text(json.dumps(content | {"categories": [{"id": 9, "name": "owl"}]}))
    return folder / "verdicts.json"


def take_verified(path, out, photographs):
    """Read a file of checked boxes and keep them, as ``label`` does."""
    paths = {image.image_id: image.path for image in photographs.files}
    found = read_verified(path, paths, photographs.classes, photographs.labels)
    return keep_verified(found, out, photographs), found.told


def boxes_of(looked_at):
    checked = looked_at.checked.items()
    return {name: [(box.class_index, box.class_name, box.box) for box in each.boxes] for name, each in checked}


def test_checked_boxes_keep_their_class_when_one_is_added(tmp_path):
    take_verified(verdicts(tmp_path, a="accepted"), tmp_path, photographs(tmp_path, "a.jpg"))
    later = photographs(tmp_path, "a.jpg", classes=("bat", "cat", "owl"))
    assert boxes_of(read_checked(tmp_path, later)) == {"a.jpg": [(2, "owl", OWL)]}


def test_a_class_that_is_gone_is_said_and_the_file_stays(tmp_path):
    take_verified(verdicts(tmp_path, a="accepted"), tmp_path, photographs(tmp_path, "a.jpg", "b.jpg"))
    before = (tmp_path / VERIFIED).read_bytes()
    later = photographs(tmp_path, "a.jpg", "b.jpg", classes=("bat", "cat"))
    said = "holds checked boxes of 'owl', but the classes are 'bat', 'cat' now. It was left as it is: name the classes"
    with pytest.raises(DataError, match=said):
        read_checked(tmp_path, later)
    path = verdicts(tmp_path, b="rejected")
    with pytest.raises(DataError, match=said):
        take_verified(path, tmp_path, later)
    assert (tmp_path / VERIFIED).read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "[1]\n",
        '{"classes": [], "rejected": {"a": [[0, 0, "1", 5]]}}\n',
        '{"id":"a.jpg","path":"","size":[4,3],"boxes":[],"top":[]}\n',
    ],
)
def test_a_file_without_names_of_classes_is_damaged(tmp_path, text):
    (tmp_path / VERIFIED).write_text(text)
    with pytest.raises(DataError, match=r"verified\.jsonl cannot be read .*Remove it, and give --verified again"):
        read_checked(tmp_path, photographs(tmp_path, "a.jpg"))


def test_photographs_that_are_away_come_back_checked(tmp_path):
    both = photographs(tmp_path, "a.jpg", "b.jpg")
    take_verified(verdicts(tmp_path, a="accepted"), tmp_path, both)
    checked, _ = take_verified(
        verdicts(tmp_path, b="accepted"), tmp_path, photographs(tmp_path, "b.jpg", classes=("owl",))
    )
    assert boxes_of(checked) == {"b.jpg": [(0, "owl", OWL)]}
    assert boxes_of(read_checked(tmp_path, both)) == {"a.jpg": [(1, "owl", OWL)], "b.jpg": [(1, "owl", OWL)]}


def test_who_rejects_takes_back_what_was_accepted(tmp_path):
    both = photographs(tmp_path, "a.jpg", "b.jpg")
    take_verified(verdicts(tmp_path, a="accepted", b="accepted"), tmp_path, both)
    checked, told = take_verified(verdicts(tmp_path, a="rejected"), tmp_path, both)
    assert list(checked.checked) == list(read_checked(tmp_path, both).checked) == ["b.jpg"]
    assert "1 is rejected" in told


def test_what_is_rejected_stays_so_until_it_is_accepted(tmp_path):
    both = photographs(tmp_path, "a.jpg", "b.jpg")
    take_verified(verdicts(tmp_path, a="rejected"), tmp_path, both)
    take_verified(verdicts(tmp_path, b="accepted"), tmp_path, photographs(tmp_path, "b.jpg"))
    assert read_checked(tmp_path, both).rejected == {"a.jpg": [OWL]}
    assert read_checked(tmp_path, photographs(tmp_path, "b.jpg")).rejected == {}
    found = [ImageResult("a.jpg", "", (40, 30), [FoundBox(box, 1, "owl", 1, 1)]) for box in (OWL, (2, 3, 30, 30))]
    marked = list(with_checked(found, read_checked(tmp_path, both)))
    assert [(each.verdict, each.refused) for each in marked] == [("rejected", True), ("outdated", True)]
    take_verified(verdicts(tmp_path, a="accepted"), tmp_path, both)
    (accepted,) = with_checked(found[:1], read_checked(tmp_path, both))
    assert (accepted.verdict, accepted.refused) == ("accepted", False)


@pytest.mark.parametrize(
    ("box", "label", "painted"),
    [
        ((2.4, 2.0, 8.0, 9.6), 1, "mask"),  # as it was found, in whole pixels or not
        ((2.0, 2.0, 5.0, 20.0), 1, "cut"),
        ((20.0, 20.0, 30.0, 28.0), 1, "box"),  # nothing of the mask is inside
        ((2.0, 2.0, 8.0, 10.0), 0, "box"),  # another class
    ],
)
def test_checked_boxes_have_masks(box, label, painted):
    inside = np.zeros((30, 40), bool)
    inside[2:10, 2:8] = np.tri(8, 6, dtype=bool)
    mask = FoundMask.of(inside)
    found = ImageResult("a.jpg", "", (40, 30), [FoundBox((2, 2, 8, 10), 1, "owl", 1, 1, 0.5, mask)])
    checked = LookedAt({"a.jpg": ImageResult("a.jpg", "", (40, 30), [FoundBox(box, label, "", 1, 1, 0.0)])})
    (result,) = with_checked([found], checked, masks=True)
    x0, y0, x1, y1 = map(int, box)
    filled = np.zeros_like(inside)
    filled[y0:y1, x0:x1] = True
    expected = {"mask": inside, "cut": inside & filled, "box": filled}[painted]
    np.testing.assert_array_equal(result.boxes[0].mask.inside(), expected)
    assert result.boxes[0][:6] == (box, label, "", 1, 1, 0.0)
    (plain,) = with_checked([found], checked)
    assert plain.boxes[0].mask is None
