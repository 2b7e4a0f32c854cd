"""wsolkit's own parts, handed over through the same hook as any plugin's."""

from __future__ import annotations

from wsolkit.components.backbones.inception import InceptionV3
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.components.backbones.vgg_gap import VGG16GAP
from wsolkit.components.boxes import AllComponents, LargestComponent
from wsolkit.components.cams import HeadMaps, MultiScaleMaps
from wsolkit.components.heads import ConvHead, LinearHead
from wsolkit.components.losses import BinaryCrossEntropy, CrossEntropy
from wsolkit.components.modifiers import DropBlock, SpatialDropout
from wsolkit.components.poolings import AveragePooling, LogSumExpPooling, MaxPooling
from wsolkit.datasets import collate as _collate  # noqa: F401 - registers collate_samples
from wsolkit.datasets.coco import COCO
from wsolkit.datasets.cub200 import CUB200
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.datasets.pascal_voc import PascalVOC
from wsolkit.datasets.transforms import ResizedRandomCrop
from wsolkit.datasets.wsol_metadata import WsolMetadata
from wsolkit.hookspecs import hookimpl
from wsolkit.model.localizer import Localizer
from wsolkit.model.preprocess import ImagePreprocessor
from wsolkit.pipeline import Maps, Predict, Test, Train
from wsolkit.scoring.localization_metric import LocalizationMetric
from wsolkit.scoring.protocol_metric import ProtocolMetric
from wsolkit.training.broken_loss import StopOnBrokenLoss
from wsolkit.training.checkpoints import Checkpoints
from wsolkit.training.corrupt_images import CorruptImages
from wsolkit.training.history import History
from wsolkit.training.loops import EpochLoop, IterationLoop
from wsolkit.training.param_groups import PartOptimWrapperConstructor
from wsolkit.training.processes import SameBuffers, SyncNormDataParallel
from wsolkit.training.progress_bar import ProgressBar
from wsolkit.training.seeding import SeedIterations, TrainingProgress
from wsolkit.training.threshold import ThresholdHook


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
        Maps,
        MaxPooling,
        MultiScaleMaps,
        PartOptimWrapperConstructor,
        PascalVOC,
        Predict,
        ProgressBar,
        ProtocolMetric,
        ResizedRandomCrop,
        SameBuffers,
        SeedIterations,
        SpatialDropout,
        StopOnBrokenLoss,
        SyncNormDataParallel,
        Test,
        ThresholdHook,
        TimmBackbone,
        Train,
        TrainingProgress,
        VGG16GAP,
        WsolMetadata,
    ]
