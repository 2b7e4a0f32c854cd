"""WILDCAT (Durand et al. 2017) with ResNet-101 on PASCAL VOC 2012, 448 x 448, from ImageNet weights.

    wsolkit train wildcat_resnet101_voc --cfg-options data_root=...

Settings of the authors' code: images warped to 448 (maps of 14 x 14 cells), 8 maps per class, a fifth of the cells,
alpha .7, SGD with the learning rate .01 and a tenth of it for the backbone, 20 epochs without decay.
"""

_base_ = ["_base_/voc2012.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet101.tv_in1k", levels=["layer4"]),
    head=dict(type="ConvHead", maps_per_class=8, pooling=dict(type="WildcatPooling", kmax=0.2, kmin=0.2, alpha=0.7)),
    # The authors' code does not divide the gradient by the number of maps; their learning rate goes with that.
    modifiers=[dict(type="ScaleGradient", at="maps")],
    losses=[dict(type="BinaryCrossEntropy")],
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
)
warped = [dict(type="Resize", size=(448, 448), antialias=True)]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=[*warped, dict(type="RandomHorizontalFlip")]))
val_dataloader = dict(batch_size=16, dataset=dict(pipeline=warped))
test_dataloader = dict(batch_size=16, dataset=dict(pipeline=warped))
optim_wrapper = dict(
    optimizer=dict(lr=0.01, weight_decay=1e-4), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0))
)
param_scheduler = [dict(type="ConstantLR", factor=1.0, by_epoch=True)]
train_cfg = dict(max_epochs=20)
