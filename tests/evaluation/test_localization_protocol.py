"""The boxes that a model predicts: those of its own extractor, on images small enough to count."""

import numpy as np
import pytest

from wsolkit import BoxExtractor, ConfigError, Targets
from wsolkit.components.boxes import AllComponents, LargestComponent
from wsolkit.evaluation.box_protocols import LocalizationProtocol
from wsolkit.evaluation.results import FIXED, ORACLE, OWN, VAL
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.evaluation.top_k_localization import LocalizedMap, TopKLocalization
from wsolkit.interfaces import ScoredBoxes

THRESHOLDS = [0.1, 0.5, 0.9]


def targets(boxes, labels=None, difficult=None, size=(40, 20)):
    return Targets(
        size=size,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        box_labels=np.array(labels if labels is not None else [0] * len(boxes)),
        difficult=np.array(difficult if difficult is not None else [False] * len(boxes), bool),
    )


def metric_of(extractor=None, thresholds=THRESHOLDS):
    return TopKLocalization(convention="exact", thresholds=thresholds, extractor=extractor)


def rows_of(image, extractor=None):
    protocol = LocalizationProtocol(extractor)
    return protocol.row(metric_of(extractor), image)


@pytest.fixture
def score_map():
    """10 x 10 cells: a weak 8 x 4 rectangle around a strong 2 x 4 one."""
    cells = np.zeros((10, 10))
    cells[2:6, 1:9] = 0.4
    cells[2:6, 1:3] = 1.0
    return cells


class FixedBox(BoxExtractor):
    """The same box whatever the map."""

    def __call__(self, score_map, features=None):
        return ScoredBoxes(np.array([[1, 2, 9, 6]], np.float32), np.ones(1, np.float32))


class OwnThreshold(LargestComponent):
    """Cuts every map at .45 of its maximum, whatever the split says."""

    chooses_threshold = True

    def __call__(self, score_map, features=None):
        self.threshold = 0.45
        return super().__call__(score_map, features)


@pytest.mark.parametrize("extractor", [None, LargestComponent()])
def test_boxes_are_fractions_of_the_map_at_each_threshold(score_map, extractor):
    (row,) = metric_of(extractor).measure({0: score_map}, 0, [[0, 0, 5, 5]], size=(40, 20))
    assert row.boxes.astype(float).round(6).tolist() == [
        [0.1, 0.2, 0.9, 0.6],
        [0.1, 0.2, 0.3, 0.6],
        [0.1, 0.2, 0.3, 0.6],
    ]


@pytest.mark.parametrize("kind", [LargestComponent, AllComponents])
def test_trying_thresholds_leaves_the_extractor_as_it_was(score_map, kind):
    extractor = kind(0.37)
    metric_of(extractor).measure({0: score_map}, 0, [[0, 0, 5, 5]])
    assert extractor.threshold == 0.37


def test_boxes_are_compared_in_pixels_of_the_image(score_map):
    logits = np.array([0, 0, 1.0, 0.5])
    (row,) = rows_of(ScoredImage("a", {3: score_map}, 3, logits, targets([[4, 4, 36, 12]])), LargestComponent())
    assert row.rank == 1
    assert row.true.tolist() == pytest.approx([1.0, 0.25, 0.25])


def test_difficult_boxes_are_no_truth(score_map):
    label = np.array([1.0, 0.0])
    truth = targets([[4, 4, 36, 12], [0, 0, 1, 1]], [0, 0], [True, False])
    (both,) = rows_of(ScoredImage("a", {0: score_map}, label, None, truth))
    assert both.true.max() < 0.1
    assert rows_of(ScoredImage("a", {0: score_map}, label, None, targets([[4, 4, 36, 12]], [0], [True]))) is None


def test_multi_label_images_are_one_trial_per_class(score_map):
    truth = targets([[4, 4, 36, 12], [30, 10, 40, 20]], [0, 2])
    image = ScoredImage("a", {0: score_map, 2: score_map}, np.array([1.0, 0.0, 1.0]), np.zeros(3), truth)
    rows = rows_of(image, LargestComponent())
    assert [(row.label, row.rank) for row in rows] == [(0, None), (2, None)]
    assert rows[0].true[0] == pytest.approx(1.0)
    assert rows[1].true[0] < 0.1


def kept(rank, overlaps, classes=8):
    nothing = np.zeros((3, 4), np.float32)
    return [LocalizedMap(0, rank, np.array(overlaps), None, nothing, np.ones((1, 4)), (10, 10), classes)]


def test_hits_ranks_and_the_oracle_are_counted():
    metric = metric_of()
    for name, rank, overlaps in [
        ("a", 0, [0.6, 0.9, 0.0]),
        ("b", 3, [0.2, 0.8, 0.0]),
        ("c", 9, [0.7, 0.5, 0.0]),
        ("d", 0, [0.1, 0.1, 0.0]),
    ]:
        metric.add(name, kept(rank, overlaps))
    result = metric.compute(0.1)
    found = {line.name: (line.score.percent, line.threshold) for line in result.lines if line.selection == FIXED}
    assert {name: found[name] for name in ("GT-known", "top-1 loc", "top-5 loc")} == {
        "GT-known": (50.0, 0.1), "top-1 loc": (25.0, 0.1), "top-5 loc": (25.0, 0.1),
    }  # fmt: skip
    oracle = next(line for line in result.lines if line.selection == ORACLE)
    assert (oracle.name, oracle.score.percent, oracle.threshold) == ("GT-known", 75.0, 0.5)


def test_top_5_ends_at_the_fifth_place():
    metric = metric_of()
    for rank in (4, 5):
        metric.add(str(rank), kept(rank, [0.6, 0.6, 0.6]))
    assert metric.compute(0.5)["top-5 loc"].percent == 50.0


def test_among_five_classes_top_5_says_nothing():
    metric = metric_of()
    metric.add("a", kept(4, [0.6, 0.6, 0.6], classes=5))
    result = metric.compute(0.5)
    assert {line.name for line in result.lines} == {"GT-known", "top-1 loc"}
    assert result.conventions["left out"] == "top-5: there are no more than five classes"


def test_features_reach_the_extractor(score_map):
    seen = []

    class Watching(LargestComponent):
        def __call__(self, score_map, features=None):
            seen.append(features)
            return super().__call__(score_map, features)

    features = np.zeros((3, 2, 2))
    image = ScoredImage("a", {0: score_map}, 0, None, targets([[4, 4, 36, 12]]), features)
    rows_of(image, Watching())
    assert [each is features for each in seen] == [True, True, True]


def test_the_boxes_are_the_extractor_s():
    """The map is strong in one corner; the extractor says what the truth is, at every threshold."""
    corner = np.zeros((10, 10))
    corner[:2, :2] = 1
    image = ScoredImage("a", {0: corner}, 0, None, targets([[4, 4, 36, 12]]))
    for extractor, percent, source in [
        (None, 0.0, "largest component"),
        (FixedBox(), 100.0, "best scored of FixedBox"),
    ]:
        protocol = LocalizationProtocol(extractor)
        accumulator = protocol.make(2)
        accumulator.add("a", protocol.row(accumulator, image))
        result = protocol.result(accumulator, 0.3)
        assert (result.metric, result["GT-known"].percent) == ("localization", percent)
        assert result.conventions["box source"] == source
        assert set(result.curves["GT-known over threshold"].y) == {percent}
        (trial,) = accumulator.trials(0.3)
        assert trial.box == pytest.approx((0.1, 0.2, 0.9, 0.6) if extractor else (0, 0, 0.2, 0.2))
        assert trial.outcome == ("hit" if extractor else "miss")


def test_of_all_components_the_best_scored_box_counts(score_map):
    """Two components at .1; the smaller one has the higher mean, and only the largest component hits."""
    score_map[8:, 8:] = 0.9
    image = ScoredImage("a", {0: score_map}, 0, None, targets([[4, 4, 36, 12]]))
    (largest,), (best,) = rows_of(image), rows_of(image, AllComponents())
    assert (largest.true[0], best.true[0]) == (pytest.approx(1.0), 0)
    assert best.boxes[0].tolist() == pytest.approx([0.8, 0.8, 1, 1])


def test_an_extractor_may_choose_its_own_threshold(score_map):
    """It cuts at .45: the strong part. There is no threshold to try, so neither an oracle nor a curve."""
    image = ScoredImage("a", {0: score_map}, 0, np.array([1.0, 0.0]), targets([[4, 4, 12, 12]]))
    protocol = LocalizationProtocol(OwnThreshold())
    accumulator, val = protocol.make(2), protocol.make(2)
    for each in (accumulator, val):
        each.add("a", protocol.row(each, image))
    for threshold in (None, 0.1, val):
        result = protocol.result(accumulator, threshold)
        assert [(line.name, line.score.percent, line.threshold, line.selection) for line in result.lines] == [
            ("GT-known", 100.0, None, OWN),
            ("top-1 loc", 100.0, None, OWN),
        ]
        assert result.curves == {}
        assert result.conventions["threshold selection"] == "chosen for each map"
    (trial,) = accumulator.trials(0.0)
    assert trial.box == pytest.approx((0.1, 0.2, 0.3, 0.6))


def test_val_chooses_the_threshold_of_the_extractor_s_boxes(score_map):
    """The truth is the weak rectangle on val: all cuts below .4 are right there, and the middle of 0 to .39 is .2."""
    protocol = LocalizationProtocol(AllComponents())
    val, test = protocol.make(2), protocol.make(2)
    wide = ScoredImage("a", {0: score_map}, 0, None, targets([[4, 4, 36, 12]]))
    narrow = ScoredImage("a", {0: score_map}, 0, None, targets([[4, 4, 12, 12]]))
    val.add("a", protocol.row(val, wide))
    test.add("a", protocol.row(test, narrow))
    result = protocol.result(test, val)
    assert [(line.score.percent, line.selection) for line in result.lines] == [(0.0, VAL), (100.0, ORACLE)]
    assert result.lines[0].threshold == pytest.approx(0.2)


def test_a_threshold_of_another_extractor_is_refused(score_map):
    scored, val, plain = metric_of(LargestComponent()), metric_of(AllComponents()), metric_of()
    for metric in (scored, val, plain):
        metric.update("a", {0: score_map}, 0, [[1, 2, 9, 6]])
    with pytest.raises(
        ConfigError,
        match="chosen at box source 'best scored of AllComponents', but is wanted at 'best scored of LargestComponent'",
    ):
        scored.compute(val)
    with pytest.raises(ConfigError, match="chosen at box source 'largest component', but is wanted at 'best scored of"):
        scored.compute(plain)
    other = metric_of(LargestComponent())
    other.update("b", {0: score_map}, 0, [[1, 2, 9, 6]])
    assert scored.compute(other).lines[0].selection == VAL
