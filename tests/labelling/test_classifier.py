"""An existing classifier of timm or torchvision becomes a model with class maps that says what it said before."""

import numpy as np
import pytest
import timm
import torch
from torchvision import models

from wsolkit import CheckpointError, ConfigError, Predictor, WsolkitError, export_model
from wsolkit.deploy.agreement import drawn_pictures
from wsolkit.labelling.classifier import classifier_checkpoint, classifier_config
from wsolkit.labelling.networks import find_network
from wsolkit.registry import MODELS

CLASSES = ["crack", "dent", "stain"]


def alive(network):
    """Return a network whose batch norms do something, as after a training."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


def torchvisions(name):
    return alive(models.get_model(name, weights=None, num_classes=3))


def timms(name):
    return alive(timm.create_model(name, num_classes=3))


def saved(network, folder, prefix="", wrapper=None, drop=()):
    state = {f"{prefix}{key}": value for key, value in network.state_dict().items() if not key.startswith(drop)}
    torch.save(state if wrapper is None else {wrapper: state, "epoch": 3}, folder / "mine.pth")
    return folder / "mine.pth"


@pytest.mark.parametrize(
    ("library", "name", "prefix", "wrapper", "size"),
    [
        (torchvisions, "resnet18", "module.", "state_dict", 64),
        (torchvisions, "mobilenet_v2", "net.", "model", 64),
        (timms, "test_resnet", "", None, None),
        (timms, "tf_efficientnet_lite0", "module.", None, (64, 96)),
    ],
)
def test_the_logits_stay_what_they_were(tmp_path, library, name, prefix, wrapper, size):
    network = library(name)
    config, state = classifier_config(name, saved(network, tmp_path, prefix, wrapper), CLASSES, size=size)
    model = MODELS.build({**config.to_dict()["model"], "precision": "fp32"}).eval()
    model.load_state_dict(state)
    height, width = config["test_dataloader"]["dataset"]["pipeline"][0]["size"]
    assert size in (None, height, (height, width))
    inputs = torch.from_numpy(drawn_pictures(3, (height, width), seed=9)).permute(0, 3, 1, 2)
    images = model.data_preprocessor({"inputs": inputs})["inputs"]
    with torch.no_grad():
        found, expected = model.activate(images), network(images)
        maps = found.maps
    assert maps.shape[:2] == (3, 3)
    np.testing.assert_allclose(found.logits, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(maps.mean((2, 3)), expected, rtol=1e-4, atol=1e-4)


def test_pixels_are_normalised_as_in_the_training(tmp_path):
    path = saved(timms("tf_efficientnet_lite0"), tmp_path)
    config, _ = classifier_config("tf_efficientnet_lite0", path, size=64)
    assert config["model"]["data_preprocessor"]["mean"] == (0.5, 0.5, 0.5)
    assert config["classes"] == ["class_0", "class_1", "class_2"]
    config, _ = classifier_config("tf_efficientnet_lite0", path, size=64, mean=(0.1, 0.2, 0.3), std=(1, 1, 1))
    assert config["model"]["data_preprocessor"]["mean"] == (0.1, 0.2, 0.3)
    network = find_network("mobilenet_v2", models.mobilenet_v2().state_dict(), "a.pth")
    assert (network.num_classes, network.classifier, network.mean) == (1000, "classifier", (0.485, 0.456, 0.406))


def test_the_checkpoint_predicts_and_exports(tmp_path):
    network = timms("test_resnet")
    (tmp_path / "names.txt").write_text("crack\ndent\nstain\n")
    config, state = classifier_config("test_resnet", saved(network, tmp_path), tmp_path / "names.txt")
    torch.save(classifier_checkpoint(config, state), tmp_path / "last.pth")
    predictor = Predictor.from_config(tmp_path / "last.pth", device="cpu", cfg_options={"model.precision": "fp32"})
    assert predictor.classes == tuple(CLASSES)
    pictures = drawn_pictures(2, predictor.input_size)
    images = predictor.model.data_preprocessor({"inputs": torch.from_numpy(pictures).permute(0, 3, 1, 2)})["inputs"]
    with torch.no_grad():
        expected = network(images).softmax(1)
    results = predictor(list(pictures))
    np.testing.assert_allclose([result.probabilities for result in results], expected, atol=1e-5)
    assert all(result.boxes for result in results)
    assert export_model(tmp_path / "last.pth").facts["classes"] == CLASSES


def test_several_labels_have_sigmoids(tmp_path):
    config, state = classifier_config("test_resnet", saved(timms("test_resnet"), tmp_path), multi_label=True)
    torch.save(classifier_checkpoint(config, state), tmp_path / "last.pth")
    assert Predictor.from_config(tmp_path / "last.pth", device="cpu").multi_label


@pytest.mark.parametrize(
    ("network", "name", "classes", "error", "words"),
    [
        (
            "test_resnet",
            "test_resnet",
            ["a"],
            CheckpointError,
            "tells 3 classes apart, but there are names for 1. Give",
        ),
        (
            "test_resnet",
            "resnet18",
            None,
            CheckpointError,
            "does not hold the weights of resnet18: it lacks .* Name the",
        ),
        ("test_resnet", "test_resent", None, ConfigError, "no network 'test_resent'. Did you mean 'test_resnet'"),
        ("test_resnet", "vit_b_16", None, ConfigError, "torchvision's vit_b_16 has no twin among timm's.* both have: "),
        (
            "test_vit",
            "test_vit",
            None,
            ConfigError,
            "test_vit does not average its last features .*class token.* make no",
        ),
    ],
)
def test_what_makes_no_class_maps_is_refused_in_words(tmp_path, network, name, classes, error, words):
    with pytest.raises(error, match=words):
        classifier_config(name, saved(timms(network), tmp_path), classes)


def test_a_network_without_its_classifier_is_refused(tmp_path):
    path = saved(timms("test_resnet"), tmp_path, drop=("fc.",))
    with pytest.raises(CheckpointError, match=r"it lacks fc.weight, fc.bias. .* give a file that has the classifier"):
        classifier_config("test_resnet", path)


def test_fully_connected_layers_are_refused(tmp_path):
    with torch.device("meta"):
        state = models.vgg11(num_classes=3).state_dict()
    network = find_network("vgg11", state, "a.pth")
    with pytest.raises(ConfigError, match="torchvision's vgg11 and timm's vgg11 are built differently.*resnet18"):
        network.renamed(state)


def test_code_in_the_file_is_refused(tmp_path):
    torch.save(timms("test_resnet"), tmp_path / "mine.pth")
    with pytest.raises(WsolkitError, match="could run code"):
        classifier_config("test_resnet", tmp_path / "mine.pth")
