"""The trivial baselines beside maps in files have the numbers of a run whose maps are drawn so, thresholds included."""

import numpy as np
import pytest

from wsolkit.datasets.annotations import read_annotations
from wsolkit.evaluation import BASELINES
from wsolkit.evaluation.protocols import PROTOCOLS, choose_protocols
from wsolkit.formats.score_maps import open_score_maps
from wsolkit.scoring.from_maps import data_has, score_maps


def stripped(result):
    """Return what a result says but for curves, classes and how maps were read."""
    words = {name: value for name, value in result.conventions.items() if name != "score maps"}
    return result.metric, result.lines, words


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("choice", ["val", "fixed", "oracle"])
def test_maps_of_a_baseline_have_its_numbers(write_npy, truth, name, choice):
    rng = np.random.default_rng(0)
    protocols = [kind() for kind in (*choose_protocols([], data_has(truth)), PROTOCOLS["MaxBoxAcc-exact"])]
    maps = {split: open_score_maps(write_npy({i: rng.random((6, 8)) for i in truth.ids}, split)) for split in "ab"}
    drawn = open_score_maps(write_npy({i: BASELINES[name]((6, 8)) for i in truth.ids}, "drawn"))

    def scored(test, val):
        how = {"val": {"val": (val, truth)}, "fixed": {"threshold": 0.4}, "oracle": {}}[choice]
        return score_maps(test, truth, protocols, size="map", **how)

    beside, alone = scored(maps["a"], maps["b"]), scored(drawn, drawn)
    assert list(beside.baselines) == list(BASELINES)
    assert len(beside.baselines[name]) == len(protocols) == 6
    assert [stripped(each) for each in beside.baselines[name]] == [stripped(each) for each in alone.results]


def test_multi_label_data_and_masks_have_them_too(layouts, tmp_path):
    layouts.write_coco(tmp_path)
    truth = read_annotations(tmp_path / "annotations" / "instances_test.json")
    protocols = [kind() for kind in choose_protocols([], data_has(truth))]
    shapes = [photo.inside.shape for photo in layouts.CONTENT["test"]]
    np.savez(tmp_path / "m.npz", **{i: np.full((2, *shape), 0.5) for i, shape in zip(truth.ids, shapes, strict=True)})
    found = score_maps(open_score_maps(tmp_path / "m.npz", num_classes=2), truth, protocols, size="original")
    for name, draw in BASELINES.items():
        path = tmp_path / f"{draw.__name__}.npz"
        np.savez(path, **{i: np.stack([draw(shape)] * 2) for i, shape in zip(truth.ids, shapes, strict=True)})
        alone = score_maps(open_score_maps(path, num_classes=2), truth, protocols, size="original")
        assert {each.metric for each in alone.results} == {
            "localization", "MaxBoxAcc", "MaxBoxAccV2", "CorLoc", "box-mAP-given", "mIoU",
        }  # fmt: skip
        assert [stripped(each) for each in found.baselines[name]] == [stripped(each) for each in alone.results]


def test_protocols_of_class_scores_have_no_baseline(perfect, write_npy, truth):
    logits = {image_id: np.array([1.0, 0]) for image_id in truth.ids}
    chosen = [PROTOCOLS[name]() for name in ("accuracy", "localization")]
    found = score_maps(open_score_maps(write_npy(perfect)), truth, chosen, size="map", logits=logits)
    assert [each.metric for each in found.results] == ["accuracy", "localization"]
    assert "top-1 loc" in {line.name for line in found.results[1].lines}
    for results in found.baselines.values():
        assert [each.metric for each in results] == ["localization"]
        assert {line.name for line in results[0].lines} == {"GT-known"}
    only = score_maps(open_score_maps(write_npy(perfect)), truth, chosen[:1], size="map", logits=logits)
    assert only.baselines == {}
