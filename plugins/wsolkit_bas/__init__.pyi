from .head import SuppressionHead as SuppressionHead
from .suppression import BackgroundSuppression as BackgroundSuppression, background_share as background_share
