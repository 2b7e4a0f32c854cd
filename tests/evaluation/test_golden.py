"""The numbers of a small split, worked out once by naive rules and kept in a file (see make_golden)."""

import json

import pytest

from tests.evaluation.make_golden import GOLDEN, IOUS, split
from wsolkit.evaluation import MaxBoxAcc, PxAP

GOLDEN_NUMBERS = json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("boxes", ["largest", "all"])
def test_max_box_acc_is_the_golden_one(boxes):
    metric = MaxBoxAcc(ious=IOUS, boxes=boxes)
    for name, score_map, truth, _, label in split():
        metric.update(name, score_map, truth, label=label)
    lines = {line.name.rpartition("@")[2]: line for line in metric.compute().lines}
    for iou in ("30", "50", "70"):
        percent, threshold = GOLDEN_NUMBERS[f"{boxes}@{iou}"]
        assert lines[iou].score.percent == pytest.approx(percent, abs=1e-9)
        assert lines[iou].threshold == pytest.approx(threshold)


def test_px_ap_is_the_golden_one():
    metric = PxAP()
    for name, score_map, _, mask, label in split():
        metric.update(name, score_map, mask, label=label)
    assert metric.compute()["PxAP"].percent == pytest.approx(GOLDEN_NUMBERS["PxAP"], abs=1e-9)
