"""One step of gradient descent and one prediction of a shipped configuration's model, without its data and weights."""

import torch

from wsolkit.config.load import load_config
from wsolkit.interfaces import Batch
from wsolkit.registry import MODELS


def built_model(name, classes=3):
    """Return the model of a shipped configuration with random weights and a few classes; None where it has none."""
    config = load_config(name)
    model = config["model"]
    model["backbone"]["weights"] = None
    model["backbone"].pop("pretrained", None)
    if classes is not None:
        model["head"]["num_classes"] = classes
    torch.manual_seed(0)
    return MODELS.build(model)


def model_step(name, classes=3, batch=4, side=64):
    """Return the model of a shipped configuration after one step, the log of the step, and two predictions."""
    model = built_model(name, classes).train()
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=0.1)
    drawn = torch.Generator().manual_seed(1)
    images = torch.randn(batch, 3, side, side, generator=drawn)
    total, log = model.parse_losses(model.loss(Batch(images, torch.arange(batch) % classes)))
    total.backward()
    optimizer.step()
    assert torch.isfinite(total)
    return model, log, model.eval().predict(images[:2])
