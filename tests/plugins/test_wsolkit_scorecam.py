"""Score-CAM by a loop over channels, in its three definitions, and beside both libraries."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.support.random_network import LogitsOf, random_network
from wsolkit import ConfigError, KnownLevels, Localizer, ShapeError, watch
from wsolkit_scorecam import ScoreCAM, channel_weights, masks_of

IMAGES = torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(1))
CLASSES = torch.tensor([[0, 2], [1, 1]])
NAME = "test_resnet"


@pytest.fixture(scope="module")
def net():
    return random_network(name=NAME)


def place_of(net):
    return next(iter(net.backbone.channels))


def by_loop(net, place, definition, kept=None):
    """Channel by channel, as the three codes do it."""
    maps = torch.zeros(2, 2, *watch(net, IMAGES, [place], "Test", gradients=False)[1].activations()[0].shape[-2:])
    for b in range(2):
        seen, tape = watch(net, IMAGES[b : b + 1], [place], "Test", gradients=False)
        cells, scores = tape.activations()[0][0], []
        chosen = (
            range(len(cells)) if kept is None else sorted(cells.amax((1, 2)).argsort(descending=True)[:kept].tolist())
        )
        for c in chosen:
            one = cells[c][None, None]
            if definition == "increase":
                one = (one - one.min()) / max(float(one.max() - one.min()), 1e-12)
            mask = F.interpolate(one, (32, 48), mode="bilinear", align_corners=definition == "logit")
            if definition != "increase":
                mask = (mask - mask.min()) / max(float(mask.max() - mask.min()), 1e-12)
            logits = net.activate(IMAGES[b : b + 1] * mask).logits[0]
            scores.append(logits.softmax(0) if definition == "probability" else logits - seen.logits[0])
        scores = torch.stack(scores)  # (C, K)
        weights = scores if definition == "probability" else scores.softmax(0)
        for t in range(2):
            total = sum(weights[n, CLASSES[b, t]] * cells[c] for n, c in enumerate(chosen))
            maps[b, t] = total.clamp(min=0)
    return maps


@pytest.mark.parametrize("definition", ["increase", "logit", "probability"])
@torch.no_grad()
def test_the_definitions_by_loops(net, definition):
    place = place_of(net)
    expected = by_loop(net, place, definition)
    found = ScoreCAM(place, definition, batch=5).raw_maps(net, IMAGES, CLASSES)
    torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)
    alone = ScoreCAM(place, definition).raw_maps(net, IMAGES, CLASSES[:, 0])
    torch.testing.assert_close(alone, found[:, 0], atol=1e-5 * float(expected.max()), rtol=1e-4)


@torch.no_grad()
def test_the_strongest_channels_alone(net):
    place = place_of(net)
    expected = by_loop(net, place, "increase", kept=6)
    found = ScoreCAM(place, channels=6).raw_maps(net, IMAGES, CLASSES)
    torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)
    every = ScoreCAM(place, channels=10**6).raw_maps(net, IMAGES, CLASSES)
    torch.testing.assert_close(every, ScoreCAM(place).raw_maps(net, IMAGES, CLASSES))


@torch.no_grad()
def test_constant_channels_share_one_black_image(net):
    cells = torch.zeros(40, 2, 3)
    cells[7, 0, 1] = 1.0
    cells[9] = 3.0
    runs = []
    hook = net.backbone.register_forward_hook(lambda _m, given, _o: runs.append(len(given[0])) and None)
    found = ScoreCAM().masked_logits(net, IMAGES[0], cells)
    hook.remove()
    assert runs == [2]
    black = net.activate(torch.zeros(1, 3, 32, 48)).logits[0]
    for c in range(40):
        expected = black if c != 7 else net.activate(masks_of(cells[7:8], (32, 48))[:, None] * IMAGES[:1]).logits[0]
        torch.testing.assert_close(found[c], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ScoreCAM().masked_logits(net, IMAGES[0], cells[9:10])[0], black, atol=1e-4, rtol=1e-4)


def test_weights_by_hand():
    logits = torch.tensor([[1.0, 0.0], [3.0, 0.0]])  # (C, K)
    classes, baseline = torch.tensor([0]), torch.tensor([2.0, 0.0])
    increase = channel_weights(logits, classes, baseline)
    torch.testing.assert_close(increase, torch.tensor([[1 / (1 + np.e**2), 1 / (1 + np.e**-2)]], dtype=torch.float32))
    torch.testing.assert_close(channel_weights(logits, classes, baseline, "logit"), increase)
    probability = channel_weights(logits, classes, baseline, "probability")
    torch.testing.assert_close(
        probability, torch.tensor([[1 / (1 + np.e**-1), 1 / (1 + np.e**-3)]], dtype=torch.float32)
    )


def test_the_values_of_torch_cam(net):
    methods = pytest.importorskip("torchcam.methods")
    place, wrapped = place_of(net), LogitsOf(net)
    with torch.no_grad(), methods.ScoreCAM(wrapped, f"model.backbone.model.{place}") as cam:
        wrapped(IMAGES)
        expected = cam(CLASSES[:, 0].tolist(), normalized=False)[0]
        found = ScoreCAM(place).raw_maps(net, IMAGES, CLASSES[:, 0])
    torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)


def test_the_values_of_pytorch_grad_cam(net):
    library = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    place = place_of(net)
    layer = net.backbone.model.get_submodule(place)
    targets = [ClassifierOutputTarget(int(label)) for label in CLASSES[:, 0]]
    cam = library.ScoreCAM(model=LogitsOf(net), target_layers=[layer])
    with torch.no_grad():
        cells = watch(net, IMAGES, [place], "Test", gradients=False)[1].activations()[0]
        raw = cam.get_cam_image(IMAGES, layer, targets, cells.numpy(), None, False)
        cam.activations_and_grads.release()
        found = ScoreCAM(place, "logit").raw_maps(net, IMAGES, CLASSES[:, 0])
    expected = torch.from_numpy(np.maximum(raw, 0))
    torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)


def test_what_it_cannot_do_is_said(net):
    known = KnownLevels(net.levels_of(IMAGES), (32, 48))
    with pytest.raises(ConfigError, match="ScoreCAM masks the images, which are known by their cached features alone"):
        ScoreCAM().raw_maps(net, known, CLASSES)
    with pytest.raises(ShapeError, match=r"classes should lie in 0..3, those of the classifier, but got 4..4"):
        ScoreCAM(channels=1).raw_maps(net, IMAGES, torch.tensor([4, 4]))
    maps_only = Localizer({"type": "TimmBackbone", "name": NAME}, {"type": "C2AMHead"}).eval()
    with pytest.raises(ConfigError, match="ScoreCAM needs logits, but C2AMHead gives none"):
        ScoreCAM().raw_maps(maps_only, IMAGES, CLASSES)
