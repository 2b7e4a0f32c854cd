"""The loss of C2AM over the embeddings of the whole batch, on one process or on several."""

from __future__ import annotations

import warnings
from typing import Annotated, Literal

from torch import Tensor

from wsolkit import Activation, Batch, Loss
from wsolkit_c2am.contrast import negative_contrast, positive_contrast
from wsolkit_c2am.processes import gather_rows

__all__ = ["C2AMLoss"]

EMBEDDINGS = ("foreground", "background")


class C2AMLoss(Loss):
    """Contrasts foregrounds with backgrounds, and draws foregrounds together and backgrounds together.

    The loss needs no labels. It reads the embeddings that ``C2AMHead`` puts into ``Activation.extras``, of the whole
    batch: with several processes the embeddings of all are gathered, so that two processes of 8 images train as one of
    16. Of a head with several members it is the sum of theirs, so that each learns what it would learn alone. The batch
    size is a setting of the method: the ranks, and with them what ``alpha`` means, depend on it.

    Args:
        alpha: how fast the weight of a pair falls with its rank: .05 (CUB and ILSVRC, supervised weights), .25 (VOC),
            .75 (CUB, MoCo v2 or DetCo weights).
        variant: ``paper`` leaves out the pair of an image with itself and divides by N(N - 1); ``reference`` counts it
            with the weight exp(alpha), divides by N^2, and ranks cosines after the clamp.
        gather: whether the embeddings of several processes make one batch.
        batch_size: the size of the whole batch that ``alpha`` was chosen for, or None; another one gives a warning.

    Raises:
        ConfigError: ``alpha`` is negative, or the variant is unknown.
    """

    def __init__(
        self,
        alpha: Annotated[float, "at least 0"] = 0.25,
        variant: Literal["paper", "reference"] = "paper",
        gather: bool = True,
        batch_size: Annotated[int, "at least 1"] | None = None,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.variant = variant
        self.gather = gather
        self.batch_size = batch_size

    def forward(self, activation: Activation, batch: Batch) -> dict[str, Tensor]:
        """Return ``negative``, ``foreground`` and ``background``; their sum is the loss.

        Raises:
            HeadError: the head gives no embeddings.
            ShapeError: there is a single image.
        """
        foreground, background = (activation.need(name, self) for name in EMBEDDINGS)
        if self.gather:
            foreground, background = gather_rows(foreground), gather_rows(background)
        self._check_batch_size(len(foreground))
        if foreground.ndim == 3:
            foreground, background = foreground.movedim(1, 0), background.movedim(1, 0)  # (M, N, C)
        reference = self.variant == "reference"
        terms = {
            "negative": negative_contrast(foreground, background),
            "foreground": positive_contrast(foreground, self.alpha, reference, reference),
            "background": positive_contrast(background, self.alpha, reference, reference),
        }
        return {name: term.sum() for name, term in terms.items()}

    def _check_batch_size(self, size: int) -> None:
        """Warn once, at the first batch, where the batch is not the one alpha was chosen for."""
        expected, self.batch_size = self.batch_size, None
        if expected is not None and size != expected:
            warnings.warn(
                f"C2AM's alpha={self.alpha} was chosen for batches of {expected} images over all processes, but there "
                f"are {size}. Ranks depend on the batch: change batch_size, or choose another alpha.",
                stacklevel=2,
            )
