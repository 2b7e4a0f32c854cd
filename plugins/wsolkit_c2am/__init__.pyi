from .contrast import (
    negative_contrast as negative_contrast,
    positive_contrast as positive_contrast,
    rank_weights as rank_weights,
)
from .head import C2AMHead as C2AMHead, region_embeddings as region_embeddings
from .logit_maps import C2AMLogitMaps as C2AMLogitMaps
from .loss import C2AMLoss as C2AMLoss
