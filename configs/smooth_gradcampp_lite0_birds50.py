"""Smooth Grad-CAM++ (Omeiza et al. 2019) with EfficientNet-Lite0 on birds50; the training is CAM's.

wsolkit train smooth_gradcampp_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(cam_method=dict(type="SmoothGradCAMPlusPlus", at="blocks.6"))
