"""The plugin as a whole: what it describes, its configurations on a tiny VOC, and a small pipeline from end to end."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import wsolkit_wsss
from wsolkit import DATASETS, ConfigError, DataError, load_plugins
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.formats.masks import write_gray
from wsolkit.pipeline import load_pipeline, run_pipeline
from wsolkit.pipeline.pipeline_config import read_pipeline
from wsolkit.report import read_evaluation
from wsolkit.training.train import train
from wsolkit_wsss.background_cues import cue_mask
from wsolkit_wsss.crf_settings import ON_LABELS, ON_PROBABILITIES, refine_probabilities
from wsolkit_wsss.image_jobs import run_jobs

FOLDER = Path(wsolkit_wsss.__file__).parent
NETWORKS = ["wsss_saliency_resnet50_voc", "wsss_saliency_mobilenetv2_voc"]
QUICK = {"train_dataloader.num_workers": 0, "train_dataloader.persistent_workers": False, "train_cfg.max_epochs": 1}
ANNOTATION = """<annotation><size><width>48</width><height>40</height><depth>3</depth></size><object><name>{name}</name>
<difficult>0</difficult><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax></bndbox></object></annotation>
"""


@pytest.fixture
def voc(tmp_path):
    """Four images in VOC's layout, and a cue for each; images differ in size."""
    root, random = tmp_path / "VOC2012", np.random.default_rng(0)
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    names = [f"2007_00000{number}" for number in range(4)]
    for number, name in enumerate(names):
        pixels = random.integers(0, 256, (40 + 8 * number, 48, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / "JPEGImages" / f"{name}.jpg")
        (root / "Annotations" / f"{name}.xml").write_text(ANNOTATION.format(name=["cat", "dog"][number % 2]))
        cue = np.zeros(pixels.shape[:2], np.uint8)
        cue[10:30, 10:30] = 255
        write_gray(tmp_path / "cues_stage" / "cues" / f"{name}.png", cue)
    for folder in ("Main", "Segmentation"):
        for split in ("train", "val", "test"):
            (root / "ImageSets" / folder / f"{split}.txt").write_text("\n".join(names))
    return root


@pytest.mark.parametrize("name", NETWORKS)
def test_a_saliency_network_takes_its_first_steps(name, voc, tmp_path):
    options = QUICK | {
        "data_root": str(voc),
        "weights": None,
        "train_dataloader.dataset.cues": str(tmp_path / "cues_stage"),
        "train_dataloader.dataset.dataset.indices": 2,
        "model.width": 16,
    }
    config = load_config(name, options)
    assert train(config, tmp_path / "work").last.exists()


def test_the_papers_numbers_stand_in_the_configuration():
    config = load_config("wsss_saliency_resnet50_voc")
    assert config.optim_wrapper.optimizer == {"type": "Adam", "lr": 5e-5, "weight_decay": 5e-4}
    assert (config.optim_wrapper.accumulative_counts, config.train_dataloader.batch_size) == (10, 1)
    assert (config.train_cfg.max_epochs, config.model.reduction) == (9, "sum")


def test_the_classifier_of_the_seed_takes_its_first_steps(voc, tmp_path):
    small = [{"type": "Resize", "size": (64, 64), "antialias": True}]
    options = QUICK | {
        "data_root": str(voc),
        "weights": None,
        "train_dataloader.dataset.pipeline": small,
        "train_dataloader.batch_size": 2,
        "train_cfg.val_begin": 9,
        "val_dataloader.dataset.pipeline": small,
        "val_dataloader.num_workers": 0,
        "val_dataloader.persistent_workers": False,
    }
    assert train(load_config("wsss_cam_resnet50_voc", options), tmp_path / "work").last.exists()


@pytest.mark.parametrize("name", ["wsss_synthetic", "wsss_voc", "wsss_mobilenetv2_voc"])
def test_pipelines_are_complete_before_they_run(name, tmp_path):
    pipeline = load_pipeline(name, work_dir=tmp_path)
    names = [step.name for step in pipeline.steps]
    assert names[-1] == "pseudo_scores"
    assert "seed_scores" in names
    for step in pipeline.steps:
        if step.cls.__name__ == "PseudoMasks":
            assert step.arguments["tune_on"] == "val"
            assert step.arguments["split"] != "val"


@pytest.mark.parametrize("name", ["wsss_voc", "wsss_mobilenetv2_voc"])
def test_the_maps_of_ccnn_take_the_place_of_c2am_s(name, tmp_path):
    plain, other = (read_pipeline(name, {"maps": maps})["stages"] for maps in ("c2am", "ccnn"))
    assert other[0]["config"] == plain[0]["config"].replace("c2am", "ccnn")
    assert json.loads(json.dumps(plain).replace("c2am", "ccnn")) == json.loads(json.dumps(other))
    assert load_pipeline(name, {"maps": "ccnn"}, tmp_path).steps[0].name == "ccnn"
    with pytest.raises(ConfigError, match="maps should be c2am or ccnn, but got 'cam'"):
        read_pipeline(name, {"maps": "cam"})


def test_the_batch_size_study_changes_the_batch_of_c2am_alone(tmp_path):
    pipeline = load_pipeline("wsss_batch_sizes", {"sizes": [32, 256], "weights": "moco.pth.tar"}, tmp_path)
    assert len(pipeline.steps) == 5 + 2 * 8
    first, second = ([step for step in pipeline.steps if step.name.endswith(f"_{size}")] for size in (32, 256))
    assert first[0].arguments["options"]["train_dataloader.batch_size"] == 32
    assert first[0].arguments["options"]["weights"] == "moco.pth.tar"
    told = [json.dumps([step.name, step.arguments], default=str).replace("_256", "_32") for step in second]
    told[0] = told[0].replace('"train_dataloader.batch_size": 256', '"train_dataloader.batch_size": 32')
    assert told == [json.dumps([step.name, step.arguments], default=str) for step in first]
    study, single = (read_pipeline(name)["stages"] for name in ("wsss_batch_sizes", "wsss_voc"))
    (scores,) = [each for each in study if each["name"] == "pseudo_128"]
    (wanted,) = [each for each in single if each["name"] == "pseudo"]
    names = {"pseudo": "pseudo_128", "{saliency_train}": "{saliency_train_128}", "{cues_train}": "{cues_128}"}
    names["{saliency_val}"] = "{saliency_val_128}"
    assert scores == {key: names.get(value, value) for key, value in wanted.items()}


@pytest.mark.slow
def test_a_small_pipeline_from_maps_to_mean_iou(tmp_path):
    options = {}
    for stage, prefix in (("c2am", ""), ("cam", ""), ("network", "dataset.")):
        for key, value in QUICK.items():
            options[f"stages.{stage}.options.{key}"] = value
        options[f"stages.{stage}.options.train_dataloader.batch_size"] = 4
        options[f"stages.{stage}.options.train_dataloader.dataset.{prefix}num_images"] = 8
        for split in ("val", "test") if not prefix else ():
            options[f"stages.{stage}.options.{split}_dataloader.dataset.num_images"] = 6
            options[f"stages.{stage}.options.{split}_dataloader.num_workers"] = 0
            options[f"stages.{stage}.options.{split}_dataloader.persistent_workers"] = False
    pipeline = load_pipeline("wsss_synthetic", options, tmp_path)
    run_pipeline(pipeline)
    for stage in ("seed", "pseudo"):
        found = read_evaluation(tmp_path / f"{stage}_scores")
        assert 0 < found.honest_numbers()["mIoU"] <= 100
        assert found.images == 6
        assert found.details["masks"]["selection"].startswith("tuned on val (6 images")
        files = sorted((tmp_path / stage / "masks" / "test").glob("*.png"))
        assert [path.name for path in files] == [f"{number:05d}.png" for number in range(6)]
        with Image.open(files[0]) as picture:
            assert (picture.mode, picture.size) == ("P", (96, 96))
    assert len(list((tmp_path / "cues" / "cues").rglob("*.png"))) == 8
    assert len(list((tmp_path / "saliency_test" / "saliency").rglob("*.png"))) == 6
    assert (tmp_path / "pseudo" / "sheet.jpg").exists()


def test_the_crf_moves_a_coarse_border_to_the_edge_in_the_image():
    image = np.full((40, 60, 3), 30, np.uint8)
    image[:, 30:] = 220  # the object is the right half
    coarse = np.zeros((40, 60))
    coarse[:, 26:] = 0.9  # the map begins four pixels too early
    wanted = np.zeros((40, 60), np.uint8)
    wanted[:, 30:] = 255
    assert (cue_mask(image, coarse, 0.3, None) != wanted).sum() == 4 * 40
    assert (cue_mask(image, coarse, 0.3, ON_LABELS) != wanted).sum() == 0
    probabilities = np.stack([1 - 0.7 * (coarse > 0), 0.7 * (coarse > 0)]).astype(np.float32)
    assert (refine_probabilities(image, probabilities, ON_PROBABILITIES) * 255 != wanted).sum() == 0


def test_jobs_keep_their_order_and_stop_at_the_first_error():
    made = []

    def make(base):
        made.append(base)

        def job(index):
            if index == 3:
                raise DataError("image 3 is broken")
            return base + index

        return job

    assert run_jobs(make, (10,), range(3)) == [10, 11, 12]
    assert run_jobs(make, (10,), [5, 4], workers=2) == [15, 14]
    assert run_jobs(make, (10,), [], workers=2) == []
    for workers in (0, 2):
        with pytest.raises(DataError, match="image 3 is broken"):
            run_jobs(make, (10,), range(20), workers)


@pytest.mark.slow
def test_threads_that_share_a_data_set_do_not_mix_its_images(tmp_path):
    from wsolkit_wsss.split_data import image_of, split_data

    path = tmp_path / "scenes.py"
    scenes = {"type": "SyntheticParts", "num_classes": 2, "image_size": 32, "num_images": 12}
    path.write_text(f"train_dataloader = dict(dataset={scenes})")

    def make(config):
        data = split_data(config, "train")
        return lambda index: image_of(data, index)

    data = DATASETS.build(scenes)
    for index, image in enumerate(run_jobs(make, (str(path),), range(12), workers=3)):
        assert (image == data.read_image(data.record(index)).permute(1, 2, 0).numpy()).all()


def test_the_methods_and_their_cards_are_found():
    found = {method.name: method for method, source in load_plugins().methods if source.plugin == "wsss"}
    assert {method.name: method.card.name for method in found.values()} == {
        "C2AM background cues": "card.md",
        "PoolNet": "poolnet.md",
    }
    for method in found.values():
        card = method.card_text()
        assert set(method.configs) <= set(config_files())
        assert method.title.split(":")[0] in " ".join(card.split())
        for value in method.reported.values():
            assert f"{value:.1f}" in card, f"the card lacks {value}"
    card = found["C2AM background cues"].card_text()
    for component in wsolkit_wsss.__all__:
        assert f"`{component}`" in card, f"the card lacks {component}"
