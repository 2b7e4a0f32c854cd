"""PC1 (Yasuki and Taki, CVPR 2024) with EfficientNet-Lite0 on birds50: nothing is trained.

wsolkit test pc1_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(
    head=dict(_delete_=True, type="FeatureHead"),
    losses=[],
    cam_method=dict(_delete_=True, type="PC1"),
    freeze=["model"],
)
