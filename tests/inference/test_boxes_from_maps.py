"""Boxes of maps land where the maps say, in pixels of the image."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from wsolkit.components.boxes import AllComponents, LargestComponent
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.coco_outlines import painted
from wsolkit.formats.score_maps import open_score_maps
from wsolkit.inference.boxes_from_maps import class_names_for, maps_to_boxes, sized_images


@pytest.fixture
def score_map():
    """4 x 8 cells (H x W): columns 2 to 5 of rows 1 and 2 hold 0.5 and 1."""
    scores = np.zeros((4, 8), np.float32)
    scores[1, 2:6] = 0.5
    scores[2, 2:6] = 1.0
    return scores


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_boxes_in_pixels_of_the_image(tmp_path, score_map):
    np.savez(tmp_path / "m.npz", **{"a.jpg/1": score_map, "b.jpg/0": score_map})
    (tmp_path / "sizes.txt").write_text("a.jpg,80,20\nb.jpg,16,40\nc.jpg,5,5")
    maps, images = open_score_maps(tmp_path / "m.npz"), sized_images(sizes=tmp_path / "sizes.txt")
    names = class_names_for(maps, ["cat", "dog"], None)
    seen = []
    run = maps_to_boxes(
        maps, images, tmp_path / "out", names, LargestComponent(0.2), ["csv", "coco"], threads=2,
        shows=lambda what, total: Shown(seen, total),
    )  # fmt: skip
    assert (run.images, run.failed, run.without_box, run.boxes) == (2, 0, 0, 2)
    assert run.remarks == ["1 images have no map and are left out: 'c.jpg'."]
    assert seen == [("total", 2), 1, 1]
    first, second = rows(tmp_path / "out" / "boxes.csv")
    assert (first["image_id"], first["class"], second["class"]) == ("a.jpg", "dog", "cat")
    assert [float(first[key]) for key in ("x0", "y0", "x1", "y1")] == [20, 5, 60, 15]
    assert [float(second[key]) for key in ("x0", "y0", "x1", "y1")] == [4, 10, 12, 30]
    assert float(first["score"]) == float(first["map_score"]) == 0.75
    assert [box["bbox"] for box in json.loads((tmp_path / "out" / "boxes.json").read_text())] == [
        [20, 5, 40, 10], [4, 10, 8, 20],
    ]  # fmt: skip


class Shown:
    """A progress display that remembers what it was told."""

    def __init__(self, seen, total):
        self.seen = seen
        seen.append(("total", total))

    def __enter__(self):
        return self.seen.append

    def __exit__(self, *error):
        return None


def test_every_component_and_every_class_of_a_stack(tmp_path, score_map):
    two = score_map.copy()
    two[3, 7] = 0.9
    two[2, 7] = two[3, 6] = 0
    two[2, 2:6] = 0.6
    np.save(tmp_path / "a.npy", np.stack([two, np.zeros_like(two), score_map]))
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 4)).save(tmp_path / "photos" / "a.png")
    maps, images = open_score_maps(tmp_path, num_classes=3), sized_images(images=tmp_path / "photos")
    run = maps_to_boxes(maps, images, tmp_path.parent / f"{tmp_path.name}-out", ["x", "y", "z"], AllComponents(0.2),
                        ["csv"])  # fmt: skip
    assert run.boxes == 3
    found = [(row["class"], float(row["score"]), float(row["x0"])) for row in rows(run.files[0])]
    assert found == [("x", pytest.approx(0.9), 7), ("z", pytest.approx(0.75), 2), ("x", pytest.approx(0.55), 2)]


def test_labels_of_the_data(truth, perfect, write_npy, tmp_path):
    maps = open_score_maps(write_npy(perfect), num_classes=2)
    run = maps_to_boxes(
        maps, sized_images(truth), tmp_path / "out", class_names_for(maps, None, truth), LargestComponent(), ["csv"]
    )
    found = [(row["class"], *(float(row[key]) for key in ("x0", "y0", "x1", "y1"))) for row in rows(run.files[0])]
    assert found == [("0", 1, 1, 5, 4), ("1", 0, 0, 8, 6), ("1", 2, 3, 8, 6)]


def test_a_map_at_another_size(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[0.0, 1.0]]))  # linear to 8: the last half, and what lies above .2 before
    (tmp_path / "sizes.txt").write_text("a,80,10")
    images = sized_images(sizes=tmp_path / "sizes.txt")
    out = tmp_path.parent / f"{tmp_path.name}-out"
    run = maps_to_boxes(open_score_maps(tmp_path), images, out, ["o"], LargestComponent(0.5), ["csv"], size=(1, 8))
    assert float(rows(run.files[0])[0]["x0"]) == 40


def test_broken_maps_are_listed(truth, perfect, write_npy, tmp_path):
    perfect["dog/b.jpg"] = np.full((4, 4), np.nan)
    folder = write_npy(perfect)
    (folder / "dog" / "c.jpg.npy").write_bytes(b"broken")
    run = maps_to_boxes(open_score_maps(folder), sized_images(truth), tmp_path / "out", ["0", "1"], LargestComponent())
    assert (run.images, run.failed) == (1, 2)
    failed = rows(tmp_path / "out" / "failed.csv")
    assert [row["image_id"] for row in failed] == ["dog/b.jpg", "dog/c.jpg"]
    assert "NaN" in failed[0]["reason"]
    assert "cannot be read" in failed[1]["reason"]
    (folder / "cat" / "a.jpg.npy").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"None of the 3 maps could be made boxes of; .*failed.csv says why. The first"):
        maps_to_boxes(open_score_maps(folder), sized_images(truth), tmp_path / "new", ["0", "1"], LargestComponent())


def test_no_map_of_any_image(truth, write_npy, tmp_path):
    maps = open_score_maps(write_npy({"x": np.zeros((2, 2))}))
    with pytest.raises(DataError, match=r"None of the 3 images has a map. Images are named 'cat/a.jpg'.*named 'x'"):
        maps_to_boxes(maps, sized_images(truth), tmp_path / "out", ["0", "1"], LargestComponent())
    assert not (tmp_path / "out").exists()


def test_the_maps_are_never_written_over(truth, perfect, write_npy):
    folder = write_npy(perfect)
    for out in (folder, folder / "boxes", folder.parent):
        with pytest.raises(ConfigError, match="share a folder. Choose a folder beside it"):
            maps_to_boxes(open_score_maps(folder), sized_images(truth), out, ["0", "1"], LargestComponent())


def test_other_settings_need_overwrite(truth, perfect, write_npy, tmp_path):
    def run(threshold, **options):
        maps = open_score_maps(write_npy(perfect))
        return maps_to_boxes(
            maps, sized_images(truth), tmp_path / "out", ["0", "1"], LargestComponent(threshold), **options
        )

    assert run(0.2).boxes == run(0.2).boxes == 3
    with pytest.raises(ConfigError, match=r"threshold was 0.2 and is 0.5 now"):
        run(0.5)
    assert run(0.5, overwrite=True).boxes == 3


def test_sizes_are_needed(tmp_path):
    with pytest.raises(ConfigError, match="their sizes are needed. Give --images"):
        sized_images()
    with pytest.raises(DataError, match="There is no file of sizes"):
        sized_images(sizes=tmp_path / "none.txt")
    (tmp_path / "none.txt").write_text("")
    with pytest.raises(DataError, match=r"none.txt is empty. Write id,width,height"):
        sized_images(sizes=tmp_path / "none.txt")


def test_names_of_classes(tmp_path, truth):
    np.savez(tmp_path / "keys.npz", **{"a/0": np.zeros((1, 1)), "a/3": np.zeros((1, 1))})
    np.savez(tmp_path / "one.npz", a=np.zeros((1, 1)))
    assert class_names_for(open_score_maps(tmp_path / "keys.npz"), None, None) == ["0", "1", "2", "3"]
    assert class_names_for(open_score_maps(tmp_path / "one.npz"), None, None) == ["object"]
    assert class_names_for(open_score_maps(tmp_path / "one.npz"), None, truth) == ["0", "1"]
    with pytest.raises(ConfigError, match="--classes names 2 classes, but there are 4"):
        class_names_for(open_score_maps(tmp_path / "keys.npz"), ["cat", "dog"], None)


def test_number_of_classes_of_a_stack(tmp_path):
    np.savez(tmp_path / "m.npz", a=np.zeros((3, 2, 2)), b=np.zeros((2, 2)))
    save_file({"a": np.zeros((4, 2, 2), np.float32)}, tmp_path / "m.safetensors")
    (tmp_path / "npy").mkdir()
    np.save(tmp_path / "npy" / "a.npy", np.zeros((2, 5, 5)))
    (tmp_path / "npy" / "b.npy").write_bytes(b"broken")
    assert class_names_for(open_score_maps(tmp_path / "m.npz"), None, None) == ["0", "1", "2"]
    assert class_names_for(open_score_maps(tmp_path / "m.safetensors"), None, None) == ["0", "1", "2", "3"]
    assert class_names_for(open_score_maps(tmp_path / "npy"), None, None) == ["0", "1"]
    np.save(tmp_path / "npy" / "a.npy", np.zeros((1, 5, 5)))
    assert class_names_for(open_score_maps(tmp_path / "npy"), None, None) == ["object"]


def test_sizes_that_are_swapped_and_a_turned_tiff(tmp_path):
    """A lying photo of 24 x 16 pixels is shown as 16 x 24; its map is drawn on what is shown."""
    exif = Image.Exif()
    exif[274] = 6
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (24, 16)).save(tmp_path / "photos" / "a.tif", exif=exif)
    scores = np.zeros((24, 16), np.float32)
    scores[4:12, 2:14] = 1
    np.savez(tmp_path / "maps.npz", **{"a.tif": scores})
    (tmp_path / "sizes.txt").write_text("a.tif,24,16\n")
    maps = open_score_maps(tmp_path / "maps.npz")
    right = maps_to_boxes(
        maps, sized_images(images=tmp_path / "photos"), tmp_path / "right", ["o"], LargestComponent(0.5), ["csv"]
    )
    (row,) = rows(tmp_path / "right" / "boxes.csv")
    assert [float(row[key]) for key in ("x0", "y0", "x1", "y1")] == [2, 4, 14, 12]
    assert right.remarks == []
    images = sized_images(sizes=tmp_path / "sizes.txt", images=tmp_path / "photos")
    wrong = maps_to_boxes(maps, images, tmp_path / "wrong", ["o"], LargestComponent(0.5), ["csv"])
    assert [remark.split(":")[0] for remark in wrong.remarks] == [
        "1 maps have the shape of their image turned by 90 degrees",
        "1 images are stated with the width and height of their file swapped",
    ]


@pytest.mark.parametrize(("formats", "masks"), [(["coco"], True), (["coco", "masks"], False)])
def test_boxes_of_maps_have_the_masks_of_the_map_where_they_are_asked_for(tmp_path, score_map, formats, masks):
    np.savez(tmp_path / "m.npz", **{"a.jpg": score_map})
    (tmp_path / "sizes.txt").write_text("a.jpg,80,40")
    maps, images = open_score_maps(tmp_path / "m.npz"), sized_images(sizes=tmp_path / "sizes.txt")
    maps_to_boxes(maps, images, tmp_path / "out", ["cat"], LargestComponent(0.2), formats, masks=masks)
    (found,) = json.loads((tmp_path / "out" / "boxes.json").read_text())
    inside = painted(found["segmentation"], (80, 40))
    assert inside[10:30, 20:60].mean() > 0.9, "only corners are round"
    assert inside.sum() == inside[10:30, 20:60].sum()
