"""One file of score maps per image: what is written is read again, and what is no map is refused."""

import zipfile

import numpy as np
import pytest

from wsolkit import DataError, MapError
from wsolkit.formats import ImageMaps, image_maps_file, list_image_maps, read_image_maps, write_image_maps


def some(count=2, value=0.25, size=(640, 480)):
    return ImageMaps(np.arange(count), np.full((count, 3, 4), value, np.float32), size)


@pytest.mark.parametrize("image_id", ["1", "owls/2.jpg", "a.b/c.npz", "über/ß 1"])
def test_what_is_written_is_read(tmp_path, image_id):
    maps = np.random.default_rng(0).random((2, 5, 6), np.float32)
    path = write_image_maps(tmp_path, image_id, ImageMaps(np.array([3, 1], np.int32), maps, (30, 20)))
    assert path == tmp_path / "maps" / f"{image_id}.npz"
    found = read_image_maps(tmp_path, image_id)
    assert (found.classes.tolist(), found.classes.dtype, found.size) == ([3, 1], np.int64, (30, 20))
    assert found.maps.dtype == np.float16
    np.testing.assert_array_equal(found.maps, maps.astype(np.float16))
    np.testing.assert_array_equal(found.of(1), found.maps[1])
    assert list_image_maps(tmp_path) == [image_id]


def test_maps_are_found_by_class(tmp_path):
    assert some().of(1).shape == (3, 4)
    agnostic = ImageMaps(np.array([-1]), np.ones((1, 2, 2)), (4, 4))
    assert agnostic.of(7).tolist() == [[1, 1], [1, 1]]
    with pytest.raises(DataError, match=r"There is no map of class 5 here, only of 0, 1"):
        some().of(5)
    with pytest.raises(DataError, match="only of none"):
        some(0).of(5)


def test_an_image_without_classes_has_a_file(tmp_path):
    write_image_maps(tmp_path, "a", some(0))
    assert read_image_maps(tmp_path, "a").maps.shape == (0, 3, 4)


def test_images_are_listed_in_order_without_half_written_files(tmp_path):
    for image_id in ("b/2", "a", "b/10"):
        write_image_maps(tmp_path, image_id, some())
    (tmp_path / "maps" / ".c.npz.77.part").write_text("half")
    assert list_image_maps(tmp_path) == ["a", "b/10", "b/2"]
    with pytest.raises(DataError, match="There are no maps in .*nowhere/maps. Give the folder of a stage that writes"):
        list_image_maps(tmp_path / "nowhere")


@pytest.mark.parametrize("image_id", ["", "/etc/x", "../x", "a/../../x", "a\0b"])
def test_a_name_that_leads_out_of_the_folder(tmp_path, image_id):
    for work in (lambda: image_maps_file(tmp_path, image_id), lambda: write_image_maps(tmp_path, image_id, some())):
        with pytest.raises(DataError, match="is no name for a file below a folder"):
            work()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            ImageMaps(np.arange(3), np.zeros((2, 3, 4)), (4, 4)),
            r"should be \(T, H, W\) with T classes, but got \(2, 3, 4\)",
        ),
        (ImageMaps(np.arange(1), np.zeros((3, 4)), (4, 4)), r"should be \(T, H, W\)"),
        (ImageMaps(np.zeros(2), np.zeros((2, 3, 4)), (4, 4)), "the classes should be whole numbers, but got float64"),
        (some(value=1.5), "should lie in .0, 1., but reach from 1.5 to 1.5"),
        (some(value=-0.1), "should lie in .0, 1."),
        (some(value=float("nan")), "should lie in .0, 1., but reach from nan"),
        (some(size=(0, 4)), r"the size should be \(width, height\)"),
        (some(size=(4, 4, 4)), r"the size should be \(width, height\)"),
    ],
)
def test_what_are_no_maps(tmp_path, found, said):
    with pytest.raises(MapError, match=f"The maps of image 'a'.* {said}"):
        write_image_maps(tmp_path, "a", found)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_offers_the_nearest_names(tmp_path):
    write_image_maps(tmp_path, "owls/17.jpg", some())
    with pytest.raises(DataError, match=r"no maps of image 'owls/18.jpg' in .*maps\. Did you mean 'owls/17.jpg'"):
        read_image_maps(tmp_path, "owls/18.jpg")


def test_a_damaged_file_is_named(tmp_path):
    path = write_image_maps(tmp_path, "a", some())
    whole = path.read_bytes()
    for part in (b"", b"no zip", whole[: len(whole) // 2], whole[:120] + bytes(40) + whole[160:]):
        path.write_bytes(part)
        with pytest.raises(DataError, match=r"The maps of image 'a' cannot be read from .*a.npz .* run the stage"):
            read_image_maps(tmp_path, "a")


def test_a_file_of_another_program_is_named(tmp_path):
    path = image_maps_file(tmp_path, "a")
    path.parent.mkdir()
    np.savez(path, maps=np.zeros((1, 2, 2)))
    with pytest.raises(DataError, match="a.npz lacks classes, size: no stage of a pipeline wrote it"):
        read_image_maps(tmp_path, "a")
    np.savez(path, maps=np.full((1, 2, 2), 3.0), classes=np.zeros(1, int), size=np.array([2, 2]))
    with pytest.raises(MapError, match=r"a.npz should lie in \[0, 1\], but reach from 3 to 3"):
        read_image_maps(tmp_path, "a")
    np.savez(path, maps=np.array([{"a": 1}], object), classes=np.zeros(1, int), size=np.array([2, 2]))
    with pytest.raises(DataError, match="cannot be read"):  # a pickle, which could run code
        read_image_maps(tmp_path, "a")


def test_the_same_maps_give_the_same_bytes(tmp_path):
    first, second = (write_image_maps(tmp_path / name, "a", some()) for name in "xy")
    assert first.read_bytes() == second.read_bytes()
    assert zipfile.ZipFile(first).infolist()[0].compress_type == zipfile.ZIP_DEFLATED
