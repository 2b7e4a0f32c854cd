from .pooling import (
    SoftmaxWeightedPooling as SoftmaxWeightedPooling,
    softmax_weighted_average as softmax_weighted_average,
)
from .recombined_maps import RecombinedMaps as RecombinedMaps, recombined_maps as recombined_maps
from .two_stage_box import TwoStageBox as TwoStageBox, extreme_cells as extreme_cells, seed_variances as seed_variances
