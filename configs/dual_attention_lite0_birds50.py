"""Dual attention (Fu et al. 2019) with EfficientNet-Lite0 on birds50, beside cam_lite0_birds50.

    wsolkit train dual_attention_lite0_birds50 --cfg-options data_root=...

It sits behind the last stage, on 320 channels of 14 x 14 cells, and starts as the identity. What it adds has no bound,
so the norms of the last stage, behind it too, follow the batches here, and it has a tenth of the head's learning rate:
with resting norms the loss grows without end.
"""

_base_ = ["./cam_lite0_birds50.py"]

model = dict(
    modifiers=[dict(type="DualAttention", at="blocks.6")],
    norm_eval=[
        "model.conv_stem", "model.bn1", "model.blocks.0", "model.blocks.1", "model.blocks.2", "model.blocks.3",
        "model.blocks.4", "model.blocks.5",
    ],
)  # fmt: skip
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(feature_modifiers=0.1)))
