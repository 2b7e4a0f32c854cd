"""The loss of a region that should not show the class of the image."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, Loss, ShapeError
from wsolkit.components import label_rows, logits_and_labels

__all__ = ["WithoutTheClass", "minus_log_of_others"]


def minus_log_of_others(logits: Tensor, classes: Tensor) -> Tensor:
    """Return -log(1 - p) of one class of each row, where p is its softmax, without losing digits near p = 1.

    Args:
        logits: (N, K), K of at least 2.
        classes: (N,).

    Returns:
        (N,).

    >>> minus_log_of_others(torch.tensor([[0.0, 0.0], [40.0, 0.0]]), torch.tensor([0, 0])).tolist()
    [0.6931471824645996, 40.0]
    """
    others = logits.scatter(1, classes[:, None], -torch.inf)
    return torch.logsumexp(logits, 1) - torch.logsumexp(others, 1)


class WithoutTheClass(Loss):
    """Asks that the background's features do not tell the class of the image: -log(1 - p_y) (TriLite, 2026).

    Args:
        score: what p is: ``softmax`` over the classes, as in the paper; ``nothing``, over the classes and "nothing",
            whose score is 0, for images of one class or none; or ``sigmoid`` of each class, for images of several: the
            mean over the classes of an image. Images without a class cost nothing.
        logits: name of the extra of the head with the logits (B, K) of the background.

    >>> from wsolkit import Activation, Batch
    >>> activation = Activation(torch.zeros(1, 1, 1, 1), extras={"background_logits": torch.tensor([[2.0, 2.0, 2.0]])})
    >>> round(float(WithoutTheClass()(activation, Batch(torch.zeros(1, 3, 1, 1), torch.tensor([1])))), 4)  # -log(2 / 3)
    0.4055
    """

    def __init__(
        self, score: Literal["softmax", "nothing", "sigmoid"] = "softmax", logits: str = "background_logits"
    ) -> None:
        super().__init__()
        self.score = score
        self.logits = logits

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over the batch; labels are (B,) indices or (B, K) in [0, 1].

        Raises:
            HeadError: the head gives no such logits.
            ShapeError: the batch has no labels, see the cross entropies; or a softmax has
                one class, which then is certain.
        """
        logits, labels = logits_and_labels(self, activation, batch, self.logits)
        logits = logits.float()
        if self.score == "softmax" and logits.shape[1] == 1:
            raise ShapeError(
                "WithoutTheClass compares the class of an image with others, but the head has 1 class. Take "
                "score='sigmoid' or score='nothing'."
            )
        labels = label_rows(labels, logits.shape[1], logits.dtype)
        if self.score == "sigmoid":
            return ((F.softplus(logits) * labels).sum(1) / labels.sum(1).clamp_min(1)).mean()
        rows, classes = (labels > 0).nonzero(as_tuple=True)
        scores = logits if self.score == "softmax" else torch.cat([logits, torch.zeros_like(logits[:, :1])], 1)
        each = minus_log_of_others(scores[rows], classes) * labels[rows, classes]
        return each.sum() / len(logits)
