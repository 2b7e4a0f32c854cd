"""PoolNet with MobileNetV2 on the background cues of PASCAL VOC 2012, small enough for two cores.

    wsolkit train wsss_saliency_mobilenetv2_voc --cfg-options data_root=... weights=...
        train_dataloader.dataset.cues=FOLDER

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; FOLDER is that of a BackgroundCues stage.
"""

_base_ = ["_base_/saliency.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"
data_root = "{{$WSOLKIT_DATA:data}}/voc/VOCdevkit/VOC2012"

model = dict(
    type="SaliencyNetwork",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(
        type="TimmBackbone",
        name="mobilenetv2_100",
        pad_type="same",
        levels=["blocks.1", "blocks.2", "blocks.4", "final"],
    ),
    width=48,
    size=(224, 224),
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        dataset=dict(type="PascalVOC", split="train"),
        pipeline=[
            dict(type="RandomResizedCrop", size=224, scale=(0.5, 1.0), ratio=(0.75, 1.333), antialias=True),
            dict(type="RandomHorizontalFlip"),
        ],
    ),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=5e-4), accumulative_counts=1)
param_scheduler = [dict(type="CosineAnnealingLR", convert_to_iter_based=True)]
train_cfg = dict(max_epochs=4)
