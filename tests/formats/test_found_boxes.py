"""Lines of part files: what is written is read, and anything else is refused in words."""

import json

import numpy as np
import pytest

from wsolkit.formats.found_boxes import FoundBox, ImageResult, from_line, to_line
from wsolkit.formats.found_masks import FoundMask

RESULT = ImageResult("a.jpg", "/in/a.jpg", (8, 6), [FoundBox((1.0, 2.0, 3.0, 4.5), 1, "cat", 0.5, 0.25)], [(1, 0.5)])
BOX = [1.0, 2.0, 3.0, 4.5, 1, 0.5, 0.25]
WRONG = [
    {"id": 3}, {"path": None}, {"size": [8, "6"]}, {"size": [0, 6]}, {"size": 8}, {"size": [True, 6]}, {"boxes": None},
    {"boxes": [BOX[:6]]}, {"boxes": [["1", *BOX[1:]]]}, {"boxes": [[float("nan"), *BOX[1:]]]}, {"boxes": [7]},
    {"boxes": [[*BOX[:4], -1, 0.5, 0.25]]}, {"boxes": [[*BOX[:4], 2, 0.5, 0.25]]}, {"boxes": [[*BOX[:5], None, 0.25]]},
    {"boxes": [[*BOX[:4], "1", 0.5, 0.25]]}, {"boxes": [[*BOX, 1.5]]}, {"boxes": [[*BOX, "0.5"]]},
    {"boxes": [[*BOX, float("nan")]]}, {"boxes": [[*BOX, 0.5, "3"]]}, {"boxes": [[*BOX, 0.5, 48]]},
    {"boxes": [[*BOX, None, "`1", 1]]}, {"boxes": [[*BOX, None, "\u00e9"]]},
    {"top": [[1]]}, {"top": [["1", 0.5]]}, {"top": {"1": 0.5}}, {"error": 5},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG)
def test_a_line_of_another_shape_is_refused(change):
    line = json.dumps(json.loads(to_line(RESULT)) | change)
    with pytest.raises(ValueError, match=r"This is no line of a part file: '\{\"id\""):
        from_line(line, ("dog", "cat"))


@pytest.mark.parametrize("line", ["[]", "7", "null", "[" * 100_000, '"text"'])
def test_a_line_that_is_no_object_is_refused(line):
    with pytest.raises(ValueError, match="This is no line of a part file"):
        from_line(line, ("dog", "cat"))


def test_whole_numbers_are_numbers():
    line = to_line(RESULT).replace("1.0,2.0", "1,2")
    assert from_line(line, ("dog", "cat")) == RESULT


@pytest.mark.parametrize("doubt", [None, 0.0, 0.75, 1.0])
@pytest.mark.parametrize("masked", [False, True])
def test_doubt_and_mask_come_back(doubt, masked):
    inside = np.zeros((6, 8), bool)
    inside[1:4, 2:7] = True
    found = RESULT.boxes[0]._replace(doubt=doubt, mask=FoundMask.of(inside) if masked else None)
    result = ImageResult("a.jpg", "", (8, 6), [found, RESULT.boxes[0]])
    back = from_line(to_line(result), ("dog", "cat"))
    assert back == result
    assert not masked or (back.boxes[0].mask.inside() == inside).all()


def test_lines_without_doubt_and_mask_are_those_of_earlier_versions():
    assert json.loads(to_line(RESULT))["boxes"] == [BOX]


def test_a_mask_larger_than_any_image_is_refused():
    line = json.dumps(json.loads(to_line(RESULT)) | {"size": [10**6, 10**6], "boxes": [[*BOX, None, "0"]]})
    with pytest.raises(ValueError, match="A mask of 1000000 x 1000000 pixels is too large"):
        from_line(line, ("dog", "cat"))
