"""One training step and one prediction step of a shipped configuration, on scenes drawn for the purpose."""

import torch
from mmengine.config import ConfigDict

from wsolkit import Batch
from wsolkit.config.classes import with_class_facts
from wsolkit.config.load import load_config
from wsolkit.registry import MODELS
from wsolkit.training.train import train

SIDE = 64


def drawn(config, batch, classes, multi_label, side):
    """Replace the data of a configuration by a few drawn scenes, and its weights by random ones."""
    scenes = {"type": "SyntheticParts", "num_classes": classes, "image_size": side, "multi_label": multi_label}
    for split in ("train", "val", "test"):
        loader = config[f"{split}_dataloader"]
        given = loader["dataset"]
        seen = {key: given[key] for key in ("load_targets", "test_mode", "split") if key in given}
        flip = [{"type": "RandomHorizontalFlip"}] if split == "train" else []
        loader["dataset"] = ConfigDict(
            num_images=batch, pipeline=[*flip, {"type": "Resize", "size": (side, side)}], **scenes, **seen
        )
        loader.update(batch_size=batch, num_workers=0, persistent_workers=False)
    config["weights"] = None
    config["model"]["backbone"]["weights"] = None
    config["model"]["backbone"].pop("pretrained", None)
    config["data_root"] = ""
    config.pop("sync_bn", None)  # torch's own needs a GPU
    config.pop("feature_cache", None)  # scenes are no files
    return config


def loss_step(name, classes=3, labels=(0, 2), side=SIDE, extras=None, options=None):
    """Build the model of a shipped configuration with random weights and take one step of descent on two noise images.

    Much faster than ``one_step``, which trains and validates by the runner. Returns the model, and its losses.
    """
    config = load_config(name, {"weights": None, "classes": [f"class {k}" for k in range(classes)], **(options or {})})
    config.model.backbone.pop("pretrained", None)
    config.model.backbone.weights = None
    torch.manual_seed(0)
    model = MODELS.build(with_class_facts(config.model, config.classes))
    batch = Batch(torch.randn(len(labels), 3, side, side), torch.tensor(labels), extras=extras or {})
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=1e-3)
    losses = model.train().loss(batch)
    total, _ = model.parse_losses(losses)
    total.backward()
    optimizer.step()
    assert torch.isfinite(total)
    return model, losses


def one_step(name, folder, batch=4, classes=3, multi_label=False, side=SIDE):
    """Train a shipped configuration for one step, validate it, and return the trained model and its predictions."""
    config = drawn(load_config(name), batch, classes, multi_label, side)
    config["train_cfg"].update(max_epochs=1)
    for scheduler in config["param_scheduler"]:
        scheduler.update(begin=0, end=1)
        scheduler.pop("T_max", None)
    config["default_hooks"]["progress_bar"] = None
    done = train(config, folder, seed=0)
    state = torch.load(done.last, weights_only=True)["state_dict"]
    trained = load_config(folder / "config.py")
    model = MODELS.build(trained["model"])
    model.load_state_dict(state)
    model.eval()
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    return model, model.predict(images)
