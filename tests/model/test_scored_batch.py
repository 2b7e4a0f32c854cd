"""A batch in the network: maps a bounded number at a time, images with broken numbers named, memory in words."""

import pytest
import torch
from torch import nn

from wsolkit.components import HeadMaps, LinearHead
from wsolkit.errors import MapError, WsolkitError
from wsolkit.interfaces import Backbone
from wsolkit.model import scored_batch
from wsolkit.model.classes import Chosen, named_choice
from wsolkit.model.localizer import Localizer
from wsolkit.model.scored_batch import activate_images, score_batch, score_images

LABELS = torch.tensor([0, 1, 2])
NAMES = ["x", "y", "z"]


class OneLayer(Backbone):
    channels = {"last": 4}  # noqa: RUF012
    strides = {"last": 2}  # noqa: RUF012

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3, stride=2, padding=1)

    def forward(self, images):
        return {"last": self.layer(images)}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Localizer(backbone=OneLayer(), head=LinearHead({"last": 4}, 5), precision="fp32").eval()


@pytest.fixture
def inputs():
    return torch.randint(0, 256, (3, 3, 12, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def every_class(activation):
    return named_choice("all", activation, LABELS)


def test_maps_equal_those_of_a_loop_over_images_and_classes(model, inputs):
    scored = score_batch(model, inputs, NAMES, every_class)
    maps = scored.all_maps()
    assert (maps.shape, scored.counts) == ((3, 5, 12, 10), [5, 5, 5])
    for row in range(3):
        image = model.data_preprocessor({"inputs": inputs[row : row + 1]})["inputs"]
        torch.testing.assert_close(scored.images[row : row + 1], image)
        for label in range(5):
            alone = model.cam_method(model, image, torch.tensor([label]))
            torch.testing.assert_close(maps[row, label], alone[0])


def test_maps_come_a_bounded_number_at_a_time(model, inputs, monkeypatch):
    whole = score_batch(model, inputs, NAMES, every_class).all_maps()
    monkeypatch.setattr(scored_batch, "MAPS_AT_ONCE", 7)
    parts = list(score_batch(model, inputs, NAMES, every_class).maps())
    assert [(first, maps.shape[1]) for first, maps in parts] == [(0, 2), (2, 2), (4, 1)]
    assert torch.equal(torch.cat([maps for _, maps in parts], 1), whole)


def test_images_without_classes_have_no_maps(model, inputs):
    scored = score_batch(model, inputs, NAMES, lambda _: Chosen(torch.zeros(3, 0, dtype=torch.long), [0, 0, 0]))
    assert list(scored.maps()) == []
    assert scored.all_maps().shape == (3, 0, 12, 10)
    assert scored.features().shape == (3, 4, 6, 5)


def test_no_gradients_are_recorded(model, inputs):
    scored = score_batch(model, inputs, NAMES, every_class)
    assert not scored.activation.logits.requires_grad
    assert not scored.all_maps().requires_grad


def test_logits_that_are_no_numbers_name_their_image(model, inputs):
    images, _ = activate_images(model, inputs, NAMES)
    images[1, 0, 0, 0] = float("nan")
    with pytest.raises(
        MapError, match="^Image 'y': the model's logits hold NaN or infinity: it has diverged"
    ) as caught:
        score_images(model, images, NAMES, every_class)
    assert caught.value.about == ("y",)


def test_maps_that_are_no_numbers_name_their_image(model, inputs):
    class Broken(HeadMaps):
        def raw_maps(self, model, images, classes, activation=None):
            raw = super().raw_maps(model, images, classes, activation)
            return torch.where(images.amax((1, 2, 3), keepdim=True) > 2.4, raw, float("nan"))

    inputs[:, :, 0, 0] = 255
    inputs[1] = 0
    model.cam_method = Broken()
    with pytest.raises(MapError, match="^Image 'y': .* hold NaN or infinity") as caught:
        score_batch(model, inputs, NAMES, every_class).all_maps()
    assert caught.value.about == ("y",)


@pytest.mark.parametrize("where", ["network", "maps"])
def test_too_large_a_batch_is_explained(model, inputs, where, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(
        OneLayer if where == "network" else HeadMaps, "forward" if where == "network" else "raw_maps", full
    )
    words = "^The device has no memory for 3 images at once. Lower batch_size.$"
    with pytest.raises(WsolkitError, match=words):
        score_batch(model, inputs, NAMES, every_class).all_maps()
    images = model.data_preprocessor({"inputs": inputs})["inputs"]
    with pytest.raises(WsolkitError, match=words):
        model.predict(images, LABELS)
