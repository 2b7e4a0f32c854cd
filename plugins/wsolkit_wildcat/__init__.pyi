from .pooling import (
    WildcatPooling as WildcatPooling,
    region_count as region_count,
    top_and_bottom_mean as top_and_bottom_mean,
)
from .scale_gradient import ScaleGradient as ScaleGradient
