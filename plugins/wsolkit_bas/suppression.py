"""The losses of the foreground map: nothing of the class outside, the class inside, and a small area."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, Loss, ShapeError
from wsolkit.components import label_rows

__all__ = ["BackgroundSuppression", "background_share"]

EPSILON = 1e-8


def background_share(background: Tensor, whole: Tensor) -> Tensor:
    """Return S_b / (S + eps): the part of a class's activation that is left without the foreground.

    Args:
        background: (B,) scores of the class of the background alone; below 0 they count as 0.
        whole: (B,) its scores of the whole image, likewise; no gradient flows to them.

    Returns:
        (B,); 1 where the background is as active as the whole.

    >>> import torch
    >>> background_share(torch.tensor([1.0, -1.0]), torch.tensor([4.0, 2.0])).tolist()
    [0.25, 0.0]
    """
    return background.relu() / (whole.detach().relu() + EPSILON)


class BackgroundSuppression(Loss):
    """Teaches foreground maps by activations: background activation suppression, region guidance and area (BAS).

    ``suppression`` is the mean of S_b / (S + eps), never above 1 for an image, ``guidance`` the cross entropy of the
    foreground's logits, ``area`` the mean of the foreground map. With several classes of an image S is the mean of
    theirs.

    Args:
        guidance: weight of the foreground's classification.
        area: weight of the area.
        several: whether images have several classes or none, so that the guidance is the binary cross entropy; by
            default where labels are (B, K), whatever their rows hold. Mixed labels of one class are (B, K) as well and
            may ask for ``False``.
    """

    def __init__(
        self,
        guidance: Annotated[float, "at least 0"] = 1.0,
        area: Annotated[float, "at least 0"] = 1.2,
        several: bool | None = None,
    ) -> None:
        super().__init__()
        self.several = several
        self.guidance = guidance
        self.area = area

    def forward(self, activation: Activation, batch: Batch) -> dict[str, Tensor]:
        """Return the three losses by name.

        Raises:
            HeadError: the head makes no foreground.
            ShapeError: the batch has no labels.
        """
        names = ("foreground_logits", "background_logits", "foreground", "logits")
        inside, outside, foreground, logits = (activation.need(name, self).float() for name in names)
        labels = batch.labels
        if labels is None:
            raise ShapeError("BackgroundSuppression needs labels, but the batch has none.")
        rows = label_rows(labels, inside.shape[1], inside.dtype)
        weights = rows / rows.sum(1, keepdim=True).clamp_min(EPSILON)
        share = background_share((outside * weights).sum(1), (logits * weights).sum(1))
        if labels.ndim == 2 if self.several is None else self.several:
            guidance = F.binary_cross_entropy_with_logits(inside, rows)
        else:
            guidance = F.cross_entropy(inside, labels if labels.ndim == 1 else labels.to(inside.dtype))
        return {
            "suppression": share.clamp_max(1).mean(),
            "guidance": self.guidance * guidance,
            "area": self.area * foreground.mean(),
        }
