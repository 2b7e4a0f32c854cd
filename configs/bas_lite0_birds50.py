"""BAS (Wu, Zhai and Cao 2022) with EfficientNet-Lite0 on birds50, on the schedule of CAM there.

wsolkit train bas_lite0_birds50 --cfg-options data_root=...
"""

_base_ = ["cam_lite0_birds50.py"]

model = dict(
    backbone=dict(levels=["blocks.6", "final"]),
    head=dict(_delete_=True, type="SuppressionHead", level="blocks.6"),
    losses=[dict(type="CrossEntropy"), dict(type="BackgroundSuppression")],
)
