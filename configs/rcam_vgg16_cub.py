"""RCAM (Zhang's thesis, chapter 5) with VGG16-GAP on CUB-200-2011, from ImageNet weights: all three parts.

    wsolkit train rcam_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

Learning rate 1e-4 and batches of 32 as the thesis, the rest of the schedule as CAM here. Set
model.cam_method.type=HeadMaps or model.box_extractor.type=LargestComponent, and the evaluators' extractor with it, to
leave a part out.
"""

_base_ = ["cam_vgg16_cub.py"]

extractor = dict(type="TwoStageBox")

model = dict(
    head=dict(_delete_=True, type="LinearHead", pooling=dict(type="SoftmaxWeightedPooling")),
    cam_method=dict(type="RecombinedMaps"),
    box_extractor=dict(_delete_=True, **extractor),
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=dict(lr_mult=dict(_delete_=True, backbone=1.0, head=1.0)))
val_evaluator = dict(type="LocalizationMetric", extractor=extractor)
test_evaluator = dict(type="LocalizationMetric", extractor=extractor)
