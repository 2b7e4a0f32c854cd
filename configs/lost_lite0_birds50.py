"""LOST (Simeoni et al. 2021) on EfficientNet-Lite0's features, birds50: nothing is trained.

wsolkit test lost_lite0_birds50 --cfg-options data_root=...
wsolkit predict lost_lite0_birds50 photos --out found
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(
    backbone=dict(levels=["blocks.4"]),
    head=dict(_delete_=True, type="FeatureHead"),
    losses=[],
    cam_method=dict(_delete_=True, type="LOSTMaps", soft=True, k=25),
    box_extractor=dict(threshold=0.3),
    freeze=[],
    norm_eval=[],
)
