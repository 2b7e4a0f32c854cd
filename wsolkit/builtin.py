"""wsolkit's own parts, handed over through the same hook as any plugin's; named, so that each is imported when used."""

from __future__ import annotations

from wsolkit.plugins.hookspecs import hookimpl

__all__: list[str] = []


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where the core's components are, by interface."""
    return {
        "Backbone": [
            "wsolkit.components.backbones.alexnet:AlexNet",
            "wsolkit.components.backbones.inception:InceptionV3",
            "wsolkit.components.backbones.timm_backbone:TimmBackbone",
            "wsolkit.components.backbones.vgg_gap:VGG16GAP",
        ],
        "MapModifier": [
            "wsolkit.components.modifiers:DropBlock",
            "wsolkit.components.modifiers:Dropout",
            "wsolkit.components.modifiers:SpatialDropout",
        ],
        "Pooling": [
            "wsolkit.components.poolings:AveragePooling",
            "wsolkit.components.poolings:LogSumExpPooling",
            "wsolkit.components.poolings:MaxPooling",
            "wsolkit.components.poolings:TopCellsPooling",
        ],
        "ActivationHead": [
            "wsolkit.components.heads:ConvHead",
            "wsolkit.components.heads:FeatureHead",
            "wsolkit.components.inside_foreground:InsideForeground",
            "wsolkit.components.parts_head:PartsHead",
            "wsolkit.components.heads:LinearHead",
        ],
        "Loss": [
            "wsolkit.components.losses:BinaryCrossEntropy",
            "wsolkit.components.losses:CrossEntropy",
            "wsolkit.components.losses:CrossEntropyOrNothing",
        ],
        "CamMethod": [
            "wsolkit.components.cams:HeadMaps",
            "wsolkit.components.cams:MultiScaleMaps",
            "wsolkit.components.crf_maps:CRFMaps",
        ],
        "BoxExtractor": [
            "wsolkit.components.boxes:AllComponents",
            "wsolkit.components.boxes:LargestComponent",
        ],
        "Refiner": [
            "wsolkit.components.refiners.dense_crf_refiner:DenseCRFRefiner",
            "wsolkit.components.refiners.grab_cut:GrabCutRefiner",
            "wsolkit.components.refiners.map_masks:MapMasks",
            "wsolkit.components.refiners.sam:SamRefiner",
        ],
        "Stage": [
            "wsolkit.pipeline.maps_stage:Maps",
            "wsolkit.pipeline.predict_stage:Predict",
            "wsolkit.pipeline.testing_stage:Test",
            "wsolkit.pipeline.train_stage:Train",
        ],
        "Protocol": [
            "accuracy=wsolkit.evaluation.classification_protocols:AccuracyProtocol",
            "mAP=wsolkit.evaluation.classification_protocols:LabelMAPProtocol",
            "localization=wsolkit.evaluation.box_protocols:LocalizationProtocol",
            "MaxBoxAcc=wsolkit.evaluation.box_protocols:MaxBoxAccProtocol",
            "MaxBoxAccV2=wsolkit.evaluation.box_protocols:MaxBoxAccV2Protocol",
            "MaxBoxAcc-exact=wsolkit.evaluation.box_protocols:ExactMaxBoxAccProtocol",
            "BoxAcc=wsolkit.evaluation.box_protocols:BoxAccProtocol",
            "CorLoc=wsolkit.evaluation.box_protocols:CorLocProtocol",
            "point-mAP=wsolkit.evaluation.box_protocols:PointMAPProtocol",
            "box-mAP=wsolkit.evaluation.box_protocols:BoxMAPProtocol",
            "box-mAP-given=wsolkit.evaluation.box_protocols:GivenBoxMAPProtocol",
            "PxAP=wsolkit.evaluation.mask_protocols:PxAPProtocol",
            "mIoU=wsolkit.evaluation.mask_protocols:MeanIoUProtocol",
        ],
        "BaseModel": ["wsolkit.model.localizer:Localizer"],
        "BaseDataPreprocessor": ["wsolkit.model.preprocess:ImagePreprocessor"],
        "DistributedDataParallel": [
            "wsolkit.training.processes:OrderedDataParallel",
            "wsolkit.training.processes:SyncNormDataParallel",
        ],
        "BaseDataset": [
            "wsolkit.datasets.coco:COCO",
            "wsolkit.datasets.cub200:CUB200",
            "wsolkit.datasets.image_folder:ImageFolder",
            "wsolkit.datasets.pascal_voc:PascalVOC",
            "wsolkit.datasets.wsol_metadata:WsolMetadata",
        ],
        "Sampler": ["wsolkit.datasets.batch_sampler:ClassBalancedBatchSampler"],
        "Transform": ["wsolkit.datasets.transforms:ResizedRandomCrop"],
        "BaseMetric": [
            "wsolkit.scoring.localization_metric:LocalizationMetric",
            "wsolkit.scoring.protocol_metric:ProtocolMetric",
        ],
        "Hook": [
            "wsolkit.training.broken_loss:StopOnBrokenLoss",
            "wsolkit.training.checkpoints:Checkpoints",
            "wsolkit.training.corrupt_images:CorruptImages",
            "wsolkit.training.history:History",
            "wsolkit.training.processes:SameBuffers",
            "wsolkit.training.progress_bar:ProgressBar",
            "wsolkit.training.seeding:SeedIterations",
            "wsolkit.training.seeding:TrainingProgress",
            "wsolkit.training.threshold:ThresholdHook",
        ],
        "BaseLoop": [
            "wsolkit.training.loops:EpochLoop",
            "wsolkit.training.loops:IterationLoop",
        ],
        "DefaultOptimWrapperConstructor": ["wsolkit.training.param_groups:PartOptimWrapperConstructor"],
    }
