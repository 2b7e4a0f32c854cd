from .configurations import (
    checked_options as checked_options,
    declared_configuration as declared_configuration,
    files_named as files_named,
    outside_files as outside_files,
)
from .maps_stage import (
    Maps as Maps,
    maps_of_batch as maps_of_batch,
)
from .model_stage import (
    ModelStage as ModelStage,
)
from .placeholders import (
    has_placeholder as has_placeholder,
)
from .plan import (
    Pipeline as Pipeline,
    load_pipeline as load_pipeline,
    plan_pipeline as plan_pipeline,
)
from .predict_stage import (
    Predict as Predict,
)
from .run import (
    Outcome as Outcome,
    run_pipeline as run_pipeline,
)
from .split_stage import (
    SplitStage as SplitStage,
)
from .splits import (
    SplitImages as SplitImages,
    build_split as build_split,
    check_split as check_split,
    input_size as input_size,
    split_batches as split_batches,
)
from .testing_stage import (
    Test as Test,
)
from .train_stage import (
    Train as Train,
)
