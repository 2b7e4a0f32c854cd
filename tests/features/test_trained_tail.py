"""Features up to a level, computed once, with the modules after it trained from them."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from wsolkit.config.load import load_config
from wsolkit.errors import ConfigError
from wsolkit.features.compute import features_key
from wsolkit.features.frozen import checked_model
from wsolkit.features.loader import CacheOptions
from wsolkit.interfaces import KnownLevels
from wsolkit.model.localizer import Localizer
from wsolkit.scoring.from_model import score_model
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint

SIDE = 64
FROZEN = ["conv_stem", "bn1", *(f"blocks.{number}" for number in range(6))]
TRAINED = ("backbone.model.blocks.6", "backbone.model.conv_head", "backbone.model.bn2", "head")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 2), ("test", 2)):
        for name in ("owl", "robin"):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 255, (70, 90, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.png")
    return folder


def training(photos, **options):
    resize = [{"type": "Resize", "size": (SIDE, SIDE)}]
    loader = {"batch_size": 4, "num_workers": 0, "persistent_workers": False}
    pipelines = {
        "train_dataloader.dataset.pipeline": [*resize, {"type": "RandomHorizontalFlip"}],
        "val_dataloader.dataset.pipeline": resize,
    }
    loaders = {f"{split}_dataloader.{key}": value for split in ("train", "val") for key, value in loader.items()}
    return load_config(
        "cam_folder",
        {
            "data_root": str(photos),
            "model.backbone.levels": ["blocks.2", "final"],
            "model.precision": "fp32",
            "model.freeze": FROZEN,
            "train_cfg.max_epochs": 2,
            **pipelines,
            **loaders,
            **options,
        },
    )


def seen_by(monkeypatch, name):
    """Count the images or known levels that go through a method of the model."""
    counts = []
    inner = getattr(Localizer, name)
    monkeypatch.setattr(Localizer, name, lambda self, *given: counts.append(len(given[-1])) or inner(self, *given))
    return counts


def test_a_tail_trained_from_features_is_the_tail_trained_from_images(photos, tmp_path, monkeypatch):
    plain = train(training(photos), tmp_path / "plain", seed=3)
    early = seen_by(monkeypatch, "levels_to")
    cache = {"level": "blocks.5", "evaluate": True, "most_gb": 1.0}
    cached = train(training(photos, feature_cache=cache), tmp_path / "cached", seed=3)
    assert sum(size for size in early if size > 1) == 2 * 12 + 4  # once for each image, mirrored for training
    one, other = (read_checkpoint(found.last)["state_dict"] for found in (plain, cached))
    assert list(one) == list(other)
    moved = 0
    for name, value in one.items():
        if value.is_floating_point():
            torch.testing.assert_close(other[name], value, atol=4e-3, rtol=4e-2, equal_nan=True, msg=name)
            if not name.startswith(TRAINED) and name.startswith("backbone"):
                assert torch.equal(other[name], value)
            moved += name.startswith(TRAINED)
    assert moved > 10
    log = next((tmp_path / "cached").rglob("*.log")).read_text()
    assert "12 of 12 training images have their features up to 'blocks.5'" in log
    assert "s are saved in each pass" in log


def small(freeze=("conv1", "bn1", "layer1", "layer2"), modifiers=(), **options):
    torch.manual_seed(0)
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer3", "layer4"]},
        head={"type": "LinearHead", "num_classes": 2},
        losses=[{"type": "CrossEntropy"}],
        precision="fp32",
        freeze=list(freeze),
        modifiers=modifiers,
        **options,
    )


DROP = {"type": "DropBlock", "block_size": 1, "drop_prob": 0.5}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"freeze": ["conv1", "bn1", "layer1"]}, r"is trained at 'layer2' or before it \(model.layer2.0.conv1.weight"),
        ({"modifiers": [{**DROP, "at": "layer1"}]}, "without DropBlock, which sits on 'model.layer1', at 'layer2' or"),
        ({"modifiers": [{**DROP, "at": "layer2"}]}, "Put it behind a later module, cache an earlier level"),
        ({"modifiers": [{**DROP, "at": "image"}]}, "without DropBlock, which sits on the images"),
    ],
)
def test_what_changes_the_features_before_the_level_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        checked_model(small(**options), "layer2")


def test_norms_that_learn_their_statistics_before_the_level_are_refused():
    model = small(freeze=["conv1", "layer1", "layer2"])
    model.backbone.model.bn1.requires_grad_(False)
    with pytest.raises(ConfigError, match=r"never change, but model.bn1 \(BatchNorm2d\) does something else in train"):
        checked_model(model, "layer2")
    with pytest.raises(ConfigError, match="resnet10t cannot be run again from 'layer9'"):
        checked_model(small(), "layer9")


def test_modifiers_after_the_level_work_on_cached_features():
    model = checked_model(small(modifiers=[{**DROP, "at": "layer3"}]), "layer2").train()
    with torch.no_grad():
        early = model.levels_to("layer2", torch.randn(2, 3, SIDE, SIDE))
        known = KnownLevels(early, (SIDE, SIDE), place="layer2")
        first, second = (model.levels_of(known)["layer3"] for _ in range(2))
        assert not torch.equal(first, second)
        assert float((first == 0).float().mean()) > 0.2
        torch.testing.assert_close(model.eval().levels_of(known)["layer4"], model.levels_of(known)["layer4"])
    assert list(early) == ["layer2"]


def test_trainings_of_one_frozen_part_share_a_folder_and_others_do_not(tmp_path):
    resize, key = v2.Resize((SIDE, SIDE)), features_key
    given = (resize, (SIDE, SIDE), True)
    trained = small()
    for weight in trained.backbone.model.layer4.parameters():
        weight.data += 1
    assert key(small(), *given, "layer2") == key(trained, *given, "layer2")
    others = {key(small(), *given, "layer2"), key(small(), *given, "layer1"), key(small(), resize, (SIDE, 32), True)}
    trained.backbone.model.layer1[0].conv1.weight.data += 1
    assert len(others | {key(trained, *given, "layer2"), key(small(), *given[:2], False, "layer2")}) == 5
    assert CacheOptions.of({"shared": str(tmp_path), "level": "layer2"}).shared == tmp_path


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"level": 5}, "feature_cache.level is the name of a level of the backbone, but got 5"),
        ({"evaluate": "yes"}, "feature_cache.evaluate is True or False, but got 'yes'"),
        ({"folder": "a", "shared": "b"}, "Set either feature_cache.folder='a' or shared='b', not both"),
        ("here", "is written as dict"),
    ],
)
def test_options_that_make_no_sense_are_refused(given, words):
    with pytest.raises(ConfigError, match=words):
        CacheOptions.of(given)


def test_an_evaluation_reads_features_of_the_same_frozen_part(photos, tmp_path, monkeypatch):
    cache = {"level": "layer2", "evaluate": True, "shared": str(tmp_path / "features")}
    loaders = {"test_dataloader.dataset.pipeline": [{"type": "Resize", "size": (SIDE, SIDE)}]}
    loaders |= {f"test_dataloader.{key}": value for key, value in (("batch_size", 4), ("num_workers", 0))}
    model, found = small().eval(), {}
    for name, extra in (("plain", {}), ("cached", {"feature_cache": cache}), ("again", {"feature_cache": cache})):
        early = seen_by(monkeypatch, "levels_to")
        config = training(photos, **loaders, **extra)
        config["classes"] = ["owl", "robin"]
        evaluation = score_model(config, model)
        found[name] = evaluation, sum(size for size in early if size > 1)
    assert [images for _, images in found.values()] == [0, 4 + 4, 0]
    numbers = [[line.score.percent for result in each.results for line in result.lines] for each, _ in found.values()]
    assert numbers[1] == numbers[2] == pytest.approx(numbers[0], abs=1e-3, nan_ok=True)
    assert "cached in half precision" in [each.conventions.get("features") for each in found["cached"][0].results]
