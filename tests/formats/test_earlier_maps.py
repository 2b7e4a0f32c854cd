"""Folders of score maps as earlier versions and other programs left them, written here by numpy alone."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from wsolkit import DataError, MapError
from wsolkit.formats import open_score_maps

HALF = np.array([[0.0, 0.5]], np.float16)
ONE = np.array([[1.0, 0.25]], np.float16)


def stage_of_before(folder, image_id, classes, maps, size=(20, 10)):
    """Write the file of one image that the stage Maps wrote before."""
    path = folder / "maps" / f"{image_id}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"classes": np.array(classes, np.int64), "maps": np.asarray(maps, np.float16).reshape(len(maps), 1, 2)}
    np.savez_compressed(path, **arrays, size=np.array(size, np.int64))


def prediction_of_before(folder, number, **maps):
    """Write a chunk that wsolkit predict --maps wrote before."""
    (folder / "maps").mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "maps" / f"maps-{number:020x}.npz", **maps)


def test_what_the_stage_left_before(tmp_path):
    stage_of_before(tmp_path, "owls/1.jpg", [3, 1], [HALF, ONE])
    stage_of_before(tmp_path, "owls/2.jpg", [-1], [ONE])
    stage_of_before(tmp_path, "2007_01", [], [])
    for path in (tmp_path, tmp_path / "maps"):
        maps = open_score_maps(path, num_classes=4)
        assert maps.names() == ["2007_01", "owls/1.jpg", "owls/2.jpg"]
        found = maps.image("owls/1.jpg")
        assert ({k: each.tolist() for k, each in found.maps.items()}, found.size) == (
            {3: HALF.tolist(), 1: ONE.tolist()},
            (20, 10),
        )
        assert maps.image("owls/2.jpg").of(2).tolist() == ONE.tolist()
        assert (maps.image("2007_01").maps, maps.image("2007_01").size) == ({}, (20, 10))
        match = maps.match(["owls/1.jpg", "owls/2.jpg", "2007_01.jpg", "x"])
        assert (match.missing, match.unknown) == (["x"], [])
        assert maps.match(["owls/1.jpg"]).unknown == ["2007_01", "owls/2.jpg"]
        assert maps.classes() == [1, 3]
        assert maps.lacking("owls/1.jpg", [0, 1, 3]) == [0]
        assert maps.lacking("owls/2.jpg", [0, 1]) == []
        assert list(maps.maps_of("owls/1.jpg", [3])) == [3]
        assert list(maps.maps_of("owls/1.jpg", [3], more=None)) == [1, 3]
        assert list(maps.maps_of("owls/1.jpg", None)) == [1, 3]
        assert list(maps.maps_of("owls/2.jpg", [0, 2])) == [0, 2]
    with pytest.raises(DataError, match=r"has maps of the classes \[1, 3\] .* but none of class 2, which it shows"):
        maps.maps_of("owls/1.jpg", [2])
    with pytest.raises(DataError, match="has a map of class 3 in .*, but there are 2 classes"):
        open_score_maps(tmp_path, num_classes=2).image("owls/1.jpg")


def test_what_predict_left_before(tmp_path):
    prediction_of_before(tmp_path, 1, **{"cat/a.jpg/0": HALF, "cat/a.jpg/2": ONE})
    prediction_of_before(tmp_path, 2, **{"dog/7/1": ONE})
    prediction_of_before(tmp_path, 3)  # none of its images could be read
    (tmp_path / "run.json").write_text("{}")
    maps = open_score_maps(tmp_path, num_classes=3)
    assert maps.names() == ["cat/a.jpg", "dog/7"]
    found = maps.image("cat/a.jpg")
    assert ({k: each.tolist() for k, each in found.maps.items()}, found.size) == (
        {0: HALF.tolist(), 2: ONE.tolist()},
        None,
    )
    assert maps.maps_of("dog/7", [1])[1].tolist() == ONE.tolist()
    assert maps.match(["cat/a.jpg", "dog/7"]).unknown == []


def test_a_folder_that_was_begun_before_and_ended_now(tmp_path):
    from wsolkit.formats import ImageMaps, write_image_maps

    stage_of_before(tmp_path, "train/1", [2], [HALF])
    write_image_maps(tmp_path, "train/2", ImageMaps({0: ONE}, (8, 4)))
    maps = open_score_maps(tmp_path)
    assert [list(maps.image(name).maps) for name in ("train/1", "train/2")] == [[2], [0]]
    assert maps.match(["train/1", "train/2"]).unknown == []
    assert [maps.size_of(name) for name in ("train/1", "train/2")] == [(20, 10), (8, 4)]


def test_what_is_damaged_or_contradicts_itself(tmp_path):
    stage_of_before(tmp_path, "a", [0], [HALF])
    path = tmp_path / "maps" / "a.npz"
    np.savez(path, maps=np.zeros((1, 2, 2)), classes=np.zeros(1, int), size=np.array([2]))
    with pytest.raises(DataError, match=r"size of image 'a' in .*a.npz should be \(width, height\).*but is \[2\]"):
        open_score_maps(tmp_path).image("a")
    np.savez(path, maps=np.full((1, 2, 2), 3.0), classes=np.zeros(1, int), size=np.array([2, 2]))
    with pytest.raises(MapError, match=r"image 'a', class 0, in .*a.npz goes from 3 to 3, but scores lie in \[0, 1\]"):
        open_score_maps(tmp_path).image("a")
    np.savez(path, maps=np.array([{"a": 1}], object), classes=np.zeros(1, int), size=np.array([2, 2]))
    with pytest.raises(DataError, match="cannot be read: it holds Python objects"):
        open_score_maps(tmp_path).image("a")
    np.savez(path, maps=np.zeros((1, 2, 2)), classes=np.array([-3]))
    with pytest.raises(MapError, match=r"a.npz names class -3. Count classes from 0; -1 is the class of"):
        open_score_maps(tmp_path).image("a")
    np.savez(path, maps=np.zeros((1, 2, 2)), classes=np.array([0.5]))
    with pytest.raises(MapError, match=r"the classes should be different whole numbers \(T,\), but are float64 \(1,\)"):
        open_score_maps(tmp_path).lacking("a", [0])
    whole = path.read_bytes()
    for part in (b"", b"no zip", whole[: len(whole) // 2]):
        path.write_bytes(part)
        with pytest.raises(DataError, match=r"a.npz cannot be read as a .npz file: .*Write it again"):
            open_score_maps(tmp_path)


def test_folders_of_files_of_every_kind(tmp_path):
    """Nested .npy, .npz and .safetensors files beside each other, as a program that changed its mind leaves them."""
    folder = tmp_path / "scoremaps"
    (folder / "val" / "x").mkdir(parents=True)
    np.save(folder / "val" / "x" / "1.npy", HALF)
    np.savez(folder / "val" / "x" / "2.npz", maps=np.stack([HALF, ONE]), classes=np.array([4, 0]), high_res=np.ones(3))
    save_file({"val/x/3/2": torch.tensor([[0.0, 0.5]])}, folder / "val" / "x" / "more.safetensors")
    np.save(folder / "val" / "x" / "4.npy", np.stack([HALF, ONE]))
    np.save(folder / "val" / "x" / "4.classes.npy", np.array([1, 3]))
    maps = open_score_maps(folder, num_classes=5)
    assert sorted(maps.names()) == ["val/x/1", "val/x/2", "val/x/3", "val/x/4"]
    assert maps.match([f"x/{number}.jpg" for number in range(1, 5)]).unknown == []
    assert maps.maps_of("x/1.jpg", [3])[3].tolist() == HALF.tolist()
    assert maps.maps_of("x/2.jpg", [4])[4].tolist() == HALF.tolist()
    assert maps.maps_of("x/3.jpg", [2])[2].tolist() == HALF.tolist()
    assert {k: each.tolist() for k, each in maps.image("x/4.jpg").maps.items()} == {1: HALF.tolist(), 3: ONE.tolist()}
    assert maps.lacking("x/4.jpg", [0, 1]) == [0]
    np.savez(folder / "val" / "x" / "twice.npz", **{"val/x/1": HALF})
    with pytest.raises(DataError, match=r"'val/x/1' is in both .*1.npy and .*twice.npz. Remove one of them"):
        open_score_maps(folder)


def test_bfloat16_is_read_as_float32(tmp_path):
    wanted = torch.rand(3, 5, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    other = torch.rand(2, 2)
    save_file({"a": other, "b/1": wanted, "c/0": torch.zeros(0, 2).bfloat16()}, tmp_path / "m.safetensors")
    maps = open_score_maps(tmp_path / "m.safetensors")
    found = maps.maps_of("b", [1])[1]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wanted.float().numpy())
    np.testing.assert_array_equal(maps.maps_of("a", [0])[0], other.numpy())
    with pytest.raises(MapError, match=r"has shape \(0, 2\)"):
        maps.maps_of("c", [0])
