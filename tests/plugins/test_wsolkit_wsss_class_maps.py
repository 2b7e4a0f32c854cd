"""Class maps from stages and from other programs: what is read, what is refused, and how it is scaled."""

import pickle

import numpy as np
import pytest

from wsolkit import DataError, MapError
from wsolkit.formats import ImageMaps, write_image_maps
from wsolkit_wsss.class_maps import class_maps, class_scores, normalised, open_class_maps


def read(folder, image_id, num_classes=3):
    return class_maps(open_class_maps(folder, list("abcdefgh"[:num_classes])), image_id)


def test_maps_are_divided_by_their_own_maximum():
    maps = np.array([[[-2.0, 4.0], [1.0, 2.0]], [[-1.0, -3.0], [0.0, -0.5]], [[0.5, 0.1], [0.0, 0.2]]])
    assert normalised(maps).tolist() == [[[0, 1], [0.25, 0.5]], [[0, 0], [0, 0]], [[1, 0.2], [0, 0.4]]]


def test_class_maps_come_from_stages_and_from_other_programs(tmp_path):
    maps = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    every = tmp_path / "every"
    every.mkdir()
    np.save(every / "a.npy", maps)
    some = tmp_path / "some"
    some.mkdir()
    np.save(some / "a.npy", maps[:2])
    np.save(some / "a.classes.npy", np.array([2, 0]))
    np.savez(some / "b.npz", maps=maps[:1], classes=np.array([1]))
    write_image_maps(tmp_path / "stage", "a.jpg", ImageMaps({1: np.full((2, 2), 0.5)}, (2, 2)))
    assert list(read(every, "a.jpg")) == [0, 1, 2]
    assert [each.tolist() for each in read(every, "a").values()] == maps.tolist()
    assert {k: each.tolist() for k, each in read(some, "a").items()} == {2: maps[0].tolist(), 0: maps[1].tolist()}
    assert list(read(some, "b")) == [1]
    assert read(tmp_path / "stage", "a.jpg")[1].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    # the map of class 0 is maps[1] here: 4 to 7, divided by 7
    opened = open_class_maps(some, ["a", "b", "c"])
    found = class_scores(opened, "a", [0, 2], (2, 2))
    assert list(found) == [0, 2]
    np.testing.assert_allclose([found[0], found[2]], [maps[1] / 7, maps[0] / 3], rtol=1e-6)
    assert class_scores(opened, "a", [], (5, 4)) == {}
    assert [each.shape for each in class_scores(opened, "a", [2], (6, 4)).values()] == [(4, 6)]
    assert list(class_scores(opened, "a", None, (2, 2))) == [0, 2]


def test_class_maps_of_whole_numbers(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[[0, 3]], [[-2, 8]], [[0, 0]]], np.int32))
    found = class_scores(open_class_maps(tmp_path, ["a", "b", "c"]), "a", None, (2, 1))
    assert {k: each.tolist() for k, each in found.items()} == {0: [[0, 1]], 1: [[0, 1]], 2: [[0, 0]]}


def test_pickled_dicts_are_refused_with_the_way_to_convert_them(tmp_path):
    np.save(tmp_path / "a.npy", {"keys": np.array([1]), "high_res": np.ones((1, 2, 2))}, allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps({0: 1}))
    for name in ("a", "b"):
        with pytest.raises(DataError, match=r"holds Python objects, .* never loaded\. Convert .*np\.savez\("):
            read(tmp_path, name)
    d = np.load(tmp_path / "a.npy", allow_pickle=True).item()  # what the message says
    np.savez(tmp_path / "a.npz", maps=d["high_res"], classes=d["keys"])
    (tmp_path / "a.npy").unlink()
    assert list(read(tmp_path, "a")) == [1]


def test_what_is_no_class_map_is_refused(tmp_path):
    def saved(**arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        return tmp_path, "a"

    ones = np.ones((1, 2, 2))
    with pytest.raises(DataError, match=r"Image 'x/y.jpg' has no map in .* Known names: 'cam'"):
        read(saved(cam=ones)[0], "x/y.jpg")
    with pytest.raises(DataError, match=r"a map of class 3 in .*there are 3 classes, counted from 0"):
        read(*saved(maps=ones, classes=np.array([3])))
    with pytest.raises(MapError, match=r"a.npz: the classes should be different whole numbers \(T,\), but are int64"):
        read(*saved(maps=np.ones((2, 2, 2)), classes=np.array([1, 1])))
    with pytest.raises(MapError, match="holds NaN or infinity"):
        read(*saved(maps=ones * np.nan, classes=np.array([1])))
    with pytest.raises(MapError, match=r"maps \(T, H, W\) of 2 classes, but got \(1, 2, 2\)"):
        read(*saved(maps=ones, classes=np.array([1, 2])))
    with pytest.raises(DataError, match="class-agnostic map of image 'a'; pseudo masks need a map for each class"):
        read(*saved(maps=ones, classes=np.array([-1])))
    (tmp_path / "a.npz").write_bytes(b"PK broken")
    with pytest.raises(DataError, match=r"a.npz cannot be read"):
        read(tmp_path, "a")
    (tmp_path / "a.npz").unlink()
    np.save(tmp_path / "c.npy", np.ones((2, 4, 4)))
    with pytest.raises(MapError, match=r"shape \(2, 4, 4\), but there are 3 classes.*as c.classes.npy"):
        read(tmp_path, "c")
    np.savez(tmp_path / "d.npz", maps=ones, classes=np.array([1]))
    with pytest.raises(DataError, match=r"maps of the classes \[1\] of image 'd', but not of \[2\].*labels='maps'"):
        class_scores(open_class_maps(tmp_path, ["a", "b", "c"]), "d", [1, 2], (2, 2))
