"""RCAM with MobileNetV2 on birds50, from ImageNet weights: all three parts, as many epochs as CAM.

    wsolkit train rcam_mobilenetv2_birds50 --cfg-options data_root=... weights=...

Recombined maps and the two-stage box change nothing in training, so the ablation is `wsolkit test` of one checkpoint
with model.cam_method.type=HeadMaps, or with model.box_extractor.type, val_evaluator.extractor.type and
test_evaluator.extractor.type=LargestComponent.

The softmax-weighted pooling gives features several times as large as the mean, so CAM's learning rate of .05 diverges
here; a tenth of it trains, the ratio of the thesis' two rates (1e-4 here, 1e-3 for its other methods).
"""

_base_ = ["cam_mobilenetv2_birds50.py"]

extractor = dict(type="TwoStageBox")

model = dict(
    head=dict(_delete_=True, type="LinearHead", pooling=dict(type="SoftmaxWeightedPooling")),
    cam_method=dict(type="RecombinedMaps"),
    box_extractor=dict(_delete_=True, **extractor),
)
val_evaluator = dict(extractor=extractor)
test_evaluator = dict(extractor=extractor)
optim_wrapper = dict(optimizer=dict(lr=0.005))
