"""ex-CAM (Kushwaha 2022) with ResNet-101 on PASCAL VOC 2012, 224 x 224, from ImageNet weights.

    wsolkit train excam_resnet101_voc12 --cfg-options data_root=...

The dissertation gives 8 maps per class, a fifth of the cells, alpha .6, batches of 16 images and maps of 7 x 7 cells,
which means images of 224 pixels with this network. Learning rate, epochs and augmentation are those of WILDCAT's code.
model.modifiers.0.variant=literal drops as the dissertation prints it.
"""

_base_ = ["_base_/voc2012.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet101.tv_in1k", levels=["layer4"]),
    head=dict(type="ConvHead", maps_per_class=8, pooling=dict(type="WildcatPooling", kmax=0.2, kmin=0.2, alpha=0.6)),
    modifiers=[
        dict(type="SequentialDrop", at="maps", variant="fixed"),
        dict(type="ScaleGradient", at="maps"),
    ],
    losses=[dict(type="BinaryCrossEntropy")],
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
)
warped = [dict(type="Resize", size=(224, 224), antialias=True)]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=[*warped, dict(type="RandomHorizontalFlip")]))
val_dataloader = dict(batch_size=16, dataset=dict(pipeline=warped))
test_dataloader = dict(batch_size=16, dataset=dict(pipeline=warped))
optim_wrapper = dict(optimizer=dict(lr=0.01), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
param_scheduler = [dict(type="ConstantLR", factor=1.0, by_epoch=True)]
train_cfg = dict(max_epochs=20)
