"""Score maps that wsolkit writes: what is written is read again, also by numpy alone; what is no map is refused."""

import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from wsolkit import DataError, MapError
from wsolkit.evaluation.top_k_localization import CLASS_AGNOSTIC as OF_PROTOCOLS
from wsolkit.formats import (
    CLASS_AGNOSTIC,
    ImageMaps,
    image_maps_file,
    open_score_maps,
    write_image_maps,
    write_score_maps,
)


def some(count=2, value=0.25, size=(640, 480)):
    return ImageMaps({k: np.full((3, 4), value, np.float32) for k in range(count)}, size)


@pytest.mark.parametrize("image_id", ["1", "owls/2.jpg", "a.b/c.npz", "a.npy", "file", "über/ß 1", "maps", "maps/1"])
def test_what_is_written_is_read(tmp_path, image_id):
    maps = np.random.default_rng(0).random((2, 5, 6), np.float32)
    path = write_image_maps(tmp_path, image_id, ImageMaps({3: maps[0], 1: maps[1]}, (30, 20)))
    assert path == tmp_path / "maps" / f"{image_id}.npz"
    opened = open_score_maps(tmp_path)
    assert opened.names() == [image_id]
    found = opened.image(image_id)
    assert (sorted(found.maps), found.size) == ([1, 3], (30, 20))
    np.testing.assert_array_equal(found.of(3), maps[0].astype(np.float16))
    np.testing.assert_array_equal(found.of(1), maps[1].astype(np.float16))
    alone = open_score_maps(path).image(image_id)
    np.testing.assert_array_equal(alone.of(3), found.of(3))


def test_numpy_alone_reads_the_files(tmp_path):
    write_score_maps(tmp_path / "m.npz", {"a.jpg": some(1), "b": ImageMaps({CLASS_AGNOSTIC: np.ones((1, 2))})})
    with np.load(tmp_path / "m.npz") as arrays:
        assert sorted(arrays.files) == ["a.jpg/0", "a.jpg/width,height", "b/-1"]
        assert arrays["a.jpg/0"].dtype == np.float16
        assert arrays["a.jpg/0"].shape == (3, 4)
        assert arrays["a.jpg/width,height"].tolist() == [640, 480]
        assert arrays["b/-1"].tolist() == [[1, 1]]


def test_many_images_in_a_file_and_one_in_each_are_read_alike(tmp_path):
    images = {"x/1": some(2), "x/2": some(0), "y": ImageMaps({CLASS_AGNOSTIC: np.full((2, 2), 0.5)})}
    write_score_maps(tmp_path / "many" / "maps" / "maps-1.npz", dict(list(images.items())[:2]))
    write_score_maps(tmp_path / "many" / "maps" / "maps-2.npz", dict(list(images.items())[2:]))
    for image_id, found in images.items():
        write_image_maps(tmp_path / "each", image_id, found)
    for folder in ("many", "each"):
        opened = open_score_maps(tmp_path / folder)
        assert sorted(opened.names()) == ["x/1", "x/2", "y"]
        match = opened.match(["x/1", "x/2", "y", "z"])
        assert (match.missing, match.unknown) == (["z"], [])
        for image_id, wanted in images.items():
            found = opened.image(image_id)
            assert {k: each.tolist() for k, each in found.maps.items()} == {
                k: each.tolist() for k, each in wanted.maps.items()
            }
            assert found.size == wanted.size


def test_an_image_named_as_the_class_of_another(tmp_path):
    images = {"a": some(2, 0.25), "a/1": some(1, 0.5), "a/1/0": some(1, 0.75)}
    write_score_maps(tmp_path / "m.npz", images)
    maps = open_score_maps(tmp_path / "m.npz")
    assert [float(maps.image(name).of(0)[0, 0]) for name in ("a", "a/1", "a/1/0")] == [0.25, 0.5, 0.75]
    assert maps.match(list(images)).unknown == []
    assert maps.lacking("a/1", [0, 1]) == [1]


def test_maps_are_found_by_class():
    assert some().of(1).shape == (3, 4)
    agnostic = ImageMaps({CLASS_AGNOSTIC: np.ones((2, 2))}, (4, 4))
    assert agnostic.of(7).tolist() == [[1, 1], [1, 1]]
    assert CLASS_AGNOSTIC == OF_PROTOCOLS
    with pytest.raises(DataError, match=r"There is no map of class 5 here, only of 0, 1"):
        some().of(5)
    with pytest.raises(DataError, match="only of none"):
        some(0).of(5)


def test_a_class_agnostic_map_answers_for_every_class(tmp_path):
    write_image_maps(tmp_path, "a", ImageMaps({CLASS_AGNOSTIC: np.full((1, 2), 0.5)}, (8, 4)))
    maps = open_score_maps(tmp_path, num_classes=9)
    half = [[0.5, 0.5]]
    assert {k: each.tolist() for k, each in maps.maps_of("a", [3, 7], more=[1]).items()} == {1: half, 3: half, 7: half}
    assert list(maps.maps_of("a", [3], more=None)) == [3]
    assert maps.lacking("a", [0, 8]) == []
    assert maps.classes() == []
    assert maps.maps_of("a", []) == {}
    with pytest.raises(DataError, match=r"is one map, and nothing says of which of the 9 classes.*--metadata"):
        maps.maps_of("a", None)
    assert list(open_score_maps(tmp_path).maps_of("a", None)) == [0]


def test_an_image_without_maps_is_known(tmp_path):
    write_image_maps(tmp_path, "a", some(0))
    maps = open_score_maps(tmp_path)
    assert (maps.image("a").maps, maps.image("a").size, maps.has("a")) == ({}, (640, 480), True)
    assert maps.lacking("a", [1]) == [1]
    assert maps.maps_of("a", []) == {}
    assert maps.match(["b"]).unknown == ["a"]
    with pytest.raises(DataError, match=r"Image 'a' has maps of the classes \[\] .* but none of class 1, which it"):
        maps.maps_of("a", [1])


def test_a_chunk_without_images_does_not_spoil_the_others(tmp_path):
    write_score_maps(tmp_path / "maps" / "maps-1.npz", {})
    with pytest.raises(DataError, match="holds no array. Write the maps again"):
        open_score_maps(tmp_path)
    write_score_maps(tmp_path / "maps" / "maps-2.npz", {"a": some()})
    assert open_score_maps(tmp_path).names() == ["a"]


def test_images_are_listed_in_order_without_half_written_files(tmp_path):
    for image_id in ("b/2", "a", "b/10"):
        write_image_maps(tmp_path, image_id, some())
    (tmp_path / "maps" / ".c.npz.77.part").write_text("half")
    (tmp_path / "maps" / ".d.npz").write_text("half")
    assert open_score_maps(tmp_path).names() == ["a", "b/10", "b/2"]


@pytest.mark.parametrize("image_id", ["", "/etc/x", "../x", "a/../../x", "a\0b"])
def test_a_name_that_leads_out_of_the_folder(tmp_path, image_id):
    for work in (lambda: image_maps_file(tmp_path, image_id), lambda: write_image_maps(tmp_path, image_id, some())):
        with pytest.raises(DataError, match="is no name for a file below a folder"):
            work()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (ImageMaps({0: np.zeros((2, 3, 4))}), r"class 0, should be floats \(H, W\), but got float64 \(2, 3, 4\)"),
        (ImageMaps({0: np.zeros((0, 4))}), r"class 0, should be floats \(H, W\)"),
        (ImageMaps({0: np.zeros((3, 4), np.int64)}), r"should be floats \(H, W\), but got int64"),
        (ImageMaps({0.5: np.zeros((3, 4))}), "should be of a class from 0, or of class -1 for no class"),
        (ImageMaps({-2: np.zeros((3, 4))}), "should be of a class from 0"),
        (some(value=1.5), "should lie in .0, 1., but reaches from 1.5 to 1.5"),
        (some(value=-0.1), "should lie in .0, 1."),
        (some(value=float("nan")), "should lie in .0, 1., but reaches from nan"),
        (some(size=(0, 4)), r"should be \(width, height\), but got \(0, 4\)"),
        (some(size=(4, 4, 4)), r"should be \(width, height\)"),
    ],
)
def test_what_are_no_maps(tmp_path, found, said):
    with pytest.raises(MapError, match=f"of image 'a'.* {said}"):
        write_image_maps(tmp_path, "a", found)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_offers_the_nearest_names(tmp_path):
    write_image_maps(tmp_path, "owls/17.jpg", some())
    with pytest.raises(DataError, match=r"Image 'owls/18.jpg' has no map in .*\. Did you mean 'owls/17.jpg'"):
        open_score_maps(tmp_path).image("owls/18.jpg")


def test_a_damaged_file_is_named(tmp_path):
    path = write_image_maps(tmp_path, "a", some())
    whole = path.read_bytes()
    for part in (b"", b"no zip", whole[: len(whole) // 2], whole[:60] + bytes(40) + whole[100:]):
        path.write_bytes(part)
        with pytest.raises(DataError, match=r"a.npz cannot be read.*Write it again"):
            open_score_maps(tmp_path).image("a")


@pytest.mark.parametrize("size", [np.array([640.5, 480]), np.array([640]), np.array([0, 4]), np.array(3)])
def test_a_size_that_is_none(tmp_path, size):
    np.savez(tmp_path / "a.npz", **{"a/0": np.zeros((2, 2)), "a/width,height": size})
    with pytest.raises(DataError, match=r"size of image 'a' in .*a.npz should be \(width, height\).* Write it again"):
        open_score_maps(tmp_path).image("a")


def test_the_same_maps_give_the_same_bytes(tmp_path):
    first, second = (write_image_maps(tmp_path / name, "a", some()) for name in "xy")
    assert first.read_bytes() == second.read_bytes()
    assert zipfile.ZipFile(first).infolist()[0].compress_type == zipfile.ZIP_DEFLATED


def test_names_that_are_no_utf8(tmp_path):
    image_id = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    write_image_maps(tmp_path, image_id, some())
    maps = open_score_maps(tmp_path)
    assert maps.match([image_id]).unknown == []
    assert list(maps.image(image_id).maps) == [0, 1]


def test_several_threads_read_at_a_time(tmp_path):
    for number in range(30):
        write_image_maps(tmp_path, str(number), some(2, number / 32))
    maps = open_score_maps(tmp_path)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: float(maps.image(str(number % 30)).of(1)[0, 0]), range(300)))
    assert found == [number % 30 / 32 for number in range(300)]


def test_reading_and_writing_need_no_torch(tmp_path):
    code = f"""
import sys
import numpy as np
from wsolkit.formats import ImageMaps, open_score_maps, write_image_maps
from wsolkit.formats.map_size import fit_map
write_image_maps({str(tmp_path)!r}, "a", ImageMaps({{0: np.array([[0.0, 0.5]])}}))
np.save({str(tmp_path / "maps" / "b.npy")!r}, np.array([[0.0, 0.5]]))
maps = open_score_maps({str(tmp_path)!r}, normalize="minmax")
assert maps.maps_of("a", [0])[0].tolist() == maps.maps_of("b", [0])[0].tolist() == [[0, 1]]
assert fit_map(maps.read("b", [0])[0], (1, 4), normalize="minmax").tolist() == [[0, 0.25, 0.75, 1]]
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
