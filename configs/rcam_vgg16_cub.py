"""RCAM (Zhang's thesis, chapter 5) with VGG16-GAP on CUB-200-2011, from ImageNet weights: all three parts.

    wsolkit train rcam_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

Learning rate 1e-4 and batches of 32 as the thesis, the rest of the schedule as CAM here. Set
model.cam_method.type=HeadMaps or model.box_extractor.type=LargestComponent to leave a part out.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="VGG16GAP"),
    head=dict(type="LinearHead", pooling=dict(type="SoftmaxWeightedPooling")),
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="RecombinedMaps"),
    box_extractor=dict(type="TwoStageBox"),
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=50)
