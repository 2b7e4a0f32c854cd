"""RCAM with MobileNetV2 on birds50, from ImageNet weights: all three parts on the schedule of CAM.

    wsolkit train rcam_mobilenetv2_birds50 --cfg-options data_root=... weights=...

Recombined maps and the two-stage box change nothing in training: `wsolkit test` of one checkpoint with
model.cam_method.type=HeadMaps, or with another box_extractor and evaluator, is the ablation.
"""

_base_ = ["cam_mobilenetv2_birds50.py"]

extractor = dict(type="TwoStageBox", step=0.05)

model = dict(
    head=dict(_delete_=True, type="LinearHead", pooling=dict(type="SoftmaxWeightedPooling")),
    cam_method=dict(type="RecombinedMaps"),
    box_extractor=dict(_delete_=True, **extractor),
)
val_evaluator = dict(extractor=extractor)
test_evaluator = dict(extractor=extractor)
