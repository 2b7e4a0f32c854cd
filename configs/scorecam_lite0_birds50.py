"""Score-CAM (Wang et al. 2020) with EfficientNet-Lite0 on birds50; the training is CAM's.

wsolkit train scorecam_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(cam_method=dict(type="ScoreCAM", channels=16))
