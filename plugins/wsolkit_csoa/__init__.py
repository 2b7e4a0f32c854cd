"""CSoA (Kou et al., WACV 2021): a second branch that follows the first where it is sure, and pairs within a batch."""

from wsolkit import Method, hookimpl
from wsolkit_csoa.alexnet import AlexNet
from wsolkit_csoa.batch_sampler import ClassBalancedBatchSampler
from wsolkit_csoa.branch_union import BranchUnion
from wsolkit_csoa.co_aug import CoAug, masked_images
from wsolkit_csoa.conf_seg import ConfSeg
from wsolkit_csoa.confidence import confidence_mask, inner_distance
from wsolkit_csoa.head import TwoBranchHead
from wsolkit_csoa.pair_terms import pair_distances, pair_terms
from wsolkit_csoa.paper import CSOA
from wsolkit_csoa.soft_mask import soft_mask

__all__ = [
    "AlexNet",
    "BranchUnion",
    "ClassBalancedBatchSampler",
    "CoAug",
    "ConfSeg",
    "TwoBranchHead",
    "confidence_mask",
    "inner_distance",
    "masked_images",
    "pair_distances",
    "pair_terms",
    "soft_mask",
]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [AlexNet, BranchUnion, ClassBalancedBatchSampler, CoAug, ConfSeg, TwoBranchHead]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [CSOA]
