"""Features up to a level, computed once, with the modules after it trained from them."""

import numpy as np
import pytest
import torch
from PIL import Image

from wsolkit.config.load import load_config
from wsolkit.model.localizer import Localizer
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint

SIDE = 64
BACKBONE = {"type": "TimmBackbone", "name": "tf_efficientnet_lite0", "levels": ["blocks.2", "final"]}
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


def localizer(modifiers=(), freeze=FROZEN, **backbone):
    torch.manual_seed(0)
    return Localizer(
        backbone={**BACKBONE, **backbone},
        head={"type": "LinearHead", "num_classes": 2},
        losses=[{"type": "CrossEntropy"}],
        precision="fp32",
        freeze=freeze,
        modifiers=modifiers,
    )


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


def test_a_tail_trained_from_features_is_the_tail_trained_from_images(photos, tmp_path, monkeypatch, caplog):
    plain = train(training(photos), tmp_path / "plain", seed=3)
    early = seen_by(monkeypatch, "levels_to")
    cache = {"level": "blocks.5", "evaluate": True, "most_gb": 1.0}
    cached = train(training(photos, feature_cache=cache), tmp_path / "cached", seed=3)
    assert sum(size for size in early if size > 1) == 2 * 12 + 4  # once for each image, mirrored for training
    one, other = (read_checkpoint(found.last)["state_dict"] for found in (plain, cached))
    start = localizer().state_dict()
    assert list(one) == list(other)
    moved = 0
    for name, value in one.items():
        if value.is_floating_point():
            torch.testing.assert_close(other[name], value, atol=4e-3, rtol=4e-2, equal_nan=True, msg=name)
            if not name.startswith(TRAINED) and name in start and name.startswith("backbone"):
                assert torch.equal(other[name], value)
            moved += name.startswith(TRAINED)
    assert moved > 10
    log = next((tmp_path / "cached").rglob("*.log")).read_text()
    assert "12 of 12 training images have their features up to 'blocks.5'" in log
    assert "s are saved in each pass" in log
