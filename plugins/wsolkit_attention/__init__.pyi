from .dual import (
    DualAttention as DualAttention,
    channel_attention as channel_attention,
)
from .gates import CBAM as CBAM, Gate as Gate, SqueezeExcite as SqueezeExcite
