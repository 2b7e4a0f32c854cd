"""wsolkit's own parts, handed over through the same hook as any plugin's."""

from __future__ import annotations

from wsolkit.backbones.inception import InceptionV3
from wsolkit.backbones.timm_backbone import TimmBackbone
from wsolkit.backbones.vgg_gap import VGG16GAP
from wsolkit.boxes import AllComponents, LargestComponent
from wsolkit.cams import HeadMaps, MultiScaleMaps
from wsolkit.datasets import collate as _collate  # noqa: F401 - registers collate_samples
from wsolkit.datasets.coco import COCO
from wsolkit.datasets.cub200 import CUB200
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.datasets.pascal_voc import PascalVOC
from wsolkit.datasets.synthetic import SyntheticParts
from wsolkit.datasets.transforms import ResizedRandomCrop
from wsolkit.datasets.wsol_metadata import WsolMetadata
from wsolkit.heads import ConvHead, LinearHead
from wsolkit.hookspecs import hookimpl
from wsolkit.localizer import Localizer
from wsolkit.losses import BinaryCrossEntropy, CrossEntropy
from wsolkit.metrics import LocalizationMetric, ProtocolMetric
from wsolkit.modifiers.drop_block import DropBlock, SpatialDropout
from wsolkit.pipeline import MapsStage, PredictStage, TestStage, TrainStage
from wsolkit.poolings import AveragePooling, LogSumExpPooling, MaxPooling
from wsolkit.preprocess import ImagePreprocessor
from wsolkit.runner.checkpoints import Checkpoints
from wsolkit.runner.corrupt_images import CorruptImages
from wsolkit.runner.guards import StopOnBrokenLoss
from wsolkit.runner.history import History
from wsolkit.runner.loops import EpochLoop, IterationLoop
from wsolkit.runner.param_groups import PartOptimWrapperConstructor
from wsolkit.runner.processes import SameBuffers, SyncNormDataParallel
from wsolkit.runner.progress import ProgressBar
from wsolkit.runner.seeding import SeedIterations, TrainingProgress
from wsolkit.runner.threshold import ThresholdHook


@hookimpl
def wsolkit_components() -> list[type]:
    """Return the core's components."""
    return [
        COCO,
        CUB200,
        AllComponents,
        AveragePooling,
        BinaryCrossEntropy,
        Checkpoints,
        ConvHead,
        CorruptImages,
        CrossEntropy,
        DropBlock,
        EpochLoop,
        HeadMaps,
        History,
        ImageFolder,
        ImagePreprocessor,
        InceptionV3,
        IterationLoop,
        LargestComponent,
        LinearHead,
        LocalizationMetric,
        Localizer,
        LogSumExpPooling,
        MapsStage,
        MaxPooling,
        MultiScaleMaps,
        PartOptimWrapperConstructor,
        PascalVOC,
        PredictStage,
        ProgressBar,
        ProtocolMetric,
        ResizedRandomCrop,
        SameBuffers,
        SeedIterations,
        SpatialDropout,
        StopOnBrokenLoss,
        SyncNormDataParallel,
        SyntheticParts,
        TestStage,
        ThresholdHook,
        TimmBackbone,
        TrainStage,
        TrainingProgress,
        VGG16GAP,
        WsolMetadata,
    ]
