"""CAM (Zhou et al. 2016) with EfficientNet-Lite0 on birds50, from the ImageNet weights installed with wsolkit.

    wsolkit train cam_lite0_birds50 --cfg-options data_root=...

What other methods are compared on: images squashed to 224 pixels and mirrored at random, no crops; the network is
frozen up to blocks.5, so that what it makes of the images can be computed once; the last stage and the head are
trained.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_cosine.py"]

weights = "embedded"
squashed = [dict(type="Resize", size=(224, 224), antialias=True)]

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["final"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    freeze=[
        "model.conv_stem", "model.bn1", "model.blocks.0", "model.blocks.1", "model.blocks.2", "model.blocks.3",
        "model.blocks.4", "model.blocks.5",
    ],
    norm_eval=["model"],
)  # fmt: skip
train_dataloader = dict(dataset=dict(pipeline=[*squashed, dict(type="RandomHorizontalFlip")]))
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(lr_mult=dict(backbone=0.2, head=1.0)))
train_cfg = dict(max_epochs=6, val_interval=6)
