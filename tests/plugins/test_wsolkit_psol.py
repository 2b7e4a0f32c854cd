"""PSOL as a whole: the methods and their card, the pipeline on drawn scenes, and one step of every configuration."""

import json

import numpy as np
import pytest
import torch

from tests.support.config_steps import loss_step, one_step
from wsolkit import DATASETS, ConfigError, load_plugins
from wsolkit.config.find import config_files, find_config
from wsolkit.config.load import load_config
from wsolkit.config.read import read_config
from wsolkit.pipeline import load_pipeline, run_pipeline
from wsolkit.registry import MODELS
from wsolkit.training.train import train
from wsolkit_psol.box_file import PseudoBox, file_name_of, read_boxes, write_boxes

CONFIGS = sorted(name for name in config_files() if name.startswith("psol_"))
PIPELINES = [name for name in CONFIGS if "stages" in read_config(find_config(name))]
CLASSIFIERS = [name for name in CONFIGS if "classifier" in name or "features" in name]
REGRESSORS = [name for name in CONFIGS if name not in PIPELINES + CLASSIFIERS]
SIDE = 64


def test_the_methods_name_their_configurations_and_the_card_their_numbers():
    found = {method.name: method for method, source in load_plugins().methods if source.plugin == "psol"}
    assert set(found) == {"PSOL", "DDT"}
    assert (found["PSOL"].venue, found["PSOL"].year, found["DDT"].year) == ("CVPR", 2020, 2019)
    assert sorted((*found["PSOL"].configs, *found["DDT"].configs)) == CONFIGS
    card = found["PSOL"].card_text()
    for value in found["PSOL"].reported.values():
        assert f"{value:.2f}" in card or f"{value:.1f}" in card, f"the card lacks {value}"
    assert found["DDT"].card.name == "ddt.md"
    assert "| DDT, any of the three signs | 90.0 | 68.8 | 31.3 |" in found["DDT"].card_text()


def small(stage, made_train=False):
    """Return options that leave a stage of the pipeline a few images and one epoch."""
    options = {"train_cfg.max_epochs": 1, "default_hooks.progress_bar": None}
    for split, count in (("train", 40), ("val", 20), ("test", 20)):
        if not (made_train and split == "train"):
            options[f"{split}_dataloader.dataset.num_images"] = count
        options[f"{split}_dataloader.num_workers"] = 0
        options[f"{split}_dataloader.persistent_workers"] = False
    return {f"stages.{stage}.options.{name}": value for name, value in options.items()}


@pytest.mark.slow
def test_the_pipeline_runs_from_maps_to_numbers_and_is_done_then(tmp_path):
    options = {**small("cam"), **small("regressor", made_train=True)}
    pipeline = load_pipeline("psol_synthetic", options, work_dir=tmp_path)
    outcomes = {outcome.name: outcome for outcome in run_pipeline(pipeline, tell=lambda line: None)}
    assert {outcome.state for outcome in outcomes.values()} == {"done"}
    boxes, info = read_boxes(tmp_path / "boxes" / "boxes.json")
    _, of_test = read_boxes(tmp_path / "boxes_test" / "boxes.json")
    assert len(boxes) == 40
    assert info["threshold"] == of_test["threshold"]  # both chosen on the same val maps
    assert outcomes["boxes_test"].numbers["BoxAcc@50"] == outcomes["combined"].numbers["BoxAcc@50, pseudo boxes"]
    assert "best BoxAcc@50" in outcomes["regressor"].numbers
    results = json.loads((tmp_path / "combined" / "results.json").read_text())
    assert results["images"] == 20
    assert (tmp_path / "combined" / "index.html").exists()
    again = run_pipeline(load_pipeline("psol_synthetic", options, work_dir=tmp_path), tell=lambda line: None)
    assert {outcome.state for outcome in again} == {"done before"}
    assert all(outcomes[outcome.name].numbers == outcome.numbers for outcome in again)


CHOICES = {
    "psol_maps": [{"data": data, "maps": maps} for data in ("cub", "ilsvrc", "birds50") for maps in ("c2am", "ccnn")]
    + [{"data": "ilsvrc", "maps": "ccnn", "moco": "moco.pth.tar"}],
    "psol_ddt": [{"data": "cub"}, {"data": "birds50"}],
}


@pytest.mark.parametrize(
    ("name", "options"), [(name, choice) for name in PIPELINES for choice in CHOICES.get(name, [{}])]
)
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_every_pipeline_is_complete(name, options, tmp_path):
    """Names, arguments, references and configurations of every stage are checked without data."""
    steps = load_pipeline(name, options, work_dir=tmp_path).steps
    assert steps[-1].cls.__name__ == "CombineBoxes"
    trained = {step.name: step.arguments["config"] for step in steps if step.cls.__name__ == "Train"}
    assert set(trained.values()) <= set(config_files())
    before = {name for step in steps[:-1] if step.name != "boxes_test" for name in step.builds_on}
    assert not before & {"maps_test", "boxes_test"}  # what learns or chooses sees nothing of test
    for step in steps:
        if step.cls.__name__ == "PseudoBoxes":
            assert step.arguments["threshold"] in ("val", 0.0)


@pytest.mark.parametrize(("name", "known"), [("psol_maps", "cub, ilsvrc or birds50"), ("psol_ddt", "cub or birds50")])
def test_other_data_is_refused(name, known, tmp_path):
    with pytest.raises(ConfigError, match=rf"with data='bird50': .* data should be {known}, but got 'bird50'"):
        load_pipeline(name, {"data": "bird50"}, work_dir=tmp_path)


def test_weights_of_moco_are_for_the_network_that_has_them(tmp_path):
    first = load_pipeline("psol_maps", {"data": "ilsvrc", "maps": "c2am", "moco": "m.pth"}, work_dir=tmp_path).steps[0]
    assert first.arguments["config"] == "c2am_resnet50_ilsvrc_moco"
    assert first.arguments["options"] == {"weights": "m.pth", "train_dataloader.batch_size": 256}
    with pytest.raises(ConfigError, match="moco is for the ResNet-50 of cub and ilsvrc; the networks of birds50 are"):
        load_pipeline("psol_maps", {"data": "birds50", "moco": "m.pth"}, work_dir=tmp_path)


@pytest.fixture(scope="module")
def boxed(tmp_path_factory):
    """Return a folder with four drawn images and a box file with their true boxes."""
    folder = tmp_path_factory.mktemp("boxed")
    dataset = DATASETS.build(
        {"type": "SyntheticParts", "num_classes": 3, "image_size": SIDE, "num_images": 4, "load_targets": True}
    )
    boxes = []
    for index in range(4):
        record = dataset.record(index)
        box = dataset.targets(record, (SIDE, SIDE)).boxes[0].astype(np.float64)
        name = file_name_of(dataset, record, folder)
        boxes.append(PseudoBox(record["image_id"], name, (SIDE, SIDE), record["labels"][0], box, 0.2))
    write_boxes(folder / "boxes.json", boxes, dataset.classes, {})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in REGRESSORS if not name.endswith("_ilsvrc")])  # the same networks
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_every_kind_of_regressor(name, boxed, tmp_path):
    config = load_config(name)
    train_set = config["train_dataloader"]["dataset"]
    assert train_set["pipeline"][0]["type"] == "RandomResizedBBoxCrop"
    train_set["data_root"] = str(boxed)
    train_set["pipeline"][0]["size"] = SIDE
    for split in ("val", "test"):
        seen = config[f"{split}_dataloader"]["dataset"]
        kept = {key: seen[key] for key in ("load_targets", "transform_targets", "test_mode", "split") if key in seen}
        steps = [{"type": "Resize", "size": (SIDE, SIDE)}]
        if "reference" in name:
            steps = [{"type": "Resize", "size": (72, 72)}, {"type": "CenterCrop", "size": SIDE}]
        config[f"{split}_dataloader"]["dataset"] = {
            "type": "SyntheticParts", "num_classes": 3, "image_size": SIDE, "num_images": 4, "pipeline": steps, **kept
        }  # fmt: skip
    for split in ("train", "val", "test"):
        config[f"{split}_dataloader"].update(batch_size=4, num_workers=0, persistent_workers=False)
    config["weights"], config["data_root"] = None, ""
    config["model"]["backbone"]["weights"] = None
    config["train_cfg"].update(max_epochs=1)
    for scheduler in config["param_scheduler"]:
        if "T_max" in scheduler or "end" in scheduler:
            scheduler.update(begin=0, end=1)
            scheduler.pop("T_max", None)
    config["default_hooks"]["progress_bar"] = None
    done = train(config, tmp_path / "run", seed=0)
    assert done.metric == ("psol_reference/BoxAcc@50" if "reference" in name else "BoxAcc@50")
    trained = load_config(tmp_path / "run" / "config.py")
    model = MODELS.build(trained["model"]).eval()
    model.load_state_dict(torch.load(done.last, weights_only=True)["state_dict"])
    (found,) = model.predict(torch.randn(1, 3, SIDE, SIDE), ["a"])
    assert found.box.shape == (4,)
    rates = trained["optim_wrapper"]["paramwise_cfg"]["lr_mult"]
    assert rates["box_head"] == 2 * rates["backbone"]


LARGE = "psol_classifier_efficientnetb7_cub"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if not name.endswith("_ilsvrc")])
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_every_kind_of_classifier(name, tmp_path):
    if name == LARGE:  # its checkpoints alone take 20 s
        model, _ = loss_step(name)
        assert model.eval().activate(torch.randn(1, 3, SIDE, SIDE)).logits.shape == (1, 3)
        return
    _, predictions = one_step(name, tmp_path / "run", batch=2)
    assert predictions[0].logits.shape == (3,)
