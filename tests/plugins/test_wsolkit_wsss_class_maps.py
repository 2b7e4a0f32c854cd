"""Class maps from stages and from other programs: what is read, what is refused, and how it is scaled."""

import pickle

import numpy as np
import pytest

from wsolkit import DataError, MapError
from wsolkit.formats import ImageMaps, write_image_maps
from wsolkit_wsss.class_maps import class_scores, normalised, read_class_maps


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
    write_image_maps(tmp_path / "stage", "a.jpg", ImageMaps(np.array([1]), np.full((1, 2, 2), 0.5), (2, 2)))
    assert read_class_maps(every, "a.jpg", 3)[0].tolist() == [0, 1, 2]
    assert read_class_maps(every, "a", 3)[1].tolist() == maps.tolist()
    assert [part.tolist() for part in read_class_maps(some, "a", 3)] == [[2, 0], maps[:2].tolist()]
    assert read_class_maps(some, "b", 3)[0].tolist() == [1]
    assert read_class_maps(tmp_path / "stage", "a.jpg", 3)[1].tolist() == [[[0.5, 0.5], [0.5, 0.5]]]
    # the map of class 0 is maps[1] here: 4 to 7, divided by 7
    found = class_scores(some, "a", [0, 2], (2, 2), 3)
    np.testing.assert_allclose(found, [maps[1] / 7, maps[0] / 3], rtol=1e-6)
    assert class_scores(some, "a", [], (5, 4), 3).shape == (0, 4, 5)
    assert class_scores(some, "a", [2], (6, 4), 3).shape == (1, 4, 6)


def test_pickled_dicts_are_refused_with_the_way_to_convert_them(tmp_path):
    np.save(tmp_path / "a.npy", {"keys": np.array([1]), "high_res": np.ones((1, 2, 2))}, allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps({0: 1}))
    for name in ("a", "b"):
        with pytest.raises(
            DataError, match=r"holds a pickled Python object.*was not loaded\. Convert it .*np\.savez\("
        ):
            read_class_maps(tmp_path, name, 3)
    d = np.load(tmp_path / "a.npy", allow_pickle=True).item()  # what the message says
    np.savez(tmp_path / "a.npz", maps=d["high_res"], classes=d["keys"])
    (tmp_path / "a.npy").unlink()
    assert read_class_maps(tmp_path, "a", 3)[0].tolist() == [1]


def test_what_is_no_class_map_is_refused(tmp_path):
    def saved(**arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        return tmp_path, "a", 3

    ones = np.ones((1, 2, 2))
    with pytest.raises(DataError, match=r"no class maps of image 'x/y.jpg': neither .*y.jpg.npz nor .*x/y.npy"):
        read_class_maps(tmp_path, "x/y.jpg", 3)
    with pytest.raises(DataError, match=r"should hold maps \(T, h, w\) and classes \(T,\), but holds cam"):
        read_class_maps(*saved(cam=ones))
    with pytest.raises(MapError, match=r"classes should lie in 0 to 2, but got \[3\]. Classes count from 0"):
        read_class_maps(*saved(maps=ones, classes=np.array([3])))
    with pytest.raises(MapError, match="should be different whole numbers"):
        read_class_maps(*saved(maps=np.ones((2, 2, 2)), classes=np.array([1, 1])))
    with pytest.raises(MapError, match="holds NaN or infinity"):
        read_class_maps(*saved(maps=ones * np.nan, classes=np.array([1])))
    with pytest.raises(
        MapError, match=r"maps \(T, h, w\) with T classes, but got \(1, 2, 2\) float64 with classes \(2,\)"
    ):
        read_class_maps(*saved(maps=ones, classes=np.array([1, 2])))
    with pytest.raises(DataError, match="class-agnostic map; pseudo masks need a map for each class"):
        read_class_maps(*saved(maps=ones, classes=np.array([-1])))
    (tmp_path / "a.npz").write_bytes(b"PK broken")
    with pytest.raises(DataError, match=r"a.npz .*"):
        read_class_maps(tmp_path, "a", 3)
    np.save(tmp_path / "c.npy", np.ones((2, 4, 4)))
    with pytest.raises(MapError, match=r"a map for each of the 3 classes, but got \(2, 4, 4\).*as c.classes.npy"):
        read_class_maps(tmp_path, "c", 3)
    np.savez(tmp_path / "d.npz", maps=ones, classes=np.array([1]))
    with pytest.raises(DataError, match=r"maps of the classes \[1\] of image 'd', but not of \[2\].*labels='maps'"):
        class_scores(tmp_path, "d", [1, 2], (2, 2), 3)
