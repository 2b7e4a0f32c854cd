"""Trainings, tests, maps and predictions as stages; killed at any moment, they end as if never stopped."""

import json

import pytest
import torch
from PIL import Image

from tests.support import tiny_stages
from tests.support.tiny_stages import MICRO, files, kinds, run, stage
from wsolkit.config.load import load_config
from wsolkit.formats import open_score_maps
from wsolkit.pipeline import load_pipeline
from wsolkit.pipeline.states import states_of
from wsolkit.report import read_evaluation
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint
from wsolkit_scenes.synthetic import SyntheticParts, export_folder

pytestmark = pytest.mark.slow

RESIZE = [{"type": "Resize", "size": (16, 16)}]
SMALL = {
    **{f"{split}_dataloader.num_workers": 0 for split in ("train", "val", "test")},
    **{f"{split}_dataloader.persistent_workers": False for split in ("train", "val")},
    **{f"{split}_dataloader.dataset.image_size": [96, 64] for split in ("train", "val", "test")},
    **{f"{split}_dataloader.dataset.pipeline": [{"type": "Resize", "size": (64, 64)}] for split in ("val", "test")},
    "train_dataloader.dataset.num_images": 16,
    "train_dataloader.batch_size": 8,
    "val_dataloader.dataset.num_images": 8,
    "test_dataloader.dataset.num_images": 10,
    "val_evaluator.thresholds": 10,
    "test_evaluator.thresholds": 10,
    "train_cfg.max_epochs": 2,
    "visualizer": {"type": "Visualizer", "vis_backends": []},
}
CAM = [
    stage("net", "Train", config="cam_synthetic", options=SMALL),
    stage("test", "Test", config="{net}/config.py", checkpoint="{net}/best.pth", device="cpu"),
    stage("maps", "Maps", config="{net}/config.py", checkpoint="{net}/last.pth", split="train", device="cpu"),
]


def weights(folder, name="last.pth"):
    return read_checkpoint(folder / name)["state_dict"]


def same_weights(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[key].nan_to_num(-7), other[key].nan_to_num(-7)) for key in one
    )


def results(folder):
    """What does not depend on the clock or on where the folder is: maps to the bit, and the numbers of the test."""
    found = {name: content for name, content in files(folder).items() if name.endswith(".npz")}
    for path in folder.rglob("results.json"):
        found["results"] = path.read_text().replace(str(folder), "")
    return found


@pytest.fixture(scope="module")
def cam(tmp_path_factory):
    """A pipeline of a CAM on drawn scenes, run to its end."""
    folder = tmp_path_factory.mktemp("cam")
    return folder, run(tiny_stages.plan_pipeline("cam", CAM, folder))


def test_a_cam_is_trained_tested_and_maps_are_written(cam):
    folder, found = cam
    assert [each.state for each in found] == ["done"] * 3
    assert {"config.py", "last.pth", "best.pth", "manifest.json", "stage.json"} <= set(names(folder / "net"))
    best = read_checkpoint(folder / "net" / "best.pth")["meta"]["best_score"]
    assert found[0].numbers == {"best top1_loc": best}
    written = json.loads((folder / "test" / "results.json").read_text())
    assert (written["images"], written["split"], written["name"]) == (10, "test", "test")
    numbers = read_evaluation(folder / "test").honest_numbers()
    assert found[1].numbers == numbers
    assert {"top-1 accuracy", "GT-known", "top-1 loc", "MaxBoxAccV2", "PxAP"} <= set(numbers)
    assert (folder / "test" / "index.html").exists()
    assert found[2].numbers == {"images": 16.0}
    dataset = SyntheticParts("train", 16, 6, [96, 64], object_size=(0.35, 0.65), seed=1)
    maps = open_score_maps(folder / "maps")
    for number, image_id in enumerate(maps.names()):
        found = maps.image(image_id)
        assert list(found.maps) == dataset.record(number)["labels"]
        assert ([each.shape for each in found.maps.values()], found.size) == ([(64, 64)], (96, 64))
    assert kinds(tiny_stages.plan_pipeline("cam", CAM, folder)) == ["done"] * 3


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_prediction_is_a_stage(cam, tmp_path):
    folder, _ = cam
    photos = export_folder(SyntheticParts("test", 3, 6, [96, 64], seed=1), tmp_path / "photos")
    settings = {"config": str(folder / "net" / "config.py"), "checkpoint": str(folder / "net" / "last.pth")}
    settings |= {"sources": str(photos), "formats": ["coco", "csv"], "device": "cpu"}
    stages = [stage("found", "Predict", **settings)]
    found = tiny_stages.plan_pipeline("p", stages, tmp_path / "w")
    assert set(found.steps[0].declaration.inputs) == {settings["checkpoint"], str(photos)}
    assert run(found)[0].numbers["images"] == 3
    assert {"boxes.json", "dataset.json", "boxes.csv"} <= set(names(tmp_path / "w" / "found" / "predictions"))
    Image.new("RGB", (8, 8)).save(photos / "new.png")
    assert kinds(tiny_stages.plan_pipeline("p", stages, tmp_path / "w")) == ["stale"]


def test_a_configuration_that_changes_makes_its_training_stale(tmp_path):
    config = tmp_path / "mine.py"
    config.write_text(f"_base_ = {MICRO!r}\ntrain_cfg = dict(max_epochs=1)\n")
    weight = tmp_path / "start.pth"
    weight.write_bytes(b"x")
    stages = [stage("net", "Train", config=str(config), options={"model.backbone.weights": str(weight)})]

    def why():
        return [
            "; ".join(each.why) for each in states_of(tiny_stages.plan_pipeline("t", stages, tmp_path / "work").steps)
        ]

    run(tiny_stages.plan_pipeline("t", stages, tmp_path / "work"))
    assert why() == [""]
    config.write_text(f"_base_ = {MICRO!r}\n# the same in other words\ntrain_cfg = dict(\n    max_epochs=1)\n")
    assert why() == [""]
    config.write_text(f"_base_ = {MICRO!r}\ntrain_cfg = dict(max_epochs=3)\n")
    assert why() == ["configuration.train_cfg.max_epochs was 1 and is 3"]
    config.write_text(f"_base_ = {MICRO!r}\ntrain_cfg = dict(max_epochs=1)\n")
    weight.write_bytes(b"xy")
    assert why() == [f"the file {weight} has changed"]


MICRO_STAGES = f"""
small = {{"val_dataloader.dataset.pipeline": {RESIZE!r}}}
stages = [
    dict(name="first", type="Train", config={MICRO!r}, options=small),
    dict(name="second", type="Train", config={MICRO!r}, seed=11,
         options={{"load_from": "{{first}}/last.pth", **small}}),
    dict(name="maps", type="Maps", config="{{second}}/config.py", checkpoint="{{second}}/best.pth", batch_size=2,
         device="cpu"),
    dict(name="all", type="Copy", sources=["{{maps}}"]),
]
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two trainings, one from the weights of the other, and maps, never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "micro_stages.py").write_text(MICRO_STAGES)
    run(load_pipeline(folder / "micro_stages.py", work_dir=folder / "work"))
    return folder


def test_two_trainings_of_one_process_do_not_touch_each_other(whole, tmp_path):
    options = {"val_dataloader.dataset.pipeline": RESIZE}
    train(load_config(MICRO, options), tmp_path / "first")
    assert same_weights(weights(tmp_path / "first"), weights(whole / "work" / "first"))
    torch.rand(5)
    train(
        load_config(MICRO, {**options, "load_from": str(tmp_path / "first" / "last.pth")}), tmp_path / "second", seed=11
    )
    assert same_weights(weights(tmp_path / "second"), weights(whole / "work" / "second"))
    assert not same_weights(weights(tmp_path / "first"), weights(tmp_path / "second"))
    first, second = (read_checkpoint(whole / "work" / name / "last.pth")["meta"] for name in ("first", "second"))
    assert (first["seed"], second["seed"]) == (3, 11)


@pytest.mark.parametrize(
    ("target", "number", "states"),
    [
        ("run_and_die_at_iteration", 1, ["begun", "to do", "to do", "to do"]),  # before the first checkpoint
        ("run_and_die_at_iteration", 8, ["begun", "to do", "to do", "to do"]),
        ("run_and_die_at_map", 7, ["done", "done", "begun", "to do"]),
    ],
)
def test_a_training_or_maps_that_were_killed_go_on_to_the_same_results(
    processes, whole, tmp_path, target, number, states
):
    config, work = whole / "micro_stages.py", tmp_path / "work"
    process = processes.Process(target=getattr(tiny_stages, target), args=(str(config), str(work), number))
    process.start()
    process.join()
    assert process.exitcode == -9
    assert kinds(load_pipeline(config, work_dir=work)) == states
    run(load_pipeline(config, work_dir=work))
    assert kinds(load_pipeline(config, work_dir=work)) == ["done"] * 4
    for name in ("first", "second"):
        assert same_weights(weights(work / name), weights(whole / "work" / name))
        assert same_weights(weights(work / name, "best.pth"), weights(whole / "work" / name, "best.pth"))
    maps = results(work)
    assert len(maps) == 12
    assert maps == results(whole / "work")


def test_a_training_that_was_killed_after_its_end_only_notes_that(processes, whole, tmp_path):
    config, work = whole / "micro_stages.py", tmp_path / "work"
    run(load_pipeline(config, work_dir=work), until="first")
    record = work / "first" / "stage.json"
    numbers = json.loads(record.read_text())["numbers"]
    record.rename(work / "first" / "begun.json")
    before = weights(work / "first")
    assert kinds(load_pipeline(config, work_dir=work))[0] == "begun"
    assert run(load_pipeline(config, work_dir=work), until="first")[0].numbers == numbers
    assert same_weights(weights(work / "first"), before)


def test_the_whole_cam_goes_on_to_the_same_results(cam, processes, tmp_path):
    folder, _ = cam
    config = tmp_path / "cam.py"
    config.write_text(f"stages = {CAM!r}\n")
    process = processes.Process(target=tiny_stages.run_and_die_at_iteration, args=(str(config), str(tmp_path / "w"), 3))
    process.start()
    process.join()
    assert process.exitcode == -9
    run(load_pipeline(config, work_dir=tmp_path / "w"))
    assert results(tmp_path / "w") == results(folder)
    assert same_weights(weights(tmp_path / "w" / "net"), weights(folder / "net"))
