from .backbones.alexnet import AlexNet as AlexNet
from .backbones.inception import InceptionV3 as InceptionV3
from .backbones.timm_backbone import TimmBackbone as TimmBackbone
from .backbones.timm_models import build_timm_model as build_timm_model, feature_places as feature_places
from .backbones.vgg_gap import VGG16GAP as VGG16GAP
from .boxes import (
    AllComponents as AllComponents,
    LargestComponent as LargestComponent,
    components as components,
    largest_box as largest_box,
    largest_contour as largest_contour,
)
from .cams import HeadMaps as HeadMaps, MultiScaleMaps as MultiScaleMaps
from .cell_attention import attend as attend
from .crf_maps import CRFMaps as CRFMaps
from .feature_maps import (
    FeatureMaps as FeatureMaps,
    component_of as component_of,
    finite_features as finite_features,
    where_features_vary as where_features_vary,
)
from .heads import (
    ConvHead as ConvHead,
    FeatureHead as FeatureHead,
    LinearHead as LinearHead,
    choose_level as choose_level,
    concat_levels as concat_levels,
    map_classifier as map_classifier,
    recombine as recombine,
    standardization as standardization,
)
from .inside_foreground import InsideForeground as InsideForeground, inside as inside
from .losses import (
    BinaryCrossEntropy as BinaryCrossEntropy,
    CrossEntropy as CrossEntropy,
    CrossEntropyOrNothing as CrossEntropyOrNothing,
    label_rows as label_rows,
    logits_and_labels as logits_and_labels,
)
from .map_similarity import mean_cosine as mean_cosine
from .modifiers import (
    DropBlock as DropBlock,
    Dropout as Dropout,
    SpatialDropout as SpatialDropout,
    hide as hide,
    spare_whole as spare_whole,
)
from .parts_head import PartsHead as PartsHead
from .poolings import (
    AveragePooling as AveragePooling,
    LogSumExpPooling as LogSumExpPooling,
    MaxPooling as MaxPooling,
    TopCellsPooling as TopCellsPooling,
    log_sum_exp as log_sum_exp,
    mean_of_top_cells as mean_of_top_cells,
)
from .refiners.dense_crf_refiner import DenseCRFRefiner as DenseCRFRefiner, object_chance as object_chance
from .refiners.grab_cut import GrabCutRefiner as GrabCutRefiner
from .refiners.map_masks import MapMasks as MapMasks
from .refiners.objects import ForegroundRefiner as ForegroundRefiner, map_masks as map_masks
from .regions import (
    below as below,
    map_of_present as map_of_present,
    normalized_maximum as normalized_maximum,
    pool_regions as pool_regions,
)
