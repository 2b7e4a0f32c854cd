"""The adapters hand over what the libraries ask for and return what these give; an absent library is said in words."""

import sys

import pytest
import torch

from tests.support.random_network import LogitsOf, random_network
from wsolkit import ConfigError, KnownLevels, ShapeError, watch
from wsolkit.registry import CAM_METHODS
from wsolkit_gradcam import PytorchGradCAM, TorchCAM
from wsolkit_gradcam.pytorch_grad_cam import METHODS as OF_PYTORCH_GRAD_CAM
from wsolkit_gradcam.torch_cam import METHODS as OF_TORCH_CAM

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
CLASSES = torch.tensor([[0, 2], [1, 1]])
SLOW = {"options": {"num_samples": 2}}


@pytest.fixture(scope="module")
def net():
    return random_network(name="test_resnet")


@pytest.mark.parametrize("method", OF_PYTORCH_GRAD_CAM)
def test_every_method_of_pytorch_grad_cam(net, method):
    pytest.importorskip("pytorch_grad_cam")
    found = PytorchGradCAM(method).raw_maps(net, IMAGES, CLASSES)
    assert found.shape == (2, 2, 32, 32)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert all(weight.grad is None for weight in net.parameters())
    assert not any(module._forward_hooks for module in net.backbone.modules())


@pytest.mark.parametrize("method", OF_TORCH_CAM)
def test_every_method_of_torch_cam(net, method):
    pytest.importorskip("torchcam")
    given = SLOW if method in ("SSCAM", "ISCAM", "SmoothGradCAMpp") else {}
    found = TorchCAM(method, **given).raw_maps(net, IMAGES, CLASSES)
    assert found.shape[:2] == (2, 2)
    assert torch.isfinite(found).all()
    assert not any(module._forward_hooks for module in net.backbone.modules())


def test_the_adapter_s_values_are_those_of_the_library_s_class(net):
    library = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    layer = net.backbone.model.layer3
    with library.HiResCAM(LogitsOf(net), [layer]) as cam:
        expected = cam(IMAGES, targets=[ClassifierOutputTarget(int(label)) for label in CLASSES[:, 1]])
    found = PytorchGradCAM("HiResCAM", at="layer3").raw_maps(net, IMAGES, CLASSES)
    torch.testing.assert_close(found[:, 1], torch.from_numpy(expected), atol=1e-5, rtol=1e-4)
    net.zero_grad()


def written_out(method, net, images, classes, at):
    """Maps (B, T, h, w) as the papers write them."""
    tape, maps = watch(net, images, [at], "Test")[1], []
    activations = tape.activations()[0]
    for k in classes.T:
        gradients = tape.gradients(torch.nn.functional.one_hot(k, 4).float())[0]
        weights = gradients.relu() if method == "LayerCAM" else gradients.mean((2, 3), keepdim=True)
        maps.append((weights * activations).sum(1).relu())
    return torch.stack(maps, 1)


def test_a_level_that_is_no_module_is_looked_at_behind_the_module_that_makes_it():
    pytest.importorskip("pytorch_grad_cam")
    pytest.importorskip("torchcam")
    net = random_network(name="test_efficientnet", levels=["blocks.3", "final"])
    net.cam_method = TorchCAM("GradCAM")
    net.cam_method.check(net)
    assert net.cam_method.place(net) == "model.bn2"
    expected = written_out("GradCAM", net, IMAGES, CLASSES, "final")
    for method in (TorchCAM("GradCAM"), TorchCAM("GradCAM", at="final")):
        found = method.raw_maps(net, IMAGES, CLASSES)
        torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)
    for method in ("EigenCAM", "FullGrad"):
        assert PytorchGradCAM(method).raw_maps(net, IMAGES, CLASSES).shape == (2, 2, 32, 32)
    with pytest.raises(ConfigError, match="no module 'bn3'. Did you mean 'bn"):
        TorchCAM(at="bn3").check(net)


@pytest.mark.parametrize(
    ("adapter", "given"),
    [
        (TorchCAM, {"method": "SSCAM", "options": {"num_samples": 1}}),
        (PytorchGradCAM, {"method": "RandomCAM", "at": "layer2"}),
    ],
)
def test_what_a_method_draws_is_the_same_each_time_and_beside_other_images(net, adapter, given):
    pytest.importorskip("pytorch_grad_cam")
    pytest.importorskip("torchcam")
    before = torch.get_rng_state()
    method = adapter(**given)
    both = method.raw_maps(net, IMAGES, CLASSES)
    torch.testing.assert_close(method.raw_maps(net, IMAGES[1:], CLASSES[1:]), both[1:], atol=1e-5, rtol=1e-4)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.allclose(adapter(**given, seed=5).raw_maps(net, IMAGES, CLASSES), both, atol=1e-3)


def test_the_library_and_the_papers_agree_where_both_are_right(net):
    pytest.importorskip("torchcam")
    with torch.no_grad():
        for name in ("GradCAM", "LayerCAM"):
            expected = written_out(name, net, IMAGES, CLASSES, "layer3")
            found = TorchCAM(name, at="layer3").raw_maps(net, IMAGES, CLASSES)
            torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)


def test_frozen_weights_and_tokens_are_no_obstacle():
    pytest.importorskip("pytorch_grad_cam")
    pytest.importorskip("torchcam")
    net = random_network(name="test_vit")
    net.requires_grad_(False)
    images = torch.randn(1, 3, *net.backbone.probe_size)
    net.cam_method = PytorchGradCAM("GradCAM", at="blocks.3")
    assert net.predict(images)[0].maps.shape == (1, *net.backbone.probe_size)
    expected = written_out("GradCAM", net, images, torch.tensor([[1]]), "blocks.3")[:, 0]
    found = TorchCAM("GradCAM", at="blocks.3").raw_maps(net, images, torch.tensor([1]))
    torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)


@pytest.mark.parametrize(
    ("adapter", "module", "package"),
    [("PytorchGradCAM", "pytorch_grad_cam", "grad-cam"), ("TorchCAM", "torchcam.methods", "torchcam")],
)
def test_an_absent_library_is_said_in_words(net, monkeypatch, adapter, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    words = rf"{adapter} needs the library {package}, which cannot be imported .* `pip install {package}`"
    with pytest.raises(ConfigError, match=words):
        CAM_METHODS.build({"type": adapter}).raw_maps(net, IMAGES, CLASSES)


def test_wrong_requests_are_said_in_words(net):
    known = KnownLevels(net.levels_of(IMAGES), (32, 32))
    with pytest.raises(ConfigError, match="TorchCAM needs the images, which are known by their cached features alone"):
        TorchCAM().raw_maps(net, known, CLASSES)
    for adapter in (TorchCAM, PytorchGradCAM):
        with pytest.raises(ShapeError, match=r"classes should lie in 0..3, those of the classifier, but got 1..4"):
            adapter().raw_maps(net, IMAGES, torch.tensor([1, 4]))
    with pytest.raises(ConfigError, match="TorchCAM knows no method 'GradCam'. Did you mean 'GradCAM'"):
        TorchCAM("GradCam")  # with or without the library
    with pytest.raises(ConfigError, match="PytorchGradCAM knows no method 'EigenCam'. Did you mean 'EigenCAM'"):
        PytorchGradCAM("EigenCam")
