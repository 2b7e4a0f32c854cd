"""Gradient maps: by loops, and beside pytorch-grad-cam and torch-cam where these are right."""

import math

import numpy as np
import pytest
import torch

from tests.support.config_steps import loss_step
from tests.support.random_network import LogitsOf, random_network
from wsolkit import ConfigError, KnownLevels, ShapeError, watch
from wsolkit.config.load import load_config
from wsolkit.maps import resize_maps
from wsolkit.registry import CAM_METHODS
from wsolkit_gradients import (
    FinerCAM,
    GradCAM,
    GradCAMPlusPlus,
    InputGradient,
    LayerCAM,
    SmoothGradCAMPlusPlus,
    XGradCAM,
    grad_cam,
    grad_cam_plus_plus,
    layer_cam,
    scaled_by_tanh,
    similar_classes,
    smooth_grad_cam_plus_plus,
    x_grad_cam,
)

IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
CLASSES = [2, 0]
PLACES = ["layer2", "layer3.0.conv1", "layer4"]


@pytest.fixture(scope="module")
def net():
    return random_network()


def module_of(net, place):
    return net.backbone.model.get_submodule(place)


def close(found, expected, within=1e-5):
    """Equal to a part of the largest value, as maps have no unit."""
    torch.testing.assert_close(found, expected, atol=within * float(expected.abs().max()), rtol=within)


def drawn(seed, shape=(3, 2, 4, 5), positive=False):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return values.relu() if positive else values


def weights_by_loop(kind, a, g):
    """The weight of one channel from its cells, as the papers print it."""
    cells = range(len(a))
    if kind == "grad_cam":
        return [sum(g) / len(g)] * len(a)
    if kind == "x_grad_cam":
        return [sum(g[i] * a[i] for i in cells) / (sum(a) + 1e-7)] * len(a)
    if kind == "layer_cam":
        return [max(each, 0) for each in g]
    alphas = [g[i] ** 2 / (2 * g[i] ** 2 + sum(a) * g[i] ** 3) if g[i] else 0 for i in cells]
    return [sum(alphas[i] * max(g[i], 0) for i in cells)] * len(a)


@pytest.mark.parametrize(
    "formula", [grad_cam, x_grad_cam, layer_cam, grad_cam_plus_plus], ids=["grad", "xgrad", "layer", "grad++"]
)
@pytest.mark.parametrize("flat", [False, True])
def test_the_formulas_by_loops(formula, flat):
    a, g = drawn(0, positive=True), drawn(1)
    if flat:
        g = g.mean((-2, -1), keepdim=True)
    found = formula(a, g)
    every = g.expand_as(a)
    for image in range(3):
        total = [0.0] * 20
        for channel in range(2):
            cells = a[image, channel].flatten().tolist()
            weights = weights_by_loop(formula.__name__, cells, every[image, channel].flatten().tolist())
            total = [old + w * cell for old, w, cell in zip(total, weights, cells, strict=True)]
        expected = torch.tensor([max(each, 0) for each in total]).view(4, 5)
        torch.testing.assert_close(found[image], expected, atol=1e-5, rtol=1e-5)


def test_means_over_noise_by_a_loop():
    a, d1, d2, d3 = drawn(0, positive=True), drawn(1), drawn(2).square(), drawn(3)
    found = smooth_grad_cam_plus_plus(a, d1, d2, d3)
    for image in range(3):
        expected = torch.zeros(4, 5)
        for c in range(2):
            weight = 0.0
            for i in range(4):
                for j in range(5):
                    below = 2 * d2[image, c, i, j] + a[image, c].sum() * d3[image, c, i, j]
                    weight += float(d2[image, c, i, j] / below * max(d1[image, c, i, j], 0))
            expected += weight * a[image, c]
        close(found[image], expected.relu(), 1e-4)


def test_gradients_of_nothing_give_maps_of_nothing():
    a = drawn(0, positive=True)
    for formula in (grad_cam, x_grad_cam, layer_cam, grad_cam_plus_plus):
        assert not formula(a, torch.zeros_like(a)).any()
        assert torch.isfinite(formula(torch.zeros_like(a), drawn(1))).all()


def of_pytorch_grad_cam(name, net, place, targets=None):
    """The library's map before it is brought to [0, 1] and resized."""
    library = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    layer = module_of(net, place)
    targets = targets or [ClassifierOutputTarget(label) for label in CLASSES]
    cam = getattr(library, name)(model=LogitsOf(net), target_layers=[layer])
    cam(IMAGES, targets=targets)
    seen = cam.activations_and_grads
    kept = (seen.activations[0].numpy().copy(), seen.gradients[0].numpy().copy())
    raw = cam.get_cam_image(IMAGES, layer, targets, *kept, False)
    cam.activations_and_grads.release()
    net.zero_grad()
    return torch.from_numpy(np.maximum(raw, 0))


def of_torch_cam(name, net, place, **options):
    """The library's map before it is brought to [0, 1]."""
    methods = pytest.importorskip("torchcam.methods")
    wrapped = LogitsOf(net)
    with getattr(methods, name)(wrapped, f"model.backbone.model.{place}", **options) as cam:
        scores = wrapped(IMAGES.clone().requires_grad_())
        return cam(CLASSES, scores, normalized=False)[0].detach()


def ours(method, net):
    with torch.no_grad():
        return method.raw_maps(net, IMAGES, torch.tensor(CLASSES))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("GradCAM", GradCAM),
        ("XGradCAM", XGradCAM),
        ("LayerCAM", LayerCAM),
        ("GradCAMPlusPlus", lambda at: GradCAMPlusPlus(at, epsilon=1e-6)),
    ],
)
def test_the_values_of_pytorch_grad_cam(net, name, method, place):
    close(ours(method(place), net), of_pytorch_grad_cam(name, net, place), tolerance(name, place))


def tolerance(name, place):
    """XGrad-CAM divides by a sum that is nearly nothing where activations have both signs."""
    return 1e-2 if (name, place) == ("XGradCAM", "layer3.0.conv1") else 1e-5


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["GradCAM", "XGradCAM", "LayerCAM"])
def test_the_values_of_torch_cam(net, name, place):
    close(
        ours(CAM_METHODS.build({"type": name, "at": place}), net),
        of_torch_cam(name, net, place),
        tolerance(name, place),
    )


def test_torch_cam_s_grad_cam_plus_plus_is_not_the_paper_s(net):
    """It divides a copy of alpha, so that G^2 is left, and its weight is the sum of the positive part of G^3."""
    _, tape = watch(net, IMAGES, ["layer2"], "Test")
    wanted = torch.nn.functional.one_hot(torch.tensor(CLASSES), 4).float()
    activations, gradients = tape.activations()[0], tape.gradients(wanted)[0]
    weights = gradients.relu().pow(3).sum((2, 3), keepdim=True)
    close(of_torch_cam("GradCAMpp", net, "layer2"), (activations * weights).sum(1).relu(), 1e-4)


def test_finer_cam_of_both_libraries(net):
    close(ours(FinerCAM("layer3", alpha=0.6, compare=2), net), of_finer_torch_cam(net))
    pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import FinerWeightedTarget

    with torch.no_grad():
        near = similar_classes(net.activate(IMAGES).logits, torch.tensor(CLASSES)[:, None], 3)[:, 0]
    targets = [FinerWeightedTarget(label, row, 0.8) for label, row in zip(CLASSES, near.tolist(), strict=True)]
    expected = of_pytorch_grad_cam("GradCAM", net, "layer3", targets)
    close(ours(FinerCAM("layer3", alpha=0.8, weights="probability"), net), expected, 1e-4)
    close(ours(FinerCAM("layer3", alpha=0.0), net), ours(GradCAM("layer3"), net))


def of_finer_torch_cam(net):
    methods = pytest.importorskip("torchcam.methods")
    wrapped = LogitsOf(net)
    with methods.FinerCAM(wrapped, "model.backbone.model.layer3", gamma=0.6, num_references=2) as cam:
        scores = wrapped(IMAGES.clone().requires_grad_())
        return cam(CLASSES, scores, normalized=False)[0].detach()


@pytest.mark.parametrize("of", ["grad-cam", "grad-cam++", "xgrad-cam", "layer-cam"])
@pytest.mark.parametrize("weights", ["mean", "probability"])
def test_finer_cam_explains_the_difference(net, of, weights):
    """By autograd of the score that the paper writes, at a place behind which more than a mean lies."""
    method = FinerCAM("layer3", alpha=0.7, compare=2, weights=weights, of=of)
    kept = []
    hook = module_of(net, "layer3").register_forward_hook(lambda _m, _i, output: kept.append(output))
    logits = net.activate(IMAGES).logits
    hook.remove()
    scores = []
    for row, label in enumerate(CLASSES):
        order = sorted((abs(float(logits[row, k] - logits[row, label])), k) for k in range(4) if k != label)
        near = [k for _, k in order[:2]]
        share = logits[row].softmax(0)[near]
        share = share / share.sum() if weights == "probability" else torch.tensor([0.5, 0.5])
        scores.append(sum(w * (logits[row, label] - 0.7 * logits[row, k]) for w, k in zip(share, near, strict=True)))
    (gradient,) = torch.autograd.grad(sum(scores), kept[0])
    formula = {"grad-cam": grad_cam, "grad-cam++": grad_cam_plus_plus, "xgrad-cam": x_grad_cam, "layer-cam": layer_cam}
    close(ours(method, net), formula[of](kept[0].detach(), gradient), 1e-4)


def test_finer_cam_takes_as_many_classes_as_there_are_and_refuses_one():
    assert similar_classes(torch.tensor([[1.0, 5.0]]), torch.tensor([[1]]), 3).tolist() == [[[0]]]
    alone = random_network(classes=1)
    with pytest.raises(ConfigError, match="FinerCAM compares classes, but the model has one. Take GradCAM"):
        FinerCAM().raw_maps(alone, IMAGES, torch.tensor([0, 0]))


def test_smooth_grad_cam_plus_plus_written_out(net):
    method = SmoothGradCAMPlusPlus("layer3", samples=3, std=0.5, seed=7)
    generator = torch.Generator().manual_seed(7)
    clean = watch(net, IMAGES, ["layer3"], "Test")[1].activations()[0]
    gradients = []
    for _ in range(3):
        noisy = IMAGES + 0.5 * torch.randn(1, 3, 64, 64, generator=generator)
        wanted = torch.nn.functional.one_hot(torch.tensor(CLASSES), 4).float()
        gradients.append(watch(net, noisy, ["layer3"], "Test")[1].gradients(wanted)[0])
    means = [sum(each**power for each in gradients) / 3 for power in (1, 2, 3)]
    expected = smooth_grad_cam_plus_plus(clean, *means)
    found = ours(method, net)
    close(found, expected, 1e-4)
    assert torch.equal(found, ours(method, net))
    with torch.no_grad():
        alone = method.raw_maps(net, IMAGES[1:], torch.tensor(CLASSES[1:]))
    close(alone[0], found[1], 1e-4)
    plain = ours(SmoothGradCAMPlusPlus("layer3", samples=2, std=0.0), net)
    close(plain, ours(GradCAMPlusPlus("layer3"), net), 1e-4)
    close(ours(SmoothGradCAMPlusPlus(), net), ours(GradCAMPlusPlus(), net))
    with pytest.raises(ShapeError, match="classes should lie in 0..3, those of the classifier, but got 0..4"):
        method.raw_maps(net, IMAGES, torch.tensor([0, 4]))
    known = KnownLevels(net.levels_of(IMAGES), (64, 64))
    with pytest.raises(ConfigError, match="SmoothGradCAMPlusPlus adds noise to the images, which are known by"):
        method.raw_maps(net, known, torch.tensor(CLASSES))


def test_the_input_gradient_is_the_largest_of_three(net):
    leaf = IMAGES.clone().requires_grad_()
    logits = net.activate(leaf).logits
    (gradient,) = torch.autograd.grad(logits[0, 2] + logits[1, 0], leaf)
    expected = torch.stack([gradient[:, c].abs() for c in range(3)]).max(0).values
    close(ours(InputGradient(), net), expected, 1e-4)
    known = KnownLevels(net.levels_of(IMAGES), (64, 64))
    with pytest.raises(ConfigError, match="InputGradient asks for 'image', but the images are known by their cached"):
        InputGradient().raw_maps(net, known, torch.tensor(CLASSES))


def test_grad_cam_at_the_last_level_is_cam_without_bias_and_negative_scores(net):
    with torch.no_grad():
        activation = net.activate(IMAGES)
    cam = activation.of(torch.tensor(CLASSES)) - net.head.classifier.bias[CLASSES].detach()[:, None, None]
    close(ours(GradCAM(), net), cam.relu() / 4)


def test_layer_cam_scales_shallow_maps_and_takes_the_maximum(net):
    places = ["layer2", "layer3", "layer4"]
    alone = [ours(LayerCAM(place), net) for place in places]
    top = [each / each.amax((1, 2), keepdim=True) for each in alone]
    lifted = [torch.tanh(2 * each) for each in top[:2]]
    sized = [resize_maps(each, (8, 8), "bilinear") for each in (*lifted, top[2])]
    expected = torch.stack(sized).amax(0)
    close(ours(LayerCAM(places), net), expected, 1e-4)
    sized = [resize_maps(torch.tanh(2 * each), (8, 8), "bilinear") for each in top]
    close(ours(LayerCAM(places, scaled="all"), net), torch.stack(sized).amax(0), 1e-4)
    assert math.isclose(float(scaled_by_tanh(torch.ones(1, 1), 1.5)), math.tanh(1.5), rel_tol=1e-6)
    mean = ours(LayerCAM(places, fuse="mean", gamma=None), net)
    normed = [(each - each.amin((1, 2), keepdim=True)) for each in alone]
    normed = [resize_maps(each / each.amax((1, 2), keepdim=True), (8, 8), "bilinear") for each in normed]
    close(mean, sum(normed) / 3, 1e-4)


def test_methods_of_one_place_say_the_maps_of_all_classes_for_an_export(net):
    with torch.no_grad():
        activation = net.activate(IMAGES)
        for kind in (GradCAM, GradCAMPlusPlus, XGradCAM, LayerCAM, SmoothGradCAMPlusPlus, FinerCAM):
            found = kind().all_maps(net, IMAGES, activation)
            close(found[[0, 1], CLASSES], ours(kind(), net))
            assert kind(at="layer3").all_maps(net, IMAGES, activation) is None
        assert InputGradient().all_maps(net, IMAGES, activation) is None


@pytest.mark.parametrize("name", ["layercam_lite0_birds50", "layercam_lite0_voc"])
def test_a_configuration_trains_and_predicts(name):
    labels = ([1.0, 0, 0], [0, 1, 1]) if name.endswith("voc") else (0, 2)
    model, _ = loss_step(name, labels=labels)
    assert isinstance(model.cam_method, LayerCAM)
    assert len(model.cam_method.at) == 4
    for prediction in model.eval().predict(IMAGES, torch.tensor(labels)):
        assert len(prediction.maps)
        assert float(prediction.maps.std()) > 0


def test_the_paper_s_configurations_read_four_stages():
    for name, places in (
        ("layercam_vgg16_cub", ("conv3_3", "conv4_3", "conv5_3", "conv6")),
        ("layercam_resnet50_ilsvrc", ("layer1", "layer2", "layer3", "layer4")),
    ):
        method = CAM_METHODS.build(load_config(name).model.cam_method)
        assert isinstance(method, LayerCAM)
        assert method.at == places
