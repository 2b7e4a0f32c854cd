"""SPG (Zhang et al. 2018) with EfficientNet-Lite0 on birds50; the layers that the masks teach are trained.

wsolkit train spg_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(
    backbone=dict(levels=["blocks.4", "blocks.6", "final"]),
    head=dict(_delete_=True, type="SPGHead", levels=["blocks.4", "blocks.6", "final"], width=128, last_width=128),
    losses=[dict(type="CrossEntropy"), dict(type="SelfProducedGuidance")],
    freeze=["model.conv_stem", "model.bn1", "model.blocks.0", "model.blocks.1", "model.blocks.2", "model.blocks.3"],
)
optim_wrapper = dict(optimizer=dict(lr=0.01))  # at CAM's .05 the masks and with them the classifier diverge
