"""The maps of a split against a plain loop over its images, and the stage that writes them."""

import numpy as np
import pytest
import torch

from tests.support import micro
from tests.support.tiny_stages import MICRO
from wsolkit import Activation, ActivationHead, ConfigError, DataError, MapError
from wsolkit.config.load import load_config
from wsolkit.formats import open_score_maps
from wsolkit.model.localizer import Localizer
from wsolkit.pipeline import Maps, build_split, maps_of_batch, split_batches
from wsolkit.registry import HEADS

RESIZE = {"type": "Resize", "size": (32, 24)}
OPTIONS = {"val_dataloader.dataset.pipeline": [RESIZE], "train_dataloader.dataset.num_images": 6}


@HEADS.register_module(force=True)
class AgnosticHead(ActivationHead):
    """One map for all classes, and logits for three beside it."""

    def __init__(self, channels, num_classes: int = 3) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(next(iter(channels.values())), num_classes)

    def forward(self, levels, batch=None):
        features = levels["last"]
        return Activation(features.mean(1, keepdim=True), self.linear(features.mean((2, 3))), features)


def model(head="LinearHead", **settings):
    micro.register()
    torch.manual_seed(0)
    return Localizer(
        backbone={"type": "MicroBackbone"}, head={"type": head, "num_classes": 3}, precision="fp32", **settings
    ).eval()


@pytest.fixture
def checkpoint(tmp_path):
    def save(net, name="net.pth"):
        torch.save({"state_dict": net.state_dict(), "meta": {"classes": ["ant", "bee", "cat"]}}, tmp_path / name)
        return str(tmp_path / name)

    return save


def by_hand(net, image, label):
    """The map of one class of one image: bicubic to the input's size, smallest 0 and largest 1."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = ((image.float() / 255 - mean[:, None, None]) / std[:, None, None])[None]
    with torch.no_grad():
        raw = net.head(net.backbone(pixels)).maps[:, label : label + 1]
    big = torch.nn.functional.interpolate(raw, size=image.shape[-2:], mode="bicubic", align_corners=False)[0, 0]
    return ((big - big.min()) / (big.max() - big.min())).numpy()


def test_every_image_of_the_split_has_the_map_of_its_label(tmp_path, checkpoint):
    net = model()
    stage = Maps(MICRO, checkpoint(net), "train", OPTIONS, batch_size=4, device="cpu")
    assert stage.run(tmp_path / "out", False) == {"images": 6}
    maps = open_score_maps(tmp_path / "out")
    assert maps.names() == [f"train/{number}" for number in range(6)]
    dataset = build_split(load_config(micro.CONFIG, OPTIONS), "train")
    for number in range(6):
        found = maps.image(f"train/{number}")
        assert (list(found.maps), found.size, found.of(number % 3).shape) == ([number % 3], (8, 8), (32, 24))
        np.testing.assert_allclose(found.of(number % 3), by_hand(net, dataset[number]["inputs"], number % 3), atol=1e-3)


def test_which_maps_are_written(tmp_path, checkpoint):
    net = model()
    for which in ("all", "predicted"):
        Maps(MICRO, checkpoint(net), "val", OPTIONS, which=which, device="cpu").run(tmp_path / which, False)
    dataset = build_split(load_config(micro.CONFIG, OPTIONS), "val")
    assert len(open_score_maps(tmp_path / "all").names()) == 7
    for number in range(7):
        image = dataset[number]["inputs"]
        every, likely = (open_score_maps(tmp_path / which).image(f"val/{number}") for which in ("all", "predicted"))
        assert list(every.maps) == [0, 1, 2]
        for label in range(3):
            np.testing.assert_allclose(every.of(label), by_hand(net, image, label), atol=1e-3)
        with torch.no_grad():
            logits = net.activate(net.data_preprocessor({"inputs": image[None]})["inputs"]).logits[0]
        assert list(likely.maps) == [int(logits.argmax())]
        np.testing.assert_array_equal(likely.of(int(logits.argmax())), every.of(int(logits.argmax())))


def test_many_classes_are_made_a_few_at_a_time(monkeypatch):
    net = model()
    dataset = build_split(load_config(micro.CONFIG, OPTIONS), "train")
    whole = maps_of_batch(net, next(split_batches(dataset)), "all")
    monkeypatch.setattr("wsolkit.model.scored_batch.MAPS_AT_ONCE", 12)
    for one, other in zip(whole, maps_of_batch(net, next(split_batches(dataset)), "all"), strict=True):
        assert list(one.maps) == list(other.maps) == [0, 1, 2]
        for label in range(3):
            np.testing.assert_array_equal(one.of(label), other.of(label))


@pytest.mark.parametrize("which", ["labels", "all", "predicted"])
def test_a_class_agnostic_head_gives_one_map_without_class(which):
    net = model("AgnosticHead")
    dataset = build_split(load_config(micro.CONFIG, OPTIONS), "train")
    for found in maps_of_batch(net, next(split_batches(dataset)), which):
        assert list(found.maps) == [-1]
        assert found.of(2).shape == (32, 24)
        assert float(found.of(2).max()) == 1


def test_an_image_without_labels_gets_an_empty_file():
    net = model()
    batch = {"inputs": torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "image_ids": ["a", "b"], "sizes": [(3, 4), (5, 6)]}
    found = maps_of_batch(net, {**batch, "labels": torch.tensor([[0.0, 0, 0], [0, 0, 0]])})
    assert [(each.maps, each.size) for each in found] == [({}, (3, 4)), ({}, (5, 6))]


def test_what_is_there_is_not_made_again(tmp_path, checkpoint):
    stage = Maps(MICRO, checkpoint(model()), "train", OPTIONS, device="cpu")
    stage.run(tmp_path / "out", False)
    kept = tmp_path / "out" / "maps" / "train" / "2.npz"
    before = kept.read_bytes()
    kept.write_bytes(b"mine")
    lost = tmp_path / "out" / "maps" / "train" / "3.npz"
    whole = dict(np.load(lost))
    lost.unlink()
    assert stage.run(tmp_path / "out", True) == {"images": 6}
    assert kept.read_bytes() == b"mine"
    again = dict(np.load(lost))
    assert lost.read_bytes() != before
    assert again.keys() == whole.keys()
    for name, value in whole.items():  # alone in its batch now, which may decide the last bit of half precision
        np.testing.assert_allclose(again[name], value, rtol=0, atol=5e-4)


def test_an_unreadable_image_is_named_and_the_others_are_kept(tmp_path, checkpoint):
    broken = {**OPTIONS, "train_dataloader.dataset.broken": [5]}
    stage = Maps(MICRO, checkpoint(model()), "train", broken, batch_size=1, device="cpu")
    with pytest.raises(DataError, match="Image 'train/5' of split 'train': The image .*5.png cannot be read"):
        stage.run(tmp_path / "out", False)
    assert len(open_score_maps(tmp_path / "out").names()) == 5


def test_maps_that_are_no_numbers_name_their_image():
    net = model()

    class Broken(torch.nn.Module):
        def forward(self, images):
            return {"last": net.inner(images)["last"] / (images.amax((1, 2, 3), keepdim=True) > 2.4).float()}

    net.inner, net.backbone = net.backbone, Broken()
    inputs = torch.full((3, 3, 8, 8), 255, dtype=torch.uint8)
    inputs[1] = 0
    batch = {"inputs": inputs, "labels": torch.tensor([0, 1, 2]), "image_ids": ["x", "y", "z"], "sizes": [(8, 8)] * 3}
    with pytest.raises(MapError, match="^Image 'y': .* hold NaN or infinity"):
        maps_of_batch(net, batch)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"batch_size": 0}, "batch_size of Maps should be a whole number of at least 1 or None, but got 0"),
        ({"num_workers": -1}, "num_workers of Maps should be a whole number of at least 0, but got -1"),
    ],
)
def test_numbers_out_of_range(arguments, words):
    with pytest.raises(ConfigError, match=words):
        Maps(MICRO, "x.pth", **arguments)
