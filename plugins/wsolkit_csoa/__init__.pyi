from .branch_union import BranchUnion as BranchUnion
from .co_aug import CoAug as CoAug, masked_images as masked_images
from .conf_seg import ConfSeg as ConfSeg
from .confidence import confidence_mask as confidence_mask, inner_distance as inner_distance
from .head import TwoBranchHead as TwoBranchHead
from .pair_terms import pair_distances as pair_distances, pair_terms as pair_terms
from .soft_mask import soft_mask as soft_mask
