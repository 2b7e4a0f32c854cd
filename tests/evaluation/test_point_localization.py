"""Pointwise localization by hand and against a loop over cut-offs."""

import numpy as np
import pytest

from wsolkit.errors import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation.point_localization import PointLocalizationMAP, map_point

SIZE = (100, 50)
BOX = [40, 10, 60, 30]


def peak(row, column, shape=(5, 10)):
    """A map with one maximum; on an image of 100 x 50, its cells are 10 x 10 pixels."""
    score_map = np.zeros(shape)
    score_map[row, column] = 1
    return score_map


INSIDE, OUTSIDE = peak(1, 4), peak(4, 9)


def test_the_point_is_the_pixel_centre_in_the_image():
    assert map_point(peak(1, 4), SIZE) == (45.0, 15.0)
    assert map_point(peak(0, 0, (1, 1)), (7, 3)) == (3.5, 1.5)
    assert map_point(np.arange(6).reshape(2, 3), (9, 4)) == (7.5, 3.0)


def test_the_first_of_several_maxima_in_raster_order_counts():
    assert map_point(np.array([[0, 0, 1], [1, 0, 0]]), (3, 2)) == (2.5, 0.5)
    assert map_point(np.ones((2, 2)), (4, 4)) == (1.0, 1.0)


def test_boxes_are_half_open_and_widened():
    """The point is (45, 15)."""
    for box, tolerance, right in (
        ([45, 15, 46, 16], 0, True),
        ([40, 10, 45, 16], 0, False),
        ([40, 10, 46, 15], 0, False),
        ([46, 16, 60, 30], 0, False),
        ([46, 16, 60, 30], 1, True),
        ([63, 33, 80, 40], 18, True),
        ([63.5, 33, 80, 40], 18, False),
        ([20, 10, 27, 40], 18, False),
        ([20, 10, 27.5, 40], 18, True),
    ):
        row = PointLocalizationMAP(tolerance=tolerance).measure({0: INSIDE}, [0.5], [box], [0], [False], size=SIZE)
        assert row.right.tolist() == [right], (box, tolerance)


def test_average_precision_by_hand():
    """Ranking of class 0: b wrong point (.9), a right (.8), c absent (.7), d right (.6).

    Three images show the class: recall 1/3 at precision 1/2, 2/3 at 2/4; the image b is never found. All-point: 2/3 of
    1/2. 11-point: recalls 0 to .6 at 1/2, 7 of 11.
    """
    for way, wanted in (("all-point", 100 / 3), ("11-point", 100 * 7 * 0.5 / 11)):
        metric = PointLocalizationMAP(interpolation=way)
        metric.update("a", {0: INSIDE}, [0.8, 0.1], [BOX], [0], [False], size=SIZE)
        metric.update("b", {0: OUTSIDE}, [0.9, 0.1], [BOX], [0], [False], size=SIZE)
        metric.update("c", {}, [0.7, 0.1], [], [], [], size=SIZE)
        metric.update("d", {0: INSIDE}, [0.6, 0.1], [BOX], [0], [False], size=SIZE)
        result = metric.compute()
        assert result["PointLocalizationMAP"].percent == pytest.approx(wanted)
        assert result["PointLocalizationMAP"].macro == pytest.approx(wanted)
        assert result.each_class == pytest.approx({0: wanted})
        assert way in result.conventions["average precision"]


def test_difficult_boxes_are_no_place_to_hit_and_alone_leave_the_class_out():
    metric = PointLocalizationMAP()
    far = [0, 0, 10, 10]
    assert metric.measure({0: INSIDE}, [0.5], [BOX, far], [0, 0], [True, False], size=SIZE).right.tolist() == [False]
    row = metric.measure({}, [0.9], [BOX], [0], [True], size=SIZE)
    assert row.labels.tolist() == [-1]
    metric.add("a", row)
    metric.update("b", {0: INSIDE}, [0.1], [BOX], [0], size=SIZE)
    assert metric.compute()["PointLocalizationMAP"].percent == 100


def test_any_box_of_the_class_counts_and_none_of_another():
    far = [90, 40, 100, 50]
    row = PointLocalizationMAP().measure({0: INSIDE, 1: INSIDE}, [0, 0], [far, BOX, far], [0, 0, 1], size=SIZE)
    assert row.right.tolist() == [True, False]


def test_random_images_equal_the_loop():
    rng = np.random.default_rng(3)
    classes, images, metric = 3, 25, PointLocalizationMAP(tolerance=4, draws=20)
    answers = {k: [] for k in range(classes)}
    for image in range(images):
        n = int(rng.integers(0, 4))
        corners = np.sort(rng.integers(0, 50, (n, 2, 2)), axis=1)
        boxes, labels = corners.reshape(n, 4), rng.integers(0, classes, n)
        difficult = rng.random(n) < 0.3
        maps = {k: rng.random((7, 9)) for k in range(classes)}
        scores = rng.permutation(classes) + rng.random(classes)
        metric.update(f"{image:02}", maps, scores, boxes, labels, difficult, size=(50, 50))
        for k in range(classes):
            mine = [b for b, label, hard in zip(boxes, labels, difficult, strict=True) if label == k and not hard]
            if not mine and (labels == k).any():
                continue
            best = max(((r, c) for r in range(7) for c in range(9)), key=lambda cell: maps[k][cell])
            y, x = (best[0] + 0.5) * 50 / 7, (best[1] + 0.5) * 50 / 9
            hit = any(b[0] - 4 <= x < b[2] + 4 and b[1] - 4 <= y < b[3] + 4 for b in mine)
            answers[k].append((scores[k], hit, bool(mine)))

    def area(listed):
        listed = sorted(listed, reverse=True)
        points, right = [], 0
        for place, (_, hit, _) in enumerate(listed, start=1):
            right += hit
            points.append((right / sum(shown for *_, shown in listed), right / place))
        total, reached = 0.0, 0.0
        for recall, _ in points:
            total += (recall - reached) * max(p for r, p in points if r >= recall)
            reached = recall
        return 100 * total

    result = metric.compute()
    wanted = {k: area(answers[k]) for k in range(classes)}
    assert result.each_class == pytest.approx(wanted)
    assert result["PointLocalizationMAP"].percent == pytest.approx(np.mean(list(wanted.values())))
    assert result["PointLocalizationMAP micro"].percent == pytest.approx(
        area([each for listed in answers.values() for each in listed])
    )
    score = result["PointLocalizationMAP"]
    assert score.low < score.percent < score.high
    assert score.n == images


def test_order_and_shards_do_not_matter():
    maps = {"a": INSIDE, "b": OUTSIDE, "c": INSIDE}
    together, first, second = (PointLocalizationMAP(draws=50) for _ in range(3))
    for name in "abc":
        together.update(name, {0: maps[name]}, [0.5], [BOX], [0], size=SIZE)
    for name, metric in (("c", first), ("b", second), ("a", second)):
        metric.update(name, {0: maps[name]}, [0.5], [BOX], [0], size=SIZE)
    first.merge(second)
    assert first.compute().as_dict() == together.compute().as_dict()
    with pytest.raises(ConfigError, match="tolerance is 0.0 here and 18.0 there"):
        together.merge(PointLocalizationMAP(tolerance=18, draws=50))


def test_wrong_input_is_explained():
    metric = PointLocalizationMAP()

    def measure(maps=None, scores=(0.5,), boxes=(BOX,), labels=(0,), difficult=None, size=SIZE):
        return metric.measure({0: INSIDE} if maps is None else maps, scores, boxes, labels, difficult, size=size)

    with pytest.raises(DataError, match=r"shows class 0, but score_maps has no map of it \(it has \[3\]\)"):
        measure({3: INSIDE})
    with pytest.raises(MapError, match="A map holds NaN or infinity at 1 of 4 pixels"):
        measure({0: np.array([[0, 1], [np.nan, 0]])})
    with pytest.raises(ShapeError, match=r"A map should be \(H, W\) with at least one pixel, but got shape \(4,\)"):
        measure({0: np.zeros(4)})
    with pytest.raises(ShapeError, match="A map should be"):
        measure({0: np.zeros((0, 4))})
    with pytest.raises(ShapeError, match=r"A map should be \(H, W\) numbers"):
        measure({0: "map"})
    with pytest.raises(DataError, match="class_scores hold NaN"):
        measure(scores=[np.nan])
    with pytest.raises(ShapeError, match=r"class_scores should have 1 axes, but got shape \(1, 1\)"):
        measure(scores=[[0.5]])
    with pytest.raises(DataError, match="gt_labels has class 2, but class_scores has only 1 classes"):
        measure(labels=[2])
    with pytest.raises(DataError, match="Number 0 of gt_boxes lies outside the image of 100 x 50"):
        measure(boxes=[[0, 0, 10, 60]])
    with pytest.raises(DataError, match="ends before it begins"):
        measure(boxes=[[10, 0, 0, 10]])
    for size in ((0, 5), (5,), None, (np.nan, 5)):
        with pytest.raises(DataError, match=r"size should be \(width, height\)"):
            measure(size=size)


def test_settings_are_checked():
    with pytest.raises(ConfigError, match=r"tolerance should be pixels from 0 \(18 in Oquab et al.\), but got -1"):
        PointLocalizationMAP(tolerance=-1)
    with pytest.raises(ConfigError, match="no interpolation '12-point'. Did you mean '11-point'"):
        PointLocalizationMAP(interpolation="12-point")


def test_nothing_to_find_is_an_error():
    metric = PointLocalizationMAP()
    with pytest.raises(DataError, match="has seen no image"):
        metric.compute()
    metric.update("a", {}, [0.5], [], [], size=SIZE)
    with pytest.raises(DataError, match="No class has anything to find"):
        metric.compute()
    metric.update("b", {}, [0.5, 0.5], [], [], size=SIZE)
    with pytest.raises(DataError, match="Image 'b' has scores of 2 classes, but 'a' of 1"):
        metric.compute()
