"""Pseudo boxes: how maps are cut, where the threshold comes from, and the file that the regressor trains on."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from wsolkit import DATASETS, ConfigError, DataError, MapError
from wsolkit.components.boxes import LargestComponent
from wsolkit.formats import ImageMaps, write_image_maps
from wsolkit.report import read_evaluation
from wsolkit_psol import PseudoBoxes
from wsolkit_psol.box_file import PseudoBox, read_boxes, write_boxes
from wsolkit_psol.box_picture import box_picture
from wsolkit_psol.box_quality import TrueBoxes, baseline_boxes, rate_boxes
from wsolkit_psol.box_source import BoxSource
from wsolkit_psol.otsu import histogram, otsu_cut
from wsolkit_psol.thresholds import MapTruth, choose_on_val, otsu_of_data_set

SCENES = "dict(type='SyntheticParts', num_classes=3, image_size=(96, 48), seed=4)"


def block(shape, box, value=1.0, ground=0.0):
    """Return a map that has a value inside a box and another one outside."""
    found = np.full(shape, ground, np.float32)
    x0, y0, x1, y1 = box
    found[y0:y1, x0:x1] = value
    return found


def iou(a, b):
    """Return the IoU of two boxes, written out."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0) * max(high, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@pytest.fixture
def config(tmp_path):
    """Return a configuration with drawn scenes of 96 x 48 pixels, 6 for each split."""
    lines = [
        f"scenes = {SCENES}",
        "step = [dict(type='Resize', size=(48, 48))]",
        "train_dataloader = dict(dataset=dict(split='train', num_images=6, **scenes))",
        "val_dataloader = dict(dataset=dict(split='val', num_images=6, pipeline=step, test_mode=True, **scenes))",
        "test_dataloader = dict(dataset=dict(split='test', num_images=6, pipeline=step, test_mode=True, **scenes))",
    ]
    path = tmp_path / "scenes.py"
    path.write_text("\n".join(lines))
    return str(path)


def scenes(split, targets=True):
    settings = {"type": "SyntheticParts", "num_classes": 3, "image_size": (96, 48), "seed": 4}
    return DATASETS.build({**settings, "split": split, "num_images": 6, "load_targets": targets, "test_mode": True})


def maps_for(folder, split, score_map):
    """Write a map for every scene of a split: what ``score_map`` makes of its true box in pixels of 96 x 48."""
    dataset = scenes(split)
    for index in range(len(dataset)):
        record = dataset.record(index)
        box = dataset.targets(record, (96, 48)).boxes[0].round().astype(int)
        write_image_maps(folder, record["image_id"], ImageMaps({-1: score_map(box)}, (96, 48)))
    return str(folder)


# ------------------------------------------------------------------------------------------------------------ cutting


def test_a_box_of_the_map_lies_in_pixels_of_the_original_image():
    source = BoxSource(LargestComponent())
    prepared = source.prepare(block((10, 10), (2, 3, 7, 9)), (200, 50))
    np.testing.assert_allclose(source.box(prepared, 0.5, (200, 50)), [40, 15, 140, 45])


def test_a_map_is_resized_to_the_image_before_it_is_cut_where_asked():
    score_map = np.array([[0.0, 1.0]], np.float32)
    cells = BoxSource(LargestComponent())
    np.testing.assert_allclose(cells.box(cells.prepare(score_map, (100, 10)), 0.25, (100, 10)), [50, 0, 100, 10])
    smooth = BoxSource(LargestComponent(), upsample="bilinear")
    prepared = smooth.prepare(score_map, (100, 10))
    assert prepared.shape == (10, 100)
    # half-pixel centres: the ramp from 0 to 1 goes from pixel 25 to pixel 75, a quarter of it is reached at 37.5
    np.testing.assert_allclose(smooth.box(prepared, 0.25, (100, 10)), [37, 0, 100, 10], atol=1)
    assert BoxSource(LargestComponent(), upsample="bicubic").prepare(score_map, (100, 10)).min() >= 0


def test_normalisation_before_the_cut():
    score_map = block((4, 4), (1, 1, 3, 3), value=0.8, ground=0.4)
    score_map[0, 0] = 0.5
    for kind, expected in (("none", (0.4, 0.8)), ("max", (0.5, 1.0)), ("minmax", (0.0, 1.0))):
        prepared = BoxSource(LargestComponent(), normalize=kind).prepare(score_map, (4, 4))
        np.testing.assert_allclose((prepared.min(), prepared.max()), expected, atol=1e-6)
    minmax = BoxSource(LargestComponent(), normalize="minmax")
    np.testing.assert_allclose(minmax.box(minmax.prepare(score_map, (4, 4)), 0.3, (4, 4)), [1, 1, 3, 3])
    plain = BoxSource(LargestComponent())
    np.testing.assert_allclose(plain.box(plain.prepare(score_map, (4, 4)), 0.3, (4, 4)), [0, 0, 4, 4])


def test_a_flat_map_has_no_box_under_minmax_and_none_at_zero():
    flat = np.full((4, 4), 0.5, np.float32)
    source = BoxSource(LargestComponent(), normalize="minmax")
    assert source.box(source.prepare(flat, (8, 8)), 0.0, (8, 8)) is None
    plain = BoxSource(LargestComponent())
    assert plain.box(plain.prepare(np.zeros((4, 4)), (8, 8)), 0.0, (8, 8)) is None


def test_overlaps_at_every_threshold_are_those_of_one_box_at_a_time():
    rng = np.random.default_rng(0)
    source = BoxSource(LargestComponent(), upsample="bilinear")
    thresholds = [0.0, 0.2, 0.5, 0.8, 0.95]
    for _ in range(5):
        prepared = source.prepare(rng.random((6, 6)).astype(np.float32), (40, 30))
        truth = np.array([[5.0, 5, 20, 25], [22, 2, 39, 29]])
        found = source.overlaps(prepared, thresholds, truth, (40, 30))
        for threshold, value in zip(thresholds, found, strict=True):
            box = source.box(prepared, threshold, (40, 30))
            assert value == pytest.approx(max(iou(box, true) for true in truth), abs=1e-6)


def test_an_empty_map_counts_as_the_whole_image_on_val_too():
    source = BoxSource(LargestComponent())
    found = source.overlaps(np.zeros((4, 4), np.float32), [0.1, 0.9], np.array([[0.0, 0, 20, 20]]), (40, 20))
    np.testing.assert_allclose(found, [0.5, 0.5])


def test_wrong_maps_and_choices_are_refused():
    with pytest.raises(MapError, match="finite numbers"):
        BoxSource(LargestComponent()).prepare(np.array([[np.nan, 1]]), (4, 4))
    with pytest.raises(ConfigError, match=r"upsample of BoxSource should be one of 'none', .* but got 'cubic'"):
        BoxSource(LargestComponent(), upsample="cubic")


# ---------------------------------------------------------------------------------------------------------- thresholds


def otsu_by_trying(counts):
    """Return the best cut by trying every one: the least sum of squares within the two sides."""
    centres = (np.arange(len(counts)) + 0.5) / len(counts)
    values = np.repeat(centres, counts)
    spreads = {}
    for cut in range(1, len(counts)):
        low, high = values[values < cut / len(counts)], values[values >= cut / len(counts)]
        if len(low) and len(high):
            spreads[cut] = ((low - low.mean()) ** 2).sum() + ((high - high.mean()) ** 2).sum()
    least = min(spreads.values())
    best = [cut for cut, spread in spreads.items() if spread <= least + 1e-9]
    return best[len(best) // 2] / len(counts)


@pytest.mark.parametrize("seed", range(5))
def test_otsu_is_the_cut_with_least_spread_within_the_sides(seed):
    counts = np.random.default_rng(seed).integers(0, 20, 24)
    assert otsu_cut(counts) == pytest.approx(otsu_by_trying(counts))


def test_otsu_of_two_levels_lies_between_them_and_of_one_nowhere():
    score_map = block((20, 20), (5, 5, 15, 15), value=0.8, ground=0.2)
    assert 0.25 < otsu_cut(histogram(score_map)) < 1
    assert otsu_cut(histogram(np.zeros((4, 4)))) == 0
    assert otsu_cut(histogram(np.ones((4, 4)))) == 0


def test_otsu_of_a_data_set_pools_the_maps_in_fractions_of_their_maxima():
    a, b = np.array([[0.0, 0.1, 1.0]]), np.array([[0.0, 0.04, 0.4, 0.4]])
    counts = np.zeros(256, int)
    for score_map in (a, b):
        for value in (score_map / score_map.max()).ravel():
            counts[min(int(value * 256), 255)] += 1
    assert otsu_of_data_set([a, b]).threshold == pytest.approx(otsu_by_trying(counts))


def test_the_val_threshold_has_most_hits_on_val():
    """One map in three steps: .9 inside the object, .6 around it, .3 around that."""
    images = []
    for x in (2, 4):
        score_map = np.zeros((20, 20), np.float32)
        score_map[1:19, 1:19] = 0.3
        score_map[4:14, x : x + 10] = 0.6
        score_map[7:10, x + 3 : x + 6] = 0.9
        images.append(MapTruth(score_map, (40, 40), np.array([[2.0 * x, 8, 2 * x + 20, 28]])))
    images.append(MapTruth(np.zeros((20, 20), np.float32), (40, 40), np.zeros((0, 4))))  # no box: no trial
    choice = choose_on_val(BoxSource(LargestComponent()), iter(images))
    # the middle step is the object: of the thresholds from .34 to .66 (of a maximum of .9) the middle one
    assert choice.threshold == pytest.approx(0.5, abs=0.011)
    assert (choice.hits, choice.images) == (100.0, 2)
    assert "boxes of the val split" in choice.rule
    with pytest.raises(DataError, match="The val split has no box to choose a threshold by"):
        choose_on_val(BoxSource(LargestComponent()), iter(images[2:]))


@pytest.mark.parametrize("threshold", ["test", 1.0, -0.1, True, None, "Otsu"])
def test_a_threshold_is_a_fraction_or_a_rule(threshold):
    with pytest.raises(ConfigError, match="never chosen on the boxes of the test split"):
        PseudoBoxes("maps", "config", threshold=threshold)


def test_the_val_rule_and_the_maps_of_val_belong_together():
    with pytest.raises(ConfigError, match="val_maps is not given"):
        PseudoBoxes("maps", "config")
    with pytest.raises(ConfigError, match="val_maps is only read for threshold='val'"):
        PseudoBoxes("maps", "config", threshold=0.2, val_maps="val")
    with pytest.raises(ConfigError, match="which a train split is not asked for"):
        PseudoBoxes("maps", "config", threshold=0.2, score=True)
    with pytest.raises(ConfigError, match=r"iou of PseudoBoxes should be a number in \(0, 1\)"):
        PseudoBoxes("maps", "config", threshold=0.2, iou=1.5)


# --------------------------------------------------------------------------------------------------------------- stage


def test_the_stage_finds_the_objects_of_perfect_maps_and_coco_reads_them(config, tmp_path):
    maps = maps_for(tmp_path / "maps", "train", lambda box: block((48, 96), box))
    out = tmp_path / "out"
    out.mkdir()
    numbers = PseudoBoxes(maps, config, threshold=0.3, sheet=4).run(out, False)
    assert numbers["images"] == 6
    assert numbers["whole images"] == 0
    assert (out / "sheet.jpg").read_bytes()[:2] == b"\xff\xd8"
    truth = scenes("train")
    data = DATASETS.build(
        {
            "type": "COCO",
            "data_root": str(out),
            "annotations": "boxes.json",
            "images": "",
            "masks": False,
            "load_targets": True,
            "transform_targets": True,
        }
    )
    assert data.classes == truth.classes
    for index in range(6):
        record, sample = truth.record(index), data[index]
        expected = truth.targets(record, (96, 48)).boxes.round()
        np.testing.assert_allclose(sample["boxes"].numpy(), expected)
        assert sample["targets"].size == (96, 48)
        assert data.record(index)["labels"] == record["labels"]
        torch.testing.assert_close(sample["inputs"], truth.read_image(record))
    info = json.loads((out / "boxes.json").read_text())["info"]
    assert (info["threshold"], info["threshold chosen"]) == (0.3, "fixed at 0.3")


def test_the_val_threshold_is_recorded_and_test_boxes_change_nothing(config, tmp_path):
    """The object is 1 and everything else .5 of the maximum, so that thresholds from .5 on are right."""

    def steps(box):
        return np.maximum(block((48, 96), (0, 0, 96, 48), 0.5), block((48, 96), box))

    val = maps_for(tmp_path / "val", "val", steps)
    test = maps_for(tmp_path / "test", "test", steps)
    out = tmp_path / "out"
    out.mkdir()
    numbers = PseudoBoxes(test, config, split="test", val_maps=val, score=True).run(out, False)
    info = json.loads((out / "boxes.json").read_text())["info"]
    assert 0.5 <= info["threshold"] < 1
    assert info["threshold"] == pytest.approx(0.75, abs=0.011)  # the middle of those from .5 on
    assert info["threshold chosen"].endswith("on the boxes of the val split")
    assert (info["hits on val in %"], info["images of val"]) == (100.0, 6)
    assert numbers["BoxAcc@70"] == 100
    written = read_evaluation(out)
    assert [each.metric for each in written.results] == ["BoxAcc"]
    assert list(written.baselines) == ["centre box (half the area)", "centred Gaussian blob", "whole image"]
    assert "MaxBoxAcc" not in (out / "results.json").read_text()


def test_an_empty_map_gives_the_whole_image_and_is_counted(config, tmp_path):
    maps = maps_for(tmp_path / "maps", "train", lambda box: np.zeros((48, 96), np.float32))
    out = tmp_path / "out"
    out.mkdir()
    numbers = PseudoBoxes(maps, config, threshold="otsu-dataset", sheet=0).run(out, False)
    assert (numbers["whole images"], numbers["area in %"]) == (6, 100)
    boxes, info = read_boxes(out / "boxes.json")
    assert all(box.tolist() == [0, 0, 96, 48] for box in boxes.values())
    assert "no boxes" in info["threshold chosen"]
    assert not (out / "sheet.jpg").exists()


def test_otsu_cuts_every_map_at_its_own_threshold(config, tmp_path):
    maps = maps_for(tmp_path / "maps", "train", lambda box: block((48, 96), box, 1.0, 0.05 + box[0] / 300))
    out = tmp_path / "out"
    out.mkdir()
    numbers = PseudoBoxes(maps, config, threshold="otsu", sheet=0).run(out, False)
    content = json.loads((out / "boxes.json").read_text())
    assert content["info"]["threshold"] is None
    assert len({each["threshold"] for each in content["annotations"]}) > 1
    assert numbers["threshold"] == pytest.approx(np.mean([each["threshold"] for each in content["annotations"]]))
    truth = scenes("train")
    boxes, _ = read_boxes(out / "boxes.json")
    for index in range(6):
        record = truth.record(index)
        np.testing.assert_allclose(boxes[record["image_id"]], truth.targets(record, (96, 48)).boxes[0].round())


def test_any_extractor_makes_boxes_and_its_best_one_counts(config, tmp_path):
    def two(box):
        return np.maximum(block((48, 96), (0, 0, 60, 20), 0.6), block((48, 96), (70, 30, 80, 40)))

    maps = maps_for(tmp_path / "maps", "train", two)
    out = tmp_path / "out"
    out.mkdir()
    PseudoBoxes(maps, config, threshold=0.3, extractor={"type": "AllComponents"}, sheet=0).run(out, False)
    assert {tuple(box) for box in read_boxes(out / "boxes.json")[0].values()} == {(70, 30, 80, 40)}
    PseudoBoxes(maps, config, threshold=0.3, sheet=0).run(out, False)
    assert {tuple(box) for box in read_boxes(out / "boxes.json")[0].values()} == {(0, 0, 60, 20)}


def test_a_missing_map_is_named_and_an_earlier_file_survives(config, tmp_path):
    maps = maps_for(tmp_path / "maps", "train", lambda box: block((48, 96), box))
    out = tmp_path / "out"
    out.mkdir()
    stage = PseudoBoxes(maps, config, threshold=0.3, sheet=0)
    stage.run(out, False)
    before = (out / "boxes.json").read_bytes()
    (tmp_path / "maps" / "maps" / "train" / "00003.npz").unlink()
    with pytest.raises(DataError, match="Image 'train/00003' has no map in .*maps"):
        stage.run(out, True)
    assert (out / "boxes.json").read_bytes() == before


def test_several_labels_are_refused(config, tmp_path):
    several = {"train_dataloader.dataset.multi_label": True}
    with pytest.raises(ConfigError, match="PSOL has one box for each image.*Train a detector"):
        PseudoBoxes(str(tmp_path), config, threshold=0.3, options=several).run(tmp_path, False)


def test_a_split_that_is_not_there_is_found_before_anything_runs(config):
    with pytest.raises(ConfigError, match="There is no split 'tset'"):
        PseudoBoxes("{maps}", config, split="tset", threshold=0.3).declares()
    assert PseudoBoxes("{maps}", "{train}/config.py", threshold=0.3).declares() == {}


def test_a_picture_shows_the_box_on_the_image_and_on_its_map():
    image, score_map = np.full((70, 100, 3), 9, np.uint8), np.ones((7, 10))
    found = box_picture(image, np.array([10.0, 20.0, 61.0, 51.0]), score_map)
    assert found.shape == (70, 200, 3)
    red = (found == (255, 60, 60)).all(2)
    for left in (0, 100):
        expected = np.zeros((70, 100), bool)
        expected[20:51, 10:61] = True
        expected[21:50, 11:60] = False  # a line of one pixel, inside the half open box
        assert (red[:, left : left + 100] == expected).all()
    assert found[0, 0].tolist() == [9, 9, 9]
    assert found[0, 199].tolist() == [255, 255, 255]


def test_file_names_are_relative_to_the_data(tmp_path):
    """Images on disk are not copied: the box file names them below data_root, also with a folder between."""
    folder = tmp_path / "photos"
    for label in ("cat", "dog"):
        for number in range(6):
            path = folder / "train" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((20, 30, 3), 9, np.uint8)).save(path)
    lines = [
        f"data_root = {str(folder)!r}",
        "step = [dict(type='Resize', size=(48, 48))]",
        "train_dataloader = dict(dataset=dict(type='ImageFolder', split='train', pipeline=step))",
        "test_dataloader = dict(dataset=dict(type='ImageFolder', split='train', pipeline=step))",
    ]
    config = tmp_path / "photos.py"
    config.write_text("\n".join(lines))
    data = DATASETS.build({"type": "ImageFolder", "data_root": str(folder), "split": "train"})
    for index in range(len(data)):
        found = ImageMaps({-1: block((8, 8), (1, 1, 4, 4))}, (30, 20))
        write_image_maps(tmp_path / "maps", data.record(index)["image_id"], found)
    out = tmp_path / "out"
    out.mkdir()
    PseudoBoxes(str(tmp_path / "maps"), str(config), threshold=0.3, sheet=2).run(out, False)
    content = json.loads((out / "boxes.json").read_text())
    assert {each["file_name"] for each in content["images"]} == {
        f"train/{label}/{number}.png" for label in ("cat", "dog") for number in range(6)
    }
    assert content["info"]["image_root"] == str(folder)
    assert not (out / "images").exists()


# ------------------------------------------------------------------------------------------------------- file, quality


def test_the_box_file_comes_back_as_it_was(tmp_path):
    boxes = [
        PseudoBox("b/2.jpg", "b/2.jpg", (30, 20), 1, np.array([1.5, 2, 20, 19.25]), 0.2),
        PseudoBox("a/1.jpg", "a/1.jpg", (8, 9), 0, np.array([0.0, 0, 8, 9]), 0.2, True),
    ]
    write_boxes(tmp_path / "boxes.json", boxes, ["x", "y"], {"threshold chosen": "by hand"})
    found, info = read_boxes(tmp_path / "boxes.json")
    assert list(found) == ["b/2.jpg", "a/1.jpg"]
    np.testing.assert_allclose(found["b/2.jpg"], [1.5, 2, 20, 19.25])
    assert info == {"threshold chosen": "by hand"}
    content = json.loads((tmp_path / "boxes.json").read_text())
    assert content["annotations"][0]["bbox"] == [1.5, 2, 18.5, 17.25]
    assert [each["empty"] for each in content["annotations"]] == [False, True]
    assert [(each["id"], each["name"]) for each in content["categories"]] == [(1, "x"), (2, "y")]


def test_other_files_are_no_pseudo_boxes(tmp_path):
    with pytest.raises(DataError, match="cannot be opened: No such file"):
        read_boxes(tmp_path / "none.json")
    for text in ("{", "[]", '{"images": [{"id": 1}], "annotations": []}'):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(DataError, match="is no file of pseudo boxes"):
            read_boxes(tmp_path / "other.json")


def test_the_quality_of_boxes_counted_by_hand():
    truth = [
        TrueBoxes("a", 0, (10, 10), np.array([[0.0, 0, 10, 10]])),  # .6: hits at .3 and .5
        TrueBoxes("b", 1, (10, 10), np.array([[0.0, 0, 5, 10], [5, 5, 10, 10]])),  # .5 exactly: hits at .3 only
        TrueBoxes("c", 1, (10, 10), np.array([[0.0, 0, 10, 10]])),  # 1
        TrueBoxes("d", 1, (10, 10), np.zeros((0, 4))),
    ]
    boxes = {
        "a": np.array([0.0, 0, 10, 6]), "b": np.array([0.0, 0, 10, 10]), "c": np.array([0.0, 0, 10, 10])
    }  # fmt: skip
    found = rate_boxes(boxes, truth, "mine", "by hand")
    assert {line.name: round(line.score.percent, 2) for line in found.lines} == {
        "BoxAcc@30": 100.0, "BoxAcc@50": 66.67, "BoxAcc@70": 33.33, "BoxAcc": 66.67
    }  # fmt: skip
    assert found["BoxAcc@50"].macro == pytest.approx(75)
    assert found["BoxAcc@50"].n == 3
    assert found.conventions["comparator"] == "IoU > level"
    with pytest.raises(DataError, match=r"There is no box \(mine\) for image 'c'"):
        rate_boxes({name: boxes[name] for name in "ab"}, truth, "mine", "by hand")


def test_baselines_do_not_look_at_the_image_and_the_blob_is_cut_on_val():
    truth = [TrueBoxes("a", 0, (100, 60), np.array([[0.0, 0, 100, 60]]))]
    val = [TrueBoxes("v", 0, (40, 40), np.array([[10.0, 10, 30, 30]]))]
    found = {name: (boxes["a"], rule) for name, rule, boxes in baseline_boxes(truth, val)}
    side = 0.5**0.5
    middle = [50 - 50 * side, 30 - 30 * side, 50 + 50 * side, 30 + 30 * side]
    np.testing.assert_allclose(found["centre box (half the area)"][0], middle, atol=1)
    assert found["whole image"][0].tolist() == [0, 0, 100, 60]
    # the quarter in the middle of val is best met by thresholds from about .3 to .8: a box near that quarter
    blob, rule = found["centred Gaussian blob"]
    assert iou(blob, [25, 15, 75, 45]) > 0.5
    assert "boxes of the val split" in rule
    assert "centred Gaussian blob" not in {name for name, _, _ in baseline_boxes(truth, None)}
