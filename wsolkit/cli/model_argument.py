"""The arguments that name a model: ``[CONFIG] CHECKPOINT``.

A checkpoint alone brings its own configuration, and a configuration alone is enough where nothing in it is trained.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["CODE", "add_model", "folder_of", "model_options", "take_model"]

CODE = (
    "A checkpoint of `wsolkit train` holds its configuration as data, and alone it runs no code. A configuration in "
    "Python is code that runs with your rights: take one only from whom you trust."
)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a model."""
    parser.add_argument(
        "config", metavar="CONFIG", nargs="?",
        help="configuration file, or the name of a shipped one (default: the one stored in the checkpoint)",
    )  # fmt: skip
    parser.add_argument(
        "checkpoint", metavar="CHECKPOINT",
        help="checkpoint of the training, such as best.pth; a CONFIG in which nothing is trained needs none",
    )  # fmt: skip


def take_model(args: argparse.Namespace) -> tuple[str | Path, Path | None]:
    """Sort the arguments into ``config``, ``checkpoint`` and ``images``, and return what ``load_model`` takes first.

    What comes first is the checkpoint where it is a file of weights by its name, and else the configuration. Behind
    that a checkpoint may follow, which is then neither a folder nor a picture, a list or a pattern.

    Raises:
        ConfigError: there is too much or too little behind the checkpoint.

    >>> args = argparse.Namespace(config="a.pth", checkpoint="photos", images=["more"])
    >>> take_model(args), args.config, args.images
    ((PosixPath('a.pth'), None), None, ['photos', 'more'])
    >>> args = argparse.Namespace(config=None, checkpoint="tokencut", images=["owls/*.jpg"])
    >>> take_model(args), args.checkpoint, args.images
    (('tokencut', None), None, ['owls/*.jpg'])
    """
    from wsolkit.errors import ConfigError
    from wsolkit.weights.files import SUFFIXES

    predicts = hasattr(args, "images")
    rest = [text for text in (args.config, args.checkpoint, *(args.images if predicts else ())) if text is not None]
    args.config = None if Path(rest[0]).suffix in SUFFIXES else rest.pop(0)
    alone = not rest or (predicts and args.config is not None and are_images(rest[0]))
    args.checkpoint = None if alone else Path(rest.pop(0))
    if rest and not predicts:
        raise ConfigError(f"{rest[0]!r} stands behind the checkpoint {args.checkpoint}. Give CONFIG CHECKPOINT.")
    if predicts and not rest:
        raise ConfigError(
            f"No images are given behind {args.checkpoint}. Name images, folders, .txt lists or patterns."
        )
    if predicts:
        args.images = rest
    return (args.checkpoint, None) if args.config is None else (args.config, args.checkpoint)


def are_images(text: str) -> bool:
    """Whether a word names images and no checkpoint: a folder, a picture, a list of them or a pattern.

    >>> are_images("a.jpg"), are_images("list.txt"), are_images("best.pth"), are_images("weights_of_mine")
    (True, True, False, False)
    """
    from wsolkit.datasets.image_walk import IMAGE_SUFFIXES

    path = Path(text).expanduser()
    named = path.suffix.lower() in (*IMAGE_SUFFIXES, ".txt") or any(sign in text for sign in "*?[")
    return path.is_dir() or named


def model_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the configuration, and say of initial weights that a trained model has no use for them.

    Raises:
        ConfigError: an option cannot be read.
        CheckpointError: the initial weights are a file that is not there.
    """
    from wsolkit.config.parse import parse_options
    from wsolkit.weights.files import existing_weights

    options = parse_options(args.cfg_options)
    for name in ("weights", "model.backbone.weights"):
        value = options.get(name)
        if args.checkpoint is not None and value and value not in ("timm", "embedded", "none"):
            existing_weights(str(value))
            print(f"warning: {name}={value} changes nothing: {args.checkpoint} holds the weights.", file=sys.stderr)
    return options


def folder_of(model: tuple[str | Path, Path | None], options: dict[str, Any]) -> Path:
    """Return where what is made of a model goes if nobody says: beside its checkpoint, or where a training would go.

    Args:
        model: what ``take_model`` returned.
        options: the options of the configuration.

    Raises:
        ConfigError: there is no checkpoint, and the model has trained parameters.
    """
    from wsolkit.weights.files import SUFFIXES

    checkpoint = Path(model[0]) if model[1] is None else model[1]
    if checkpoint.suffix in SUFFIXES or model[1] is not None:
        return checkpoint.resolve().parent

    from wsolkit.config.load import load_config
    from wsolkit.config.training_free import check_training_free
    from wsolkit.training.train import default_work_dir

    config = load_config(model[0], options)
    check_training_free(config.get("model") or {}, str(model[0]))
    return default_work_dir(config)
