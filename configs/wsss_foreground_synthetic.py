"""C2AM on scenes that are drawn on the fly: the class-agnostic maps of wsss_synthetic; needs no data and no weights.

wsolkit train wsss_foreground_synthetic
"""

_base_ = ["_base_/synthetic.py", "_base_/sgd_c2am.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet10t", levels=["layer3", "layer4"], output_stride=16),
    head=dict(type="C2AMHead", levels=["layer4", "layer3"]),
    losses=[dict(type="C2AMLoss", alpha=0.25)],
    cam_method=dict(type="C2AMLogitMaps", inverted="negated"),
    box_extractor=dict(type="LargestComponent", threshold=0.3),
)
train_dataloader = dict(drop_last=True)
optim_wrapper = dict(optimizer=dict(lr=0.01))
train_cfg = dict(max_epochs=4)
