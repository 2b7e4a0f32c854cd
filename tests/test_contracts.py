"""What every registered component promises, whoever wrote it: ``wsolkit.testing`` holds each to its contract."""

import importlib.util
import inspect

import pytest

from tests.support.matrix_parts import LEFT_OUT, SETTINGS, SIDES
from wsolkit import (
    ActivationHead,
    Backbone,
    BatchTransform,
    BoxExtractor,
    CamMethod,
    Loss,
    MapModifier,
    Pooling,
    Refiner,
    load_plugins,
)
from wsolkit.testing import (
    check_backbone,
    check_batch_transform,
    check_box_extractor,
    check_cam_method,
    check_documentation,
    check_head,
    check_loss,
    check_modifier,
    check_pooling,
    check_refiner,
)

COMPONENTS = sorted({c.cls for c in load_plugins().components.values()}, key=lambda cls: cls.__name__)

NEED_A_MODEL = {"AverageWithFirst", "EraseFound"}
"""Parts that need the checkpoint of a trained model; their own tests give it to them."""

NEED_A_LIBRARY = {"PytorchGradCAM": "pytorch_grad_cam", "TorchCAM": "torchcam"}

NOT_ALONE = {name: LEFT_OUT[name] for name in ("ObjectConsistency", "BoxPixelLoss")}
"""Losses that free maps and labels do not do for, and why."""

INSIDE = {"classes": {"type": "ConvHead"}, "foreground": {"type": "ConvHead", "num_classes": 1}}
BACKBONES = {"TimmBackbone": {"name": "test_resnet"}, "CCNNBackbone": {"name": "test_resnet"}}


def of(interface, left_out=()):
    kept = [cls for cls in COMPONENTS if issubclass(cls, interface) and cls.__name__ not in left_out]
    return pytest.mark.parametrize("cls", kept, ids=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", COMPONENTS, ids=lambda cls: cls.__name__)
def test_documentation_begins_with_one_sentence(cls):
    check_documentation(cls)


@of(Backbone)
def test_backbones_give_the_levels_they_name(cls):
    settings = BACKBONES.get(cls.__name__) or next(iter(SETTINGS.get(cls.__name__, {"": {}}).values()))
    check_backbone(cls, side=SIDES.get(cls.__name__, 64), **settings)


@of(Pooling)
def test_poolings_give_one_score_per_map_and_gradients(cls):
    check_pooling(cls)


@of(MapModifier, NEED_A_MODEL)
def test_modifiers_keep_the_shape_and_rest_in_evaluation(cls):
    check_modifier(cls)


@of(BatchTransform)
def test_batch_transforms_leave_what_they_are_given_and_keep_a_batch_together(cls):
    check_batch_transform(cls)


@of(ActivationHead)
def test_heads_give_maps_for_every_class_and_the_extras_they_say(cls):
    check_head(cls, **(INSIDE if cls.__name__ == "InsideForeground" else {}))


@of(Loss, NOT_ALONE)
def test_losses_are_finite_and_reach_the_model(cls):
    check_loss(cls)


@pytest.mark.parametrize("cls", [cls for cls in COMPONENTS if issubclass(cls, Refiner)])
def test_refiners_give_a_mask_to_each_box_and_keep_their_order(cls):
    if "path" in inspect.signature(cls).parameters:
        pytest.skip("it needs a trained model; its own tests give it one")
    check_refiner(cls)


@of(BoxExtractor)
def test_extractors_give_boxes_inside_the_map_best_first(cls):
    check_box_extractor(cls)


@of(CamMethod, NEED_A_MODEL)
def test_cam_methods_answer_in_0_to_1_at_the_size_of_the_input(cls):
    library = NEED_A_LIBRARY.get(cls.__name__)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"it needs the library {library}")
    settings = {"method": "GradCAM"} if library else {}  # their defaults run the network a hundred times
    check_cam_method(cls, **settings)
