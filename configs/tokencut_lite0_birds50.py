"""TokenCut (Wang et al. 2022) on EfficientNet-Lite0's features, birds50: nothing is trained.

wsolkit test tokencut_lite0_birds50 --cfg-options data_root=...
wsolkit predict tokencut_lite0_birds50 photos --out found
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(
    backbone=dict(levels=["blocks.4"]),
    head=dict(_delete_=True, type="FeatureHead"),
    losses=[],
    cam_method=dict(_delete_=True, type="TokenCutMaps", soft=True),
    box_extractor=dict(threshold=0.3),
    freeze=[],
    norm_eval=[],
)
