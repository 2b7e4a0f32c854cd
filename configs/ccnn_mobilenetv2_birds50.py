"""CCNN with MobileNetV2 on birds50, from ImageNet weights: C2AM on 2,656 channels; no label is used.

    wsolkit train ccnn_mobilenetv2_birds50 --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_c2am.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="CCNNBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"], output_stride=16),
    head=dict(type="C2AMHead"),  # reads the concatenation
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    freeze=["model", "amm_stage.parts"],  # as C2AM there: what ImageNet taught stays, gates and head are trained
)
train_dataloader = dict(batch_size=16, drop_last=True)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    # The gates start from random numbers.
    paramwise_cfg=dict(lr_mult={"backbone": 0.1, "backbone.amm_stage.gates": 1.0, "head": 1.0}),
)
train_cfg = dict(max_epochs=3)
