"""BagCAMs (Zhu et al. 2022) with EfficientNet-Lite0 on birds50; the training is CAM's.

wsolkit train bagcams_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(cam_method=dict(type="BagCAMs", at="blocks.6"))
