"""What every registered component promises, whoever wrote it."""

import inspect
import re

import numpy as np
import pytest
import torch

from tests.support.matrix_parts import LEFT_OUT
from wsolkit import (
    Activation,
    ActivationHead,
    Batch,
    BatchTransform,
    BoxExtractor,
    CamMethod,
    ConfigError,
    Loss,
    MapModifier,
    Pooling,
    Refiner,
    ScoredBoxes,
    WsolkitError,
    load_plugins,
)
from wsolkit.model.batch_transforms import apply_transforms
from wsolkit.registry import HEADS, MODELS

NAMES = ["barn owl", "house wren", "snowy owl"]
COMPONENTS = sorted({c.cls for c in load_plugins().components.values()}, key=lambda cls: cls.__name__)


def of(interface):
    return [cls for cls in COMPONENTS if issubclass(cls, interface)]


def head_it_asks_for(error):
    """Build the head that a part names in its error because it works with no other one."""
    named = re.search(r"head=dict\(type='(\w+)'((?:, \w+=\d+)*)", str(error))
    assert named, f"{error}: it should say which head to use"
    settings = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", named[2])}
    return build(HEADS.get(named[1]), channels={"a": 6}, num_classes=3, class_names=NAMES, **settings)


def skip_what_cannot_be_built(error):
    """Skip a part that says that it works with a checkpoint, or with a library that is not here, only."""
    if "checkpoint=PATH" in str(error):
        pytest.skip("it needs a trained model; its own tests give it one")
    if "needs the library" in str(error):
        pytest.skip(str(error))


def build(cls, **known):
    """Build a component with its defaults, and with what its interface always hands over."""
    parameters = inspect.signature(cls).parameters
    return cls(**{name: value for name, value in known.items() if name in parameters})


@pytest.mark.parametrize("cls", COMPONENTS, ids=lambda cls: cls.__name__)
def test_documentation_begins_with_one_sentence(cls):
    first = inspect.getdoc(cls).split("\n\n")[0].split("\n")
    assert len(first) == 1
    assert first[0].endswith((".", ":")), first[0]


@pytest.mark.parametrize("cls", of(Pooling), ids=lambda cls: cls.__name__)
def test_poolings_give_one_score_per_map_and_gradients(cls):
    maps = torch.randn(2, 3, 4, 5, requires_grad=True)
    scores = build(cls)(maps)
    scores.sum().backward()
    assert scores.shape == (2, 3)
    assert torch.isfinite(maps.grad).all()
    assert maps.grad.abs().sum() > 0


@pytest.mark.parametrize("cls", of(MapModifier), ids=lambda cls: cls.__name__)
def test_modifiers_keep_the_shape_and_rest_in_evaluation(cls):
    maps = torch.rand(2, 6, 14, 14)
    modifier = build(cls, channels=6)
    try:
        assert modifier.train()(maps).shape == maps.shape
    except WsolkitError as error:
        skip_what_cannot_be_built(error)
        raise
    if modifier.train_only:
        assert torch.equal(modifier.eval()(maps), maps)


@pytest.mark.parametrize("cls", of(BatchTransform), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("labels", [torch.tensor([0, 2, 1]), torch.eye(3)[[0, 2, 1]]], ids=["indices", "vectors"])
def test_batch_transforms_leave_what_they_are_given_and_keep_a_batch_together(cls, labels):
    images, extra = torch.randn(3, 3, 16, 24), torch.rand(3, 1, 16, 24)
    given = Batch(images, labels, ["a", "b", "c"], 0.5, True, {"pseudo_maps": extra})
    before = [each.clone() for each in (images, labels, extra)]
    transform = build(cls, num_classes=3, class_names=["a", "b", "c"])
    for _ in range(5):
        found = apply_transforms([transform], given)
        assert (found.progress, found.begins_pass) == (0.5, True)
        assert torch.isfinite(found.images).all()
        if transform.mixes_labels:
            torch.testing.assert_close(found.labels.sum(1), torch.ones(len(found.labels)))
    assert all(torch.equal(old, new) for old, new in zip(before, (images, labels, extra), strict=True))


@pytest.mark.parametrize("cls", of(ActivationHead), ids=lambda cls: cls.__name__)
def test_heads_give_maps_for_every_class_and_say_what_they_read(cls):
    inner = {"classes": {"type": "ConvHead"}, "foreground": {"type": "ConvHead", "num_classes": 1}}
    levels = {"a": torch.randn(2, 4, 8, 8), "b": torch.randn(2, 6, 4, 4)}
    told = {"num_classes": 3, "class_names": NAMES, **inner}
    try:
        head = build(cls, channels={"a": 4, "b": 6}, **told).eval()
    except ConfigError as error:
        if "levels=['blocks.0.attention', ..., 'final']" not in str(error):  # else it says which levels it reads
            raise
        levels = {"blocks.0.attention": torch.rand(2, 2, 17, 17).softmax(3), "final": torch.randn(2, 6, 4, 4)}
        head = build(cls, channels={"blocks.0.attention": 2, "final": 6}, **told).eval()
    activation = head(levels)
    assert activation.of(torch.tensor([0, 2])).ndim == 3
    assert activation.logits is None or activation.logits.shape == (2, 3)
    assert activation.features is not None
    weights = head.class_weights
    assert weights is None or weights.shape == (3, activation.features.shape[1])


@pytest.mark.parametrize(
    "cls",
    # the head of BackgroundSuppression runs a backbone again, which is not there; its own tests and the matrix hold it
    [cls for cls in of(Loss) if cls.__name__ not in {*LEFT_OUT, "BackgroundSuppression"}],
    ids=lambda cls: cls.__name__,
)
@pytest.mark.parametrize("labels", [torch.tensor([0, 2]), torch.eye(3)[[0, 2]]], ids=["indices", "vectors"])
def test_losses_are_finite_and_reach_the_model(cls, labels):
    logits = torch.randn(2, 3, requires_grad=True)
    maps = torch.randn(2, 3, 4, 4, requires_grad=True)
    features = torch.randn(2, 6, 4, 4, requires_grad=True)
    batch = Batch(torch.randn(2, 3, 16, 16), labels, extras={"pseudo_maps": torch.rand(2, 1, 16, 16)})
    loss = build(cls)
    try:
        found = loss(Activation(maps, logits, features), batch)
    except WsolkitError as error:
        found = loss(head_it_asks_for(error)({"a": features}, batch), batch)
    total = sum(found.values()) if isinstance(found, dict) else found
    assert total.ndim == 0
    assert torch.isfinite(total)
    total.backward()
    assert any(each.grad is not None for each in (logits, maps, features))


@pytest.mark.parametrize("cls", [cls for cls in of(Refiner) if "path" not in inspect.signature(cls).parameters])
def test_refiners_give_a_mask_to_each_box_and_keep_their_order(cls):
    image = np.full((40, 60, 3), 30, np.uint8)
    image[4:18, 6:24], image[24:36, 40:58] = 200, (200, 40, 40)
    score_map = np.zeros((40, 60), np.float32)
    score_map[5:17, 7:23], score_map[25:35, 41:57] = 1.0, 0.8
    boxes = ScoredBoxes(np.array([[7, 5, 23, 17], [41, 25, 57, 35]], np.float32), np.array([1, 0.8], np.float32))
    masks, found = build(cls)(image, score_map, boxes, 0.5)
    assert masks.shape == (2, 40, 60)
    assert masks.dtype == bool
    assert found.boxes.shape == (2, 4)
    assert (found.scores == boxes.scores).all()
    assert masks[0, 5:17, 7:23].mean() > 0.9
    assert masks[1, 25:35, 41:57].mean() > 0.9
    assert not (masks[0] & masks[1]).any()
    none = ScoredBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    assert build(cls)(image, score_map, none, 0.5).masks.shape == (0, 40, 60)


@pytest.mark.parametrize("cls", of(BoxExtractor), ids=lambda cls: cls.__name__)
def test_extractors_give_boxes_inside_the_map_best_first(cls):
    score_map = np.zeros((20, 30), np.float32)
    score_map[2:9, 3:12] = 1.0
    score_map[12:18, 20:29] = 0.8
    boxes, scores = build(cls)(score_map, np.random.default_rng(0).random((6, 5, 8), np.float32))
    assert boxes.dtype == scores.dtype == np.float32
    assert boxes.shape == (len(scores), 4)
    assert (np.diff(scores) <= 0).all()
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= [30, 20]).all()
    assert boxes[0].tolist() == [3, 2, 12, 9]
    assert build(cls)(np.zeros((20, 30), np.float32)).boxes.shape == (0, 4)


def takes_classes(head):
    return "num_classes" in inspect.signature(HEADS.get(head)).parameters


def localizer(head):
    backbone = {"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"]}
    return MODELS.build({"type": "Localizer", "backbone": backbone, "head": head, "precision": "fp32"}).eval()


@pytest.mark.parametrize("cls", of(CamMethod), ids=lambda cls: cls.__name__)
def test_cam_methods_answer_in_0_to_1_at_the_size_of_the_input(cls):
    torch.manual_seed(0)
    model = localizer({"type": "LinearHead", "num_classes": 3})
    for weight in model.head.parameters():
        weight.data.abs_()  # every class speaks for what it sees: methods that cut negative votes off have some left
    images = torch.randn(2, 3, 64, 96)
    method = build(cls)
    try:
        maps = method(model, images, torch.tensor([1, 2])).detach()
    except WsolkitError as error:
        skip_what_cannot_be_built(error)
        kind = type(head_it_asks_for(error)).__name__
        model = localizer({"type": kind, **({"num_classes": 3} if takes_classes(kind) else {})})
        maps = method(model, images, torch.tensor([1, 2])).detach()
    assert maps.shape == (2, 64, 96)
    lowest = 0.0 if method.normalize == "minmax" else max(float(maps.min()), 0.0)
    assert float(maps.min()) == lowest
    assert float(maps.max()) == 1.0 or not maps.any()  # nothing found, as where no cell stands out
    both = method(model, images, torch.tensor([[1, 0], [2, 2]]))
    torch.testing.assert_close(both[:, 0], maps, atol=1e-4, rtol=1e-4)
