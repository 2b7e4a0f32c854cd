"""Box tables are read as they were written, and tables of others by their heading."""

import pytest
from hypothesis import given, strategies as st

from tests.support.found import results
from wsolkit.errors import DataError
from wsolkit.formats.csv_boxes import read_csv_boxes
from wsolkit.formats.writers import write_results

CLASSES = ("cat, dog", "café", 'owl "barn"')


@given(found=st.lists(results(CLASSES), max_size=3))
def test_boxes_are_read_as_they_were_written(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("csv")
    write_results(found, folder, CLASSES, ["csv"])
    read = [(each.image, each.box, each.class_name) for each in read_csv_boxes(folder / "boxes.csv")]
    assert read == [(result.image_id, box.box, box.class_name) for result in found for box in result.boxes]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a.jpg,1,2,3,4\n\nb.jpg,1,2,3,4.5,owl\n", [("a.jpg", None, 4.0, 1), ("b.jpg", "owl", 4.5, 3)]),
        (
            "image,x0,y0,x1,y1,class\na.jpg,1,2,3,4\nb.jpg,1,2,3,5,\n",
            [("a.jpg", None, 4.0, 2), ("b.jpg", None, 5.0, 3)],
        ),
        ("class,y1,x1,y0,x0,path\nowl,4,3,2,1,a.jpg\n", [("a.jpg", "owl", 4.0, 2)]),
    ],
)
def test_columns(tmp_path, text, read):
    (tmp_path / "boxes.csv").write_text(text)
    found = list(read_csv_boxes(tmp_path / "boxes.csv"))
    assert [(each.image, each.class_name, each.box[3], each.line) for each in found] == read
    assert {each.box[:3] for each in found} == {(1.0, 2.0, 3.0)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.jpg,1,2,3", r"line 1: expected 'path,x0,y0,x1,y1\[,class\]', but got 'a.jpg,1,2,3'"),
        ("a.jpg,1,2,3,4,owl,0.5", "line 1: expected 'path,x0,y0,x1,y1"),
        ("a.jpg,1,2,3,inf", r"line 1: the box x0, y0, x1, y1 = \[1.0, 2.0, 3.0, inf\] is in no image"),
        ("path,class,x0,y0,x1,y1\na.jpg,1,2,3,4", "line 2: expected 'path,class,x0,y0,x1,y1', but got 'a.jpg,1,2,3,4'"),
    ],
)
def test_damaged_lines(tmp_path, text, words):
    (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        list(read_csv_boxes(tmp_path / "boxes.csv"))


def test_no_table(tmp_path):
    with pytest.raises(DataError, match="Boxes .*none.csv cannot be opened: No such file"):
        list(read_csv_boxes(tmp_path / "none.csv"))
