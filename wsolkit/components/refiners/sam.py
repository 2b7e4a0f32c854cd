"""Segment Anything (Kirillov et al., ICCV 2023) asked with a map's boxes, from a folder on this machine."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from wsolkit.components.refiners.objects import map_masks, mask_overlap, refined_boxes
from wsolkit.errors import ConfigError, PluginError
from wsolkit.interfaces import Refined, Refiner, ScoredBoxes

__all__ = ["SamRefiner"]


class SamRefiner(Refiner):
    """Asks a Segment Anything model for the mask in each box (Kirillov et al. 2023); needs the extra ``[sam]``.

    The model is read by transformers from a folder that ``save_pretrained`` or a download wrote; nothing is ever
    downloaded. Of the masks that SAM offers for a box, the one is taken that it rates best. It was tried here with a
    tiny model of random weights alone: what real ones make of a map's boxes has not been measured.

    Args:
        path: folder of a ``SamModel`` with its processor: config.json, model.safetensors, preprocessor_config.json.
        side: the longest side of the image it is handed, in pixels.
        keep_below: overlap with the map's own mask below which that is kept.
        replace_from: overlap with the box around the mask from which that takes the box's place; 1 for never.
        device: where to compute, such as ``cpu`` or ``cuda``.

    Raises:
        ConfigError: the folder is missing, or holds no such model.
        PluginError: transformers is not installed.
    """

    def __init__(
        self,
        path: str,
        side: Annotated[int, "at least 16"] = 1024,
        keep_below: Annotated[float, "in [0, 1]"] = 0.3,
        replace_from: Annotated[float, "in [0, 1]"] = 1.0,
        device: str = "cpu",
    ) -> None:
        super().__init__(side)
        self.path = path
        self.keep_below = keep_below
        self.replace_from = replace_from
        self.device = device
        if not Path(path).is_dir():
            raise ConfigError(
                f"SamRefiner reads a model from a folder on this machine, but there is no folder {path}. Give path=, "
                "the folder of a downloaded model."
            )

    @cached_property
    def model_and_processor(self) -> tuple[Any, Any]:
        """The model in evaluation, and what prepares its images; read when they are first needed."""
        try:
            from transformers import SamModel, SamProcessor
        except ImportError as error:
            raise PluginError(
                f"SamRefiner needs transformers, which cannot be imported ({error}): pip install transformers."
            ) from error
        try:
            model = SamModel.from_pretrained(self.path, local_files_only=True)
            processor = SamProcessor.from_pretrained(self.path, local_files_only=True)
        except Exception as error:  # transformers raises whatever its readers meet
            raise ConfigError(
                f"{self.path} holds no SAM model that transformers can read ({' '.join(str(error).split())[:200]}). "
                "Give a folder with config.json, model.safetensors and preprocessor_config.json of a SamModel."
            ) from error
        return model.eval().to(self.device), processor

    def __call__(self, image: np.ndarray, score_map: np.ndarray, boxes: ScoredBoxes, threshold: float) -> Refined:
        """Return a mask for each box, and the boxes, in the same order."""
        seeds = map_masks(score_map, boxes.boxes, threshold)
        if not len(seeds):
            return Refined(seeds, boxes)
        masks = self.asked(image, boxes.boxes)
        for mask, seed in zip(masks, seeds, strict=True):
            if mask_overlap(mask, seed) < self.keep_below or not mask.any():
                mask[:] = seed
        return Refined(masks, refined_boxes(masks, boxes, self.replace_from))

    def asked(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Return SAM's best mask (N, h, w) bool of each box (N, 4)."""
        import torch

        model, processor = self.model_and_processor
        given = processor(image, input_boxes=[boxes.astype(float).tolist()], return_tensors="pt")
        sizes = given["original_sizes"], given["reshaped_input_sizes"]
        with torch.inference_mode():
            prompts = given["input_boxes"].float().to(self.device)
            found = model(given["pixel_values"].to(self.device), input_boxes=prompts)
        offered = processor.image_processor.post_process_masks(found.pred_masks.float().cpu(), *sizes)[0]
        best = found.iou_scores[0].argmax(dim=-1).cpu()
        return offered[torch.arange(len(offered)), best].numpy().astype(bool)
