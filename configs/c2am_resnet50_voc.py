"""C2AM with ResNet-50 on PASCAL VOC 2012, 448 x 448, maps of 28 x 28 cells; no label is used.

    torchrun --nproc-per-node 4 -m wsolkit train c2am_resnet50_voc --launcher pytorch --cfg-options data_root=...

The batch is 128 over all processes: 4 of 32. The paper trains on train_aug (10,582 images): set
train_dataloader.dataset.split=train_aug where that list lies in ImageSets.
"""

_base_ = ["_base_/voc2012_448.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer3", "layer4"], output_stride=16),
    head=dict(type="C2AMHead", levels=["layer4", "layer3"]),
    losses=[dict(type="C2AMLoss", alpha=0.25, batch_size=128)],
    # As the reference for segmentation. The head's own maps divided by their maximum are above .3 nearly everywhere.
    cam_method=dict(
        type="MultiScaleMaps",
        scales=(0.5, 1.0, 1.5, 2.0),
        flip=True,
        of=dict(type="C2AMLogitMaps", inverted="negated"),
        normalize="max",
    ),
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
)
train_dataloader = dict(batch_size=32, drop_last=True)
train_cfg = dict(max_epochs=10)
sync_bn = "torch"
