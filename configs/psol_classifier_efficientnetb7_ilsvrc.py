"""PSOL's classifier: EfficientNet-B7 on ILSVRC, images warped to 685 x 685 and cropped to 600 x 600.

    wsolkit train psol_classifier_efficientnetb7_ilsvrc --cfg-options data_root=...

``weights="timm"`` downloads ImageNet weights through timm; set a local file with weights=PATH. CombineBoxes averages
ten crops of it: ten_crop=dict(resize=685, crop=600). One epoch fits the new linear layer: the weights know the data.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_b7.ra_in1k", levels=["final"]),
    head=dict(type="LinearHead"),
    losses=[dict(type="CrossEntropy")],
)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        pipeline=[dict(type="ResizedRandomCrop", size=685, crop=600), dict(type="RandomHorizontalFlip")],
    ),
)
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=[dict(type="Resize", size=(600, 600), antialias=True)]))
test_dataloader = val_dataloader
default_hooks = dict(checkpoint=dict(monitor="top1"))
optim_wrapper = dict(optimizer=dict(lr=0.001), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
train_cfg = dict(max_epochs=1)
