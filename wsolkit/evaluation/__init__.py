"""Evaluation on plain arrays: usable with maps and boxes from any framework."""

from wsolkit.evaluation.baselines import BASELINES, centre_box, centred_blob, whole_image
from wsolkit.evaluation.classification import average_precision, label_rank, mean_average_precision
from wsolkit.evaluation.map_boxes import box_hits, component_boxes
from wsolkit.evaluation.overlap import best_iou, box_iou
from wsolkit.evaluation.scores import Score, rate_of
from wsolkit.evaluation.summary import Localization, classification, localization
from wsolkit.evaluation.thresholds import choose_threshold, hit_rates
from wsolkit.evaluation.trials import ImageResult, boxes_at, class_labels, judge

__all__ = [
    "BASELINES",
    "ImageResult",
    "Localization",
    "Score",
    "average_precision",
    "best_iou",
    "box_hits",
    "box_iou",
    "boxes_at",
    "centre_box",
    "centred_blob",
    "choose_threshold",
    "class_labels",
    "classification",
    "component_boxes",
    "hit_rates",
    "judge",
    "label_rank",
    "localization",
    "mean_average_precision",
    "rate_of",
    "whole_image",
]
