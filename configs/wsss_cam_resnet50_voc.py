"""Multi-label CAM with ResNet-50 on PASCAL VOC 2012, 448 x 448, for the seed of pseudo masks.

    wsolkit train wsss_cam_resnet50_voc --cfg-options data_root=...

Maps come from four scales and their mirror images, as is usual for pseudo masks.
"""

_base_ = ["_base_/voc2012_448.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer4"], output_stride=16),
    head=dict(type="CAMHead", form="conv", bias=False),
    losses=[dict(type="BinaryCrossEntropy")],
    cam_method=dict(type="MultiScaleMaps", scales=(0.5, 1.0, 1.5, 2.0), flip=True, normalize="max"),
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
)
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=0.1), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
train_cfg = dict(max_epochs=5)
