from .guidance import (
    SelfProducedGuidance as SelfProducedGuidance,
    guided_loss as guided_loss,
    sure_pixels as sure_pixels,
)
from .head import SPGHead as SPGHead
