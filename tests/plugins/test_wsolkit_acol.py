"""ACoL: what the second classifier sees and the maps of both, by loops; for one class, several and at prediction."""

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import Activation, Batch, ConfigError
from wsolkit.components import HeadMaps, LinearHead
from wsolkit.config.load import load_config
from wsolkit.registry import HEADS
from wsolkit_acol import ACoLHead, SecondLook


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def head():
    torch.manual_seed(0)
    head = ACoLHead({"low": 2, "deep": 5}, 4, hidden=[6], threshold=0.6)
    with torch.no_grad():
        for weight in head.parameters():
            weight.copy_(drawn(*weight.shape, seed=weight.numel()))
    return head


def scaled(score_map):
    return (score_map - score_map.min()) / (score_map.max() - score_map.min())


def second_by_loop(head, features, first, present):
    """The second classifier's maps of one image (C, h, w) after the cells found for its classes are erased."""
    erased, lost = features.clone(), 0
    for row in range(features.shape[1]):
        for column in range(features.shape[2]):
            if any(float(scaled(first[k])[row, column]) >= head.threshold for k in present):
                erased[:, row, column] = 0
                lost += 1
    return head.second(erased[None])[0], lost


class Model:
    def __init__(self, head):
        self.head = head

    def activate(self, images, batch=None):
        return self.head({"deep": images}, batch)


@torch.no_grad()
@pytest.mark.parametrize("several", [False, True])
def test_the_second_classifier_in_training_by_a_loop(head, several):
    features = drawn(3, 5, 4, 3)
    classes = [[0, 3], [], [1, 2]] if several else [[1], [3], [0]]
    labels = (
        torch.tensor([[float(k in each) for k in range(4)] for each in classes])
        if several
        else torch.tensor(classes)[:, 0]
    )
    found = head({"deep": features}, Batch(torch.zeros(3, 3, 8, 8), labels))
    first = head.first(features)
    torch.testing.assert_close(found.extras["first_maps"], first)
    torch.testing.assert_close(found.logits, first.mean((2, 3)))
    lost = 0
    for image, present in enumerate(classes):
        second, erased = second_by_loop(head, features[image], first[image], present)
        lost += erased
        torch.testing.assert_close(found.extras["second_maps"][image], second, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found.extras["second_logits"][image], second.mean((1, 2)), atol=1e-4, rtol=1e-4)
        for k in range(4):
            expected = torch.maximum(scaled(first[image, k]), scaled(second[k]))
            torch.testing.assert_close(found.maps[image, k], expected, atol=1e-4, rtol=1e-4)
    assert 2 <= lost <= 30


@torch.no_grad()
def test_maps_at_prediction_erase_for_the_class_that_is_asked_for(head):
    features, classes = drawn(3, 5, 4, 3), torch.tensor([[0, 2], [3, 3], [1, 0]])
    found = SecondLook().raw_maps(Model(head), features, classes)
    known = SecondLook().raw_maps(Model(head), features, classes, head({"deep": features}))
    first = head.first(features)
    for image in range(3):
        for place, k in enumerate(classes[image].tolist()):
            second, _ = second_by_loop(head, features[image], first[image], [k])
            expected = torch.maximum(scaled(first[image, k]), scaled(second[k]))
            torch.testing.assert_close(found[image, place], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(known, found)
    torch.testing.assert_close(SecondLook().raw_maps(Model(head), features, classes[:, 0]), found[:, 0])
    likeliest = head({"deep": features}).logits.argmax(1)
    own = SecondLook().raw_maps(Model(head), features, likeliest)
    torch.testing.assert_close(HeadMaps().raw_maps(Model(head), features, likeliest), own)
    panels = SecondLook().panels(Model(head), features[:1], 2, head({"deep": features[:1]}))
    assert [panel.name for panel in panels] == ["first classifier", "first or second"]
    assert (panels[1].picture >= panels[0].picture - 1e-6).all()


def test_both_classifiers_and_the_features_learn(head):
    features = drawn(2, 5, 4, 3).requires_grad_()
    found = head({"deep": features}, Batch(torch.zeros(2, 3, 8, 8), torch.tensor([1, 2])))
    found.extras["second_logits"].sum().backward()
    assert all(weight.grad is None for weight in head.first.parameters())  # nothing passes through the erasing
    assert all(bool(weight.grad.any()) for weight in head.second.parameters())
    erased = found.extras["first_maps"]
    for image, k in enumerate((1, 2)):
        inside = scaled(erased[image, k]) >= 0.6
        assert not features.grad[image, :, inside & ~near(inside)].any()


def near(inside):
    """Cells of a mask (h, w) that have a cell outside it among their neighbours, which a 3 x 3 convolution reads."""
    outside = torch.nn.functional.max_pool2d((~inside).float()[None, None], 3, 1, 1)[0, 0] > 0
    return outside & inside


def test_another_head_has_no_second_classifier():
    plain = LinearHead({"deep": 5}, 4)
    with pytest.raises(ConfigError, match="needs the extra 'first_maps', which the head does not give"):
        SecondLook().raw_maps(Model(plain), torch.zeros(1, 5, 2, 2), torch.tensor([0]))
    with pytest.raises(ConfigError, match=r"threshold of ACoLHead should be a number in \(0, 1\], but got 0"):
        ACoLHead({"deep": 5}, 4, threshold=0.0)
    assert isinstance(plain({"deep": torch.zeros(1, 5, 2, 2)}), Activation)


@pytest.mark.parametrize(
    ("name", "channels"),
    [("acol_vgg16_cub", 512), ("acol_resnet50_cub", 2048), ("acol_vgg16_ilsvrc", 512), ("acol_resnet50_ilsvrc", 2048)],
)
def test_the_head_of_a_configuration_for_large_data(name, channels):
    with torch.device("meta"):
        head = HEADS.build({**load_config(name).model["head"], "channels": {"deep": channels}, "num_classes": 7})
    widths = [layer.weight.shape[:2] for layer in head.second if hasattr(layer, "weight")]
    assert widths == [(1024, channels), (1024, 1024), (7, 1024)]


def test_a_step_of_the_configuration():
    model, losses = loss_step("acol_lite0_birds50")
    assert set(losses) == {"loss_cross_entropy", "loss_second"}
    maps = model.eval().predict(torch.randn(2, 3, 64, 64), torch.tensor([0, 2]))[0].maps
    assert 0 <= float(maps.min()) < float(maps.max()) <= 1
