"""From class scores and a background score to a label at each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from wsolkit import ConfigError
from wsolkit.evaluation import mask_value

__all__ = ["BACKGROUNDS", "Background", "background_scores", "cut_scores", "label_map", "label_probabilities"]

Background = Literal["saliency", "cues", "constant", "power"]
BACKGROUNDS: tuple[Background, ...] = get_args(Background)
"""Where the background score comes from; see ``background_scores``."""


def background_scores(
    scores: np.ndarray, saliency: np.ndarray | None, background: str, power: float = 1.0, threshold: float = 0.0
) -> np.ndarray:
    """Return the background score of each pixel: a power of how little is there, and at least a threshold.

    - ``saliency``: max((1 - s / 255) ** power, threshold), s from a saliency network;
    - ``cues``: the same with s = 255 on the foreground of a background cue and 0 elsewhere, without the network;
    - ``constant``: the threshold alone, as for the seed of a CAM;
    - ``power``: max((1 - highest class score) ** power, threshold).

    Args:
        scores: (T, H, W) class scores in [0, 1].
        saliency: (H, W) uint8, for ``saliency`` and ``cues``.
        background: one of the four.
        power: greater ones leave less to the background.
        threshold: the least background score anywhere.

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        ConfigError: the choice is unknown, or lacks its saliency.

    >>> saliency = np.array([[0, 255]], np.uint8)
    >>> background_scores(np.zeros((1, 1, 2)), saliency, "saliency", power=2.0, threshold=0.125).tolist()
    [[1.0, 0.125]]
    """
    shape = scores.shape[1:]
    if background == "constant":
        return np.full(shape, threshold, np.float32)
    if background == "power":
        nothing = 1 - (scores.max(0) if len(scores) else np.zeros(shape))
    elif background in BACKGROUNDS and saliency is not None:
        nothing = 1 - saliency.astype(np.float32) / 255
    else:
        raise ConfigError(
            f"The background should be one of {BACKGROUNDS}, the first two with saliency, but got {background!r} "
            f"{'without' if saliency is None else 'with'} saliency."
        )
    return np.maximum(nothing.astype(np.float32) ** np.float32(power), np.float32(threshold))


def label_map(classes: Sequence[int], scores: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the argmax over background and class scores as a class mask.

    Args:
        classes: T classes, rising.
        scores: (T, H, W) in [0, 1].
        background: (H, W) in [0, 1].

    Returns:
        (H, W) uint8, 0 background, k + 1 class k; of equal scores the background, then the lower class.

    >>> label_map([4, 7], np.array([[[0.2, 0.9]], [[0.6, 0.9]]]), np.array([[0.6, 0.1]])).tolist()
    [[0, 5]]
    """
    stacked = np.concatenate([background[None], scores])  # (T + 1, H, W)
    values = np.array([0, *(mask_value(label) for label in classes)], np.uint8)
    return values[stacked.argmax(0)]


def cut_scores(scores: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return class scores (T, H, W), 0 where they do not exceed the background (H, W).

    What is left is foreground at a threshold t where it is greater than t, so that all thresholds can be tried in one
    pass: max(background, t) < score.

    >>> cut_scores(np.array([[[0.5, 0.5]]]), np.array([[0.5, 0.4]])).tolist()
    [[[0.0, 0.5]]]
    """
    return np.where(scores > background, scores, 0)


def label_probabilities(scores: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return background and class scores as probabilities (T + 1, H, W), for a CRF: each divided by their sum.

    A pixel where all are 0 is background.

    >>> label_probabilities(np.array([[[0.3, 0.0]]]), np.array([[0.1, 0.0]])).round(2).tolist()
    [[[0.25, 1.0]], [[0.75, 0.0]]]
    """
    stacked = np.concatenate([background[None], scores]).astype(np.float32)
    total = stacked.sum(0)
    stacked[0] = np.where(total > 0, stacked[0], 1)
    return stacked / np.where(total > 0, total, 1)
