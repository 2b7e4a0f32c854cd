"""What is said to a part that returns another shape than its interface promises."""

from __future__ import annotations

from torch import Tensor, nn

from wsolkit.errors import ShapeError

__all__ = ["checked_loss", "checked_raw_maps", "refuse_other_logits", "refuse_other_scores"]


def checked_raw_maps(raw: Tensor, method: object, classes: Tensor) -> Tensor:
    """Return the raw maps of a CAM method, one for each class that was asked for.

    Args:
        raw: (B, h, w) or (B, T, h, w).
        method: the CAM method.
        classes: (B,) or (B, T).

    Raises:
        ShapeError: there are others, of which somebody would take the first for the class in question.
    """
    if raw.ndim != classes.ndim + 2 or raw.shape[:-2] != classes.shape:
        wanted = ", ".join([*map(str, classes.shape), "h", "w"])
        raise ShapeError(
            f"{type(method).__name__} was asked for classes of shape {tuple(classes.shape)} and returned maps "
            f"{tuple(raw.shape)}. raw_maps has to return ({wanted}): one map for each class asked for."
        )
    return raw


def refuse_other_logits(logits: Tensor | None, head: nn.Module) -> None:
    """Refuse logits that are not (B, K).

    Raises:
        ShapeError: they have another shape.
    """
    if logits is not None and logits.ndim != 2:
        raise ShapeError(
            f"{type(head).__name__} returned logits {tuple(logits.shape)}. A head has to return one score for each "
            "image and class, (B, K)."
        )


def checked_loss(value: Tensor, loss: nn.Module) -> Tensor:
    """Return a loss that is one number.

    Raises:
        ShapeError: it is several numbers.
    """
    if value.ndim:
        raise ShapeError(
            f"The loss {type(loss).__name__} returned {tuple(value.shape)}. A loss has to return one number, or a dict "
            "of named ones: take the mean over the batch."
        )
    return value


def refuse_other_scores(pooling: nn.Module, inputs: tuple[Tensor, ...], scores: Tensor) -> None:
    """Refuse scores that are not one for each image and map; a forward hook of poolings.

    Raises:
        ShapeError: they have another shape.
    """
    if inputs and scores.shape != inputs[0].shape[:2]:
        raise ShapeError(
            f"{type(pooling).__name__} was given maps {tuple(inputs[0].shape)} and returned {tuple(scores.shape)}. A "
            f"pooling has to return one score for each map, {tuple(inputs[0].shape[:2])}."
        )
