"""``wsolkit label --classifier``: the map of a classifier that exists already, in the place of one that is learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config

from wsolkit.errors import ConfigError, nearest
from wsolkit.files import hash_file, whole_file
from wsolkit.formats.text_lists import read_class_names
from wsolkit.labelling.classifier import classifier_checkpoint, classifier_config
from wsolkit.labelling.learn import handed_down
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import CHECKPOINT, TRAINING
from wsolkit.weights.files import existing_weights

__all__ = ["OwnClassifier", "check_classifier", "take_over"]


class OwnClassifier(NamedTuple):
    """A classifier of timm or torchvision.

    Attributes:
        name: of the network.
        weights: the file of its state dict.
        classes: a file with a name in each line, in the order of the logits; by default the folders of the photographs
            in the order of their names, as torchvision and timm number them.
    """

    name: str
    weights: Path
    classes: Path | None = None

    def settings(self) -> dict[str, str]:
        """Return what decides about the map, as plain data."""
        return {"classifier": self.name, "weights": hash_file(existing_weights(self.weights))}

    def options(self) -> dict[str, str | Path | None]:
        """Return the options of a command line that name this classifier."""
        return {"classifier": self.name, "weights": self.weights, "classes": self.classes}

    def numbered(self, photographs: Photographs) -> Photographs:
        """Return the photographs with their classes numbered as the classifier's.

        Raises:
            ConfigError: a folder is none of the classes.
            DataError: the file of names cannot be read.
        """
        if self.classes is None:
            return photographs
        names = read_class_names(self.classes)
        missing = [name for name in photographs.classes if name not in names]
        if missing:
            raise ConfigError(
                f"Photographs are of the class {missing[0]!r}, which {self.classes} does not name. "
                f"{nearest(missing[0], names)}"
            )
        places = [names.index(name) for name in photographs.classes]
        labels = {image: [places[index] for index in labels] for image, labels in photographs.labels.items()}
        return replace(photographs, classes=tuple(names), labels=labels)


def check_classifier(name: str | None, weights: Path | None, classes: Path | None) -> OwnClassifier | None:
    """Return the classifier that options of a command line name, or None where there are none.

    Raises:
        ConfigError: one option is given without the other.
    """
    if name is not None and weights is not None:
        return OwnClassifier(name, weights, classes)
    if name is None and weights is None and classes is None:
        return None
    raise ConfigError(
        "A classifier of your own takes both --classifier NETWORK, such as resnet18, and --weights FILE, and --classes "
        "FILE with the name of a class in each line where the folders of the photographs are not all classes."
    )


def take_over(classifier: OwnClassifier, photographs: Photographs, out: Path) -> tuple[Config, Path]:
    """Write the checkpoint of a classifier where a training would have left its own; nothing is trained.

    Returns:
        The configuration, and the checkpoint.

    Raises:
        ConfigError: the network makes no class maps.
        CheckpointError: the weights cannot be read or are of another network, or have another number of classes.
    """
    config, state = classifier_config(
        classifier.name,
        classifier.weights,
        classifier.classes or list(photographs.classes),
        multi_label=photographs.multi_label,
        data=handed_down(photographs),
    )
    source = out / TRAINING / CHECKPOINT
    with whole_file(source) as temporary:
        torch.save(classifier_checkpoint(config, state), temporary)
    return config, source
