"""Which images are found, what they are called, and what is said when there are none."""

from pathlib import Path

import pytest

from wsolkit.datasets.image_files import find_images
from wsolkit.datasets.image_walk import IMAGE_SUFFIXES
from wsolkit.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("b/2.JPG", "b/1.png", "a.jpeg", "c/deep/3.webp", "notes.md", "._a.jpg", ".trash/4.jpg"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "in"


def names(*sources, **options):
    return [image.image_id for image in find_images(sources, **options)]


def test_a_folder_stands_for_its_images(folder):
    assert names(folder) == ["a.jpeg", "b/1.png", "b/2.JPG", "c/deep/3.webp"]
    assert names("in", leave_out="in/b") == ["a.jpeg", "c/deep/3.webp"]
    assert all(Path(image.path).is_absolute() for image in find_images(["in"]))


def test_links_in_circles_end(folder):
    (folder / "b" / "again").symlink_to(folder)
    assert len(names(folder)) == 4


def test_a_list_is_relative_to_its_folder_or_to_the_working_folder(folder):
    (folder / "list.txt").write_text(f"b/1.png\n\nin/a.jpeg\n{folder}/c/deep/3.webp\n./b/2.JPG\nmissing.jpg\n")
    found = find_images([folder / "list.txt"])
    assert [image.image_id for image in found] == ["b/1.png", "in/a.jpeg", "c/deep/3.webp", "b/2.JPG", "missing.jpg"]
    assert [Path(image.path).exists() for image in found] == [True] * 4 + [False]


def test_patterns_and_files(folder):
    assert names("in/b/*") == ["1.png", "2.JPG"]
    assert names("in/**/*.webp") == ["c/deep/3.webp"]
    assert names("in/a.jpeg", "in/b/1.png") == ["a.jpeg", "1.png"]


def test_an_image_counts_once(folder):
    assert names("in/a.jpeg", "in/b/../a.jpeg", folder) == ["a.jpeg", "b/1.png", "b/2.JPG", "c/deep/3.webp"]


def test_images_of_one_name_are_told_apart(folder):
    (folder / "c" / "1.png").write_bytes(b"")
    assert names("in/b", "in/c") == ["b/1.png", "b/2.JPG", "c/1.png", "c/deep/3.webp"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("empty", r"Folder empty holds no image. Looked for \.jpg"),
        ("imn", "no file or folder imn. Did you mean 'in'"),
        ("no/where.jpg", "nor a folder no"),
        ("in/*.bmp", "No image matches 'in/"),
        ("empty.txt", "List empty.txt is empty"),
        ("binary.txt", "List binary.txt is no UTF-16 text: truncated data. Save it as UTF-8"),
    ],
)
def test_nothing_found_is_explained(folder, source, words):
    (folder.parent / "empty").mkdir()
    (folder.parent / "empty.txt").write_text("\n")
    (folder.parent / "binary.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(DataError, match=words):
        find_images([source])


def test_a_folder_is_read_by_the_same_suffixes_as_in_training(tmp_path):
    for number, suffix in enumerate(sorted(IMAGE_SUFFIXES)):
        (tmp_path / f"{number}{suffix.upper()}").touch()
    assert len(find_images([tmp_path])) == len(IMAGE_SUFFIXES)


def test_a_folder_given_twice_counts_once(folder):
    (folder.parent / "link").symlink_to(folder)
    assert names(folder, folder, f"{folder}/", "in/b", "link", "link/b/1.png") == names(folder)


def test_links_to_folders_around_are_not_followed(folder):
    (folder.parent / "beside.png").write_bytes(b"")
    (folder / "b" / "up").symlink_to(folder.parent)
    left_out = []
    assert len(names(folder, left_out=left_out)) == 4
    assert [each.why for each in left_out] == ["links to a folder that is read already"]


def test_links_that_lead_nowhere_are_images_that_cannot_be_read(folder):
    (folder / "self.jpg").symlink_to("self.jpg")
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "nowhere").symlink_to("nowhere")
    assert [name for name in names(folder) if "/" not in name] == ["a.jpeg", "gone.jpg", "self.jpg"]


def test_what_is_left_out_is_counted(folder):
    (folder / "b" / "1.HEIC").write_bytes(b"")
    (folder / "@eaDir").mkdir()
    (folder / "@eaDir" / "thumb.jpg").write_bytes(b"")
    left_out = []
    assert len(names(folder, left_out=left_out)) == 4
    words = [each.why for each in left_out]
    assert words[0] == "a system's folder"
    assert words[1].startswith(".heic is not read; convert it to JPEG")
    (folder / "only").mkdir()
    (folder / "only" / "1.heic").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"holds no image.* It has 1 pictures of other kinds, such as .*1\.heic: \.heic"
    ):
        names(folder / "only")
