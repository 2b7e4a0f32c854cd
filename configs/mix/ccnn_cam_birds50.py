"""CCNN's features under the plain CAM head: MobileNetV2 on birds50, from ImageNet weights, trained as CAM is.

    wsolkit train ccnn_cam_birds50 --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["../_base_/birds50.py", "../_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="CCNNBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
optim_wrapper = dict(
    optimizer=dict(lr=0.05),
    # The gates start from random numbers.
    paramwise_cfg=dict(lr_mult={"backbone": 0.2, "backbone.amm_stage.gates": 1.0, "head": 1.0}),
)
train_cfg = dict(max_epochs=6)
