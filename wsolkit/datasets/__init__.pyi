from .batch_sampler import (
    ClassBalancedBatchSampler as ClassBalancedBatchSampler,
)
from .collate import (
    collate_samples as collate_samples,
)
from .decode import (
    read_image as read_image,
)
from .images import (
    ImageDataset as ImageDataset,
)
from .layouts.layout import (
    Metadata as Metadata,
)
from .reading import (
    prepare_image as prepare_image,
    read_batches as read_batches,
)
from .record import (
    Record as Record,
)
from .transforms import (
    build_pipeline as build_pipeline,
)
