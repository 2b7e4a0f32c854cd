"""LayerCAM (Jiang et al. 2021) over four layers of EfficientNet-Lite0 on birds50; the training is CAM's.

wsolkit train layercam_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(cam_method=dict(type="LayerCAM", at=["blocks.2", "blocks.4", "blocks.6", "final"]))
