"""The trivial baselines are what they say, and what was found in one that many images share is kept."""

import numpy as np
import pytest

from wsolkit.evaluation import BASELINES, map_boxes
from wsolkit.evaluation.baselines import drawn_map
from wsolkit.evaluation.map_boxes import KeptMap, largest_boxes, sweep_overlaps
from wsolkit.evaluation.max_box_acc import MaxBoxAcc
from wsolkit.evaluation.thresholds import check_thresholds

THRESHOLDS = check_thresholds(0.05)
TRUTH = np.array([[[2, 1, 9, 6]], [[0, 0, 4, 4]], [[5, 3, 12, 8]]], float)


def test_baselines_are_what_they_say():
    size = (100, 200)
    boxes = {
        name: largest_boxes(draw(size), np.array([0.01, 0.5])) / [200, 100, 200, 100]
        for name, draw in BASELINES.items()
    }
    assert boxes["whole image"].tolist() == [[0, 0, 1, 1]] * 2
    centre = boxes["centre box (half the area)"][0]
    assert (centre[2] - centre[0]) * (centre[3] - centre[1]) == pytest.approx(0.5, abs=0.01)
    blob = boxes["centred Gaussian blob"]
    assert np.allclose(blob + blob[:, [2, 3, 0, 1]], 1)  # centred
    half_side = 0.25 * np.sqrt(2 * np.log(2))
    assert blob[1] == pytest.approx([0.5 - half_side] * 2 + [0.5 + half_side] * 2, abs=0.01)


@pytest.mark.parametrize("name", BASELINES)
def test_images_of_one_size_share_a_map(name):
    shared = drawn_map(name, (9, 13))
    assert shared is drawn_map(name, (9, 13))
    assert shared is not drawn_map(name, (13, 9))
    assert np.array_equal(shared, BASELINES[name]((9, 13)))
    with pytest.raises(ValueError, match="read-only"):
        shared[0, 0] = 2


def uneven(seed=0):
    """Return a map with several components and a hole."""
    cells = np.random.default_rng(seed).random((9, 13))
    cells[1:7, 2:8] += 0.5
    cells[3:5, 4:6] = 0
    return cells / cells.max()


@pytest.mark.parametrize("convention", ["wsoleval", "exact"])
@pytest.mark.parametrize("boxes", ["largest", "all"])
def test_a_shared_map_is_swept_as_a_copy_is_and_only_once(monkeypatch, boxes, convention):
    plain = uneven()
    shared = plain.copy().view(KeptMap)
    options = {"thresholds": THRESHOLDS, "boxes": boxes, "convention": convention}
    expected = [sweep_overlaps(plain, truth, **options) for truth in TRUTH]
    assert len({each.ious.max() for each in expected}) > 1
    asked = []
    candidates = map_boxes.candidates
    monkeypatch.setattr(map_boxes, "candidates", lambda *given: asked.append(given) or candidates(*given))
    sweep_overlaps(uneven(1), TRUTH[0], **options)  # another map in between: what is kept is no scratch memory
    for _ in range(2):
        for truth, one in zip(TRUTH, expected, strict=True):
            found = sweep_overlaps(shared, truth, **options)
            sweep_overlaps(uneven(2), truth, **options)
            assert found.peak == one.peak
            assert found.ious.tolist() == one.ious.tolist()
            assert found.boxes.tolist() == one.boxes.tolist()
    assert len(asked) == 1 + 6 + 1  # the other maps, and the shared one once


def test_each_rule_and_each_row_of_thresholds_is_kept_by_itself():
    shared = uneven().view(KeptMap)
    for convention in ("wsoleval", "exact"):
        for boxes in ("largest", "all"):
            for thresholds in (THRESHOLDS, THRESHOLDS[::2]):
                sweep_overlaps(shared, TRUTH[0], thresholds=thresholds, boxes=boxes, convention=convention)
    assert len(shared.kept) == 8
    assert (largest_boxes(shared, THRESHOLDS) == largest_boxes(uneven(), THRESHOLDS)).all()
    assert len(shared.kept) == 8


def test_a_copy_or_a_part_of_a_shared_map_keeps_nothing_of_it():
    shared = uneven().view(KeptMap)
    largest_boxes(shared, THRESHOLDS)
    for other in (shared.copy(), shared[:5], shared * 0.5, shared.T):
        assert other.kept == {}
    assert largest_boxes(shared[:5], THRESHOLDS).tolist() == largest_boxes(uneven()[:5], THRESHOLDS).tolist()


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("boxes", ["largest", "all"])
def test_metrics_of_a_shared_map_are_those_of_a_copy(name, boxes):
    for convention in ("wsoleval", "exact"):
        shared, copied = (MaxBoxAcc(boxes=boxes, convention=convention) for _ in range(2))
        for number, truth in enumerate(TRUTH):
            shared.update(f"{number}", drawn_map(name, (9, 13)), truth, label=0)
            copied.update(f"{number}", BASELINES[name]((9, 13)), truth, label=0)
        assert shared.compute().as_dict() == copied.compute().as_dict()
