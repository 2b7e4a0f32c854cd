"""The box regressor: one class-agnostic box for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from wsolkit import (
    BACKBONES,
    MODELS,
    Checked,
    DataError,
    Precision,
    ShapeError,
    autocast_context,
    freeze_modules,
    keep_resting,
)
from wsolkit.components import choose_level
from wsolkit_psol.box_codes import LOSS_WEIGHTS, BoxLoss, box_loss, to_corners, to_relative

__all__ = ["BoxPrediction", "BoxRegressor"]


@dataclass
class BoxPrediction:
    """The box of one image.

    Attributes:
        image_id: the image's name.
        box: (4,) float64, x0 y0 x1 y1 in fractions of the network input's width and height.
    """

    image_id: str
    box: np.ndarray

    def on(self, size: tuple[int, int]) -> np.ndarray:
        """Return the box (4,) in pixels of an image of ``size`` = (width, height) that the network saw as a whole.

        >>> BoxPrediction("a", np.array([0.25, 0.5, 0.75, 1.0])).on((40, 20)).tolist()
        [10.0, 10.0, 30.0, 20.0]
        """
        return self.box * np.array([*size, *size], dtype=np.float64)


class BoxHead(nn.Sequential):
    """Two linear layers, a ReLU between and a sigmoid behind: x, y, w, h of pooled features (B, C).

    Args:
        channels: C.
        hidden: width of the first layer.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, 4), nn.Sigmoid())

    def from_authors(self, checkpoint: Mapping[str, Any]) -> dict[str, Tensor] | None:
        """Return these layers from a state of the authors' networks: ``fc`` of ResNets, ``classifier`` of DenseNets."""
        state = checkpoint["state_dict"]
        for name in ("fc", "classifier"):
            found = {key: state[f"{name}.{key}"] for key in self.state_dict() if f"{name}.{key}" in state}
            if "2.weight" in found:
                return found
        return None


class BoxRegressor(Checked, BaseModel):
    """Predicts one box for each image (PSOL, Zhang et al., CVPR 2020, section 3.2.1).

    The level is pooled; two linear layers with a ReLU between and a sigmoid behind make x, y, w, h of it, the top-left
    corner and the size of the box in fractions of the network input. Training needs one box for each image, as a data
    set with ``transform_targets=True`` gives them.

    Args:
        backbone: configuration of a ``Backbone``.
        level: name of the level that is pooled; the deepest by default.
        hidden: width of the first linear layer.
        loss: ``mse`` (the paper's), ``smooth_l1`` or ``giou``.
        loss_weight: what the loss is multiplied by; 50 for ``mse`` as in the paper, 10 for ``smooth_l1``, 1 for
            ``giou`` where nothing is said.
        data_preprocessor: configuration of what turns uint8 batches into inputs.
        precision: ``auto`` (bf16 where it is fast), ``bf16`` or ``fp32``. The two linear layers are always float32.
        channels_last: lay weights and images out with the channels innermost.
        freeze: dotted names of modules of the backbone that training leaves as they are, batch statistics included.
        compile: compile the backbone with ``torch.compile``; a dict gives its options.
        init_cfg: mmengine's initialisation configuration.

    Raises:
        ConfigError: a part is unknown or does not fit.
    """

    def __init__(
        self,
        backbone: Any,
        level: str | None = None,
        hidden: Annotated[int, "at least 1"] = 512,
        loss: BoxLoss = "mse",
        loss_weight: Annotated[float, "above 0"] | None = None,
        data_preprocessor: Any = None,
        precision: Precision = "auto",
        channels_last: bool = True,
        freeze: Sequence[str] = (),
        compile: bool | Mapping[str, Any] = False,
        init_cfg: Any = None,
    ) -> None:
        preprocessor = data_preprocessor or {"type": "ImagePreprocessor"}
        if isinstance(preprocessor, Mapping) and preprocessor.get("type") == "ImagePreprocessor":
            preprocessor = {"channels_last": channels_last, **preprocessor}
        super().__init__(data_preprocessor=MODELS.build(preprocessor), init_cfg=init_cfg)
        self.backbone = BACKBONES.build(backbone)
        self.level = choose_level(self.backbone.channels, level)
        self.box_head = BoxHead(self.backbone.channels[self.level], hidden)
        self.loss_kind = loss
        self.loss_weight = LOSS_WEIGHTS[loss] if loss_weight is None else float(loss_weight)
        self.precision = precision
        self.frozen = freeze_modules(self.backbone, freeze)
        if channels_last:
            self.to(memory_format=torch.channels_last)
        if compile:
            self.backbone.compile(**({} if compile is True else compile))

    @property
    def head(self) -> BoxHead:
        """What comes after the backbone, by the name that other models have for it."""
        return self.box_head

    def train(self, mode: bool = True) -> BoxRegressor:
        """Switch to training or evaluation; frozen modules stay in evaluation."""
        super().train(mode)
        keep_resting(self.backbone, self.frozen)
        return self

    def regress(self, images: Tensor) -> Tensor:
        """Return relative boxes (B, 4), x y w h in (0, 1), of normalised images (B, 3, H, W).

        Raises:
            ShapeError: these are no images.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise ShapeError(f"Images should be (B, 3, H, W), but got {tuple(images.shape)}.")
        with autocast_context(self.precision, images.device):
            features = self.backbone(images)[self.level]  # (B, C, h, w)
        with autocast_context("fp32", images.device):
            return self.box_head(features.float().mean((2, 3)))

    def forward(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        image_ids: Sequence[str] = (),
        boxes: Sequence[Tensor] | None = None,
        mode: str = "tensor",
        **_: Any,
    ) -> Any:
        """Run the model as mmengine asks: ``loss`` for training, ``predict`` for evaluation, ``tensor`` for x y w h."""
        if mode == "loss":
            return self.loss(inputs, boxes, image_ids)
        if mode == "predict":
            return self.predict(inputs, image_ids)
        return self.regress(inputs)

    def loss(self, images: Tensor, boxes: Sequence[Tensor] | None, image_ids: Sequence[str] = ()) -> dict[str, Tensor]:
        """Return the weighted loss of a batch.

        Args:
            images: (B, 3, H, W), normalised.
            boxes: B of (1, 4), x0 y0 x1 y1 in pixels of the network input.
            image_ids: names of the images.

        Raises:
            DataError: an image has no box, several, or an empty one.
        """
        wanted = only_boxes(boxes, image_ids).to(images.device, torch.float32)
        targets = to_relative(wanted, (images.shape[-1], images.shape[-2]))
        return {"loss_box": self.loss_weight * box_loss(self.regress(images), targets, self.loss_kind)}

    @torch.no_grad()
    def predict(self, images: Tensor, image_ids: Sequence[str] = ()) -> list[BoxPrediction]:
        """Return one box for each of the normalised images (B, 3, H, W).

        Raises:
            DataError: the numbers are NaN or infinite.
        """
        found = to_corners(self.regress(images)).double().cpu().numpy()
        if not np.isfinite(found).all():
            raise DataError("The regressor predicts NaN: it has diverged. Take an earlier checkpoint.")
        names = image_ids or [str(number) for number in range(len(images))]
        return [BoxPrediction(name, box) for name, box in zip(names, found, strict=True)]


def only_boxes(boxes: Sequence[Tensor] | None, image_ids: Sequence[str] = ()) -> Tensor:
    """Return the one box of each of B images as (B, 4).

    Raises:
        DataError: an image has no box, several, or an empty one.

    >>> only_boxes([torch.tensor([[1, 2, 3, 4]])]).tolist()
    [[1, 2, 3, 4]]
    """
    if boxes is None:
        raise DataError(
            "A BoxRegressor trains on boxes, but the data has none. Take a data set with load_targets=True and "
            "transform_targets=True, such as COCO with the boxes.json of a PseudoBoxes stage."
        )
    names = list(image_ids) or [f"number {number} of the batch" for number in range(len(boxes))]
    for name, box in zip(names, boxes, strict=True):
        if box.shape != (1, 4):
            raise DataError(f"Image {name!r} has {len(box)} boxes, but a BoxRegressor trains on one. Keep one each.")
        if not bool((box[0, 2:] > box[0, :2]).all()):
            raise DataError(
                f"The box of image {name!r} is empty: {box[0].tolist()}. A crop has cut it off: use "
                "RandomResizedBBoxCrop, which keeps a part of it."
            )
    return torch.cat(list(boxes))
