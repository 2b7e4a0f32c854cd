"""CSoA (Kou et al., WACV 2021): a second branch that follows the first where it is sure, and pairs within a batch."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "CamMethod": ["wsolkit_csoa.branch_union:BranchUnion"],
        "Loss": ["wsolkit_csoa.co_aug:CoAug", "wsolkit_csoa.conf_seg:ConfSeg"],
        "ActivationHead": ["wsolkit_csoa.head:TwoBranchHead"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
