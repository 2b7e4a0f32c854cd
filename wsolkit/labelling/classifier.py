"""A classifier that exists already, of timm or torchvision, as a model with class maps; nothing is trained.

A network that averages its last features over the cells and classifies the mean linearly has a map of each class: the
features weighed by the classifier (Zhou et al. 2016). The logits stay what they were, which is tried on drawn pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from wsolkit.config.load import load_config
from wsolkit.config.stored import STORED, config_text
from wsolkit.config.training_free import without_training
from wsolkit.deploy.agreement import drawn_pictures
from wsolkit.errors import CheckpointError, ConfigError, ShapeError
from wsolkit.formats.text_lists import read_class_names
from wsolkit.labelling.networks import FITTING, Network, find_network
from wsolkit.model.localizer import Localizer
from wsolkit.names import Known
from wsolkit.registry import MODELS
from wsolkit.weights.checkpoint import read_weights
from wsolkit.weights.fitting import fit_weights

__all__ = ["classifier_checkpoint", "classifier_config"]

BASE = "cam_folder"
"""The shipped configuration whose data and form the model takes over."""

MOST = 1e-4
"""How far a logit may be off, as a share of the largest one where that is above 1."""


def classifier_config(
    name: str,
    weights: str | Path,
    classes: str | Path | Sequence[str] | None = None,
    *,
    size: int | tuple[int, int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    multi_label: bool = False,
    data: Mapping[str, Any] | None = None,
) -> tuple[Config, dict[str, Tensor]]:
    """Return the configuration and the state dict of a model with the class maps of a classifier.

    Args:
        name: of the network, as timm or torchvision calls it (``mobilenetv2_100``, ``mobilenet_v2``).
        weights: its state dict, with the keys of either, behind any prefix, or inside a checkpoint.
        classes: a file with a name in each line, in the order of the logits, or the names; numbered ones by default.
        size: (height, width) of the network's input, or one number for both; by default what timm's network takes.
        mean: of each channel in [0, 1], as in the training; by default timm's for the network.
        std: of each channel.
        multi_label: whether several classes may be in one image, so that probabilities are sigmoids.
        data: of the configuration's data sets: ``data_root``, ``labels`` and ``background``. Classes of the background
            that are classes of the classifier stay classes.

    Raises:
        ConfigError: the network is unknown, or its logits are no linear function of averaged features.
        CheckpointError: the weights cannot be read or are of another network, or have another number of classes.
        DataError: the file of names cannot be read.

    >>> import tempfile, timm
    >>> path = Path(tempfile.mkdtemp()) / "mine.pth"
    >>> torch.save(timm.create_model("resnet18", num_classes=2).state_dict(), path)
    >>> config, state = classifier_config("resnet18", path, ["cat", "dog"])
    >>> config["classes"], state["head.classifier.weight"].shape
    (['cat', 'dog'], torch.Size([2, 512]))
    """
    given = read_weights(weights)
    network = find_network(name, given, weights)
    names = class_names(classes, network.num_classes, weights)
    height, width = (size, size) if isinstance(size, int) else size or network.size
    resize = {"type": "Resize", "size": (height, width), "antialias": True}
    told, known = dict(data or {}), Known(names)
    nothing = [name for name in told.pop("background", ()) if known.find(name) is None]
    if nothing:
        told["background"] = nothing
    options: dict[str, Any] = {
        "weights": None,
        "classes": names,
        **told,
        **{f"{split}_dataloader.dataset.classes": [*names, *nothing] for split in ("train", "val", "test")},
        "model.backbone": {"_delete_": True, "type": "TimmBackbone", "levels": ["final"], **network.backbone},
        "model.head.num_classes": len(names),
        "model.freeze": ["model"],
        "model.data_preprocessor.mean": tuple(mean or network.mean),
        "model.data_preprocessor.std": tuple(std or network.std),
        **({"model.losses": [{"type": "BinaryCrossEntropy"}]} if multi_label else {}),
        **{f"{split}_dataloader.dataset.pipeline": [resize] for split in ("val", "test")},
        "train_dataloader.dataset.pipeline": [resize, {"type": "RandomHorizontalFlip"}],
    }
    config = load_config(BASE, options)
    config["multi_label"] = multi_label
    model = MODELS.build(without_training(config.to_dict()["model"], names)).eval()
    original = network.build()
    fit_weights(original, given, 1.0, origin=str(weights))
    fill(model, network.renamed(original.state_dict()), network, str(weights))
    check_logits(model, original, network, (height, width))
    return config, {key: value.clone() for key, value in model.state_dict().items()}


def classifier_checkpoint(config: Config, state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what ``torch.save`` writes as a checkpoint that predicts alone: weights, classes and configuration."""
    return {"state_dict": dict(state), "meta": {"classes": list(config["classes"]), STORED: config_text(config)}}


def class_names(given: str | Path | Sequence[str] | None, count: int, weights: str | Path) -> list[str]:
    """Return the names of the classes.

    Raises:
        CheckpointError: there are more or fewer than the classifier has.
        DataError: the file of names cannot be read.
    """
    if given is None:
        return [f"class_{index}" for index in range(count)]
    names = read_class_names(given) if isinstance(given, (str, Path)) else list(given)
    if len(names) != count:
        where = f"{given} names" if isinstance(given, (str, Path)) else "there are names for"
        raise CheckpointError(
            f"The classifier in {weights} tells {count} classes apart, but {where} {len(names)}. Give one name for "
            "each, in the order of the training."
        )
    return names


def fill(model: Localizer, state: Mapping[str, Tensor], network: Network, origin: str) -> None:
    """Put the weights of a classifier, under timm's names, into backbone and head.

    Raises:
        ConfigError: the classifier does not read the last features.
        CheckpointError: the weights do not fit.
    """
    head: nn.Linear = model.head.classifier
    weight = state[f"{network.classifier}.weight"]
    if weight.shape != head.weight.shape:
        raise no_maps(network)
    fit_weights(model.backbone.model, state, 1.0, origin=origin)
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(state.get(f"{network.classifier}.bias", torch.zeros(len(weight))))


@torch.no_grad()
def check_logits(model: Localizer, original: nn.Module, network: Network, size: tuple[int, int]) -> None:
    """Compare the logits of a model with those of the classifier it was made of, on drawn pictures.

    Raises:
        ConfigError: they differ, so that the class maps would not be the classifier's.
    """
    images = torch.from_numpy(drawn_pictures(2, size)).permute(0, 3, 1, 2)
    inputs = model.data_preprocessor({"inputs": images})["inputs"]
    precision, model.precision = model.precision, "fp32"
    try:
        found = model.activate(inputs).logits
    finally:
        model.precision = precision
    try:
        expected = original.eval()(inputs)
    except (AssertionError, RuntimeError) as error:
        raise ShapeError(
            f"{network.name} does not take images of {size[1]} x {size[0]} pixels ({error}). Give another size."
        ) from error
    most = MOST * max(1.0, float(expected.abs().max()))
    if found is None or not float((found - expected).abs().max()) <= most:
        raise no_maps(network)


def no_maps(network: Network) -> ConfigError:
    """Return the error for a network whose classifier gives no class maps."""
    return ConfigError(
        f"{network.name} does not average its last features and classify the mean linearly (it has a class token or "
        f"hidden layers behind its maps), so its weights make no class maps. Take a network that does, such as "
        f"{FITTING}, or learn a map without it: wsolkit label PHOTOS."
    )
