"""Ten crops: where they lie, and how the probabilities of several views become class scores."""

import numpy as np
import pytest
import torch

from wsolkit import ConfigError, MapError
from wsolkit.model.ten_crop import class_probabilities, scores_of, ten_crops
from wsolkit.registry import MODELS


def built(**head):
    torch.manual_seed(0)
    backbone = {"type": "TimmBackbone", "name": "test_resnet"}
    return MODELS.build({"type": "Localizer", "backbone": backbone, "head": head, "precision": "fp32"}).eval()


def test_ten_crops_are_five_places_plain_and_flipped():
    images = torch.arange(2 * 3 * 5 * 6.0).view(2, 3, 5, 6)
    found = ten_crops(images, (3, 4))
    assert found.shape == (2, 10, 3, 3, 4)
    corners = [(0, 0), (0, 2), (2, 0), (2, 2), (1, 1)]
    for number, (top, left) in enumerate(corners):
        torch.testing.assert_close(found[:, number], images[:, :, top : top + 3, left : left + 4])
    mirrored = images.flip(3)
    for number, (top, left) in enumerate(corners, start=5):
        torch.testing.assert_close(found[:, number], mirrored[:, :, top : top + 3, left : left + 4])


@pytest.mark.parametrize("multi_label", [False, True])
def test_probabilities_are_averaged_over_views_and_not_their_logits(multi_label):
    model = built(type="CAMHead", num_classes=4)
    with torch.no_grad():
        model.head.classifier.weight.mul_(60)
    views = torch.randint(0, 256, (2, 3, 3, 64, 64), dtype=torch.uint8)
    found = class_probabilities(model, views, ["a", "b"], multi_label)
    for image in range(2):
        total = np.zeros(4)
        for view in range(3):
            inputs = model.data_preprocessor({"inputs": views[image, view][None]})["inputs"]
            logits = model.activate(inputs).logits[0].double().detach()
            total += (1 / (1 + (-logits).exp()) if multi_label else logits.exp() / logits.exp().sum()).numpy()
        np.testing.assert_allclose(found[image], total / 3, atol=1e-5)
    scores = scores_of(found, multi_label)
    np.testing.assert_allclose((scores.sigmoid() if multi_label else scores.softmax(1)).numpy(), found, atol=1e-6)


def test_probabilities_of_0_and_1_are_scores_that_are_finite():
    assert torch.isfinite(scores_of(np.array([[0.0, 1.0]]))).all()
    assert torch.isfinite(scores_of(np.array([[0.0, 1.0]]), multi_label=True)).all()


def test_a_model_that_does_not_classify_or_has_diverged_is_named():
    views = torch.zeros(2, 1, 3, 64, 64, dtype=torch.uint8)
    with pytest.raises(ConfigError, match="needs logits, but a C2AMHead does not classify. Take a configuration whose"):
        class_probabilities(built(type="C2AMHead"), views, ["a", "b"])
    model = built(type="CAMHead", num_classes=2)
    with torch.no_grad():
        model.head.classifier.weight.fill_(torch.nan)
    with pytest.raises(MapError, match="Image 'a'"):
        class_probabilities(model, views, ["a", "b"])
