"""The trivial baselines beside maps in files have the numbers of a run whose maps are drawn so, thresholds included."""

import numpy as np
import pytest

from wsolkit.datasets.annotations import read_annotations
from wsolkit.evaluation import BASELINES, MEAN_BOX, box_map
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
    assert list(beside.baselines) == [*BASELINES, *([MEAN_BOX] if choice == "val" else [])]
    assert len(beside.baselines[name]) == len(protocols) == 6
    assert [stripped(each) for each in beside.baselines[name]] == [stripped(each) for each in alone.results]
    assert beside.baseline_hits[name] == tuple(trial.outcome == "hit" for trial in alone.trials)


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
        assert found.baseline_hits[name] == tuple(trial.outcome == "hit" for trial in alone.trials)


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


def test_the_mean_box_of_val_has_the_numbers_of_its_own_map_at_any_threshold(write_npy, truth):
    rng = np.random.default_rng(0)
    protocols = [kind() for kind in choose_protocols([], data_has(truth))]
    maps = {split: open_score_maps(write_npy({i: rng.random((6, 8)) for i in truth.ids}, split)) for split in "ab"}
    rows = []
    for annotated in truth:
        width, height = annotated.targets.size
        kept = annotated.targets.boxes[~annotated.targets.difficult]
        rows += [[x0 / width, y0 / height, x1 / width, y1 / height] for x0, y0, x1, y1 in kept.tolist()]
    box = tuple(sum(row[side] for row in rows) / len(rows) for side in range(4))
    drawn = open_score_maps(write_npy({i: np.array(box_map(box, (6, 8))) for i in truth.ids}, "drawn"))
    beside = score_maps(maps["a"], truth, protocols, size="map", val=(maps["b"], truth)).baselines[MEAN_BOX]
    alone = score_maps(drawn, truth, protocols, size="map", threshold=0.5).results

    def percents(results):
        return {(each.metric, line.name, line.selection): line.score.percent for each in results for line in each.lines}

    found, expected = percents(beside), percents(alone)
    shared = found.keys() & expected.keys()
    assert {(metric, name) for metric, name, _ in shared} >= {
        ("localization", "GT-known"),
        ("MaxBoxAcc", "MaxBoxAcc@50"),
    }
    assert {key: found[key] for key in shared} == {key: expected[key] for key in shared}


def test_without_boxes_to_choose_on_there_is_no_mean_box(write_npy, truth):
    maps = open_score_maps(write_npy({i: np.eye(6) for i in truth.ids}))
    protocols = [kind() for kind in choose_protocols([], data_has(truth))]
    assert MEAN_BOX not in score_maps(maps, truth, protocols, size="map").baselines
