"""Top-k accuracy by hand, and the average of crops."""

import math

import numpy as np
import pytest

from wsolkit.errors import ConfigError, DataError, ShapeError
from wsolkit.evaluation.top_k import TopKAccuracy, average_crops


def test_ranks_by_hand():
    """Ranks 0, 1, 2 of labels 0, 0, 2: top-1 1/3 (macro (1/2 + 0) / 2), top-2 2/3 (macro (1 + 0) / 2)."""
    metric = TopKAccuracy(ks=(1, 2))
    metric.update("a", [5.0, 1, 2], 0)
    metric.update("b", [4.0, 5, 2], 0)
    metric.update("c", [4.0, 5, 2], 2)
    result = metric.compute()
    assert result["top-1 accuracy"].percent == pytest.approx(100 / 3)
    assert result["top-2 accuracy"].percent == pytest.approx(200 / 3)
    assert (result["top-1 accuracy"].macro, result["top-2 accuracy"].macro) == (25, 50)
    assert result.each_class == {0: 50, 2: 0}
    assert result["top-1 accuracy"].interval == "Wilson"
    assert result["top-1 accuracy"].n == 3


def test_ties_go_to_the_lower_index():
    metric = TopKAccuracy(ks=(1,))
    metric.update("a", [1.0, 1.0], 0)
    metric.update("b", [1.0, 1.0], 1)
    assert metric.compute()["top-1 accuracy"].percent == 50


def test_crops_are_averaged_after_softmax():
    """(.9, .1), (.4, .6) and (.4, .6) average to (1.7, 1.3) / 3."""
    crops = np.log([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    assert average_crops(crops).tolist() == pytest.approx([1.7 / 3, 1.3 / 3])


def test_the_average_decides_and_not_the_mean_logit():
    """Class 0 has probability 0, .7 and .9, on average over .5; the mean logit of class 1 is far larger."""
    crops = np.array([[0.0, 30.0], [math.log(0.7), math.log(0.3)], [math.log(0.9), math.log(0.1)]])
    assert crops.mean(0).argmax() == 1
    metric = TopKAccuracy(ks=(1,))
    metric.update("a", crops, 0)
    result = metric.compute()
    assert result["top-1 accuracy"].percent == 100
    assert result.conventions["class source"] == "3 crop(s) of an image, averaged after softmax"


def test_the_average_does_not_overflow():
    assert average_crops(np.array([[1e6, 0.0], [-1e6, 0.0]])).tolist() == [0.5, 0.5]
    assert average_crops(np.array([[1e4, 1e4 + 1]], np.float32)).tolist() == pytest.approx(
        [1 / (1 + math.e), math.e / (1 + math.e)]
    )


def test_one_crop_is_ranked_by_its_logits():
    """Softmax would underflow both to 0 and so give the lower index the better rank."""
    metric = TopKAccuracy()
    assert metric.measure([[1e5, -1e5, 0.0]], 2).rank == 1
    assert metric.measure([1e5, -1e5, 0.0], 1).rank == 2


def test_top_5_ends_at_the_fifth_place():
    metric = TopKAccuracy()
    for rank in (4, 5):
        metric.update(f"{rank}", -np.arange(8.0), rank)
    assert metric.compute()["top-5 accuracy"].percent == 50.0


def test_a_k_of_all_classes_has_no_line():
    metric = TopKAccuracy()
    metric.update("a", [1.0, 2, 3], 2)
    result = metric.compute()
    assert [line.name for line in result.lines] == ["top-1 accuracy"]
    assert result.conventions["left out"] == "top-5: takes all 3 classes"
    alone = TopKAccuracy(ks=(5,))
    alone.update("a", [1.0, 2, 3], 2)
    with pytest.raises(ConfigError, match=r"Every k of \(5,\) takes all 3 classes"):
        alone.compute()


@pytest.mark.parametrize(
    ("logits", "label", "error", "words"),
    [
        ([0.0, np.nan], 0, DataError, r"logits hold NaN or infinity \(1 of 2, the first at \[1\]\)"),
        ([[0.0, 1], [np.inf, 0]], 0, DataError, "logits hold NaN or infinity"),
        (np.zeros((1, 2, 3)), 0, ShapeError, r"logits should have 1 or 2 axes, but got shape \(1, 2, 3\)"),
        (np.zeros((0, 3)), 0, ShapeError, r"at least one class, but got \(0, 3\)"),
        ([], 0, ShapeError, "at least one class"),
        ([1.0, 2.0], 2, DataError, "class index from 0 to 1, but got 2"),
        ([1.0, 2.0], -1, DataError, "class index from 0 to 1, but got -1"),
        ([1.0, 2.0], 0.5, DataError, "class index, but got '0.5'"),
        (["x", 2.0], 0, ShapeError, "logits should be an array of numbers"),
    ],
)
def test_wrong_input_is_explained(logits, label, error, words):
    with pytest.raises(error, match=words):
        TopKAccuracy().measure(logits, label)


def test_average_of_wrong_crops_is_explained():
    with pytest.raises(ShapeError, match="logits of crops should have 2 axes"):
        average_crops(np.zeros(3))
    with pytest.raises(ShapeError, match=r"\(crops, K\) with at least one of each, but got shape \(0, 3\)"):
        average_crops(np.zeros((0, 3)))
    with pytest.raises(DataError, match="logits of crops hold NaN"):
        average_crops(np.array([[np.nan, 1]]))


@pytest.mark.parametrize("ks", [(), (0,), (1, 1), (1.5,), (True,)])
def test_ks_are_whole_numbers(ks):
    with pytest.raises(ConfigError, match="ks should be different whole numbers from 1"):
        TopKAccuracy(ks=ks)


def test_images_of_two_models_do_not_mix():
    metric = TopKAccuracy()
    with pytest.raises(DataError, match="has seen no image"):
        metric.compute()
    metric.update("a", [1.0, 2, 3], 2)
    metric.update("b", [1.0, 2], 1)
    with pytest.raises(DataError, match="Image 'b' has scores of 2 classes, but 'a' of 3"):
        metric.compute()


def test_order_and_shards_do_not_matter():
    rng = np.random.default_rng(0)
    images = {f"{i}": (rng.normal(size=(10, 7)), int(rng.integers(7))) for i in range(9)}
    together, first, second = TopKAccuracy(), TopKAccuracy(), TopKAccuracy()
    for name, image in images.items():
        together.update(name, *image)
    for name in list(images)[::-1]:
        (first if int(name) % 2 else second).update(name, *images[name])
    first.merge(second)
    assert first.compute().as_dict() == together.compute().as_dict()
