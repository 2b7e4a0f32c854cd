from .fused_maps import (
    FusedMaps as FusedMaps,
)
from .head import DivergentHead as DivergentHead
from .hierarchy import (
    groups_by_last_word as groups_by_last_word,
    hierarchy as hierarchy,
)
from .losses import (
    DiscrepantMaps as DiscrepantMaps,
    GroupCrossEntropy as GroupCrossEntropy,
    group_labels as group_labels,
)
