"""The numbers of ``wsolkit test``, ``wsolkit evaluate`` and a pipeline are those of the golden files.

Where numbers change on purpose, write the files anew, look at what git says has changed, and say why in the commit:

    WSOLKIT_WRITE_GOLDEN=1 python -m pytest tests/golden

Where only the shape of the written files changes, change ``read_results.py`` and leave the golden files alone.
"""

import json
import os
from pathlib import Path

import pytest
import torch

from tests.golden import drawn
from tests.golden.read_results import differences, evaluation_numbers, flat, map_numbers, stage_numbers
from wsolkit.cli.main import main

HERE = Path(__file__).parent
SINGLE, MULTI = HERE / "single_label.py", HERE / "multi_label.py"
WRITE = "WSOLKIT_WRITE_GOLDEN"

BOXES = ["accuracy", "MaxBoxAcc", "MaxBoxAccV2", "MaxBoxAcc-exact", "localization", "BoxAcc", "CorLoc"]
SEVERAL = ["mAP", "localization", "MaxBoxAcc", "MaxBoxAccV2", "MaxBoxAcc-exact", "CorLoc", "point-mAP", "box-mAP"]
SEVERAL += ["box-mAP-given", "mIoU"]

torch.set_num_threads(1)


def check(name, found):
    """Compare numbers with the golden file of that name, or write it where that is asked for."""
    path = HERE / f"{name}.json"
    if os.environ.get(WRITE):
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    changed = differences(json.loads(path.read_text(encoding="utf-8")), json.loads(json.dumps(found)))
    assert not changed, "\n".join([f"{len(changed)} numbers of {path.name} have changed:", *changed[:40]])


def command(*words):
    """Run wsolkit in this process."""
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Single-label data with boxes."""
    return drawn.write_listed(tmp_path_factory.mktemp("listed"))


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    """Single-label data with masks."""
    return drawn.write_listed(tmp_path_factory.mktemp("masked"), masks=True)


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """Multi-label data with boxes, masks and crowds."""
    return drawn.write_coco(tmp_path_factory.mktemp("coco"))


@pytest.fixture
def evaluate(tmp_path):
    """Run ``wsolkit evaluate`` and return its numbers."""

    def run(*words):
        command("evaluate", *words, "--no-report", "--threads", 2, "--out", tmp_path / "evaluation", "--overwrite")
        return evaluation_numbers(tmp_path / "evaluation" / "results.json")

    return run


@pytest.fixture
def score(tmp_path):
    """Run ``wsolkit test`` and return its numbers."""

    def run(config, data_root, *words, options=()):
        out, checkpoint = tmp_path / "scores", drawn.write_checkpoint(tmp_path / "model.pth")
        options = [f"data_root={data_root}", *options]
        words = [config, checkpoint, "--out", out, "--no-report", "--overwrite", "--device", "cpu", *words]
        command("test", *words, "--cfg-options", *options)
        return evaluation_numbers(out / "results.json")

    return run


def on_val(folder, maps, truth="metadata"):
    """Return the words that let ``wsolkit evaluate`` choose thresholds on val."""
    return "--val-maps", maps, "--val-metadata", folder / truth / "val"


def test_maps_against_boxes_at_thresholds_of_val(listed, tmp_path, evaluate):
    maps, val = drawn.write_npy(tmp_path / "test", "test"), drawn.write_npy(tmp_path / "val", "val")
    logits = drawn.write_logits(tmp_path / "logits.npz")
    words = ["--maps", maps, "--metadata", listed / "metadata" / "test", "--size", "map", "--logits", logits]
    check("evaluate_boxes", evaluate(*words, *on_val(listed, val), "--protocol", *BOXES))
    check("evaluate_boxes_by_default", evaluate(*words, *on_val(listed, val)))


def test_maps_against_boxes_at_a_given_threshold_and_by_the_oracle(listed, tmp_path, evaluate):
    maps = drawn.write_npy(tmp_path / "test", "test", own_class=True)
    words = ["--maps", maps, "--metadata", listed / "metadata" / "test", "--size", "map"]
    check("evaluate_boxes_given", evaluate(*words, "--threshold", 0.3))
    check("evaluate_boxes_oracle", evaluate(*words))


def test_maps_that_are_resized_or_missing(listed, tmp_path, evaluate):
    maps = drawn.write_npy(tmp_path / "test", "test")
    gone = sorted(maps.rglob("*.npy"))[::7]
    for path in gone:
        path.unlink()
    words = ["--maps", maps, "--metadata", listed / "metadata" / "test", "--size", 64, "--allow-missing"]
    check("evaluate_boxes_resized", evaluate(*words, "--normalize", "none", "--resize", "linear"))


def test_maps_against_masks(masked, tmp_path, evaluate):
    maps, val = drawn.write_npz(tmp_path / "test.npz", "test"), drawn.write_npz(tmp_path / "val.npz", "val")
    words = ["--maps", maps, "--metadata", masked / "metadata" / "test", "--images", masked / "images"]
    found = evaluate(*words, "--size", "map", *on_val(masked, val))
    assert list(found["protocols"]) == ["PxAP"]
    check("evaluate_masks", found)


def test_maps_of_several_classes_against_boxes_and_masks(coco, tmp_path, evaluate):
    maps = drawn.write_npz(tmp_path / "test.npz", "test", multi_label=True)
    val = drawn.write_npz(tmp_path / "val.npz", "val", multi_label=True)
    logits = drawn.write_logits(tmp_path / "logits.npz", multi_label=True)
    words = ["--maps", maps, "--metadata", coco / "annotations" / "instances_test.json", "--size", "map"]
    words += ["--val-maps", val, "--val-metadata", coco / "annotations" / "instances_val.json"]
    check("evaluate_several", evaluate(*words, "--logits", logits, "--protocol", *SEVERAL))
    check("evaluate_several_without_logits", evaluate(*words))


def test_a_checkpoint_at_thresholds_of_val(listed, score):
    check("test_boxes", score(SINGLE, listed, "--protocol", *BOXES))
    check("test_boxes_by_default", score(SINGLE, listed))


def test_a_checkpoint_on_val_itself(listed, score):
    check("test_boxes_on_val", score(SINGLE, listed, "--split", "val"))


def test_a_checkpoint_whose_model_makes_all_components(listed, score):
    check("test_model_of_components", score(SINGLE, listed, options=["model.box_extractor.type=AllComponents"]))


@pytest.mark.parametrize(("kind", "name"), [("AllComponents", "components"), ("UpperHalf", "own_threshold")])
def test_a_checkpoint_by_another_extractor(listed, score, kind, name):
    options = [f"{place}.extractor.type={kind}" for place in ("val_evaluator", "test_evaluator")]
    check(f"test_{name}", score(SINGLE, listed, options=[f"model.box_extractor.type={kind}", *options]))


def test_a_checkpoint_against_masks(masked, score):
    check("test_masks", score(SINGLE, masked))


@pytest.mark.slow
def test_a_checkpoint_on_images_of_several_classes(coco, score):
    check("test_several", score(MULTI, coco, "--protocol", *SEVERAL))
    check("test_several_by_default", score(MULTI, coco))


def test_a_pipeline_of_training_test_and_maps(listed, tmp_path):
    variables = [f"data_root={listed}", f"single_label={SINGLE}"]
    command("pipeline", HERE / "pipeline.py", "--work-dir", tmp_path, "--cfg-options", *variables)
    stages = ("net", "test", "maps", "maps_all", "maps_predicted")
    found = {"stages": {stage: stage_numbers(tmp_path / stage) for stage in stages}}
    found["results of test"] = evaluation_numbers(tmp_path / "test" / "results.json")
    found["maps"] = {stage: map_numbers(tmp_path / stage) for stage in stages if stage.startswith("maps")}
    check("pipeline", found)


def agreement(scored, evaluated):
    """Return by protocol whether two evaluations give the same numbers, or how many of them differ."""
    found = {}
    for protocol in scored["protocols"]:
        one, other = scored["protocols"][protocol], evaluated["protocols"][protocol]
        changed = differences(one, other)
        found[protocol] = "agree" if not changed else f"{len(changed)} of {len(flat(one))} differ"
    found["trials"] = "agree" if not differences(scored["trials"], evaluated["trials"]) else "differ"
    return found


@pytest.mark.slow
def test_the_maps_of_a_model_score_alike_with_and_without_the_model(listed, masked, coco, tmp_path, evaluate, score):
    found = {}
    for name, config, root, truth, protocols, several in (
        ("boxes", SINGLE, listed, "metadata/{}", BOXES, False),
        ("masks", SINGLE, masked, "metadata/{}", ["PxAP"], False),
        ("several", MULTI, coco, "annotations/instances_{}.json", SEVERAL, True),
    ):
        words = ["--size", "map", "--logits", drawn.write_logits(tmp_path / "logits.npz", several)]
        words += ["--images", root / "images"] if name == "masks" else []
        for split, prefix in (("test", "--"), ("val", "--val-")):
            words += [f"{prefix}maps", drawn.write_npz(tmp_path / f"{split}.npz", split, several)]
            words += [f"{prefix}metadata", root / truth.format(split)]
        scored = score(config, root, "--protocol", *protocols)
        evaluated = evaluate(*words, "--protocol", *protocols)
        found[name] = agreement(scored, evaluated)
        assert evaluated["protocols"].keys() == scored["protocols"].keys()
    check("agreement", found)


def test_the_pictures_hold_the_maps_and_scores_of_the_model(listed, coco):
    backbone, head, cam = drawn.PlanesBackbone(), drawn.SumHead({"planes": 6}), drawn.PlaneMaps()
    for several in (False, True):
        for picture in drawn.pictures("test", several):
            x, y = picture.factors
            pixels = torch.from_numpy(picture.pixels[::y, ::x].copy()).permute(2, 0, 1)[None]
            activation = head(backbone(pixels / 255))
            maps = cam(None, pixels, torch.arange(6)[None], activation)
            assert (maps[0].numpy() == picture.maps).all()
            assert (activation.logits[0].detach().numpy() == picture.logits).all()
            assert len(set(picture.logits.tolist())) == 6  # no tie decides


def test_a_changed_number_is_named():
    golden, found = {"a": {"b": 1.0, "c": 2, "d": "x"}}, {"a": {"b": 1.000001, "c": 3, "e": None}}
    assert differences(golden, found) == [
        " / a / c: was 2, is 3",
        " / a / d: was 'x', is gone",
        " / a / e: is new, None",
    ]
