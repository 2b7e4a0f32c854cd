"""The arguments that name a model: ``[CONFIG] CHECKPOINT``, where a checkpoint alone brings its own configuration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["CODE", "add_model", "model_options", "take_model"]

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
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="checkpoint of the training, such as best.pth")


def take_model(args: argparse.Namespace) -> tuple[str | Path, Path | None]:
    """Sort the arguments into ``config``, ``checkpoint`` and ``images``, and return what ``load_model`` takes first.

    What comes first is the checkpoint where it is a file of weights by its name, and else the configuration.

    Raises:
        ConfigError: there is a configuration and no checkpoint, or too much or too little behind the checkpoint.

    >>> args = argparse.Namespace(config="a.pth", checkpoint="photos", images=["more"])
    >>> take_model(args), args.config, args.images
    ((PosixPath('a.pth'), None), None, ['photos', 'more'])
    """
    from wsolkit.errors import ConfigError
    from wsolkit.weights.files import SUFFIXES

    predicts = hasattr(args, "images")
    rest = [text for text in (args.config, args.checkpoint, *(args.images if predicts else ())) if text is not None]
    args.config = None if Path(rest[0]).suffix in SUFFIXES else rest.pop(0)
    if not rest:
        raise ConfigError(
            f"A checkpoint is missing: {args.config!r} is a configuration, or no file of weights by its name "
            f"({', '.join(SUFFIXES)}). Give CONFIG CHECKPOINT, or a checkpoint alone."
        )
    args.checkpoint = Path(rest.pop(0))
    if rest and not predicts:
        raise ConfigError(f"{rest[0]!r} stands behind the checkpoint {args.checkpoint}. Give CONFIG CHECKPOINT.")
    if predicts and not rest:
        raise ConfigError(
            f"No images are given behind {args.checkpoint}. Name images, folders, .txt lists or patterns."
        )
    if predicts:
        args.images = rest
    return (args.checkpoint, None) if args.config is None else (args.config, args.checkpoint)


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
        if value and value not in ("timm", "embedded", "none"):
            existing_weights(str(value))
            print(f"warning: {name}={value} changes nothing: {args.checkpoint} holds the weights.", file=sys.stderr)
    return options
