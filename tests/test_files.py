"""Files are written whole or not at all, and no name leaves its folder."""

import errno
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from wsolkit.errors import DataError
from wsolkit.files import (
    half_written,
    hash_file,
    path_below,
    whole_file,
    write_json,
    write_text,
)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(TypeError, match="must be str"), whole_file(tmp_path / "a.json") as temporary:
        temporary.write_text(3)
    assert (tmp_path / "a.json").read_text() == '{\n  "old": 1\n}\n'
    assert entries(tmp_path) == ["a.json"]


def test_half_written_files_are_those_of_whole_file_alone(tmp_path):
    with whole_file(tmp_path / "a.json") as temporary:
        temporary.write_text("{}")
        assert half_written(tmp_path) == [temporary]
        (tmp_path / ".my.part").write_text("mine")
        (tmp_path / "below").mkdir()
        (tmp_path / "below" / ".b.npz.7.part").write_text("half")
        assert half_written(tmp_path) == [temporary]
        assert half_written(tmp_path, below=True) == [temporary, tmp_path / "below" / ".b.npz.7.part"]


def test_the_hash_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert hash_file(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


# fmt: off
OUTWARDS = ["", ".", "/", "/etc/passwd", "..", "../a", "a/../../b", "a/..", "..\\a", "a\\..\\b", "\\a", "C:\\a", "a\0b"]
# fmt: on


@pytest.mark.parametrize("name", OUTWARDS)
def test_names_that_lead_out_of_the_folder_are_refused(name):
    with pytest.raises(DataError, match="is no name for a file below a folder.*leads out of cues. Give the image ano"):
        path_below("cues", name, ".png")


@pytest.mark.parametrize("name", ["x" * 252, "ö" * 126, "x" * 256 + "/a", "a/" + "x" * 252])
def test_names_that_are_too_long_for_a_file_are_refused(name, tmp_path):
    with pytest.raises(DataError, match=r"'[axö/]+'... is too long for a file below .*cues: a name of 25[68] bytes is"):
        path_below(tmp_path / "cues", name, ".png")
    path = path_below(tmp_path, name[: len(name) // 2], ".png")
    path.parent.mkdir(exist_ok=True)
    path.write_text("")


@pytest.mark.parametrize("name", ["a", "a/b.jpg", "...", "a..b/c", "a b", "12:30.jpg", "caf\udce9", "a\\b"])
def test_other_names_are_kept_as_they_are(name):
    assert path_below("cues", name, ".png") == Path(f"cues/{name}.png")


@given(st.text(alphabet="./\\a:\0~", max_size=12))
def test_no_name_leaves_the_folder(name):
    folder = Path("/one/two")
    try:
        path = path_below(folder, name, ".x")
    except DataError:
        return
    assert ".." not in path.parts
    assert path.is_relative_to(folder)
    assert path != folder


def test_two_writers_of_one_file_share_no_draft(tmp_path):
    with whole_file(tmp_path / "a") as one, whole_file(tmp_path / "a") as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert (tmp_path / "a").read_text() == "one"
    assert entries(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["x" * 255, "ö" * 127])
def test_a_name_of_any_length_a_file_may_have(name, tmp_path):
    with whole_file(tmp_path / name) as temporary:
        temporary.write_text("whole")
        assert half_written(tmp_path) == [temporary]
    assert entries(tmp_path) == [name]


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.txt'"):
        write_text(tmp_path / "a.txt", "text")
    assert not list(tmp_path.iterdir())
