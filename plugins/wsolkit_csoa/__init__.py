"""CSoA (Kou et al., WACV 2021): a second branch that follows the first where it is sure, and pairs within a batch."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    from wsolkit_csoa.alexnet import AlexNet
    from wsolkit_csoa.batch_sampler import ClassBalancedBatchSampler
    from wsolkit_csoa.branch_union import BranchUnion
    from wsolkit_csoa.co_aug import CoAug
    from wsolkit_csoa.conf_seg import ConfSeg
    from wsolkit_csoa.head import TwoBranchHead

    return [AlexNet, BranchUnion, ClassBalancedBatchSampler, CoAug, ConfSeg, TwoBranchHead]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
