"""RCAM with MobileNetV2 on birds50, from ImageNet weights: all three parts, as many epochs as CAM.

    wsolkit train rcam_mobilenetv2_birds50 --cfg-options data_root=... weights=...

Recombined maps and the two-stage box change nothing in training, so the ablation is `wsolkit test` of one checkpoint
with model.cam_method.type=HeadMaps, or with model.box_extractor.type=LargestComponent.

The softmax-weighted pooling gives features several times as large as the mean, so CAM's learning rate of .05 diverges
here; a tenth of it trains, the ratio of the thesis' two rates (1e-4 here, 1e-3 for its other methods).
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"], output_stride=16),
    head=dict(type="LinearHead", pooling=dict(type="SoftmaxWeightedPooling")),
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="RecombinedMaps"),
    box_extractor=dict(type="TwoStageBox"),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
optim_wrapper = dict(optimizer=dict(lr=0.005), paramwise_cfg=dict(lr_mult=dict(backbone=0.2, head=1.0)))
train_cfg = dict(max_epochs=6)
