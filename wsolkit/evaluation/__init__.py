"""Evaluation on plain arrays: usable with maps and boxes from any framework.

``box_hits`` and ``component_boxes`` judge one score map at every threshold. The accumulators collect many images
(``update``), are merged over processes or shards (``merge``) and give a ``Result`` (``compute``). ``PROTOCOLS`` has the
published ones by name.

>>> import numpy as np
>>> metric = MaxBoxAcc()
>>> score_map = np.zeros((8, 8))
>>> score_map[2:6, 2:6] = 1
>>> metric.update("photo.jpg", score_map, gt_boxes=[[2, 2, 6, 6]], label=0)
>>> str(metric.compute(threshold=0.2)["MaxBoxAcc@50"])
'100.0 [20.7, 100.0]'
"""

from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.baselines import BASELINES, centre_box, centred_blob, drawn_map, whole_image
from wsolkit.evaluation.box_acc import BoxAcc
from wsolkit.evaluation.box_map import BoxMAP
from wsolkit.evaluation.class_masks import IGNORED, fit_mask, mask_value
from wsolkit.evaluation.classification import (
    ClassificationMAP,
    average_precision,
    label_rank,
    mean_average_precision,
)
from wsolkit.evaluation.corloc import CorLoc
from wsolkit.evaluation.doubt import BoxSigns, box_doubt, box_signs, map_agreement
from wsolkit.evaluation.failures import Trial, by_size, failure_of, failure_shares, iou_histogram
from wsolkit.evaluation.label_free import LabelFreeThreshold
from wsolkit.evaluation.map_boxes import box_hits, component_boxes, largest_boxes, truncated_boxes
from wsolkit.evaluation.max_box_acc import MaxBoxAcc, MaxBoxAccV2
from wsolkit.evaluation.mean_box import MEAN_BOX, MeanBox, box_map
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.overlap import best_iou, box_iou, inclusive_iou
from wsolkit.evaluation.paired import compare_hits, holm, mcnemar
from wsolkit.evaluation.point_localization import PointLocalizationMAP
from wsolkit.evaluation.protocol import BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL, Protocol
from wsolkit.evaluation.protocols import PROTOCOLS, choose_protocols
from wsolkit.evaluation.px_ap import PxAP
from wsolkit.evaluation.results import Curve, Line, Result
from wsolkit.evaluation.scored_image import ScoredImage, class_labels, truth_boxes
from wsolkit.evaluation.scores import Score, rate_of
from wsolkit.evaluation.thresholds import choose_threshold, hit_rates
from wsolkit.evaluation.top_k import TopKAccuracy, average_crops
from wsolkit.evaluation.top_k_localization import TopKLocalization
from wsolkit.evaluation.verdict import Judged, Verdict, verdict_of

__all__ = [
    "BASELINES",
    "BOXES",
    "IGNORED",
    "LOGITS",
    "MASKS",
    "MEAN_BOX",
    "MULTI_LABEL",
    "PROTOCOLS",
    "SINGLE_LABEL",
    "Accumulator",
    "BoxAcc",
    "BoxMAP",
    "BoxSigns",
    "ClassificationMAP",
    "CorLoc",
    "Curve",
    "Judged",
    "LabelFreeThreshold",
    "Line",
    "MaxBoxAcc",
    "MaxBoxAccV2",
    "MeanBox",
    "MeanIoU",
    "PointLocalizationMAP",
    "Protocol",
    "PxAP",
    "Result",
    "Score",
    "ScoredImage",
    "TopKAccuracy",
    "TopKLocalization",
    "Trial",
    "Verdict",
    "average_crops",
    "average_precision",
    "best_iou",
    "box_doubt",
    "box_hits",
    "box_iou",
    "box_map",
    "box_signs",
    "by_size",
    "centre_box",
    "centred_blob",
    "choose_protocols",
    "choose_threshold",
    "class_labels",
    "compare_hits",
    "component_boxes",
    "drawn_map",
    "failure_of",
    "failure_shares",
    "fit_mask",
    "hit_rates",
    "holm",
    "inclusive_iou",
    "iou_histogram",
    "label_rank",
    "largest_boxes",
    "map_agreement",
    "mask_value",
    "mcnemar",
    "mean_average_precision",
    "rate_of",
    "truncated_boxes",
    "truth_boxes",
    "verdict_of",
    "whole_image",
]
