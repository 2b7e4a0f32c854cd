"""Background cues: the cut and the CRF by hand, the stage on drawn scenes, killed and resumed."""

import numpy as np
import pytest
import torch
from PIL import Image

from wsolkit import DATASETS, ConfigError, DataError, load_config
from wsolkit.formats import ImageMaps, write_image_maps
from wsolkit.formats.masks import write_gray
from wsolkit.maps import normalize_maps
from wsolkit.report import colour_mask
from wsolkit_wsss.background_cues import BackgroundCues, cue_mask, resized
from wsolkit_wsss.crf_settings import ON_LABELS, ON_PROBABILITIES, CrfSettings, crf_settings
from wsolkit_wsss.image_jobs import run_jobs
from wsolkit_wsss.mask_share import check_share

SCENES = {"type": "SyntheticParts", "num_classes": 3, "image_size": (40, 32), "seed": 3}
CONFIG = """
scenes = dict(type="SyntheticParts", num_classes=3, image_size=(40, 32), seed=3)
train_dataloader = dict(batch_size=2, dataset=dict(num_images=4, split="train", **scenes))
val_dataloader = dict(batch_size=2, dataset=dict(num_images=3, split="val", test_mode=True, **scenes))
test_dataloader = dict(batch_size=2, dataset=dict(num_images=3, split="test", test_mode=True, **scenes))
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "scenes.py"
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture
def maps(tmp_path):
    """Class-agnostic maps of the four training scenes, of the size of the images: random numbers."""
    numbers = np.random.default_rng(0)
    found = {}
    for index in range(4):
        found[f"train/{index:05d}"] = numbers.random((32, 40)).astype(np.float16)
        write_image_maps(
            tmp_path / "maps",
            f"train/{index:05d}",
            ImageMaps({-1: found[f"train/{index:05d}"]}, (40, 32)),
        )
    return found


def test_scores_above_the_threshold_are_foreground_and_the_threshold_is_not():
    image = np.zeros((2, 2, 3), np.uint8)
    found = cue_mask(image, np.array([[0.5, 0.51], [0.0, 1.0]]), 0.5, None)
    assert found.tolist() == [[0, 255], [0, 255]]
    assert found.dtype == np.uint8


def test_the_map_is_resized_to_the_image_first():
    image = np.zeros((1, 4, 3), np.uint8)
    # bilinear, cells at their centres: 0, .25, .75, 1
    assert cue_mask(image, np.array([[0.0, 1.0]]), 0.3, None).tolist() == [[0, 0, 255, 255]]
    assert cue_mask(image, np.array([[0.0, 1.0]]), 0.2, None).tolist() == [[0, 255, 255, 255]]
    assert resized(np.full((3, 5), 0.25, np.float16), (7, 2)).shape == (2, 7)


def test_the_crf_gets_the_labels_and_has_the_last_word():
    seen = {}

    def refine(image, labels, classes, settings):
        seen.update(labels=labels.tolist(), classes=classes, settings=settings, image=image)
        return 1 - labels

    image = np.full((1, 2, 3), 9, np.uint8)
    found = cue_mask(image, np.array([[0.1, 0.9]]), 0.3, ON_LABELS, refine)
    assert seen["labels"] == [[0, 1]]
    assert (seen["classes"], seen["settings"]) == (2, CrfSettings(10, (3, 3), (50, 5, 10), 0.7))
    assert seen["image"] is image
    assert found.tolist() == [[255, 0]]


def test_the_papers_numbers_of_the_crf():
    assert (ON_LABELS.gt_prob, ON_LABELS.gaussian, ON_LABELS.bilateral) == (0.7, (3, 3), (50, 5, 10))
    assert (ON_PROBABILITIES.gaussian, ON_PROBABILITIES.bilateral) == ((3, 3), (80, 13, 10))
    assert ON_LABELS.iterations == ON_PROBABILITIES.iterations == 10
    assert crf_settings({"bilateral": [40, 4, 8]}, ON_LABELS).bilateral == (40, 4, 8)
    for wrong, words in [
        ({"steps": 3}, "crf should be True, False or a dict with some of iterations, gaussian, bilateral, gt_prob"),
        ({"iterations": 0}, "crf needs 1 or more iterations, but got 0"),
        ({"gaussian": (3,)}, r"crf needs gaussian=\(pixels, weight\), all positive"),
        ({"bilateral": (50, -5, 10)}, r"crf needs bilateral=\(pixels, colour, weight\), all positive"),
        ({"gt_prob": 0.4}, r"gt_prob of the crf should be in \(0\.5, 1\), but got 0\.4"),
    ]:
        with pytest.raises(ConfigError, match=words):
            crf_settings(wrong, ON_LABELS)


def test_the_stage_writes_a_cue_for_each_image(tmp_path, config, maps):
    folder = tmp_path / "cues"
    numbers = BackgroundCues(str(tmp_path / "maps"), config, threshold=0.6, crf=False, sheet=2).run(folder, False)
    shares = []
    for name, score_map in maps.items():
        cue = np.array(Image.open(folder / "cues" / f"{name}.png"))
        assert (cue == np.where(score_map.astype(np.float32) > 0.6, 255, 0)).all()
        shares.append((score_map.astype(np.float32) > 0.6).mean())
    assert numbers == {
        "images": 4,
        "without foreground": 0,
        "foreground in %": pytest.approx(100 * np.mean(shares)),
    }
    assert Image.open(folder / "sheet.jpg").height > 2 * 150


def test_a_resumed_stage_writes_what_is_missing_and_a_fresh_one_everything(tmp_path, config, maps):
    stage, folder = BackgroundCues(str(tmp_path / "maps"), config, crf=False, sheet=0), tmp_path / "cues"
    stage.run(folder, False)
    files = [folder / "cues" / f"{name}.png" for name in maps]
    whole = [path.read_bytes() for path in files]
    write_gray(files[0], np.full((32, 40), 255, np.uint8))
    files[1].unlink()
    marked = files[0].read_bytes()
    stage.run(folder, True)
    assert files[0].read_bytes() == marked
    assert [path.read_bytes() for path in files[1:]] == whole[1:]
    stage.run(folder, False)
    assert [path.read_bytes() for path in files] == whole


def test_several_threads_write_the_same(tmp_path, config, maps):
    for workers in (0, 2):
        stage = BackgroundCues(str(tmp_path / "maps"), config, crf=False, workers=workers, sheet=0)
        stage.run(tmp_path / str(workers), False)
    for name in maps:
        one, other = (tmp_path / str(workers) / "cues" / f"{name}.png" for workers in (0, 2))
        assert one.read_bytes() == other.read_bytes()


def test_maps_of_an_earlier_version_and_of_another_program_give_the_same_cues(tmp_path, config, maps):
    for name, score_map in maps.items():
        before = tmp_path / "before" / "maps" / f"{name}.npz"
        other = tmp_path / "other" / f"{name}.npy"
        for path in (before, other):
            path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(before, classes=np.array([-1]), maps=score_map[None], size=np.array([40, 32]))
        np.save(other, score_map)
    for folder in ("maps", "before", "other"):
        stage = BackgroundCues(str(tmp_path / folder), config, crf=False, sheet=1)
        stage.run(tmp_path / f"cues_{folder}", False)
    for name in maps:
        one, two, three = (
            (tmp_path / f"cues_{folder}" / "cues" / f"{name}.png").read_bytes()
            for folder in ("maps", "before", "other")
        )
        assert one == two == three


@pytest.mark.parametrize(("shift", "words"), [(0.0, "nearly nothing"), (0.5, "nearly everything")])
def test_cues_that_separate_nothing_are_refused_and_the_sheet_shows_them(tmp_path, shift, words):
    config = tmp_path / "scenes.py"
    config.write_text(CONFIG.replace("num_images=4", "num_images=8"))
    score_map = (np.random.default_rng(0).random((32, 40)) * 0.1 + shift).astype(np.float16)
    for index in range(8):
        write_image_maps(tmp_path / "maps", f"train/{index:05d}", ImageMaps({-1: score_map}, (40, 32)))
    stage, folder = BackgroundCues(str(tmp_path / "maps"), str(config), crf=False), tmp_path / "cues"
    marked = "100.0 %" if shift else "0.0 %"
    message = f"Of 8 images the cues at threshold 0.3 mark {words} as foreground: {marked} of the pixels on average"
    with pytest.raises(DataError, match=f"{message}.*MultiScaleMaps.of=dict.type='C2AMLogitMaps'"):
        stage.run(folder, False)
    assert (folder / "sheet.jpg").is_file()


def test_a_share_is_warned_of_where_it_is_doubtful_and_of_few_images_never_an_error():
    assert check_share([0.02, 0.02], "masks", "") == 2
    with pytest.warns(UserWarning, match="Of 2 images masks mark nearly nothing .*: 1.0 % .* 0 images whole and 1 no"):
        check_share([0.0, 0.02], "masks", "")
    with pytest.warns(UserWarning, match="Of 7 images masks mark nearly everything .* 7 images whole"):
        check_share([1.0] * 7, "masks", "", refuse=True)
    with pytest.warns(UserWarning, match="nearly everything"):
        check_share([1.0] * 9, "masks", "")


def test_c2am_s_maps_for_masks_leave_about_what_objects_cover():
    """Logits of a blob on a fifth of the cells: what the recipe cuts at .3 is that blob, sigmoid maps keep all."""
    logits = torch.full((1, 20, 20), -0.8)
    logits[:, 5:14, 5:14] = 2.0
    logits += 0.03 * torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))
    shares = {
        name: float((normalize_maps(found, norm) > 0.3).float().mean())
        for name, found, norm in [
            ("sigmoid", torch.sigmoid(logits), "max"),
            ("stretched", torch.sigmoid(logits), "minmax"),
            ("logits", logits.clamp_min(0), "max"),
        ]
    }
    assert shares == {"sigmoid": 1.0, "stretched": pytest.approx(81 / 400), "logits": pytest.approx(81 / 400)}
    for name in ("c2am_resnet50_voc", "ccnn_resnet50_voc", "wsss_foreground_synthetic"):
        cam = load_config(name).model.cam_method
        of = cam.get("of", cam)
        assert (of.type, of.inverted, cam.get("normalize", "max")) == ("C2AMLogitMaps", "negated", "max")


def test_what_is_no_class_agnostic_map_is_refused(tmp_path, config, maps):
    stage = BackgroundCues(str(tmp_path / "maps"), config, crf=False)
    two = ImageMaps({0: np.zeros((4, 4)), 2: np.zeros((4, 4))}, (40, 32))
    write_image_maps(tmp_path / "maps", "train/00002", two)
    with pytest.raises(
        DataError, match=r"need one class-agnostic map of each image, but .* classes \[0, 2\] of 'train"
    ):
        stage.run(tmp_path / "cues", False)
    (tmp_path / "maps" / "maps" / "train" / "00002.npz").unlink()
    with pytest.raises(DataError, match="Image 'train/00002' has no map in"):
        stage.run(tmp_path / "cues", True)
    assert len(list((tmp_path / "cues" / "cues").rglob("*.png"))) == 2  # those before it are kept


def test_mistakes_in_the_arguments(tmp_path, config):
    with pytest.raises(ConfigError, match=r"threshold of BackgroundCues should be a number in \[0, 1\), but got 1"):
        BackgroundCues("maps", config, threshold=1)
    with pytest.raises(ConfigError, match="There is no split 'trainn'"):
        BackgroundCues("maps", config, split="trainn").run(tmp_path, False)
    with pytest.raises(ConfigError, match="workers should be 0 or more, but got -1"):
        run_jobs(lambda: abs, (), [1], workers=-1)


def test_true_masks_are_not_read(tmp_path, config, maps, monkeypatch):
    def never(*_):
        raise AssertionError("a true mask was read")

    monkeypatch.setattr(DATASETS.get("SyntheticParts"), "read_mask", never)
    BackgroundCues(str(tmp_path / "maps"), config, crf=False).run(tmp_path / "cues", False)


def test_settings_hold_the_images_of_the_split(config):
    stage = BackgroundCues("{maps}", config, split="train")
    assert stage.declares()["configuration"]["train_dataloader"]["dataset"]["num_images"] == 4
    assert BackgroundCues("{maps}", "{net}/config.py").declares() == {}


def test_masks_have_the_colours_of_voc_and_let_the_image_through():
    assert colour_mask(np.array([[1, 0]], np.uint8)).tolist() == [[[128, 0, 0], [0, 0, 0]]]
    over = colour_mask(np.array([[1, 0]], np.uint8), np.full((1, 2, 3), 100, np.uint8), strength=0.5)
    assert over.tolist() == [[[114, 50, 50], [100, 100, 100]]]
