"""Lines of part files: what is written is read, and anything else is refused in words."""

import json

import pytest

from wsolkit.formats.found_boxes import FoundBox, ImageResult, from_line, to_line

RESULT = ImageResult("a.jpg", "/in/a.jpg", (8, 6), [FoundBox((1.0, 2.0, 3.0, 4.5), 1, "cat", 0.5, 0.25)], [(1, 0.5)])
BOX = [1.0, 2.0, 3.0, 4.5, 1, 0.5, 0.25]
WRONG = [
    {"id": 3}, {"path": None}, {"size": [8, "6"]}, {"size": [0, 6]}, {"size": 8}, {"size": [True, 6]}, {"boxes": None},
    {"boxes": [BOX[:6]]}, {"boxes": [["1", *BOX[1:]]]}, {"boxes": [[float("nan"), *BOX[1:]]]}, {"boxes": [7]},
    {"boxes": [[*BOX[:4], -1, 0.5, 0.25]]}, {"boxes": [[*BOX[:4], 2, 0.5, 0.25]]}, {"boxes": [[*BOX[:5], None, 0.25]]},
    {"boxes": [[*BOX[:4], "1", 0.5, 0.25]]}, {"top": [[1]]}, {"top": [["1", 0.5]]}, {"top": {"1": 0.5}}, {"error": 5},
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
