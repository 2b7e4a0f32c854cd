"""Maps in every kind of file come out the same, and files that hold something else are refused in words."""

import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from wsolkit.datasets.image_files import ImageFile
from wsolkit.errors import ConfigError, DataError, MapError
from wsolkit.formats.arrays import open_arrays
from wsolkit.formats.found_boxes import ImageResult
from wsolkit.formats.score_maps import ImageMaps, open_score_maps, write_image_maps
from wsolkit.inference.run_folder import RunFolder, cut

ONE = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
TWO = np.array([[1.0, 0.0, 0.125]], np.float32)


def as_npy(folder):
    for name, scores in {"cat/a.jpg": ONE, "dog/b.jpg": TWO}.items():
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, scores)
    return folder


def as_npy_without_ending(folder):
    for name, scores in {"cat/a": ONE, "dog/b": TWO}.items():
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, scores)
    return folder


def as_npz(folder):
    folder.mkdir()
    np.savez_compressed(folder / "all.npz", **{"cat/a.jpg": ONE, "dog/b.jpg": TWO})
    return folder / "all.npz"


def as_safetensors(folder):
    folder.mkdir()
    save_file({"cat/a.jpg/0": ONE, "dog/b.jpg/1": TWO}, folder / "all.safetensors")
    return folder / "all.safetensors"


def as_shards(folder):
    folder.mkdir()
    np.savez(folder / "0.npz", **{"cat/a.jpg": ONE})
    save_file({"dog/b.jpg/1": TWO}, folder / "1.safetensors")
    return folder


def as_prediction(folder):
    images = [ImageFile("cat/a.jpg", ""), ImageFile("dog/b.jpg", "")]
    run, chunks = RunFolder(folder), cut(images)
    results = [ImageResult("cat/a.jpg", "", (2, 2), maps={0: ONE}), ImageResult("dog/b.jpg", "", (3, 1), maps={1: TWO})]
    run.prepare({})
    run.write(chunks[0], results, with_maps=True)
    return folder


@pytest.mark.parametrize(
    "write", [as_npy, as_npy_without_ending, as_npz, as_safetensors, as_shards, as_prediction], ids=lambda f: f.__name__
)
def test_every_kind_of_file(write, tmp_path):
    maps = open_score_maps(write(tmp_path / "maps"), num_classes=2)
    first, second = maps.maps_of("cat/a.jpg", [0]), maps.maps_of("dog/b.jpg", [1])
    assert list(first) == [0]
    assert list(second) == [1]
    assert np.array_equal(first[0], ONE)
    assert np.array_equal(second[1], TWO)
    match = maps.match(["cat/a.jpg", "dog/b.jpg", "dog/c.jpg"])
    assert (match.missing, match.unknown) == (["dog/c.jpg"], [])
    assert [name.removesuffix(".jpg") for name in maps.names()] == ["cat/a", "dog/b"]
    assert maps.has("cat/a.jpg")
    assert not maps.has("dog/c.jpg")


def test_maps_of_no_image_are_named(tmp_path):
    match = open_score_maps(as_prediction(tmp_path / "found")).match(["cat/a.jpg"])
    assert match.unknown == ["dog/b.jpg"]


def test_two_images_may_not_share_a_map(tmp_path):
    maps = open_score_maps(as_npy_without_ending(tmp_path / "maps"))
    with pytest.raises(DataError, match=r"Images 'cat/a.jpg' and 'cat/a.png' share the map 'cat/a'.*with the ending"):
        maps.match(["cat/a.jpg", "cat/a.png"])


def test_a_number_at_the_end_of_an_image_id_is_no_class(tmp_path):
    np.savez(tmp_path / "v2.npz", **{"0/7.jpeg": ONE, "1/7": TWO})
    maps = open_score_maps(tmp_path / "v2.npz")
    assert np.array_equal(maps.maps_of("0/7.jpeg", [3])[3], ONE)
    assert np.array_equal(maps.maps_of("1/7.jpeg", [3])[3], TWO)  # rather than class 7 of image 1
    assert maps.match(["0/7.jpeg", "1/7.jpeg"]).unknown == []


def test_a_stack_has_one_map_per_class(tmp_path):
    stack = np.stack([ONE, ONE / 2, np.zeros_like(ONE)])
    np.save(tmp_path / "a.npy", stack)
    maps = open_score_maps(tmp_path, num_classes=3)
    assert np.array_equal(maps.maps_of("a", [1])[1], ONE / 2)
    assert list(maps.maps_of("a", [1], more=[2, 9])) == [1, 2]
    assert list(maps.maps_of("a", [], more=None)) == [0, 1, 2]
    assert list(maps.maps_of("a", None)) == [0, 1]  # a map of zeros says that nobody asked for the class
    with pytest.raises(MapError, match=r"shape \(3, 2, 2\), but there are 4 classes"):
        open_score_maps(tmp_path, num_classes=4).maps_of("a", [1])
    with pytest.raises(MapError, match="has 3 maps, but the image shows class 3"):
        open_score_maps(tmp_path).maps_of("a", [3])


def test_one_map_needs_one_class(tmp_path):
    np.save(tmp_path / "a.npy", ONE[None])
    maps = open_score_maps(tmp_path, num_classes=3)
    assert np.array_equal(maps.maps_of("a", [2])[2], ONE)
    assert maps.maps_of("a", []) == {}
    with pytest.raises(DataError, match=r"is one map, but the image has 2 classes.*<image id>/<class index>"):
        maps.maps_of("a", [0, 2])
    with pytest.raises(DataError, match=r"nothing says of which of the 3 classes.*--metadata"):
        maps.maps_of("a", None)
    assert list(open_score_maps(tmp_path).maps_of("a", None)) == [0]


def test_classes_in_names(tmp_path):
    np.savez(tmp_path / "m.npz", **{"a.jpg/0": ONE, "a.jpg/4": ONE / 2})
    maps = open_score_maps(tmp_path / "m.npz", num_classes=5)
    assert maps.classes() == [0, 4]
    assert list(maps.maps_of("a.jpg", [4])) == [4]
    assert list(maps.maps_of("a.jpg", [4], more=[0, 1])) == [0, 4]
    assert maps.lacking("a.jpg", [0, 3, 4]) == [3]
    assert maps.lacking("b.jpg", [1]) == [1]
    with pytest.raises(DataError, match=r"maps of the classes \[0, 4\].*none of class 3.*--classes folder"):
        maps.maps_of("a.jpg", [3])
    with pytest.raises(DataError, match=r"a map of class 4.*there are 3 classes"):
        open_score_maps(tmp_path / "m.npz", num_classes=3).maps_of("a.jpg", [0])


@pytest.mark.parametrize(
    ("scores", "error", "words"),
    [
        (np.array([[0.5, np.nan]]), MapError, "holds NaN or infinity.*write it again"),
        (np.array([[0.5, np.inf]]), MapError, "holds NaN or infinity"),
        (np.array([[-0.5, 2.5]]), MapError, "goes from -0.5 to 2.5.*--normalize minmax"),
        (np.array([[1, 200]], np.int64), MapError, "holds int64, whose range nobody can know.*uint8"),
        (np.array([[1j]]), MapError, "holds complex128"),
        (np.zeros(4), MapError, r"has shape \(4,\).*\(K, H, W\)"),
        (np.zeros((2, 2, 3, 3)), MapError, r"has shape \(2, 2, 3, 3\)"),
        (np.zeros((0, 3)), DataError, "bird.jpg"),
        (
            np.array([[{}]], dtype=object),
            DataError,
            "holds Python objects, .*never loaded. Convert the file",
        ),
    ],
)
def test_what_is_no_score_map(tmp_path, scores, error, words):
    np.save(tmp_path / "bird.jpg.npy", scores, allow_pickle=True)
    np.savez(tmp_path / "bird.npz", **{"bird.jpg": scores})
    (tmp_path / "folder").mkdir()
    (tmp_path / "bird.jpg.npy").rename(tmp_path / "folder" / "bird.jpg.npy")
    for path in (tmp_path / "folder", tmp_path / "bird.npz"):
        with pytest.raises((error, MapError), match=words) as raised:
            open_score_maps(path).maps_of("bird.jpg", [0])
        assert "bird.jpg" in str(raised.value)
        assert raised.value.about == ("bird.jpg",)
        assert str(path) in str(raised.value)


def test_minmax_takes_any_range_but_no_nan(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[-2.0, 0.0], [1.0, 2.0]]))
    np.save(tmp_path / "b.npy", np.full((2, 2), 7.0))
    np.save(tmp_path / "c.npy", np.array([[0.0, np.nan]]))
    maps = open_score_maps(tmp_path, normalize="minmax")
    assert maps.maps_of("a", [0])[0].tolist() == [[0.0, 0.5], [0.75, 1.0]]
    assert not maps.maps_of("b", [0])[0].any()
    with pytest.raises(MapError, match="image 'c'.*NaN"):
        maps.maps_of("c", [0])
    with pytest.raises(ConfigError, match="normalize should be one of"):
        open_score_maps(tmp_path, normalize="max")


def test_types_of_numbers(tmp_path):
    np.savez(tmp_path / "m.npz", byte=np.array([[0, 51, 255]], np.uint8), half=ONE.astype(np.float16), double=ONE / 3)
    maps = open_score_maps(tmp_path / "m.npz")
    assert np.allclose(maps.maps_of("byte", [0])[0], [[0, 0.2, 1]], atol=1e-7)
    assert maps.maps_of("half", [0])[0].dtype == np.float32
    np.save(tmp_path / "double.npy", ONE.astype(np.float64) / 3)
    (tmp_path / "m.npz").unlink()
    assert open_score_maps(tmp_path).maps_of("double", [0])[0].dtype == np.float64  # nothing is rounded


def test_rounding_errors_are_no_mistake(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[-1e-7, 1 + 1e-6]]))
    assert open_score_maps(tmp_path).maps_of("a", [0])[0].tolist() == [[0, 1]]


def test_missing_maps_are_named(tmp_path):
    maps = open_score_maps(as_npz(tmp_path / "maps"))
    with pytest.raises(DataError, match=r"Image 'cat/b.jpg' has no map in .*all.npz. Did you mean .*'cat/a.jpg'"):
        maps.maps_of("cat/b.jpg", [0])


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_truncated_files(tmp_path):
    noise = np.random.default_rng(0).random((64, 64))
    (tmp_path / "npy").mkdir()
    np.save(tmp_path / "npy" / "a.npy", noise)
    np.savez(tmp_path / "a.npz", a=noise)
    save_file({"a": noise}, tmp_path / "a.safetensors")
    for path in (tmp_path / "npy" / "a.npy", tmp_path / "a.npz", tmp_path / "a.safetensors"):
        truncate(path)
    with pytest.raises(DataError, match=r"'a' in .*a.npy cannot be read: .* Write it again"):
        open_score_maps(tmp_path / "npy").maps_of("a", [0])
    with pytest.raises(DataError, match=r"a.npz cannot be read as a .npz file"):
        open_score_maps(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"a.safetensors cannot be read as a .safetensors file"):
        open_score_maps(tmp_path / "a.safetensors")


def test_a_damaged_array_in_a_whole_archive(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, a=np.random.default_rng(0).random((64, 64)), b=ONE)
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    path.write_bytes(content)
    maps = open_score_maps(path)
    assert np.array_equal(maps.maps_of("b", [0])[0], ONE)
    with pytest.raises(DataError, match=r"Array 'a' in .*m.npz cannot be read: Bad CRC"):
        maps.maps_of("a", [0])


def test_something_else_in_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("a", "hello")
    with pytest.raises(DataError, match="'a' in .* cannot be read"):
        open_score_maps(tmp_path / "m.npz").maps_of("a", [0])


def test_places_without_maps(tmp_path):
    with pytest.raises(DataError, match="There is no file or folder .*nowhere"):
        open_score_maps(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no .npy, .npz or .safetensors file. Save each map as"):
        open_score_maps(tmp_path)
    (tmp_path / "both").mkdir()
    np.save(tmp_path / "both" / "a.npy", ONE)
    np.savez(tmp_path / "both" / "logits.npz", a=ONE)
    with pytest.raises(DataError, match=r"'a' is in both .*a.npy and .*logits.npz. Remove .*keep maps apart"):
        open_score_maps(tmp_path / "both")
    (tmp_path / "maps.txt").write_text("x")
    with pytest.raises(DataError, match=r"maps.txt is no .npz or .safetensors file"):
        open_score_maps(tmp_path / "maps.txt")
    (tmp_path / "shards").mkdir()
    for number in (1, 2):
        np.savez(tmp_path / "shards" / f"{number}.npz", a=ONE)
    with pytest.raises(DataError, match=r"'a' is in both .*1.npz and .*2.npz"):
        open_score_maps(tmp_path / "shards")


def test_many_shards_do_not_keep_their_files_open(tmp_path):
    for number in range(40):
        np.savez(tmp_path / f"{number:02d}.npz", **{str(number): np.full((1, 1), number / 100)})
    arrays = open_arrays(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(2):
        assert [float(arrays.read(str(number))[0, 0]) for number in range(40)] == [n / 100 for n in range(40)]
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 10


def test_maps_may_lie_in_a_folder_that_all_names_share(tmp_path):
    maps = {f"home/me/photos/{name}/0": np.full((2, 2), 0.5, np.float32) for name in ("a/1.jpg", "b/1.jpg")}
    np.savez(tmp_path / "maps.npz", **maps)
    found = open_score_maps(tmp_path / "maps.npz")
    assert found.match(["a/1.jpg", "b/1.jpg"]).missing == []
    assert found.match(["photos/a/1.jpg"]).missing == []
    assert found.match(["1.jpg", "c/1.jpg", "tos/a/1.jpg"]).missing == ["1.jpg", "c/1.jpg", "tos/a/1.jpg"]
    assert found.maps_of("a/1.jpg", [0])[0].shape == (2, 2)


@pytest.mark.parametrize("content", [b"garbage", b"", b"PK\x05\x06" + bytes(18)], ids=["text", "empty", "zip"])
def test_a_file_that_is_no_npy_file(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"a.npy cannot be read: it is no .npy file, or is damaged. Write it again"):
        open_score_maps(tmp_path).maps_of("a", [0])


@pytest.mark.parametrize(("written", "wanted"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_composed_or_not(tmp_path, written, wanted):
    name = "vögel/été.jpg"
    path = tmp_path / f"{unicodedata.normalize(written, name)}.npy"
    path.parent.mkdir()
    np.save(path, ONE)
    maps, image_id = open_score_maps(tmp_path), unicodedata.normalize(wanted, name)
    match = maps.match([image_id, "other"])
    assert (match.missing, match.unknown) == (["other"], [])
    assert np.array_equal(maps.maps_of(image_id, [2])[2], ONE)


def test_maps_of_one_split_among_others(tmp_path):
    maps = dict.fromkeys(("v1/test/a.jpg", "v1/test/b.jpg", "v1/val/c.jpg"), ONE)
    np.savez(tmp_path / "m.npz", **maps)
    with pytest.raises(DataError, match=r"below 'v1/test/' names end in .* 'v1/test/a.jpg'.*Keep the maps of each"):
        open_score_maps(tmp_path / "m.npz").match(["a.jpg", "b.jpg"])
    for name, scores in maps.items():
        path = tmp_path / "npy" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, scores)
    with pytest.raises(DataError, match=r"Give .*npy/v1/test\.$"):
        open_score_maps(tmp_path / "npy").match(["a.jpg", "b.jpg"])
    assert open_score_maps(tmp_path / "npy").match(["x.jpg", "y.jpg"]).missing == ["x.jpg", "y.jpg"]
    with pytest.raises(DataError, match="below 'v1/test/'"):
        open_score_maps(tmp_path / "npy", file_names={"1": "a.jpg", "2": "b.jpg"}).match(["1", "2"])


def test_maps_named_after_files(tmp_path):
    np.savez(tmp_path / "m.npz", **{"2": ONE, "3": TWO})
    maps = open_score_maps(tmp_path / "m.npz", file_names={"139": "2.jpg", "140": "3.jpg"})
    assert np.array_equal(maps.maps_of("139", [0])[0], ONE)
    assert np.array_equal(maps.maps_of("140", [0])[0], TWO)
    assert maps.match(["139", "140"]).unknown == []
    swapped = open_score_maps(tmp_path / "m.npz", file_names={"2": "3.jpg", "3": "2.jpg"})
    with pytest.raises(DataError, match=r"Image '2' in file '3.jpg' may have the map '2' or '3'. Name all maps after"):
        swapped.match(["2", "3"])


def test_many_threads_read_headers_at_once(tmp_path):
    """Python 3.11 answers ``SystemError`` where threads parse headers at the same time."""
    for number in range(200):
        write_image_maps(tmp_path, f"{number}", ImageMaps({0: np.full((4, 4), number / 200)}, (4, 4)))
    maps = open_score_maps(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: maps.maps_of(str(number), [0])[0][0, 0], [*range(200)] * 3))
    np.testing.assert_array_equal(found, np.float16(np.arange(200) / 200)[[*range(200)] * 3])
