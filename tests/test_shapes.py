"""A part that returns another shape than its interface promises is refused in the model, by its name."""

import pytest
import torch
from torch import Tensor

from wsolkit import Batch, CamMethod, Loss, Pooling, ShapeError
from wsolkit.registry import MODELS

IMAGES = torch.zeros(2, 3, 32, 32)


class EveryClass(CamMethod):
    """Returns the maps of all classes, whichever were asked for."""

    def raw_maps(self, model, images, classes, activation=None) -> Tensor:
        return (activation or model.activate(images)).maps


class Rows(Pooling):
    """Pools the rows alone."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.mean(2)


class EachImage(Loss):
    """Returns a number for each image."""

    def forward(self, activation, batch) -> Tensor:
        return activation.logits.sum(1)


def model(**parts):
    """Return a small model."""
    return MODELS.build(
        {
            "type": "Localizer",
            "backbone": {"type": "TimmBackbone", "name": "test_resnet"},
            "head": {"type": "ConvHead", "num_classes": 3, **parts.pop("head", {})},
            **parts,
        }
    )


@pytest.mark.parametrize(
    ("classes", "wanted"), [(torch.tensor([0, 2]), "(2, h, w)"), (torch.tensor([[0, 1], [2, 1]]), "(2, 2, h, w)")]
)
def test_a_cam_method_that_returns_maps_of_other_classes(classes, wanted):
    built = model(cam_method={"type": EveryClass}).eval()
    with pytest.raises(ShapeError) as caught:
        built.cam_method(built, IMAGES, classes)
    assert str(caught.value).startswith("EveryClass was asked for classes of shape (2")
    assert str(caught.value).endswith(f"raw_maps has to return {wanted}: one map for each class asked for.")
    with pytest.raises(ShapeError, match="EveryClass was asked"):
        built.predict(IMAGES[:1])


def test_a_pooling_that_leaves_an_axis():
    built = model(head={"pooling": {"type": Rows}})
    with pytest.raises(
        ShapeError, match=r"^Rows was given maps \(2, 3, 1, 1\) and returned \(2, 3, 1\)\. A pooling has"
    ):
        built.activate(IMAGES)


def test_a_loss_of_several_numbers():
    built = model(losses=[{"type": EachImage}])
    with pytest.raises(
        ShapeError, match=r"^The loss EachImage returned \(2,\)\. A loss has to return one number, or a"
    ):
        built.loss(Batch(IMAGES, torch.tensor([0, 1])))


def test_a_head_whose_logits_have_another_axis():
    built = model()
    forward = built.head.forward

    def with_an_axis(levels, batch=None):
        found = forward(levels, batch)
        found.logits = found.logits[..., None]
        return found

    built.head.forward = with_an_axis
    with pytest.raises(ShapeError, match=r"^ConvHead returned logits \(2, 3, 1\)\. A head has to return one score for"):
        built.activate(IMAGES)
