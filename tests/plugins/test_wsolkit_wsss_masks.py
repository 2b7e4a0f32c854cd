"""Pseudo masks: the argmax by loops, honest tuning, and the mean IoU by hand."""

import json

import numpy as np
import pytest
from PIL import Image

from wsolkit import DATASETS, ConfigError, DataError, ShapeError
from wsolkit.evaluation import Result
from wsolkit.formats import ImageMaps, write_image_maps
from wsolkit.formats.masks import write_gray, write_index_mask
from wsolkit_wsss.crf_settings import ON_PROBABILITIES
from wsolkit_wsss.label_maps import background_scores, cut_scores, label_map, label_probabilities
from wsolkit_wsss.labelled_images import LabelledImages, Scored
from wsolkit_wsss.pseudo_masks import PseudoMasks, pseudo_mask, read_tuned
from wsolkit_wsss.score_masks import ScoreMasks, mean_of_classes
from wsolkit_wsss.tuning import tune_background

COUNT = {"train": 2, "val": 4, "test": 3}
OPTIONS = {"type": "SyntheticParts", "num_classes": 3, "image_size": (40, 32), "seed": 3, "multi_label": True}


def scenes(split):
    return DATASETS.build(OPTIONS | {"split": split, "num_images": COUNT[split], "load_targets": True})


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "scenes.py"
    loaders = [
        f"{split}_dataloader = dict(dataset=dict(split={split!r}, num_images={count}, **{OPTIONS}))"
        for split, count in COUNT.items()
    ]
    path.write_text("\n".join(loaders))
    return str(path)


@pytest.fixture
def folders(tmp_path):
    """Class maps and saliency of val and test that know something of the truth and are wrong in places."""
    numbers = np.random.default_rng(7)
    for split in ("val", "test"):
        data = scenes(split)
        for index in range(len(data)):
            record = data.record(index)
            truth = data.targets(record, (40, 32)).mask
            maps = {k: np.clip(0.6 * (truth == k + 1) + 0.4 * numbers.random((32, 40)), 0, 1) for k in record["labels"]}
            found = ImageMaps(maps, (40, 32))
            write_image_maps(tmp_path / f"cams_{split}", record["image_id"], found)
            saliency = np.clip(180 * (truth > 0) + 75 * numbers.random((32, 40)), 0, 255).astype(np.uint8)
            write_gray(tmp_path / f"sal_{split}" / "saliency" / f"{record['image_id']}.png", saliency)
    return {name: str(tmp_path / name) for name in ("cams_val", "cams_test", "sal_val", "sal_test")}


def mean_iou(pairs, count):
    """Mean IoU in percent of (predicted, true) masks, pixel by pixel."""
    shared, either = np.zeros(count + 1), np.zeros(count + 1)
    for predicted, true in pairs:
        for p, t in zip(predicted.ravel().tolist(), true.ravel().tolist(), strict=True):
            if t == 255:
                continue
            either[p] += 1
            if p == t:
                shared[p] += 1
            else:
                either[t] += 1
    return 100 * np.mean([s / e for s, e in zip(shared, either, strict=True) if e])


def test_the_four_backgrounds_pixel_by_pixel():
    numbers = np.random.default_rng(0)
    scores = numbers.random((2, 3, 4)).astype(np.float32)
    saliency = numbers.integers(0, 256, (3, 4)).astype(np.uint8)
    power, threshold = 3.0, 0.3
    for kind in ("saliency", "cues", "constant", "power"):
        found = background_scores(scores, saliency, kind, power, threshold)
        for y in range(3):
            for x in range(4):
                little = {"power": 1 - max(scores[0, y, x], scores[1, y, x])}.get(kind, 1 - saliency[y, x] / 255)
                wanted = threshold if kind == "constant" else max(little**power, threshold)
                assert found[y, x] == pytest.approx(wanted, abs=1e-6)
    assert background_scores(scores[:0], None, "power").min() == 1
    for kind, given in [("saliency", None), ("sky", saliency)]:
        with pytest.raises(ConfigError, match="background should be one of .*, the first two with saliency"):
            background_scores(scores, given, kind)


def test_the_highest_of_background_and_classes_decides_pixel_by_pixel():
    numbers = np.random.default_rng(1)
    classes, scores = [1, 4, 9], numbers.integers(0, 4, (3, 6, 7)) / 4  # many equal scores
    nothing = numbers.integers(0, 4, (6, 7)) / 4
    found = label_map(classes, scores, nothing)
    for y in range(6):
        for x in range(7):
            best, wanted = nothing[y, x], 0
            for label, score in zip(classes, scores[:, y, x], strict=True):
                if score > best:
                    best, wanted = score, label + 1
            assert found[y, x] == wanted
    assert found.dtype == np.uint8
    assert label_map([], scores[:0], nothing).max() == 0


def test_probabilities_add_up_to_one_and_keep_their_order():
    numbers = np.random.default_rng(2)
    scores, nothing = numbers.random((2, 3, 3)), numbers.random((3, 3))
    scores[:, 0, 0] = nothing[0, 0] = 0
    found = label_probabilities(scores, nothing)
    np.testing.assert_allclose(found.sum(0), 1, rtol=1e-6)
    assert found[:, 0, 0].tolist() == [1, 0, 0]
    np.testing.assert_allclose(found[1, 1, 1], scores[0, 1, 1] / (scores[:, 1, 1].sum() + nothing[1, 1]), rtol=1e-6)


def test_a_crf_answers_with_places_that_become_classes():
    seen = {}

    def refine(image, probabilities, settings):
        seen.update(shape=probabilities.shape, settings=settings)
        return np.array([[2, 0, 1]], np.uint8)

    scores = np.array([[[0.1, 0.2, 0.9]], [[0.9, 0.2, 0.1]]], np.float32)
    found = Scored("a", np.zeros((1, 3, 3), np.uint8), [3, 7], scores, None)
    assert pseudo_mask(found, "constant", 1, 0.5).tolist() == [[8, 0, 4]]
    assert pseudo_mask(found, "constant", 1, 0.5, ON_PROBABILITIES, refine).tolist() == [[8, 0, 4]]
    assert pseudo_mask(found, "constant", 1, 0.95, ON_PROBABILITIES, refine).tolist() == [[8, 0, 4]]  # as the CRF says
    assert pseudo_mask(found, "constant", 1, 0.95).tolist() == [[0, 0, 0]]
    assert (seen["shape"], seen["settings"]) == ((3, 1, 3), ON_PROBABILITIES)
    empty = Scored("a", found.image, [], scores[:0], None)
    assert pseudo_mask(empty, "constant", 1, 0.5, ON_PROBABILITIES, refine).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("background", ["saliency", "constant", "power"])
def test_every_pair_that_is_tried_has_the_mean_iou_of_its_masks(config, folders, background):
    images = LabelledImages(config, "val", folders["cams_val"], background, folders["sal_val"], targets=True)
    powers, thresholds = [0.5, 1.0, 3.0], [0.0, 0.35, 0.6]
    tuned = tune_background(images, powers, thresholds)
    best = {}
    data = scenes("val")
    for power in [1.0] if background == "constant" else powers:
        for place, threshold in enumerate(thresholds):
            pairs = []
            for index in range(len(data)):
                found = images[index]
                predicted = pseudo_mask(found, background, power, threshold)
                pairs.append((predicted, data.targets(data.record(index), (40, 32)).mask))
            best[power, threshold] = mean_iou(pairs, 3)
            assert tuned.grid[f"{power:g}"][place] == pytest.approx(best[power, threshold], abs=1e-9)
    assert best[tuned.power, tuned.threshold] == pytest.approx(max(best.values()))
    assert (tuned.split, tuned.images) == ("val", 4)
    assert tuned.words == f"tuned on val (4 images, mIoU {max(best.values()):.2f})"


def test_the_stage_tunes_on_val_writes_masks_and_says_how(tmp_path, config, folders):
    stage = PseudoMasks(
        folders["cams_test"],
        config,
        split="test",
        saliency=folders["sal_test"],
        tune_on="val",
        tune_cams=folders["cams_val"],
        tune_saliency=folders["sal_val"],
        sheet=2,
        workers=2,
    )
    numbers = stage.run(tmp_path / "masks", False)
    tuning = json.loads((tmp_path / "masks" / "tuning.json").read_text())
    settings = json.loads((tmp_path / "masks" / "settings.json").read_text())
    assert numbers["mIoU on val"] == max(max(row) for row in tuning["grid"].values())
    assert (settings["bg_power"], settings["bg_threshold"]) == (tuning["power"], tuning["threshold"])
    assert settings["selection"].startswith("tuned on val (4 images, mIoU ")
    assert tuning["thresholds"][:2] == [0.0, 0.05]
    assert tuning["thresholds"][-1] == 0.75
    images = LabelledImages(config, "test", folders["cams_test"], "saliency", folders["sal_test"])
    for index in range(3):
        wanted = pseudo_mask(images[index], "saliency", tuning["power"], tuning["threshold"])
        with Image.open(tmp_path / "masks" / "masks" / "test" / f"0000{index}.png") as picture:
            assert picture.mode == "P"
            assert (np.array(picture) == wanted).all()
    assert (tmp_path / "masks" / "sheet.jpg").exists()


def test_a_resumed_stage_keeps_masks_and_tuning(tmp_path, config, folders):
    stage = PseudoMasks(
        folders["cams_test"],
        config,
        split="test",
        background="constant",
        tune_on="val",
        tune_cams=folders["cams_val"],
        sheet=0,
    )
    stage.run(tmp_path / "masks", False)
    files = [tmp_path / "masks" / "masks" / "test" / f"0000{index}.png" for index in range(3)]
    whole = [path.read_bytes() for path in files]
    write_index_mask(files[0], np.zeros((32, 40), np.uint8))
    files[1].unlink()
    tuning = tmp_path / "masks" / "tuning.json"
    before = tuning.stat().st_mtime_ns
    stage.run(tmp_path / "masks", True)
    assert np.array(Image.open(files[0])).max() == 0
    assert [path.read_bytes() for path in files[1:]] == whole[1:]
    assert tuning.stat().st_mtime_ns == before
    stage.run(tmp_path / "masks", False)
    assert [path.read_bytes() for path in files] == whole


def test_nothing_is_tuned_on_what_is_scored(tmp_path, config, folders):
    given = {"cams": folders["cams_test"], "config": config, "split": "test", "background": "constant"}
    with pytest.raises(ConfigError, match="tune_on='test' would choose the background on the split that is scored"):
        PseudoMasks(**given, tune_on="test", tune_cams="x")
    with pytest.raises(ConfigError, match="tune_on='val' would choose the background on the split that is scored"):
        PseudoMasks(**given | {"split": "val"}, tune_on="val", tune_cams="x")
    with pytest.raises(ConfigError, match=r"tune_on='val' needs tune_cams=..., the folder of the class maps"):
        PseudoMasks(**given, tune_on="val")
    same = {"val_dataloader.dataset.split": "test", "val_dataloader.dataset.num_images": 3}
    stage = PseudoMasks(**given, tune_on="val", tune_cams=folders["cams_test"], options=same)
    with pytest.raises(DataError, match="'val' to tune on and split 'test' share 3 images, such as 'test/00000'"):
        stage.run(tmp_path / "masks", False)
    for wrong, words in [
        ({"background": "sky"}, "background of PseudoMasks should be one of 'saliency', .* but got 'sky'"),
        ({}, "background='constant' needs bg_threshold"),
        ({"background": "saliency"}, "needs the folder of the stage that wrote the saliency of split 'test'"),
        ({"bg_threshold": 1.0}, r"bg_threshold of PseudoMasks should be a number in \[0, 1\), but got 1.0"),
        (
            {"bg_threshold": 0.3, "labels": "all"},
            "labels of PseudoMasks should be one of 'image', 'maps', but got 'all'",
        ),
    ]:
        with pytest.raises(ConfigError, match=words):
            PseudoMasks(**given | wrong)


def test_saliency_of_other_images_is_noticed(tmp_path, config, folders):
    images = LabelledImages(config, "test", folders["cams_test"], "saliency", folders["sal_test"])
    write_gray(tmp_path / "sal_test" / "saliency" / "test" / "00001.png", np.zeros((4, 5), np.uint8))
    with pytest.raises(DataError, match=r"00001.png is 5x4 pixels, but its image 40x32. It was written for other"):
        images[1]
    (tmp_path / "sal_test" / "saliency" / "test" / "00002.png").unlink()
    with pytest.raises(DataError, match="The saliency of image 'test/00002', .*00002.png is missing. Run the stage"):
        images[2]


def test_classes_are_those_of_the_image_or_of_the_maps(tmp_path, config):
    data = scenes("test")
    labels = data.record(0)["labels"]
    every = ImageMaps(dict(zip([2, 0, 1], np.random.default_rng(0).random((3, 4, 4)), strict=True)), (40, 32))
    write_image_maps(tmp_path / "all", "test/00000", every)
    by_image = LabelledImages(config, "test", str(tmp_path / "all"), "constant")[0]
    by_maps = LabelledImages(config, "test", str(tmp_path / "all"), "constant", labels="maps")[0]
    assert by_image.classes == sorted(labels)
    assert by_maps.classes == [0, 1, 2]
    for place, label in enumerate(by_image.classes):
        np.testing.assert_array_equal(by_image.scores[place], by_maps.scores[label])


def test_true_masks_are_read_for_tuning_only(tmp_path, config, folders, monkeypatch):
    def never(*_):
        raise AssertionError("a true mask was read")

    monkeypatch.setattr(DATASETS.get("SyntheticParts"), "read_mask", never)
    given = PseudoMasks(folders["cams_test"], config, split="test", background="constant", bg_threshold=0.4)
    given.run(tmp_path / "masks", False)
    settings = json.loads((tmp_path / "masks" / "settings.json").read_text())
    assert (settings["selection"], settings["bg_threshold"]) == ("given", 0.4)


def test_cues_take_the_place_of_saliency_without_the_network(tmp_path, config, folders):
    data = scenes("test")
    for index in range(3):
        cue = np.zeros((32, 40), np.uint8)
        cue[:, 20:] = 255
        write_gray(tmp_path / "cues" / "cues" / f"{data.record(index)['image_id']}.png", cue)
    stage = PseudoMasks(folders["cams_test"], config, split="test", background="cues", saliency=str(tmp_path / "cues"))
    stage.run(tmp_path / "masks", False)
    mask = np.array(Image.open(tmp_path / "masks" / "masks" / "test" / "00000.png"))
    assert mask[:, :20].max() == 0
    assert (mask[:, 20:] > 0).all()  # every class score is above 0 there, and the background is 0


def test_the_mean_iou_is_that_of_all_pixels_of_the_split(tmp_path, config):
    numbers, data, pairs = np.random.default_rng(5), scenes("test"), []
    for index in range(3):
        record = data.record(index)
        truth = data.targets(record, (40, 32)).mask
        noise = numbers.integers(0, 4, truth.shape).astype(np.uint8)
        predicted = np.where(numbers.random(truth.shape) < 0.5, truth, noise).astype(np.uint8)
        write_index_mask(tmp_path / "made" / "masks" / f"{record['image_id']}.png", predicted)
        pairs.append((predicted, truth))
    stage = ScoreMasks(str(tmp_path / "made"), config, level="seed", classes=[data.classes[2]])
    numbers = stage.run(tmp_path, False)
    assert numbers["mIoU"] == pytest.approx(mean_iou(pairs, 3), abs=1e-9)
    right = sum((predicted == true).sum() for predicted, true in pairs) / sum(true.size for _, true in pairs)
    assert numbers["pixel accuracy"] == pytest.approx(100 * right)
    written = json.loads((tmp_path / "results.json").read_text())
    each = written["details"]["IoU of each class"]
    assert set(each) == {"background", *data.classes}
    assert numbers["mIoU of 1 classes and background"] == pytest.approx(
        (each["background"] + each[data.classes[2]]) / 2
    )
    assert (written["images"], written["split"]) == (3, "test")
    assert (written["details"]["level"], written["details"]["masks"]) == ("seed", None)
    assert written["results"][0]["conventions"]["level"] == "seed (label maps)"


def test_perfect_masks_score_a_hundred_and_settings_come_along(tmp_path, config):
    data = scenes("test")
    for index in range(3):
        record = data.record(index)
        truth = data.targets(record, (40, 32)).mask
        maps = {k: (truth == k + 1).astype(np.float32) for k in record["labels"]}
        write_image_maps(tmp_path / "cams", record["image_id"], ImageMaps(maps, (40, 32)))
    stage = PseudoMasks(str(tmp_path / "cams"), config, split="test", background="constant", bg_threshold=0.5)
    stage.run(tmp_path / "masks", False)
    assert ScoreMasks(str(tmp_path / "masks"), config).run(tmp_path, False)["mIoU"] == 100
    written = json.loads((tmp_path / "results.json").read_text())
    made = written["details"]["masks"]
    assert (made["bg_threshold"], made["selection"]) == (0.5, "given")
    with pytest.raises(ConfigError, match="were made for split 'test' and 3 classes, not for split 'val'"):
        ScoreMasks(str(tmp_path / "masks"), config, split="val").run(tmp_path, False)


def test_masks_that_do_not_fit_are_named(tmp_path, config):
    folder = tmp_path / "made" / "masks" / "test"
    for index in range(2):
        write_index_mask(folder / f"0000{index}.png", np.zeros((32, 40), np.uint8))
    with pytest.raises(DataError, match=r"Image 'test/00002' has no mask .*00002.png. Run the stage"):
        ScoreMasks(str(tmp_path / "made"), config).run(tmp_path, False)
    write_index_mask(folder / "00002.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(ShapeError, match=r"Mask .*00002.png: "):
        ScoreMasks(str(tmp_path / "made"), config).run(tmp_path, False)
    write_index_mask(folder / "00002.png", np.full((32, 40), 9, np.uint8))
    with pytest.raises(DataError, match=r"Mask .*00002.png: The label map should hold 0 to 3, but holds 9"):
        ScoreMasks(str(tmp_path / "made"), config).run(tmp_path, False)
    with pytest.raises(ConfigError, match="There is no class 'owl' to average. The classes are "):
        ScoreMasks(str(tmp_path / "made"), config, classes=["owl"]).run(tmp_path, False)
    assert not (tmp_path / "results.json").exists()


def test_classes_that_do_not_occur_are_left_out_of_their_mean():
    result = Result("MeanIoU", (), each_class={-1: 80.0, 0: 40.0, 1: float("nan"), 2: 0.0})
    assert mean_of_classes(result, [0, 1]) == 60.0
    assert mean_of_classes(result, [2]) == 40.0


def test_a_score_that_only_equals_the_background_is_cut():
    assert cut_scores(np.array([[[0.5, 0.5, 0.5]]]), np.array([[0.5, 0.4, 0.6]])).tolist() == [[[0.0, 0.5, 0.0]]]


def test_a_copy_reads_with_a_data_set_of_its_own_and_lists_the_maps_once(config, folders):
    images = LabelledImages(config, "test", folders["cams_test"], "constant", labels="maps")
    other = images.copy()
    assert other == images
    assert other.dataset is not images.dataset
    assert other.maps is images.maps


def test_what_cannot_be_tuned_is_refused_before_anything_is_read(config, folders):
    def stage(**options):
        return PseudoMasks("cams", config, background="cues", saliency="cues", **options)

    with pytest.raises(ConfigError, match="powers is empty"):
        stage(powers=[])
    for wrong in ([0.7, 0.1], [0.1, 1.0], [], [0.2, 0.2]):
        with pytest.raises(ConfigError, match=r"thresholds should be one or more rising numbers in \[0, 1\), but got"):
            stage(thresholds=wrong)
    with pytest.raises(ConfigError, match="workers should be 0 or more, but got -1"):
        stage(workers=-1)
    with pytest.raises(
        ConfigError, match=r"tune_on='val' chooses bg_power and bg_threshold, but 2.0 and 0.4 are given"
    ):
        stage(tune_on="val", tune_cams="cams", bg_power=2.0, bg_threshold=0.4)


def test_damaged_records_are_named(tmp_path, config):
    (tmp_path / "settings.json").write_text('{"split": "te')
    with pytest.raises(DataError, match=r"settings.json is damaged .* Remove the folder of its stage"):
        ScoreMasks(tmp_path, config).made(["a"])
    (tmp_path / "settings.json").write_text('{"split": "train"}')
    with pytest.raises(ConfigError, match=r"were made for split 'train' and 0 classes, not for split 'test'"):
        ScoreMasks(tmp_path, config).made(["a"])
    tuned = {"power": 1, "threshold": None, "miou": 3, "split": "v", "images": 2, "thresholds": [], "grid": {}}
    for content in ({"power": 1}, [1], tuned):
        (tmp_path / "tuning.json").write_text(json.dumps(content))
        with pytest.raises(DataError, match=r"tuning.json is damaged .* Remove it to tune again"):
            read_tuned(tmp_path / "tuning.json")
