"""PSOL: pseudo boxes, a box regressor and a classifier, combined; DDT as a source of pseudo boxes."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "BaseMetric": ["wsolkit_psol.box_acc_metric:BoxAccMetric"],
        "BaseModel": ["wsolkit_psol.regressor:BoxRegressor"],
        "Stage": [
            "wsolkit_psol.combine:CombineBoxes",
            "wsolkit_psol.ddt_maps:DDTMaps",
            "wsolkit_psol.pseudo_boxes:PseudoBoxes",
        ],
        "Transform": ["wsolkit_psol.box_crop:RandomResizedBBoxCrop"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the papers behind it."""
    return [Method.from_card(Path(__file__).with_name(name)) for name in ("card.md", "ddt.md")]
