"""What ``wsolkit.testing`` says of parts that break a promise: the part, the promise and the numbers."""

import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar

import numpy as np
import pytest
import torch

from wsolkit import (
    Activation,
    ActivationHead,
    Backbone,
    BatchTransform,
    BoxExtractor,
    CamMethod,
    ConfigError,
    Loss,
    MapModifier,
    Pooling,
    Refined,
    Refiner,
    ScoredBoxes,
)
from wsolkit.testing import (
    Outcome,
    check_backbone,
    check_batch_transform,
    check_box_extractor,
    check_cam_method,
    check_documentation,
    check_head,
    check_loss,
    check_modifier,
    check_pairs,
    check_plugin,
    check_pooling,
    check_refiner,
    plugin_contract,
)


class SumOfAll(Pooling):
    """Gives one score for all maps
    of an image."""

    def forward(self, maps):
        return maps.sum((1, 2, 3))


class NeverRests(MapModifier):
    """Adds one."""

    def modify(self, maps):
        return maps + 1

    def forward(self, maps):
        return self.modify(maps)


class PaintsOver(BatchTransform):
    """Writes into what it is given."""

    def __call__(self, batch):
        batch.images.zero_()
        return replace(batch)


class PromisesMore(ActivationHead):
    """Says that it gives an extra."""

    gives: ClassVar = {"seeds": {}}

    def __init__(self, channels: Mapping[str, int], num_classes: int):
        super().__init__()
        self.maps = torch.nn.Conv2d(channels["b"], num_classes, 1)

    def forward(self, levels, batch=None):
        maps = self.maps(levels["b"])
        return Activation(maps, maps.mean((2, 3)), levels["b"])


class Detached(Loss):
    """Lets no gradient through."""

    def forward(self, activation, batch):
        return activation.maps.detach().mean()


class NotANumber(Loss):
    """Divides by zero."""

    def forward(self, activation, batch):
        return {"broken": activation.maps.mean() / 0}


class GrowsByItself(Loss):
    """Keeps a parameter of the size of the first batch."""

    def __init__(self):
        super().__init__()
        self.centre = torch.nn.Parameter(torch.zeros(2))

    def forward(self, activation, batch):
        self.centre = torch.nn.Parameter(torch.zeros(activation.maps.shape[1]))
        return (activation.maps.mean((0, 2, 3)) - self.centre).square().sum()


class TooLarge(CamMethod):
    """Skips what normalises maps."""

    def raw_maps(self, model, images, classes, activation=None):
        return (activation or model.activate(images)).of(classes)

    def __call__(self, model, images, classes, activation=None):
        return 1 + super().__call__(model, images, classes, activation)


class WholeMap(BoxExtractor):
    """Finds the whole map."""

    def __call__(self, score_map, features=None):
        height, width = score_map.shape
        return ScoredBoxes(np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32))


class WholeImage(Refiner):
    """Takes all of the image."""

    def __call__(self, image, score_map, boxes, threshold):
        return Refined(np.ones((len(boxes.boxes), *score_map.shape), bool), boxes)


class WrongStride(Backbone):
    """Names another stride than it has."""

    def __init__(self):
        super().__init__()
        self.channels, self.strides = {"only": 4}, {"only": 8}
        self.only = torch.nn.Conv2d(3, 4, 3, 4, 1)

    def forward(self, images):
        return {"only": self.only(images)}


class Unbegun(MapModifier):
    """Does not set its parents up."""

    def __init__(self, spread: float = 1.0):
        self.spread = spread

    def modify(self, maps):
        return maps


class UnbegunLayer(Pooling):
    """Does not set its parents up before it has weights."""

    def __init__(self):
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, maps):
        return maps.mean((2, 3))


class UnbegunBox(WholeMap):
    """Has no threshold."""

    def __init__(self):
        pass


class Unsure(Unbegun):
    """Says nothing of its argument."""

    def __init__(self, spread=1.0):
        super().__init__(spread)


class Misbound(MapModifier):
    """Has bounds in words of its own."""

    def __init__(self, spread: Annotated[float, "more than 0"] = 1.0):
        super().__init__()

    def modify(self, maps):
        return maps


class Wanting(SumOfAll):
    """Has no defaults."""

    def __init__(self, size: int, power: float):
        super().__init__()


@pytest.mark.parametrize(
    ("check", "part", "words"),
    [
        (check_documentation, SumOfAll, "SumOfAll has a docstring that begins with one sentence on one line: it does"),
        (check_pooling, SumOfAll, r"SumOfAll turns maps \(2, 3, 4, 5\) into scores .*found \(2,\)"),
        (check_modifier, NeverRests, r"NeverRests leaves maps alone in evaluation.*found 2352 cells changed"),
        (
            check_batch_transform,
            PaintsOver,
            "PaintsOver leaves the batch that it is given as it is.*other images",
        ),
        (check_head, PromisesMore, r"PromisesMore gives 'seeds' in training with {}: it does not, found only \[\]"),
        (check_loss, Detached, "Detached has gradients for labels as indices: it does not, found the constant"),
        (
            check_loss,
            GrowsByItself,
            r"GrowsByItself goes on from a checkpoint: .*centre is \(3,\) there and \(2,\) in the model",
        ),
        (check_loss, NotANumber, "NotANumber gives finite numbers .*broken is one.*found 1 of 1 that are NaN"),
        (check_cam_method, TooLarge, r"TooLarge gives maps from 0 on: it does not, found 1\.0"),
        (check_box_extractor, WholeMap, r"WholeMap finds the brightest rectangle \(3, 2, 12, 9\) first"),
        (check_refiner, WholeImage, "WholeImage keeps the masks of objects far from each other apart.*found 2400 pix"),
        (
            check_modifier,
            Unbegun,
            r"Unbegun begins its __init__ with super\(\).__init__\(...\): it does no.*_modules",
        ),
        (check_pooling, UnbegunLayer, r"UnbegunLayer begins its __init__ with super\(\).__init__\(...\): it does not"),
        (check_box_extractor, UnbegunBox, r"UnbegunBox begins its __init__ .* found a part without threshold\."),
        (check_modifier, Unsure, "Unsure: `spread` has no annotation, so a configuration may give it anything. Write"),
        (
            check_pooling,
            Wanting,
            r"Wanting wants size, power, so it cannot be .* check_...\(Wanting, size=..., power=...\), and check_plu"
            r'gin settings={"Wanting": dict\(size=..., power=...\)}; or write defaults\.',
        ),
        (check_backbone, WrongStride, r"WrongStride has about 8.0 cells at only: it does not, found \(16, 16\)"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_broken_promise_names_part_promise_and_numbers(check, part, words):
    with pytest.raises(AssertionError, match=words):
        check(part)


def test_bounds_that_cannot_be_read_are_seen_by_the_contract():
    with pytest.raises(ConfigError, match="^spread of Misbound has the bounds 'more than 0', which cannot be read"):
        check_modifier(Misbound)


def test_a_plugin_that_is_not_there_is_told_how_to_be():
    with pytest.raises(AssertionError, match=r"No entry point of group 'wsolkit' names wsolkit_no\. Write \[pro"):
        check_plugin("wsolkit_no")
    with pytest.raises(AssertionError, match=r'names wsolkit_camm\. The nearest is cam = "wsolkit_cam" of wsolkit\. W'):
        check_plugin("wsolkit_camm")
    with pytest.raises(AssertionError, match="wsolkit_cam has no part CAMHed; its parts are CAMHead"):
        check_plugin("wsolkit_cam", left_out={"CAMHed": "misspelt"})


def test_a_combination_that_fails_is_named(monkeypatch):
    monkeypatch.setattr(plugin_contract, "try_combination", lambda *_: Outcome(False, (), "KeyError: 'x'"))
    with pytest.raises(AssertionError, match=r"combinations with parts of wsolkit_cam fail:\n.*CAMHead.*\n +KeyError"):
        check_plugin("wsolkit_cam")


def test_pairs_warn_of_what_no_loss_reaches_in_the_heads_of_the_plugin_alone(monkeypatch):
    def tried(combination, _):
        warnings.warn(f"No loss reaches head.judge of {combination[1].name}", stacklevel=1)
        return Outcome(True)

    monkeypatch.setattr(plugin_contract, "try_combination", tried)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert check_pairs("wsolkit_cam").endswith(" pairs train and predict, 0 refuse by name")
        assert {str(each.message).split()[-1] for each in told} == {"CAMHead"}
        told.clear()
        check_pairs("wsolkit_has")
    assert not told


@pytest.mark.slow
def test_a_shipped_plugin_keeps_its_contract():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "No loss reaches")
        lines = check_plugin("wsolkit_cam")
    assert lines[0] == "CAMHead: activation head"
    assert lines[1].endswith(" refuse by name")


def test_it_needs_no_test_framework_and_costs_nothing_where_it_is_not_asked_for():
    code = (
        "import sys, wsolkit; wsolkit.Loss; assert 'wsolkit.testing' not in sys.modules\n"
        "import wsolkit.testing; assert 'torch' in sys.modules; wsolkit.testing.check_plugin\n"
        "sys.exit('pytest' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
