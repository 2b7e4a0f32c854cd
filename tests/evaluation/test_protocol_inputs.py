"""Which images are trials of a protocol, what is refused by name, and which protocols fit the data."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.drawn_images import (
    CLASSES,
    LOGITS_OF,
    ONE,
    ONE_LABEL,
    PRESENT,
    SEVERAL,
    SINGLE,
    TWO,
    WITH_BOXES,
    fed,
    targets,
)
from wsolkit import ConfigError, DataError, MapError, ShapeError, Targets
from wsolkit.evaluation.protocol import BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL
from wsolkit.evaluation.protocols import PROTOCOLS, choose_protocols
from wsolkit.evaluation.scored_image import ScoredImage


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_image_without_truth_is_no_trial(name):
    """But logits alone are enough for the protocols of labels."""
    label = 1 if name in SINGLE else PRESENT
    alone = ScoredImage("a", {1: ONE, 4: TWO}, label, None, None)
    assert fed(name, [alone])[1].rows == {}
    with_logits = ScoredImage("a", {1: ONE, 4: TWO}, label, LOGITS_OF, None)
    assert len(fed(name, [with_logits])[1]) == (1 if name in ("accuracy", "mAP") else 0)
    unlabelled = ScoredImage("a", {1: ONE}, None, None, None)
    assert fed(name, [unlabelled])[1].rows == {}


@pytest.mark.parametrize("name", [name for name in WITH_BOXES if name != "point-mAP" and "box-mAP" not in name])
def test_an_image_without_boxes_to_hit_is_no_trial(name):
    """Detections on it count as false in the protocols that rank all images' answers, so it is a row there."""
    label = 1 if name in SINGLE else PRESENT
    for found in (targets([], []), targets([[4, 2, 16, 12]], [1], [True])):
        assert fed(name, [ScoredImage("a", {1: ONE, 4: TWO}, label, LOGITS_OF, found)])[1].rows == {}
        assert fed(name, [ScoredImage("a", {}, label, LOGITS_OF, found)])[1].rows == {}  # no map is needed
    unlabelled = ScoredImage("a", {1: ONE}, None, LOGITS_OF, targets([[4, 2, 16, 12]], [1]))
    assert fed(name, [unlabelled])[1].rows == {}


@pytest.mark.parametrize("name", ["point-mAP", "box-mAP"])
def test_an_image_without_boxes_may_hold_false_answers(name):
    sure = np.where(np.arange(CLASSES) == 4, 2.0, -1.0)
    right = replace(SEVERAL[1], logits=sure / 2)
    _, with_it = fed(name, [right, ScoredImage("c", {4: TWO}, PRESENT * 0, sure, targets([], []))])
    _, without = fed(name, [right])
    assert len(with_it) == 2
    assert with_it.compute().lines[0].score.percent < without.compute().lines[0].score.percent


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name not in ("accuracy", "mAP", "box-mAP")])
def test_a_missing_map_of_a_present_class_names_the_image(name):
    source = (ONE_LABEL if name in SINGLE else SEVERAL)[0]
    image = ScoredImage("bird 7.jpg", {4: TWO}, source.label, source.logits, source.targets)
    protocol = PROTOCOLS[name]()
    with pytest.raises(DataError, match="'bird 7.jpg'") as caught:
        protocol.row(protocol.make(CLASSES), image)
    assert "class 1" in str(caught.value)
    assert str(caught.value).count("bird 7.jpg") == 1


@pytest.mark.parametrize(
    ("score_map", "error", "words"),
    [
        (ONE * np.nan, MapError, "NaN"),
        (ONE * 3, MapError, r"numbers in \[0, 1\]"),
        (ONE[None], ShapeError, r"The map of class 1 should be \(H, W\), but has shape \(1, 10, 20\)"),
    ],
)
@pytest.mark.parametrize("name", [name for name in SINGLE if name != "accuracy"])
def test_other_mistakes_name_the_image_too(name, score_map, error, words):
    image = ScoredImage("bird 7.jpg", {1: score_map}, 1, LOGITS_OF, ONE_LABEL[0].targets)
    with pytest.raises(error, match=words) as caught:
        fed(name, [image])
    assert str(caught.value).startswith("Image 'bird 7.jpg': ")


@pytest.mark.parametrize("name", [name for name, each in PROTOCOLS.items() if SINGLE_LABEL in each.needs])
@pytest.mark.parametrize("label", [PRESENT, PRESENT * 0])
def test_several_labels_are_refused_where_one_is_needed(name, label):
    image = ScoredImage("a", {1: ONE, 4: TWO}, label, LOGITS_OF, SEVERAL[0].targets)
    with pytest.raises(DataError, match="Image 'a' may have several labels, but this protocol is for data with one"):
        fed(name, [image])


def test_one_label_is_refused_where_several_are_needed():
    with pytest.raises(ShapeError, match="Image 'a': scores and labels should be"):
        fed("mAP", ONE_LABEL[:1])


def test_a_box_threshold_outside_0_to_1_is_explained():
    with pytest.raises(ConfigError, match=r"fractions of the map's maximum in \[0, 1\), but got \[1.5\]"):
        fed("BoxAcc", ONE_LABEL, 1.5)


def test_protocols_that_fit():
    def names(*has):
        return [each.name for each in choose_protocols([], has)]

    assert names(LOGITS, SINGLE_LABEL) == ["accuracy"]
    assert names(MASKS, SINGLE_LABEL) == ["PxAP"]
    assert names(MASKS, MULTI_LABEL) == ["mIoU"]
    assert names(BOXES, LOGITS, MULTI_LABEL) == [
        "mAP",
        "localization",
        "MaxBoxAcc",
        "MaxBoxAccV2",
        "CorLoc",
        "point-mAP",
        "box-mAP-given",
    ]
    assert set(names(BOXES, MASKS, LOGITS, MULTI_LABEL, SINGLE_LABEL)) == set(PROTOCOLS) - {
        "MaxBoxAcc-exact",
        "box-mAP",
    }


def test_protocols_by_name():
    everything = (BOXES, MASKS, LOGITS, MULTI_LABEL, SINGLE_LABEL)
    found = choose_protocols(iter(["PxAP", "CorLoc", "PxAP"]), everything)
    assert found == [PROTOCOLS["PxAP"], PROTOCOLS["CorLoc"]]
    for names, has, words in [
        (["maxboxacv2"], everything, r"There is no protocol 'maxboxacv2'. Did you mean 'MaxBoxAccV2'"),
        (["CorLoc", "xyz"], everything, r"There is no protocol 'xyz'. Known names: 'BoxAcc'"),
        (["PxAP"], [BOXES, SINGLE_LABEL], "Protocol PxAP needs masks, one label per image, but there is no masks here"),
        (["mIoU"], [MASKS, SINGLE_LABEL], "Protocol mIoU needs masks, several labels per image, but"),
        ([], [SINGLE_LABEL], "No protocol can be computed from one label per image. Boxes, masks or logits are needed"),
        ([], [], "No protocol can be computed from nothing"),
    ]:
        with pytest.raises(ConfigError, match=words):
            choose_protocols(names, has)


def test_a_true_box_outside_the_image_is_named_in_the_image_s_pixels():
    truth = Targets((100, 80), np.array([[20, 20, 130, 60]], np.float32), np.array([1]), np.array([False]))
    image = ScoredImage("a", {1: ONE}, 1, None, truth)
    protocol = PROTOCOLS["MaxBoxAcc"]()
    with pytest.raises(DataError, match=r"Image 'a' has 100 x 80 pixels, but a true box \[20.0, 20.0, 130.0, 60.0\]"):
        protocol.row(protocol.make(2), image)


def test_a_threshold_of_zero_is_not_the_default():
    protocol = PROTOCOLS["BoxAcc"]().at(0.0)
    accumulator = protocol.make(2)
    truth = Targets((20, 10), np.array([[2, 1, 8, 6]], np.float32), np.array([1]), np.array([False]))
    accumulator.add("a", protocol.row(accumulator, ScoredImage("a", {1: ONE}, 1, None, truth)))
    assert protocol.result(accumulator).conventions["threshold selection"] == "fixed"


def test_what_lacks_is_found_somewhere():
    with pytest.raises(ConfigError, match=r"needs boxes, but there is no boxes here. Boxes are in localization.txt"):
        choose_protocols(["MaxBoxAcc"], [SINGLE_LABEL])
