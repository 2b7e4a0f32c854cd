from .arguments import (
    Checked as Checked,
)
from .components.backbones.timm_backbone import (
    TimmBackbone as TimmBackbone,
)
from .config.data_only import (
    is_data_only as is_data_only,
)
from .config.load import (
    load_config as load_config,
)
from .config.load_model import (
    LoadedModel as LoadedModel,
    load_model as load_model,
    load_network as load_network,
    training_of as training_of,
)
from .config.stored import (
    holds_config as holds_config,
)
from .deploy.export import (
    export_model as export_model,
)
from .errors import (
    CheckpointError as CheckpointError,
    ConfigError as ConfigError,
    DataError as DataError,
    HeadError as HeadError,
    MapError as MapError,
    PluginError as PluginError,
    ShapeError as ShapeError,
    WsolkitError as WsolkitError,
    in_range as in_range,
    nearest as nearest,
    one_of as one_of,
)
from .files import (
    path_below as path_below,
    whole_file as whole_file,
    write_json as write_json,
    write_text as write_text,
)
from .folders import (
    is_untouched as is_untouched,
)
from .hub.fetch import (
    from_pretrained as from_pretrained,
)
from .hub.share import (
    push_to_hub as push_to_hub,
    save_pretrained as save_pretrained,
)
from .inference.predictor import (
    Predictor as Predictor,
)
from .interfaces.array_parts import (
    BoxExtractor as BoxExtractor,
    Refiner as Refiner,
    Stage as Stage,
)
from .interfaces.arrays import (
    Panel as Panel,
    Refined as Refined,
    ScoredBoxes as ScoredBoxes,
    Targets as Targets,
)
from .interfaces.batch_transform import (
    BatchTransform as BatchTransform,
)
from .interfaces.loss import (
    Loss as Loss,
)
from .interfaces.network_parts import (
    ActivationHead as ActivationHead,
    Backbone as Backbone,
    CamMethod as CamMethod,
    MapModifier as MapModifier,
    Model as Model,
    Pooling as Pooling,
)
from .interfaces.tensors import (
    Activation as Activation,
    Batch as Batch,
    KnownLevels as KnownLevels,
    Levels as Levels,
    Prediction as Prediction,
)
from .kernels import (
    compiled as compiled,
)
from .labelling.run import (
    label as label,
)
from .maps import (
    MapNormalize as MapNormalize,
    MapResize as MapResize,
    normalize_maps as normalize_maps,
)
from .model.classes import (
    predicted_classes as predicted_classes,
)
from .model.device import (
    choose_device as choose_device,
)
from .model.gradient_maps import (
    GradientMaps as GradientMaps,
    check_classes as check_classes,
    fuse_maps as fuse_maps,
    head_level as head_level,
    weighted_sum as weighted_sum,
)
from .model.localizer import (
    Localizer as Localizer,
)
from .model.precision import (
    Precision as Precision,
    autocast_context as autocast_context,
)
from .model.preprocess import (
    ImagePreprocessor as ImagePreprocessor,
)
from .model.scored_batch import (
    activate_images as activate_images,
    enough_memory as enough_memory,
)
from .model.tape import (
    Tape as Tape,
    check_places as check_places,
    watch as watch,
)
from .model.ten_crop import (
    class_probabilities as class_probabilities,
    ten_crops as ten_crops,
)
from .modules import (
    find_module as find_module,
    freeze_modules as freeze_modules,
    in_float32 as in_float32,
    keep_resting as keep_resting,
)
from .plugins.hookspecs import (
    hookimpl as hookimpl,
)
from .plugins.loading import (
    load_plugins as load_plugins,
)
from .plugins.methods import (
    Method as Method,
)
from .progress import (
    progress_bar as progress_bar,
)
from .registry import (
    BACKBONES as BACKBONES,
    BATCH_TRANSFORMS as BATCH_TRANSFORMS,
    BOX_EXTRACTORS as BOX_EXTRACTORS,
    CAM_METHODS as CAM_METHODS,
    DATASETS as DATASETS,
    HEADS as HEADS,
    LOSSES as LOSSES,
    METRICS as METRICS,
    MODELS as MODELS,
    MODIFIERS as MODIFIERS,
    POOLINGS as POOLINGS,
    PROTOCOLS as PROTOCOLS,
    REFINERS as REFINERS,
    STAGES as STAGES,
    TRANSFORMS as TRANSFORMS,
)
from .scoring.accumulator_metric import (
    AccumulatorMetric as AccumulatorMetric,
)
from .threads import (
    in_order as in_order,
)
from .weights.checkpoint import (
    fetch_torchvision as fetch_torchvision,
    load_weights as load_weights,
    read_checkpoint as read_checkpoint,
    read_weights as read_weights,
)
from .weights.fitting import (
    fit_weights as fit_weights,
)

__version__: str
