"""C2AM (Xie et al. 2022) with MobileNetV2 on birds50, from ImageNet weights; no label is used.

    wsolkit train c2am_mobilenetv2_birds50 --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_c2am.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(
        type="TimmBackbone", name="mobilenetv2_100", pad_type="same", levels=["blocks.4", "final"], output_stride=16
    ),
    head=dict(type="C2AMHead", levels=["final", "blocks.4"]),
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    # With batch statistics of so few images this network's features lose the object: only the head is trained. To train
    # the backbone as well, freeze less and set norm_eval=["model"].
    freeze=["model"],
)
train_dataloader = dict(batch_size=16, drop_last=True)
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
train_cfg = dict(max_epochs=3)
