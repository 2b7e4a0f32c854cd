import numpy as np
import pytest

from wsolkit.errors import DataError
from wsolkit.formats.logits import read_logits

SCORES = {"a.jpg": [0.5, -1.0], "b, c.jpg": [3.0, 2.0]}


@pytest.fixture(params=["npz", "csv", "headed csv"])
def path(request, tmp_path):
    if request.param == "npz":
        np.savez(tmp_path / "logits.npz", **{name: np.array(row) for name, row in SCORES.items()})
        return tmp_path / "logits.npz"
    heading = "id,score0,score1\n" if request.param == "headed csv" else ""
    (tmp_path / "logits.csv").write_text(heading + 'a.jpg,0.5,-1\n"b, c.jpg",3,2\n')
    return tmp_path / "logits.csv"


def test_scores_by_image(path):
    assert {name: row.tolist() for name, row in read_logits(path, list(SCORES), 2).items()} == SCORES
    assert list(read_logits(path, ["a.jpg"], 2)) == ["a.jpg"]
    with pytest.raises(DataError, match=r"lacks the scores of 1 of 2 images: 'd.jpg'"):
        read_logits(path, ["a.jpg", "d.jpg"], 2)
    with pytest.raises(DataError, match=r"the scores of 'a.jpg' should be 3 finite numbers"):
        read_logits(path, ["a.jpg"], 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.jpg,1,x\n", "line 1: could not convert string to float: 'x'. Write id,score0"),
        ("a.jpg,1,2\na.jpg,1,3\n", r"line 2: image 'a.jpg' is there twice, as \(1.0, 2.0\) and as \(1.0, 3.0\)"),
        ("a.jpg,1,nan\n", "should be 2 finite numbers"),
    ],
)
def test_broken_tables(tmp_path, text, words):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        read_logits(tmp_path / "l.csv", ["a.jpg"], 2)


def test_other_files(tmp_path):
    with pytest.raises(DataError, match=r"should be a .npz or .csv file, but got .*l.txt"):
        read_logits(tmp_path / "l.txt", [], 2)
    with pytest.raises(DataError, match=r"l.csv cannot be opened: No such file"):
        read_logits(tmp_path / "l.csv", [], 2)
