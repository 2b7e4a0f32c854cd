from .boxed_shots import BoxedShots as BoxedShots, shots_of_each_class as shots_of_each_class
from .head import ForegroundHead as ForegroundHead
from .localizer import BoxedBatch as BoxedBatch, FewShotLocalizer as FewShotLocalizer
from .pixel_loss import BoxPixelLoss as BoxPixelLoss, box_masks as box_masks
