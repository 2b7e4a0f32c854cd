"""Maps of a class from both classifiers, the second of which looks where the first has not found that class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsolkit import Activation, CamMethod, Model, Panel
from wsolkit_acol.head import ACoLHead

__all__ = ["SecondLook"]


class SecondLook(CamMethod):
    """Takes the larger of both classifiers' normalised maps, cell by cell (ACoL, section 3).

    For each class that is asked for, the second classifier sees the features without what the first one's map of that
    class holds. The head's own maps (``HeadMaps``) erase for the likeliest class alone, which takes one pass less for
    each further class.
    """

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) in [0, 1] for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: the head has no second classifier.
        """
        seen = activation or model.activate(images)
        head = model.head
        if not isinstance(head, ACoLHead):
            raise seen.refusal("first_maps", self)
        assert seen.features is not None
        asked = classes if classes.ndim == 2 else classes[:, None]
        rows = torch.arange(len(asked), device=seen.features.device)
        first = seen.extras["first_maps"]
        with torch.autocast(seen.features.device.type, enabled=False):
            features = seen.features.to(next(head.second.parameters()).dtype)
            maps = [head.seen_twice(features, first, each)[rows, each] for each in asked.to(rows.device).unbind(1)]
        found = torch.stack(maps, 1)  # (B, T, h, w)
        return found if classes.ndim == 2 else found[:, 0]

    def panels(self, model: Model, images: Tensor, label: int, activation: Activation) -> Sequence[Panel]:
        """Return what each classifier found, and the larger of both."""
        found = self.raw_maps(model, images, torch.tensor([label], device=images.device), activation)[0]
        first = activation.extras["first_maps"][0, label]
        first = (first - first.min()) / (first.max() - first.min()).clamp_min(1e-12)
        return [Panel("first classifier", first.cpu().numpy()), Panel("first or second", found.cpu().numpy())]
