"""What gradient methods share: closed forms beside recorded ones, many classes, several places, prediction, export."""

import pytest
import torch

from tests.support.random_network import random_network
from wsolkit import ConfigError, GradientMaps, KnownLevels, ShapeError, fuse_maps, head_level, weighted_sum
from wsolkit.components import MultiScaleMaps
from wsolkit.maps import resize_maps

IMAGES = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
CLASSES = torch.tensor([[0, 2, 3], [1, 1, 0]])
HEADS = [
    {"type": "LinearHead"},
    {"type": "ConvHead", "maps_per_class": 3},
    {"type": "CAMHead"},
    {"type": "CAMHead", "form": "conv"},
]


class Squares(GradientMaps):
    """Activations times gradients, squared: a formula of nobody."""

    def layer_maps(self, activations, gradients):
        return weighted_sum(activations, gradients * (1 + gradients)).square()


class Recorded(Squares):
    """The same without closed form."""

    def flat_weights(self, model):
        return None


@pytest.mark.parametrize("head", HEADS)
def test_the_closed_form_is_what_is_recorded(head):
    net = random_network(head)
    assert net.head.mean_weights is not None
    closed, recorded = Squares(), Recorded()
    with torch.no_grad():
        expected = recorded.raw_maps(net, IMAGES, CLASSES)
        assert expected.shape == (2, 3, 2, 3)
        found = closed.raw_maps(net, IMAGES, CLASSES)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(closed.raw_maps(net, IMAGES, CLASSES[:, 0]), found[:, 0])
        activation = net.activate(IMAGES)
        every = closed.all_maps(net, IMAGES, activation)
        torch.testing.assert_close(every[1, [1, 1, 0]], found[1])
        known = KnownLevels(net.levels_of(IMAGES), (64, 96))
        torch.testing.assert_close(closed.raw_maps(net, known, CLASSES), found)
        torch.testing.assert_close(recorded.raw_maps(net, known, CLASSES), expected)
    assert recorded.all_maps(net, IMAGES, activation) is None


@pytest.mark.parametrize(
    ("head", "options"),
    [
        ({"pooling": {"type": "LogSumExpPooling"}}, {}),
        ({"type": "ConvHead", "standardize": True}, {}),
        ({"type": "ConvHead", "pooling": {"type": "MaxPooling"}}, {}),
    ],
)
def test_where_more_lies_between_mean_and_logits_there_is_no_closed_form(head, options):
    net = random_network(head, **options)
    assert net.head.mean_weights is None
    with torch.no_grad():
        assert Squares().raw_maps(net, IMAGES, CLASSES).shape == (2, 3, 2, 3)
        assert Squares().all_maps(net, IMAGES, net.activate(IMAGES)) is None


def test_each_class_of_each_image_alone_is_the_same():
    net = random_network()
    method = Squares(at=["layer2", "layer3"])
    with torch.no_grad():
        together = method.raw_maps(net, IMAGES, CLASSES)
        for row in range(2):
            for column in range(3):
                alone = method.raw_maps(net, IMAGES[row : row + 1], CLASSES[row : row + 1, column])
                torch.testing.assert_close(together[row, column], alone[0], atol=1e-5, rtol=1e-3)


def test_prediction_records_the_pass_it_makes_anyway():
    net = random_network(cam_method=Squares(at=["layer2", "layer3"]))
    with torch.no_grad():
        expected = net.cam_method(net, IMAGES, CLASSES)
    runs = []
    net.backbone.register_forward_hook(lambda *_: runs.append(1) and None)
    labels = torch.zeros(2, 4).scatter_(1, CLASSES, 1)
    found = net.predict(IMAGES, labels)
    assert len(runs) == 1
    for row, prediction in enumerate(found):
        for label, score_map in zip(prediction.classes.tolist(), prediction.maps, strict=True):
            if label in CLASSES[row]:
                column = CLASSES[row].tolist().index(label)
                torch.testing.assert_close(score_map, expected[row, column], atol=1e-4, rtol=1e-3)
    activation = net.cam_method.activate(net, IMAGES)
    assert activation.tape is not None
    maps = net.activate(IMAGES).maps.detach()
    activation.forget()
    assert activation.tape is None
    torch.testing.assert_close(activation.maps, maps, atol=1e-4, rtol=1e-4)


def test_several_places_by_hand():
    maps = [torch.tensor([[[0.0, 2.0], [4.0, 4.0]]]), torch.tensor([[[1.0, 3.0, 1.0, 1.0]] * 4])]
    small = torch.nn.functional.interpolate(maps[0][None] / 4, size=(4, 4), mode="bilinear")[0]
    large = (maps[1] - 1) / 2
    torch.testing.assert_close(fuse_maps(maps), (small + large) / 2)
    torch.testing.assert_close(fuse_maps(maps, "max"), torch.maximum(small, large))
    assert fuse_maps(maps[:1]) is maps[0]
    net = random_network()
    with torch.no_grad():
        alone = [Squares(at=at).raw_maps(net, IMAGES, CLASSES) for at in ("layer2", "layer4")]
        together = Squares(at=["layer2", "layer4"]).raw_maps(net, IMAGES, CLASSES)
    torch.testing.assert_close(together, fuse_maps(alone), atol=1e-4, rtol=1e-3)
    assert together.shape[-2:] == alone[0].shape[-2:]


def test_several_sizes_of_the_image():
    net = random_network()
    for method in (Squares(), Squares(at="layer3")):
        average = MultiScaleMaps([1.0, 2.0], flip=False, of=method)
        with torch.no_grad():
            found = average.raw_maps(net, IMAGES, CLASSES, average.activate(net, IMAGES))
            larger = torch.nn.functional.interpolate(IMAGES, size=(128, 192), mode="bilinear")
            each = [method.raw_maps(net, images, CLASSES) for images in (IMAGES, larger)]
        expected = sum(resize_maps(one, (64, 96), "bilinear") for one in each) / 2
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_the_level_of_the_head_is_the_place_by_default():
    assert head_level(random_network()) == "layer4"
    assert head_level(random_network({"level": "layer3"}, levels=["layer3", "layer4"])) == "layer3"


def test_wrong_places_and_classes_are_refused_in_words():
    with pytest.raises(ConfigError, match=r"at of Squares should be a place such as 'layer4', .*, but got \[\]"):
        Squares(at=[])
    with pytest.raises(ConfigError, match=r"but got \['layer4', 'layer4'\]"):
        Squares(at=["layer4", "layer4"])
    net = random_network()
    for method in (Squares(), Squares(at="layer3")):
        with pytest.raises(ShapeError, match="classes should lie in 0..3, those of the classifier, but got 4..4"):
            method.raw_maps(net, IMAGES, torch.tensor([4, 4]))
