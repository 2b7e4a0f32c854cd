"""The combination of classifier and regressor: ten crops, localization counted by hand, and what the stage leaves."""

import json

import numpy as np
import pytest
import torch

from wsolkit import ConfigError, DataError
from wsolkit.config.load import load_config
from wsolkit.pipeline import build_split
from wsolkit.registry import MODELS
from wsolkit.report import read_evaluation
from wsolkit_psol import CombineBoxes, PseudoBoxes
from wsolkit_psol.box_file import PseudoBox, write_boxes
from wsolkit_psol.box_localization import BoxLocalization
from wsolkit_psol.class_scores import TenCrop, class_scores
from wsolkit_psol.combine import check_names, kept, predictions

SMALL = {
    "val_dataloader.dataset.num_images": 8,
    "test_dataloader.dataset.num_images": 10,
    "test_dataloader.num_workers": 0,
    "val_dataloader.num_workers": 0,
    "val_dataloader.persistent_workers": False,
}


# -------------------------------------------------------------------------------------------------------- localization


def test_localization_counted_by_hand():
    truth = [[0, 0, 10, 10]]
    hit, half = [0, 0, 10, 6], [0, 0, 10, 5]  # IoU .6; .5 exactly, which is no hit
    metric = BoxLocalization(ks=(1, 2))
    metric.update("a", hit, truth, [0.7, 0.2, 0.1], 0)  # top-1
    metric.update("b", hit, truth, [0.7, 0.2, 0.1], 1)  # top-2
    metric.update("c", hit, truth, [0.7, 0.2, 0.1], 2)  # GT-known only
    metric.update("d", half, truth, [0.1, 0.2, 0.7], 2)  # class right, box wrong
    metric.update("e", half, [*truth, [0, 0, 10, 5]], [0.1, 0.2, 0.7], 2)  # the best true box counts
    found = metric.compute()
    assert {line.name: round(line.score.percent) for line in found.lines} == {
        "GT-known": 80,
        "top-1 loc": 40,
        "top-2 loc": 60,
    }
    # class 0: 1/1, class 1: 0/1 (top-1), class 2: 1/3
    assert found["top-1 loc"].macro == pytest.approx(100 * (1 + 0 + 1 / 3) / 3)
    assert found["GT-known"].macro == pytest.approx(100 * (1 + 1 + 2 / 3) / 3)
    assert found["top-1 loc"].n == 5
    assert found.conventions["comparator"] == "IoU > 0.5"
    assert [line.name for line in BoxLocalizationOf(metric, (1, 3)).lines] == ["GT-known", "top-1 loc"]


def BoxLocalizationOf(metric, ks):  # noqa: N802 - reads like the class
    other = BoxLocalization(ks=ks)
    other.rows = metric.rows
    return other.compute()


def test_halves_of_a_split_are_merged():
    one, two, both = BoxLocalization(), BoxLocalization(), BoxLocalization()
    rng = np.random.default_rng(0)
    for number in range(20):
        args = ([0, 0, 10, rng.integers(1, 11)], [[0, 0, 10, 10]], rng.random(8), int(rng.integers(8)))
        (one if number % 2 else two).update(str(number), *args)
        both.update(str(number), *args)
    one.merge(two)
    assert one.compute() == both.compute()


def test_senseless_input_is_refused():
    with pytest.raises(DataError, match=r"scores should be \(K,\) finite numbers"):
        BoxLocalization().update("a", [0, 0, 1, 1], [[0, 0, 1, 1]], [np.nan, 1], 0)
    with pytest.raises(DataError, match="The label is class 5"):
        BoxLocalization().update("a", [0, 0, 1, 1], [[0, 0, 1, 1]], [0, 1], 5)
    with pytest.raises(ConfigError, match="ks should be whole numbers"):
        BoxLocalization(ks=(0,))
    with pytest.raises(DataError, match="has seen no image"):
        BoxLocalization().compute()


# ------------------------------------------------------------------------------------------------------------ ten crops


def test_ten_crops_are_averaged_after_softmax():
    config = load_config("cam_synthetic", {**SMALL, "model.head.num_classes": 6, "model.precision": "fp32"})
    torch.manual_seed(0)
    model = MODELS.build(config["model"]).eval()
    with torch.no_grad():
        model.head.classifier.weight.mul_(30)
    found = class_scores(config, model, "test", TenCrop(80, 64), batch_size=4)
    assert len(found) == 10
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    dataset = build_split(config, "test")
    image = dataset.read_image(dataset.record(7))
    small = v2.Resize((80, 80))(tv_tensors.Image(image)).as_subclass(torch.Tensor)
    places = [(0, 0), (0, 16), (16, 0), (16, 16), (8, 8)]
    views = [small[:, y : y + 64, x : x + 64] for y, x in places]
    views += [small.flip(2)[:, y : y + 64, x : x + 64] for y, x in places]
    each = []
    for view in views:
        logits = model.activate(model.data_preprocessor({"inputs": view[None]})["inputs"]).logits[0].double()
        each.append((logits.exp() / logits.exp().sum()).detach().numpy())
    np.testing.assert_allclose(found["test/00007"], np.mean(each, axis=0), atol=1e-5)
    one = class_scores(config, model, "test")["test/00007"]
    whole = model.activate(model.data_preprocessor({"inputs": dataset[7]["inputs"][None]})["inputs"]).logits[0]
    np.testing.assert_allclose(one, whole.softmax(0).detach().numpy(), atol=1e-5)
    assert np.abs(one - found["test/00007"]).max() > 1e-3
    assert config["test_dataloader"]["dataset"]["pipeline"][0]["size"] == (96, 96)  # the configuration is not changed


def test_crops_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="The ten crops should fit into the size"):
        TenCrop(200, 224)
    with pytest.raises(ConfigError, match="The ten crops should fit"):
        CombineBoxes("a", "b", "c", "d", ten_crop={"resize": 10, "crop": 11})


# --------------------------------------------------------------------------------------------------------------- stage


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folders of an untrained classifier and an untrained regressor, as training leaves them."""
    root = tmp_path_factory.mktemp("trained")
    torch.manual_seed(0)
    for name, config in (("classifier", "cam_synthetic"), ("regressor", "psol_regressor_synthetic")):
        options = dict(SMALL)
        if name == "classifier":
            options["model.head.num_classes"] = 6
        loaded = load_config(config, options)
        plain = load_config(config, {**options, "train_dataloader.dataset": None})
        loaded["classes"] = list(build_split(plain, "test").classes)
        folder = root / name
        folder.mkdir()
        loaded.dump(folder / "config.py")
        state = {"state_dict": MODELS.build(loaded["model"]).state_dict(), "meta": {"classes": loaded["classes"]}}
        torch.save(state, folder / "best.pth")
    return root


def stage_of(trained, **options):
    parts = {}
    for part in ("classifier", "regressor"):
        parts[part] = str(trained / part / "config.py")
        parts[f"{part}_checkpoint"] = str(trained / part / "best.pth")
    return CombineBoxes(**{**parts, "device": "cpu", **options})


def test_the_stage_agrees_with_a_count_by_hand(trained, tmp_path):
    config = load_config(trained / "regressor" / "config.py")
    dataset = build_split(config, "test", load_targets=True)
    own = [
        PseudoBox(dataset.record(k)["image_id"], "", (96, 96), 0, np.array([0.0, 0, 96, 96]), 0.2) for k in range(10)
    ]
    write_boxes(tmp_path / "boxes.json", own, dataset.classes, {"threshold chosen": "by hand"})
    out = tmp_path / "out"
    out.mkdir()
    numbers = stage_of(trained, pseudo_boxes=str(tmp_path / "boxes.json")).run(out, False)
    entries = json.loads((out / "predictions.json").read_text())
    assert len(entries) == 50
    hits, top1, top5, right = [], [], [], []
    for k in range(10):
        mine = [entry for entry in entries if entry["image_id"] == k + 1]
        assert {entry["file_name"] for entry in mine} == {f"test/{k:05d}"}
        assert len({tuple(entry["bbox"]) for entry in mine}) == 1  # one box for every class
        scores = [entry["score"] for entry in mine]
        assert scores == sorted(scores, reverse=True)
        x, y, w, h = mine[0]["bbox"]
        record = dataset.record(k)
        tx0, ty0, tx1, ty1 = dataset.targets(record, (96, 96)).boxes[0]
        wide, high = min(x + w, tx1) - max(x, tx0), min(y + h, ty1) - max(y, ty0)
        shared = max(wide, 0) * max(high, 0)
        hits.append(shared / (w * h + (tx1 - tx0) * (ty1 - ty0) - shared) > 0.5)
        labels = [entry["category_id"] - 1 for entry in mine]
        right.append(labels[0] == record["labels"][0])
        top1.append(hits[-1] and right[-1])
        top5.append(hits[-1] and record["labels"][0] in labels)
    assert numbers["GT-known"] == pytest.approx(10 * sum(hits))
    assert numbers["BoxAcc@50"] == pytest.approx(10 * sum(hits))
    assert numbers["top-1 loc"] == pytest.approx(10 * sum(top1))
    assert numbers["top-5 loc"] == pytest.approx(10 * sum(top5))
    assert numbers["top-1 accuracy"] == pytest.approx(10 * sum(right))
    assert numbers["BoxAcc@50, pseudo boxes"] == numbers["BoxAcc@50, whole image"]
    written = read_evaluation(out)
    names = [each.metric for each in written.results]
    assert names == ["BoxLocalization", "BoxAcc", "TopKAccuracy", "BoxAcc, pseudo boxes"]
    assert "centred Gaussian blob" in written.baselines
    assert written.results[3].conventions["threshold selection"] == "by hand"
    text = (out / "table.md").read_text() + (out / "results.json").read_text() + (out / "index.html").read_text()
    assert "MaxBoxAcc" not in text
    assert "| BoxLocalization | top-5 loc |" in text
    first = json.loads((out / "results.json").read_text())["results"][0]["lines"][0]
    assert {"percent", "macro", "low", "high", "n"} <= set(first)


def test_a_stage_that_was_cut_off_keeps_what_it_has(trained, tmp_path, monkeypatch):
    stage = stage_of(trained)
    numbers = stage.run(tmp_path, False)
    monkeypatch.setattr(CombineBoxes, "scores_of_classes", lambda self: pytest.fail("asked the classifier again"))
    monkeypatch.setattr(CombineBoxes, "boxes_of", lambda self, config: pytest.fail("asked the regressor again"))
    assert stage.run(tmp_path, True) == numbers
    with pytest.raises(pytest.fail.Exception, match="asked the classifier again"):
        stage.run(tmp_path, False)


@pytest.mark.slow
def test_ten_crops_through_the_stage(trained, tmp_path):
    one, ten = tmp_path / "one", tmp_path / "ten"
    for folder, options in ((one, {}), (ten, {"ten_crop": {"resize": 112, "crop": 96}})):
        folder.mkdir()
        stage_of(trained, split="val", **options).run(folder, False)
    content = json.loads((ten / "results.json").read_text())
    assert content["results"][2]["conventions"]["class source"].startswith("ten crops of (96, 96) from (112, 112)")
    scores = [np.load(folder / "class_scores.npz")["values"] for folder in (one, ten)]
    assert np.abs(scores[0] - scores[1]).max() > 1e-6


def test_other_models_other_images_and_no_classifier_are_refused(trained, tmp_path):
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(DataError, match="is no file of pseudo boxes"):
        stage_of(trained, pseudo_boxes=str(tmp_path / "x.json")).run(tmp_path, True)
    found = {part: (trained / part / "config.py", trained / part / "best.pth") for part in ("classifier", "regressor")}
    wrong = {"regressor": str(found["classifier"][0]), "regressor_checkpoint": str(found["classifier"][1])}
    with pytest.raises(ConfigError, match="A BoxRegressor is needed, but the model is a Localizer"):
        stage_of(trained, **wrong).run(tmp_path, False)
    wrong = {"classifier": str(found["regressor"][0]), "classifier_checkpoint": str(found["regressor"][1])}
    with pytest.raises(ConfigError, match="A Localizer is needed, but the model is a BoxRegressor"):
        stage_of(trained, **wrong).run(tmp_path, False)
    with pytest.raises(DataError, match="The classifier sees 9 images and the regressor 10, and they differ"):
        stage_of(trained, classifier_options={"test_dataloader.dataset.num_images": 9}).run(tmp_path, False)
    with pytest.raises(ConfigError, match="split of CombineBoxes should be one of 'val', 'test', but got"):
        stage_of(trained, split="train")


def test_the_files_from_outside_are_declared(trained):
    stage = stage_of(trained, pseudo_boxes="{boxes}/boxes.json")
    names = {path.name for path in stage.inputs()}
    assert "best.pth" in names
    assert "boxes.json" not in names
    assert set(stage.declares()) == {"classifier", "regressor"}
    assert stage_of(trained, classifier="{cam}/config.py").declares().keys() == {"regressor"}
    assert PseudoBoxes("{maps}", "cam_synthetic", threshold=0.2).declares()["configuration"]["model"]


def test_numbers_are_kept_in_one_file_and_come_back(tmp_path):
    made = {"a/1": np.array([0.1, 0.9]), "b": np.array([1.0, 0.0])}
    found = kept(tmp_path / "x.npz", False, lambda: made)
    assert list(found) == ["a/1", "b"]
    again = kept(tmp_path / "x.npz", True, lambda: pytest.fail("made again"))
    np.testing.assert_array_equal(again["a/1"], np.array([0.1, 0.9], np.float32))
    check_names(["a/1", "b"], found, "classifier")
    with pytest.raises(DataError, match="they differ \\(first: 'c'\\)"):
        check_names(["a/1", "c"], found, "classifier")


def test_predictions_hold_the_five_best_classes():
    scores = {"a": np.array([0.1, 0.3, 0.05, 0.2, 0.15, 0.12, 0.08])}
    found = predictions(["a"], scores, {"a": np.array([1.0, 2, 4, 8])})
    assert [entry["category_id"] for entry in found] == [2, 4, 5, 6, 1]
    assert found[0]["bbox"] == [1, 2, 3, 6]
    assert (found[0]["image_id"], found[0]["score"]) == (1, 0.3)


def test_without_a_val_split_the_baseline_that_needs_it_is_left_out(trained, tmp_path):
    nothing = {"val_dataloader": None, "val_evaluator": None, "val_cfg": None}
    stage_of(trained, regressor_options=nothing).run(tmp_path, False)
    found = json.loads((tmp_path / "results.json").read_text())
    assert "BoxAcc" in {result["metric"] for result in found["results"]}
    assert (tmp_path / "table.md").exists()
