"""PSOL: pseudo boxes, a box regressor and a classifier, combined; DDT as a source of pseudo boxes."""

from wsolkit import Method, hookimpl
from wsolkit_psol.box_acc_metric import BoxAccMetric
from wsolkit_psol.box_crop import RandomResizedBBoxCrop
from wsolkit_psol.combine import CombineBoxes
from wsolkit_psol.ddt_maps import DDTMaps
from wsolkit_psol.paper import METHODS
from wsolkit_psol.pseudo_boxes import PseudoBoxes
from wsolkit_psol.regressor import BoxRegressor

__all__ = ["BoxAccMetric", "BoxRegressor", "CombineBoxes", "DDTMaps", "PseudoBoxes", "RandomResizedBBoxCrop"]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [BoxAccMetric, BoxRegressor, CombineBoxes, DDTMaps, PseudoBoxes, RandomResizedBBoxCrop]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return list(METHODS)
