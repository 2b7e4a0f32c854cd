from .array_parts import (
    BoxExtractor as BoxExtractor,
    Refiner as Refiner,
    Stage as Stage,
)
from .arrays import (
    Panel as Panel,
    Refined as Refined,
    ScoredBoxes as ScoredBoxes,
    Targets as Targets,
)
from .batch_transform import (
    BatchTransform as BatchTransform,
)
from .loss import (
    Loss as Loss,
)
from .network_parts import (
    ActivationHead as ActivationHead,
    Backbone as Backbone,
    CamMethod as CamMethod,
    MapModifier as MapModifier,
    Model as Model,
    Pooling as Pooling,
)
from .tensors import (
    Activation as Activation,
    Batch as Batch,
    KnownLevels as KnownLevels,
    Levels as Levels,
    Prediction as Prediction,
)
