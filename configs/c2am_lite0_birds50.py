"""C2AM (Xie et al. 2022) with EfficientNet-Lite0 on birds50, from the ImageNet weights installed with wsolkit.

    wsolkit train c2am_lite0_birds50 --cfg-options data_root=...

No label is used. Five maps are learnt at once on features that stay as ImageNet taught them and are computed once; the
map is their mean, in the image and in its mirror image.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_c2am.py"]

weights = "embedded"
feature_cache = dict(most_gb=4.0)
squashed = [dict(type="Resize", size=(224, 224), antialias=True)]

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["blocks.4", "blocks.6"], output_stride=16),
    head=dict(type="C2AMHead", levels=["blocks.6", "blocks.4"], members=5),
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    cam_method=dict(type="MultiScaleMaps", scales=[1.0], flip=True, resize="bicubic"),
    box_extractor=dict(type="LargestComponent", threshold=0.7),
    freeze=["model"],
)
train_dataloader = dict(
    batch_size=16, drop_last=True, dataset=dict(pipeline=[*squashed, dict(type="RandomHorizontalFlip")])
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=3, val_interval=3)
