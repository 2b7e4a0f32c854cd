"""CCNN's features under ex-CAM: MobileNetV2 on PASCAL VOC 2012, from ImageNet weights, trained as ex-CAM is.

    wsolkit train ccnn_excam_voc --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["../_base_/voc2012.py", "../_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="CCNNBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"], output_stride=16),
    head=dict(type="ConvHead", maps_per_class=8, pooling=dict(type="WildcatPooling", kmax=0.2, kmin=0.2, alpha=0.6)),
    modifiers=[
        dict(type="SequentialDrop", at="maps", variant="fixed"),
        dict(type="ScaleGradient", at="maps"),
    ],
    losses=[dict(type="BinaryCrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
optim_wrapper = dict(
    optimizer=dict(lr=0.1),
    # The gates start from random numbers.
    paramwise_cfg=dict(lr_mult={"backbone": 0.1, "backbone.amm_stage.gates": 1.0, "head": 1.0}),
)
train_cfg = dict(max_epochs=6)
