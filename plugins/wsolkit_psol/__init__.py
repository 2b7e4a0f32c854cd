"""PSOL: pseudo boxes, a box regressor and a classifier, combined; DDT as a source of pseudo boxes."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    from wsolkit_psol.box_acc_metric import BoxAccMetric
    from wsolkit_psol.box_crop import RandomResizedBBoxCrop
    from wsolkit_psol.combine import CombineBoxes
    from wsolkit_psol.ddt_maps import DDTMaps
    from wsolkit_psol.pseudo_boxes import PseudoBoxes
    from wsolkit_psol.regressor import BoxRegressor

    return [BoxAccMetric, BoxRegressor, CombineBoxes, DDTMaps, PseudoBoxes, RandomResizedBBoxCrop]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return [Method.from_card(Path(__file__).with_name(name)) for name in ("card.md", "ddt.md")]
