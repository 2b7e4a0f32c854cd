"""Multi-label CAM with EfficientNet-Lite0 on PASCAL VOC 2012, from the ImageNet weights installed with wsolkit.

    wsolkit train cam_lite0_voc --cfg-options data_root=...

What other methods are compared on; see cam_lite0_birds50.
"""

_base_ = ["_base_/voc2012.py", "_base_/sgd_cosine.py"]

weights = "embedded"
squashed = [dict(type="Resize", size=(224, 224), antialias=True)]

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["final"], output_stride=16),
    head=dict(type="CAMHead", form="conv"),
    losses=[dict(type="BinaryCrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
    freeze=[
        "model.conv_stem", "model.bn1", "model.blocks.0", "model.blocks.1", "model.blocks.2", "model.blocks.3",
        "model.blocks.4", "model.blocks.5",
    ],
    norm_eval=["model"],
)  # fmt: skip
train_dataloader = dict(dataset=dict(pipeline=[*squashed, dict(type="RandomHorizontalFlip")]))
optim_wrapper = dict(optimizer=dict(lr=0.1), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
train_cfg = dict(max_epochs=6, val_interval=6)
